import { journey, send, template } from './rules.js'

// A few days of four people, for what is reported of a simulation.

export const REPORTED_RULES = [
  template('hello', '您好'),
  { kind: 'offer', id: 'trial', total: 2, value: 5 },
  { kind: 'policy', id: 'few', cap: { max: 1, within: '7d', classes: ['promotion'] } },
  journey(
    'remind',
    [
      { id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'none', exit: { reason: '券已领完' } }] },
      send('push'),
      { id: 'paid', waitFor: { event: 'order', timeout: '2d' }, then: [send('thanks', { class: 'service' })] },
    ],
    { entry: { on: 'event', event: 'cart' }, goal: { event: 'order', within: '3d' } },
  ),
  journey('again', [send('more')], { entry: { on: 'event', event: 'order' } }),
]

const says = (day: string, userId: string, event: string) => ({
  event,
  userId,
  messageId: `${day}-${userId}-${event}`,
  timestamp: `2026-03-${day}T10:00:00+08:00`,
})
const joins = (userId: string, groupId: string) => ({
  type: 'group' as const,
  userId,
  groupId,
  messageId: `join-${userId}`,
  timestamp: '2026-03-01T08:00:00+08:00',
})

export const REPORTED_EVENTS = [
  joins('u1', 'c-1'),
  joins('u2', 'c-1'),
  joins('u3', 'c-2'),
  says('01', 'u1', 'cart'),
  says('01', 'u2', 'cart'),
  says('02', 'u1', 'order'),
  says('02', 'u3', 'cart'),
  says('02', 'u3', 'order'),
  says('02', 'u4', 'order'),
  says('02', 'u2', 'cart'),
]
