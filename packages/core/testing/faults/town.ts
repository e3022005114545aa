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
export const TOWN_RULES: readonly unknown[] = [
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

export function townRules(): Pack {
  return definePack(TOWN_RULES)
}

/** The channels of the town, each with another promise about repeats. */
export const CHANNELS = {
  sms: { kind: 'idempotent', windowMs: PROVIDER_WINDOW_MS },
  wecom: { kind: 'queryable' },
  app: { kind: 'none' },
} as const

/** How often the provider may be called by one of them, in time of the town. */
export const RATES: Readonly<Partial<Record<keyof typeof CHANNELS, Channel['rate']>>> = {
  wecom: { max: 30, perMs: 5_000 },
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
