import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { atLeast, journey, send, tag, template } from '../../testing/rules.js'
import { simulate } from './simulate.js'
import { type WhatIf, whatIf } from './what-if.js'

const event = (at: string, userId: string, name: string, properties: Record<string, unknown> = {}) => ({
  event: name,
  userId,
  messageId: `${at}-${userId}-${name}`,
  timestamp: `2026-03-${at}T10:00:00+08:00`,
  properties,
})

const EVENTS = [
  event('01', 'u1', 'order'),
  event('01', 'u2', 'order'),
  event('02', 'u1', 'order'),
  event('02', 'u1', 'cart'),
  event('02', 'u2', 'cart'),
  event('03', 'u1', 'cart'),
  event('04', 'u1', 'cart'),
]

const TEMPLATE = template('hello', '您好')
const OFFER = { kind: 'offer', id: 'trial', total: 10, perPerson: 5, value: 5 }
const issue = { id: 'coupon', issue: { offer: 'trial' } }
const cap = (max: number) => ({ kind: 'policy', id: 'cap', cap: { max, within: '30d' } })

const OLD = [TEMPLATE, OFFER, tag('regular', atLeast(2, 'order')), journey('remind', [send('push')])]

function compare(old: readonly unknown[], changed: readonly unknown[]): Promise<WhatIf> {
  return whatIf({ old: definePack(old), new: definePack(changed), events: () => EVENTS })
}

describe('a what-if', () => {
  it('finds no difference between a pack and itself', async () => {
    const { old, new: now, tags, subjects, money } = await compare(OLD, OLD)

    expect(now).toEqual(old)
    expect({ tags, subjects, money }).toEqual({ tags: {}, subjects: [], money: { old: 0, new: 0 } })
  })

  it('goes over the same events as simulations of each pack', async () => {
    const changed = [...OLD, cap(1)]
    const { old, new: now } = await compare(OLD, changed)

    expect(old).toEqual(await simulate({ rules: definePack(OLD), events: EVENTS }))
    expect(now).toEqual(await simulate({ rules: definePack(changed), events: EVENTS }))
  })

  it('asks for the events once, and tells how far both have come', async () => {
    let asked = 0
    const told: number[] = []
    const events = () => {
      asked += 1
      return EVENTS
    }
    await whatIf({ old: definePack(OLD), new: definePack(OLD), events, onProgress: (count) => told.push(count) })

    expect(asked).toBe(1)
    expect(told.at(-1)).toBe(2 * EVENTS.length)
  })

  it('says who would have a tag, and who would not', async () => {
    const { tags } = await compare(OLD, [
      TEMPLATE,
      OFFER,
      tag('regular', atLeast(1, 'order')),
      tag('new', atLeast(1, 'cart')),
      OLD[3],
    ])
    expect(tags).toEqual({
      new: { gained: ['user:u1', 'user:u2'], lost: [] },
      regular: { gained: ['user:u2'], lost: [] },
    })

    const { tags: back } = await compare([...OLD, tag('new', atLeast(3, 'cart'))], OLD)
    expect(back).toEqual({ new: { gained: [], lost: ['user:u1'] } })
  })

  it('says what each would lose, how much of it, and which rule is in the way', async () => {
    const { subjects } = await compare(OLD, [...OLD, cap(1)])

    expect(subjects).toEqual([
      {
        subject: 'user:u1',
        gained: [],
        lost: [
          {
            ...{ kind: 'message', rule: 'remind', template: 'hello', old: 3, new: 1 },
            ...{ first: '2026-03-02T02:00:00.000Z', why: 'message.suppressed by cap: cap' },
          },
        ],
      },
    ])
  })

  it('says what each would gain, and why there was less of it before', async () => {
    const { subjects, money } = await compare(OLD, [...OLD, journey('welcome', [issue], { reentry: 'never' })])

    const coupon = { kind: 'coupon', rule: 'trial', old: 0, new: 1, first: '2026-03-02T02:00:00.000Z' }
    const gained = [{ ...coupon, why: 'there is no such journey' }]
    expect(subjects).toEqual(['user:u1', 'user:u2'].map((subject) => ({ subject, gained, lost: [] })))
    expect(money).toEqual({ old: 0, new: 10 })
  })

  it('names re-entry and entry conditions as what was in the way', async () => {
    const never = journey('remind', [send('push')], { reentry: 'never' })
    const { subjects } = await compare([TEMPLATE, never], [TEMPLATE, journey('remind', [send('push')])])
    expect(subjects).toMatchObject([
      { subject: 'user:u1', gained: [{ old: 1, new: 3, why: 'journey.held: re-entry' }] },
    ])

    const other = journey('remind', [send('push')], { entry: { on: 'event', event: 'view' } })
    const { subjects: lost } = await compare([TEMPLATE, never], [TEMPLATE, other])
    expect(lost.map((one) => one.lost.map(({ why }) => why))).toEqual([['not entered'], ['not entered']])
  })
})
