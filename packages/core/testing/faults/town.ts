import { definePack, hashShare, type Pack } from '@linli/rules'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Channel } from '../../src/ports/channel.js'
import type { Clock } from '../../src/ports/clock.js'

// The town in which things fail: its rules, its people, its clock.

export const PEOPLE = 30
/** Promotions that one person may get within so long. */
export const CAP = { max: 3, withinMs: 300_000 }
/** Of one offer there are fewer coupons than people, of the other one for everybody. */
const FEW = 12
const ENOUGH = 10_000
/** What providers drop repeats for. */
export const PROVIDER_WINDOW_MS = 600_000

/** A cart that is not ordered is reminded of; who orders often gets a coupon. Every way of sending has a part. */
const PEOPLE_RULES: readonly unknown[] = [
  { kind: 'template', id: 'remind', name: '购物车提醒', body: '还有菜没下单哦' },
  { kind: 'template', id: 'thanks', body: '谢谢{{ traits.name | default: "您" }}' },
  { kind: 'template', id: 'coupon', body: '送您一张券 {{ coupon.code | default: "领完了" }}' },
  { kind: 'offer', id: 'trial', name: '尝鲜券', total: FEW, perPerson: 1, value: 5 },
  { kind: 'offer', id: 'welcome', name: '见面礼', total: ENOUGH, perPerson: 1, value: 1, returns: 'unsent' },
  { kind: 'policy', id: 'agreed', consent: { classes: ['promotion'] } },
  { kind: 'policy', id: 'three', cap: { max: CAP.max, within: '5m', classes: ['promotion'] } },
  {
    kind: 'tag',
    id: 'regular',
    conditions: {
      fact: 'eventCount',
      operator: 'greaterThanInclusive',
      value: 3,
      params: { event: 'order', within: '10m' },
    },
  },
  { kind: 'score', id: 'orders', terms: [{ per: { fact: 'eventCount', params: { event: 'order' } }, points: 1 }] },
  {
    kind: 'journey',
    id: 'cart',
    key: 'cart',
    entry: { on: 'event', event: 'cart' },
    reentry: 'always',
    steps: [
      {
        id: 'ordered',
        waitFor: { event: 'order', timeout: '20s' },
        then: [{ id: 'thank', send: { template: 'thanks', channel: 'app', class: 'service' } }],
        else: [
          { id: 'remind', send: { template: 'remind', channel: ['sms', 'wecom'], class: 'promotion' } },
          { id: 'rest', wait: '10s' },
          { id: 'again', send: { template: 'thanks', channel: 'wecom', class: 'content' } },
        ],
      },
    ],
  },
  {
    kind: 'journey',
    id: 'trial',
    entry: { on: 'event', event: 'order' },
    reentry: { after: '20s' },
    steps: [
      { id: 'give', issue: { offer: 'trial' } },
      { id: 'greet', issue: { offer: 'welcome' } },
      { id: 'say', send: { template: 'coupon', channel: 'app', class: 'content' } },
    ],
  },
]

/** Content that a community may get by WeCom, ever; and what all content by the app together may cost, ever. */
export const WECOM_BUDGET = 3
export const APP_BUDGET = { money: 3, cost: 0.25 }
/** At most one promotion in so many messages to the members of a community. */
export const MIXED = 5
/** Codes of the shop's own, fewer than people. */
export const OWN_CODES = Array.from({ length: 20 }, (_, index) => `own-${index}`)
/** Who issues coupons in the shop's stead. */
export const ISSUER = 'wallet'
/** Long enough that nothing falls out of it. */
const ALWAYS = '90d'

/** What many people share. */
const SHARED_POLICIES: readonly unknown[] = [
  {
    kind: 'policy',
    id: 'wecom-budget',
    budget: { messages: WECOM_BUDGET, channels: ['wecom'], classes: ['content'], of: 'community' },
  },
  {
    kind: 'policy',
    id: 'app-budget',
    budget: { money: APP_BUDGET.money, costs: { app: APP_BUDGET.cost }, classes: ['content'] },
  },
  { kind: 'policy', id: 'mixed', mix: { share: 1 / MIXED, within: ALWAYS, of: 'community' } },
]

export const TOWN_RULES: readonly unknown[] = [...PEOPLE_RULES, ...SHARED_POLICIES]

/** Coupons from elsewhere. */
const COUPON_RULES: readonly unknown[] = [
  { kind: 'offer', id: 'own', codes: 'given', perPerson: 1 },
  { kind: 'offer', id: 'far', issuer: ISSUER, perPerson: 1 },
  {
    kind: 'journey',
    id: 'gift',
    entry: { on: 'event', event: 'order' },
    reentry: { after: '20s' },
    steps: [
      { id: 'own', issue: { offer: 'own' } },
      { id: 'far', issue: { offer: 'far' } },
    ],
  },
]

/** The journeys that people of a shop may be in. */
export const SHOP_JOURNEYS = ['cart', 'trial', 'gift']

export function shopRules(): Pack {
  return definePack([...TOWN_RULES, ...COUPON_RULES])
}

/** The channels of the town, each with another promise about repeats. */
export const CHANNELS = {
  sms: { kind: 'idempotent', windowMs: PROVIDER_WINDOW_MS },
  wecom: { kind: 'queryable' },
  app: { kind: 'none' },
} as const

/** How often the provider may be called by one of them, in time of the town. */
export const RATES: Readonly<Partial<Record<keyof typeof CHANNELS, Channel['rate']>>> = {
  wecom: { max: 8, perMs: 5_000 },
}

/** Channels by which the provider sends as often as it is asked to. */
export const CARELESS = ['app']

/** What happens in the town next: always the same for the same name. */
export function happening(seed: string, people = PEOPLE): readonly IncomingEvent[] {
  const pick = (what: string, from: number) => Math.floor(hashShare(`${seed}|${what}`) * from)
  const userId = `u${pick('who', people)}`
  const event = (name: string, properties: Readonly<Record<string, unknown>>, part = name): IncomingEvent => ({
    type: 'track',
    event: name,
    userId,
    messageId: `${seed}-${part}`,
    properties,
  })
  const kind = pick('what', 10)
  // A third of the people belong to a community, from when they say so.
  const who = Number(userId.slice(1))
  if (kind < 1 && who < people / 3)
    return [{ type: 'group', userId, groupId: `c-${who % 2}`, messageId: `${seed}-group` }]
  if (kind < 2) return [event('consent_granted', { channel: '*', class: 'promotion' })]
  if (kind < 3) return [event('consent_withdrawn', { channel: '*', class: 'promotion' })]
  if (kind < 6) return [event('cart', { cart: seed })]
  if (kind < 8) return [event('cart', { cart: seed }), event('order', { cart: seed })]
  return [event('order', { cart: `${seed}-none` })]
}

/** Where the town's time began, on the machine's clock, and how many times as fast it passes. */
export interface TownTime {
  readonly began: number
  readonly speed: number
}

/** A clock that all processes of a town share, and that is faster than the machine's, so that leases end soon. */
export function townClock({ began, speed }: TownTime): Clock {
  const now = () => Math.floor(began + (Date.now() - began) * speed)
  return {
    now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, Math.max(1, ms / speed))
        signal?.addEventListener('abort', done)
        function done() {
          clearTimeout(timer)
          signal?.removeEventListener('abort', done)
          resolve()
        }
      }),
  }
}
