import fc from 'fast-check'
import type { IncomingEvent } from '../src/ingest/event.js'
import { atLeast, count, journey, send, tag, template, traitIs, wait } from './rules.js'

// An evening of a few neighbours: orders and views, strangers who turn out to be somebody, second thoughts about
// messages. It begins before the quiet hours in Shanghai and ends in them.

const EVENING = Date.parse('2026-03-01T18:00:00+08:00')
export const MORNING_AFTER = Date.parse('2026-03-02T12:00:00+08:00')

/**
 * Events come in slots. What rules do by themselves falls between two of them, also when it comes a minute late, as it
 * does after a crash: so a late message never changes what an event finds.
 */
const SLOT_MS = 10 * 60_000
const SLOTS = 28
/** When the events of a slot arrive: after they have happened. */
export const ARRIVAL_MS = 10_000

const within = (event: string, n: number, window: string) => atLeast(n, event, { within: window })

export const EVENING_RULES: readonly unknown[] = [
  tag('regular', within('order', 3, '90m')),
  tag('big', {
    fact: 'eventSum',
    operator: 'greaterThanInclusive',
    value: 50,
    params: { event: 'order', property: 'amount', within: '2h' },
  }),
  tag('fruit-twice', {
    fact: 'itemSum',
    operator: 'greaterThanInclusive',
    value: 2,
    params: {
      event: 'order',
      property: 'quantity',
      item: { fact: 'category', operator: 'equal', value: 'fruit' },
    },
  }),
  tag('never-milk', count('order', 'equal', 0, { item: { fact: 'category', operator: 'equal', value: 'milk' } })),
  tag('two-stores', {
    fact: 'eventDistinct',
    operator: 'equal',
    value: 2,
    params: { event: ['order', 'view'], property: 'store' },
  }),
  tag('last-at-a', { fact: 'lastEvent', operator: 'equal', value: 'a', params: { event: 'order', property: 'store' } }),
  tag('silent', { fact: 'sinceLastEvent', operator: 'greaterThan', value: '30m', params: { event: 'view' } }),
  tag('local', traitIs('city', 'Shanghai')),
  tag('in-c1', { fact: 'relation', operator: 'equal', value: 'c1', params: { name: 'community' } }),
  tag('of-l1', { fact: 'relation', operator: 'equal', value: 'l1', params: { name: 'leader' } }),
  tag('lively', within('order', 4, '60m'), { subject: 'community' }),
  tag('marked'),
  template('hello'),
  template('tip', '{{ subject.id }}'),
  { kind: 'offer', id: 'trial', total: 3 },
  { kind: 'policy', id: 'consent', consent: { classes: ['content'] } },
  { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00', classes: ['promotion'] } },
  { kind: 'policy', id: 'cap', cap: { classes: ['promotion'], max: 2, within: '7d' } },
  journey('thank', [wait('a-while', '5m'), send('push'), { id: 'mark', tag: { add: 'marked' } }], {
    entry: { on: 'event', event: 'order' },
    key: 'orderId',
    reentry: 'never',
    exit: { on: 'event', event: 'cancel' },
    goal: { event: 'view', within: '1h' },
  }),
  journey(
    'trial',
    [
      { id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'none', exit: { reason: 'no coupon' } }] },
      send('letter', { class: 'content' }),
      {
        id: 'again',
        waitFor: { event: 'order', timeout: '35m' },
        else: [{ id: 'tell', suggest: { to: 'leader', template: 'tip' } }],
      },
    ],
    { entry: { on: 'tag.added', tag: 'regular' }, reentry: 'oneAtATime' },
  ),
]

type Content = Omit<IncomingEvent, 'messageId' | 'timestamp'>

const store = fc.constantFrom('a', 'b')
const goods = fc.record({ category: fc.constantFrom('fruit', 'milk'), quantity: fc.integer({ min: 1, max: 2 }) })
const order = fc.record({
  orderId: fc.constantFrom('o1', 'o2', 'o3', 'o4', 'o5'),
  amount: fc.constantFrom(10, 20.1, 30),
  store,
  items: fc.array(goods, { maxLength: 2 }),
})
const consent = fc.record({
  event: fc.constantFrom('consent_granted', 'consent_withdrawn'),
  properties: fc.constantFrom({}, { class: 'content' }),
})
const joining = fc.tuple(fc.constantFrom('c1', 'c2'), fc.option(fc.constantFrom('l1', 'l2')))

const deed: fc.Arbitrary<Content> = fc.oneof(
  { weight: 8, arbitrary: order.map((properties) => ({ event: 'order', properties })) },
  { weight: 2, arbitrary: store.map((at) => ({ event: 'view', properties: { store: at } })) },
  { weight: 1, arbitrary: order.map(({ orderId }) => ({ event: 'cancel', properties: { orderId } })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('Shanghai', 'Hangzhou').map((city) => ({ type: 'identify' as const, traits: { city } })),
  },
  { weight: 2, arbitrary: consent },
  {
    weight: 1,
    arbitrary: joining.map(([groupId, leaderId]) => ({
      type: 'group' as const,
      groupId,
      traits: { ...(leaderId && { leaderId }) },
    })),
  },
)

/** Who a visitor is never depends on who speaks first: that is a promise of its own. */
const OWNERS = { a1: 'u1', a2: 'u2' } as const
const visitor = fc.constantFrom('a1', 'a2')

const byUsers = fc.tuple(fc.constantFrom('u1', 'u2', 'u3'), deed).map(([userId, one]): Content => ({ userId, ...one }))
const byVisitors = fc.tuple(visitor, deed).map(([anonymousId, one]): Content => ({ anonymousId, ...one }))
const links = visitor.map((anonymousId): Content => ({ type: 'identify', userId: OWNERS[anonymousId], anonymousId }))

/**
 * What happens in one slot. Users, visitors and links keep apart: what comes together of one person by two names may be
 * taken in in either order.
 */
const deeds = fc.oneof(
  { weight: 4, arbitrary: several(byUsers) },
  { weight: 2, arbitrary: several(byVisitors) },
  { weight: 2, arbitrary: several(links) },
)

function several(one: fc.Arbitrary<Content>) {
  return fc.array(fc.tuple(one, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 4 })
}

/** Events of one slot, in the order they happened. */
export interface Slot {
  readonly at: number
  readonly events: readonly IncomingEvent[]
}

/** An evening: events in slots, some of them at the same instant. */
export const eveningArb: fc.Arbitrary<readonly Slot[]> = fc
  .array(fc.record({ slot: fc.integer({ min: 0, max: SLOTS - 1 }), events: deeds }), { minLength: 3, maxLength: 7 })
  .map((slots) => {
    const bySlot = new Map(slots.map((one) => [one.slot, one.events]))
    let messages = 0
    return [...bySlot]
      .sort(([a], [b]) => a - b)
      .map(([slot, events]): Slot => {
        const at = EVENING + slot * SLOT_MS
        const timed = events.map(([one, seconds]) => ({ ...one, timestamp: at + seconds * 1000 }))
        timed.sort((a, b) => a.timestamp - b.timestamp)
        return { at, events: timed.map((one) => ({ ...one, messageId: `m${++messages}` })) }
      })
  })

export const USERS = ['u1', 'u2', 'u3', 'anon:a1', 'anon:a2'] as const
