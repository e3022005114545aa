import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

// The tags of packs/grocery once more, as plainly as can be: loops over a household's events. Nothing of linli is used.

interface Item {
  readonly group: string | null
  readonly organic: boolean | null
  readonly brand: string
  readonly amount: number
}

interface GroceryEvent {
  readonly at: number
  readonly event: string
  readonly userId: string
  readonly properties: {
    readonly total: number
    readonly storeId: string
    readonly campaignType: string
    readonly items: readonly Item[]
  }
  readonly traits: Readonly<Record<string, string>>
}

/** Events of each household, in the order they happened. */
export async function readHouseholds(file: string): Promise<ReadonlyMap<string, readonly GroceryEvent[]>> {
  const households = new Map<string, GroceryEvent[]>()
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) {
    const raw = JSON.parse(line) as GroceryEvent & { readonly timestamp: string; readonly type: string }
    const event = { ...raw, event: raw.event ?? raw.type, at: Date.parse(raw.timestamp) }
    const own = households.get(event.userId)
    if (own === undefined) households.set(event.userId, [event])
    else own.push(event)
  }
  return households
}

const DAY = 86_400_000

/** Whether a household has a tag at an instant, from all its events until then. */
export type NaiveTag = (at: number) => boolean

/** What each tag comes to for one household. */
export function naiveTags(events: readonly GroceryEvent[]): Readonly<Record<string, NaiveTag>> {
  const first = events[0]?.at ?? Number.POSITIVE_INFINITY
  const named = (...names: readonly string[]) => events.filter(({ event }) => names.includes(event))
  const orders = named('order_paid')
  const withItem = (test: (item: Item) => boolean) => orders.filter(({ properties }) => properties.items.some(test))
  const ordered = timesOf(orders)
  const vegetables = timesOf(withItem((item) => item.group === 'vegetable'))
  const fruit = timesOf(withItem((item) => item.group === 'fruit'))
  const organic = timesOf(withItem((item) => item.organic === true))
  const campaigns = timesOf(named('campaign_sent').filter(({ properties }) => properties.campaignType === 'Type A'))
  const redeemed = timesOf(named('coupon_redeemed'))
  const shopping = timesOf(named('order_paid', 'coupon_redeemed'))
  const totals = orders.map(({ properties }) => cents(properties.total))
  const ownBrand = orders.map(({ properties }) =>
    properties.items.reduce((sum, { brand, amount }) => (brand === 'Private' ? sum + cents(amount) : sum), 0),
  )
  const stores = orders.map(({ properties }) => properties.storeId)
  const said = named('identify').map(({ at, traits }) => ({ at, kids: traits['kidsCount'] ?? '' }))

  const vegetablesOften: NaiveTag = (at) => count(vegetables, at, 90) >= 3
  const neverFruit: NaiveTag = (at) => count(fruit, at, EVER) === 0
  const family: NaiveTag = (at) => said.some((one) => one.at <= at && ['1', '2', '3+'].includes(one.kids))
  const tags: Record<string, NaiveTag> = {
    'vegetables-often': vegetablesOften,
    'never-fruit': neverFruit,
    'vegetables-never-fruit': (at) => vegetablesOften(at) && neverFruit(at),
    'organic-lately': (at) => count(organic, at, 30) >= 1,
    'one-order-in-a-fortnight': (at) => count(ordered, at, 14) === 1,
    'big-spender': (at) => sum(ordered, totals, at, 30) > 2550,
    'hundred-in-all': (at) => sum(ordered, totals, at, EVER) >= 10_000,
    'own-brand': (at) => sum(ordered, ownBrand, at, 45) >= 1200,
    'two-stores': (at) => storesOf(ordered, stores, at, 120).size >= 2,
    'last-at-367': (at) => lastStore(ordered, stores, at, 30) === '367',
    lapsed: (at) => count(ordered, at, EVER) > 0 && ordered.every((time) => time > at || at - time > 45 * DAY),
    family,
    'coupons-unused': (at) => count(campaigns, at, 40) >= 1 && count(redeemed, at, 40) === 0,
    anywhere: (at) => count(shopping, at, 10) >= 4 || family(at),
  }
  // Nobody knows of a household before its first event.
  return Object.fromEntries(Object.entries(tags).map(([id, tag]) => [id, (at: number) => at >= first && tag(at)]))
}

const EVER = 100_000
const cents = (dollars: number) => Math.round(dollars * 100)
const timesOf = (events: readonly GroceryEvent[]) => events.map(({ at }) => at)

function count(times: readonly number[], at: number, days: number): number {
  let found = 0
  for (const time of times) if (time <= at && at < time + days * DAY) found += 1
  return found
}

function sum(times: readonly number[], amounts: readonly number[], at: number, days: number): number {
  let total = 0
  times.forEach((time, index) => {
    if (time <= at && at < time + days * DAY) total += amounts[index] ?? 0
  })
  return total
}

function storesOf(times: readonly number[], stores: readonly string[], at: number, days: number): ReadonlySet<string> {
  return new Set(stores.filter((_, index) => count([times[index] ?? 0], at, days) === 1))
}

/** The store of the last order; of two orders at the same instant the greater name. */
function lastStore(times: readonly number[], stores: readonly string[], at: number, days: number): string | undefined {
  let last: { readonly time: number; readonly store: string } | undefined
  times.forEach((time, index) => {
    const store = stores[index] ?? ''
    if (time > at || at >= time + days * DAY) return
    if (last === undefined || time > last.time || (time === last.time && store > last.store)) last = { time, store }
  })
  return last?.store
}
