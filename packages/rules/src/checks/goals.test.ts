import { describe, expect, it } from 'vitest'
import { count, journey, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = { id: 'hello', send: { template: 't', channel: 'sms', class: 'service' } }
const wait = (length: string) => ({ id: `w${length}`, wait: length })
const goal = { event: 'paid', within: '2d' }

function review(steps: readonly unknown[], more: object = { goal }) {
  return reviewPack(definePack([journey({ steps, ...more }), template('x'), { kind: 'offer', id: 'o', total: 9 }]))
}

describe('a goal', () => {
  it('is over before the journey has done anything for it', () => {
    expect(review([wait('1d'), wait('25h'), send])).toMatchObject([
      {
        severity: 'warning',
        code: 'goal.tooSoon',
        pointer: '/0/goal/within',
        found: '"2d"',
        message:
          'The goal counts within 2d after entry, but the first thing that this journey does for anybody, "hello", comes after 2d 1h at the earliest: nothing of it is counted. Give it longer than that.',
      },
    ])
    const waited = { id: 'w', waitFor: { event: 'seen', timeout: '2d' }, then: [{ id: 'e', exit: {} }] }
    expect(review([waited, send])).toHaveLength(1)
  })

  it.each([
    ['something is done in time', [wait('47h'), send]],
    [
      'something is done in time on one way',
      [{ id: 'b', branch: [{ conditions: count(), then: [send] }], else: [wait('9d')] }],
    ],
    ['an event may come in time', [{ id: 'w', waitFor: { event: 'seen', timeout: '9d' } }, send]],
    ['a coupon is issued at once', [{ id: 'c', issue: { offer: 'o' } }, wait('9d'), send]],
    ['nothing is ever done', [wait('9d')]],
    ['a wait may be short', [{ id: 'w', wait: { trait: 'birthday' } }, send]],
  ])('is in time where %s', (_, steps) => {
    expect(review(steps)).toEqual([])
  })

  it('is not missed where there is none', () => {
    expect(review([wait('9d'), send], {})).toEqual([])
  })
})
