import { describe, expect, it } from 'vitest'
import { isPoison } from './poison.js'

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
