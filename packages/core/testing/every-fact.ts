// The rules of packs/every-fact once more, as plainly as can be: loops over a household's events. Nothing of linli is used.

/** What of an event these rules look at. */
export interface PlainEvent {
  readonly at: number
  readonly event: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly traits?: Readonly<Record<string, unknown>>
}

interface Item {
  readonly group?: unknown
  readonly brand?: unknown
  readonly amount?: unknown
}

const DAY = 86_400_000
/** Nobody here has a time zone, so calendars are those of Shanghai, which has no summer time. */
const SHANGHAI_MS = 8 * 3_600_000

/** Whether an event that happened at `s` counts at `t`. */
type Window = (s: number, t: number) => boolean

const within =
  (days: number): Window =>
  (s, t) =>
    s <= t && t < s + days * DAY
const between =
  (from: number, to: number): Window =>
  (s, t) =>
    s + to * DAY <= t && t < s + from * DAY
const since =
  (instant: number): Window =>
  (s, t) =>
    instant <= s && s <= t
const ever: Window = (s, t) => s <= t

const months = new Map<number, number>()

/** The month of a date, one number for each; the same few dates are asked again and again. */
function monthOf(at: number): number {
  const day = Math.floor((at + SHANGHAI_MS) / DAY)
  const known = months.get(day)
  if (known !== undefined) return known
  const date = new Date(day * DAY)
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth()
  months.set(day, month)
  return month
}

/** Weeks from Monday: the first of January 1970 was a Thursday. */
function weekOf(at: number): number {
  return Math.floor(((at + SHANGHAI_MS) / DAY + 3) / 7)
}

const thisMonth: Window = (s, t) => s <= t && monthOf(s) === monthOf(t)
const lastMonth: Window = (s, t) => monthOf(s) + 1 === monthOf(t)
const lastWeek: Window = (s, t) => weekOf(s) + 1 === weekOf(t)

const itemsOf = ({ properties }: PlainEvent) => properties['items'] as readonly Item[]
const cents = (amount: unknown) => Math.round(Number(amount) * 100)
const isFruit = ({ group }: Item) => group === 'fruit'

/** Whether a household has a tag at an instant, from all its events until then. */
export type PlainTag = (at: number) => boolean

