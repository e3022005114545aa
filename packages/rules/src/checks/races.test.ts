import { describe, expect, it } from 'vitest'
import { count, journey, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = (id: string, more: object = {}) => ({
  id,
  send: { template: 't', channel: 'sms', class: 'content', ...more },
})
const least = (value: number) => count({ operator: 'greaterThanInclusive', value })
const entry = (conditions?: unknown, event = 'paid') => ({ on: 'event', event, ...(conditions ? { conditions } : {}) })

const one = (more: object = {}) => journey({ id: 'one', steps: [send('hello')], ...more })
const two = (more: object = {}) => journey({ id: 'two', steps: [send('offer')], ...more })

function review(first: object, second: object, cap: object = {}) {
  const policy = { kind: 'policy', id: 'few', cap: { max: 1, within: '7d', ...cap } }
  return reviewPack(definePack([first, second, template('x'), policy, { kind: 'offer', id: 'o', total: 9 }]))
}

function found(...args: Parameters<typeof review>): string[] {
  return review(...args).map(({ code, pointer }) => `${code} ${pointer}`)
}

describe('two journeys that are entered together, under a cap of one message', () => {
  it('are named, with what is lost', () => {
    expect(review(one(), two())).toMatchObject([
      {
        severity: 'warning',
        code: 'journey.race',
        pointer: '/1/entry',
        message:
          'Whoever enters "two" enters "one" at the same instant ((code)#/0, (code)#/1), and the policy "few" lets one of their first messages, "hello" and "offer", through in 7d: the other is never sent. Which of them goes first is not said: both are due at the same instant. Wait before one of them, or enter only one.',
      },
    ])
  })

  it('are told which goes first where one waits for an outcome', () => {
    const [problem] = review(one({ steps: [{ id: 'c', issue: { offer: 'o' } }, send('hello')] }), two())
    expect(problem).toMatchObject({ pointer: '/0/entry' })
    expect(problem?.message).toContain('That of "two" goes first, because the other waits for the outcome of a step')
  })

  it('are found where the conditions of one imply those of the other', () => {
    expect(found(one({ entry: entry(least(3)) }), two({ entry: entry(least(5)) }))).toEqual(['journey.race /1/entry'])
    expect(found(one({ entry: entry(least(3)) }), two())).toHaveLength(1)
    const some = { fact: 'trait', params: { name: 'city' }, operator: 'equal', value: 'sh' }
    expect(found(one({ entry: entry(some) }), two({ entry: entry(least(5)) }))).toEqual([])
    expect(found(one({ entry: entry(count({ value: 3 })) }), two({ entry: entry(least(5)) }))).toEqual([])
  })

  it.each([
    ['by other events', one(), two({ entry: entry(undefined, 'seen') }), {}],
    ['with a wait in one', one(), two({ steps: [{ id: 'w', wait: '1d' }, send('offer')] }), {}],
    [
      'on a branch of one',
      one(),
      two({ steps: [{ id: 'b', branch: [{ conditions: least(1), then: [send('x')] }] }] }),
      {},
    ],
    ['with room for both', one(), two(), { max: 2 }],
    [
      'with a message of another class',
      one(),
      two({ steps: [send('x', { class: 'service' })] }),
      { classes: ['content'] },
    ],
    ['on another channel', one(), two({ steps: [send('x', { channel: 'app' })] }), { channels: ['sms'] }],
    ['once for each order and once', one({ key: 'orderId' }), two(), {}],
    ['as often as they like and once', one({ reentry: 'always' }), two(), {}],
    ['by those whom a limit lets in', one({ limit: { max: 5 } }), two({ limit: { max: 5 } }), {}],
    ['one at a time', one({ exclusive: 'g' }), two({ exclusive: 'g' }), {}],
    ['by those who are not held out', one({ holdout: 0.1 }), two({ holdout: 0.1 }), {}],
  ])('are no race %s', (_, first, second, cap) => {
    expect(found(first, second, cap)).toEqual([])
  })
})
