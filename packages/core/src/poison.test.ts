import { describe, expect, it } from 'vitest'
import { byPortions, isPoison, type Portion } from './poison.js'

const failure = (code: unknown) => Object.assign(new Error('failed'), { code })

describe('what went wrong', () => {
  it.each([
    ['a value that is out of range', failure('22003')],
    ['a row that a constraint refuses', failure('23514')],
    ["a row that a trigger of the host's refuses", failure('P0001')],
    ['a row that is too long', failure('54000')],
    ['a page that cannot be read', failure('XX001')],
    ['a row that cannot be read', new SyntaxError('Unexpected end of JSON input')],
    ['a rule that trips over a value', new TypeError('x is undefined')],
  ])('comes again: %s', (_, error) => {
    expect(isPoison(error)).toBe(true)
  })

  it.each([
    ['a connection that was lost', failure('ECONNRESET')],
    ['a server that shuts down', failure('57P01')],
    ['a disk that is full', failure('53100')],
    ['another transaction', failure('40001')],
    ['a table that somebody has renamed', failure('42P01')],
    ['a right that was taken away', failure('42501')],
    ['a fault of the server', failure('XX000')],
    ['nothing that is known', new Error('Connection terminated unexpectedly')],
    ['a code that is none', failure(22)],
    ['no error', null],
  ])('may be well a moment later: %s', (_, error) => {
    expect(isPoison(error)).toBe(false)
  })
})

describe('what waits in line', () => {
  /** Does all of a line but what is poison; gives what it left alone. */
  function lineOf(line: string[], onFailure: () => void = () => undefined) {
    const leftAlone: string[] = []
    const pass = async (portion: Portion) => {
      const taken = line.slice(0, portion.limit)
      const failure = portion.take(taken, (one) => one)
      if (failure !== undefined) leftAlone.push(...taken)
      else if (taken.includes('poison')) {
        if (portion.limit === 1) onFailure()
        throw new TypeError('poison')
      }
      line.splice(0, taken.length)
      return taken.length
    }
    return { leftAlone, go: () => byPortions(5, pass) }
  }

  it('is done up to poison, which is left alone when it is first', async () => {
    const line = ['one', 'poison', 'two']
    const { leftAlone, go } = lineOf(line)

    expect(await go()).toBe(1)
    await expect(go()).rejects.toThrow('poison')

    expect([leftAlone, line]).toEqual([['poison'], ['two']])
  })

  it('is done where poison was first, and somebody else has taken it', async () => {
    const line = ['poison', 'one', 'two']
    const { leftAlone, go } = lineOf(line, () => line.shift())

    await expect(go()).rejects.toThrow('poison')

    expect([leftAlone, line]).toEqual([[], ['two']])
  })
})