/** What each tag comes to for one household. */
export function plainTags(events: readonly PlainEvent[]): Readonly<Record<string, PlainTag>> {
  const named = (...names: readonly string[]) => events.filter(({ event }) => names.includes(event))
  const orders = named('order_paid')
  const redeemed = named('coupon_redeemed')
  const campaigns = named('campaign_sent')
  const withFruit = orders.filter((order) => itemsOf(order).some(isFruit))
  const fruits = orders.flatMap((order) =>
    itemsOf(order)
      .filter(isFruit)
      .map(() => order),
  )
  const sumOf = (amount: (order: PlainEvent) => number, window: Window) => {
    const amounts = orders.map((order) => [order.at, amount(order)] as const)
    return (t: number) => amounts.reduce((sum, [s, cent]) => (window(s, t) ? sum + cent : sum), 0)
  }
  const total = ({ properties }: PlainEvent) => cents(properties['total'])
  const ownBrand = (order: PlainEvent) =>
    itemsOf(order).reduce((sum, { brand, amount }) => (brand === 'Private' ? sum + cents(amount) : sum), 0)
  const totals = (window: Window, t: number) => orders.filter(({ at }) => window(at, t)).map(total)
  const sumBefore = sumOf(total, between(60, 30))
  const sum60 = sumOf(total, within(60))
  const own = sumOf(ownBrand, thisMonth)
  const answered = redeemed.filter(({ at }) => campaigns.some((sent) => sent.at < at && at < sent.at + 40 * DAY))
  const unanswered = orders.filter(({ at }) => !redeemed.some((one) => at <= one.at && one.at < at + 20 * DAY))
  const kids = named('identify').map(({ at, traits }) => [at, traits?.['kidsCount']] as const)
  const runs = runsOf(orders)
  const eventCount: PlainTag = (t) => count(withFruit, within(30), t) >= 2
  const share: PlainTag = (t) => {
    const all = count(orders, within(40), t)
    return all > 0 && count(withFruit, within(40), t) / all > 0.4
  }
  const worth = (t: number) => {
    let sum = (eventCount(t) ? 5 : 0) + Math.min(20, sum60(t) / 1000)
    for (const { at } of redeemed) if (at <= t) sum += halvedPoints(t - at)
    return sum
  }
  const shopping = named('order_paid', 'coupon_redeemed')
  return {
    'event-count': eventCount,
    'event-sum': (t) => sumBefore(t) > 8000,
    'event-avg': (t) => {
      const list = totals(within(45), t)
      return list.length > 0 && list.reduce((a, b) => a + b, 0) / list.length < 2500
    },
    'event-min': (t) => totals(within(20), t).some((cent) => cent <= 1000),
    'event-max': (t) => totals(lastMonth, t).some((cent) => cent > 4000),
    'item-count': (t) => count(fruits, within(21), t) > 1,
    'item-sum': (t) => own(t) >= 1000,
    'event-distinct': (t) => {
      const counting = orders.filter(({ at }) => between(90, 10)(at, t))
      return new Set(counting.map(({ properties }) => properties['storeId'])).size > 1
    },
    'user-count': (t) => count(redeemed, lastWeek, t) > 0,
    'first-event': (t) => ['367', '406', '361'].includes(outermost(orders, ever, t, -1, 'storeId')),
    'last-event': (t) => outermost(campaigns, within(25), t, 1, 'campaignType') === 'Type B',
    'since-first-event': (t) => count(orders, ever, t) > 0 && t - (orders[0]?.at ?? 0) < 60 * DAY,
    'since-last-event': (t) => {
      let last = Number.NEGATIVE_INFINITY
      for (const { at } of shopping) if (at <= t && at > last) last = at
      return Number.isFinite(last) && t - last > 14 * DAY
    },
    'message-count': (t) => runs.some((start) => within(15)(start, t)),
    sequence: (t) => count(answered, within(60), t) >= 2,
    'sequence-without': (t) => {
      const from = since(Date.parse('2017-04-01T00:00:00+08:00'))
      return unanswered.filter(({ at }) => from(at + 20 * DAY, t)).length === 3
    },
    share,
    trait: (t) => kids.some(([s, said]) => s <= t && ['1', '2', '3+'].includes(String(said))),
    relation: (t) => !share(t),
    score: (t) => worth(t) >= 22.5,
    consent: eventCount,
    run: (t) => runs.some((start) => within(9)(start, t)),
  }
}

function count(events: readonly PlainEvent[], window: Window, t: number): number {
  let found = 0
  for (const { at } of events) if (window(at, t)) found += 1
  return found
}

/** Four points, of which half are left after each ten days, and none after eighty. */
function halvedPoints(age: number): number {
  const halvings = Math.floor(age / (10 * DAY))
  return halvings >= 8 ? 0 : 4 / 2 ** halvings
}

/** When runs of the journey begin: by a large order on a weekday, one at a time, each for nine days. */
function runsOf(orders: readonly PlainEvent[]): readonly number[] {
  const starts: number[] = []
  for (const { at, properties } of orders) {
    const weekday = new Date(at + SHANGHAI_MS).getUTCDay()
    const isOver = at >= (starts.at(-1) ?? Number.NEGATIVE_INFINITY) + 9 * DAY
    if (isOver && Number(properties['total']) > 20 && weekday >= 1 && weekday <= 5) starts.push(at)
  }
  return starts
}

/** A property of the first (-1) or last (1) event in the window; of those of one instant, the greater text. */
function outermost(events: readonly PlainEvent[], window: Window, t: number, sign: 1 | -1, property: string): string {
  let best: { readonly at: number; readonly value: string } | undefined
  for (const { at, properties } of events) {
    const value = String(properties[property])
    if (!window(at, t)) continue
    if (best === undefined || sign * (at - best.at) > 0 || (at === best.at && value > best.value)) best = { at, value }
  }
  return best?.value ?? ''
}
