import type { IncomingEvent } from '@linli/core'

/** A community group-buying shop for benchmarks: the same events for the same seed. */
export interface ShopOptions {
  readonly events: number
  readonly users: number
  /** People belong to one of so many communities; none when 0. */
  readonly communities?: number
  readonly seed?: number
  /** What the ids of people begin with; `u` when left out. */
  readonly people?: string
}

const DAY_MS = 86_400_000
export const CATEGORIES = [
  'organic_vegetable',
  'vegetable',
  'fruit',
  'dairy',
  'meat',
  'seafood',
  'bakery',
  'grain',
  'snack',
  'household',
] as const

/** Events of the last ten days, in time order: six views, two carts and two orders of ten. */
export function shopEvents(options: ShopOptions): IncomingEvent[] {
  const { events, users, communities = 0, seed = 1, people = 'u' } = options
  const random = mulberry32(seed)
  const pick = (count: number) => Math.floor(random() * count)
  const end = Date.now() - 60_000
  const joins =
    communities === 0
      ? []
      : Array.from({ length: users }, (_, user) =>
          joinEvent(`${people}-${user}`, `c-${user % communities}`, end, random),
        )
  const shopping = Array.from({ length: events }, (_, index): IncomingEvent => {
    const user = pick(users)
    const at = Math.floor(end - 10 * DAY_MS + (10 * DAY_MS * index) / events)
    return {
      ...behaviour(pick, random),
      userId: `${people}-${user}`,
      messageId: uuid(random),
      timestamp: new Date(at).toISOString(),
    }
  })
  return [...joins, ...shopping]
}

function joinEvent(userId: string, groupId: string, end: number, random: () => number): IncomingEvent {
  const timestamp = new Date(end - 11 * DAY_MS).toISOString()
  return { type: 'group', userId, groupId, messageId: uuid(random), timestamp }
}

function behaviour(pick: (count: number) => number, random: () => number): Pick<IncomingEvent, 'event' | 'properties'> {
  const kind = pick(10)
  const sku = () => `sku-${pick(2000)}`
  const category = () => CATEGORIES[pick(CATEGORIES.length)] ?? 'fruit'
  if (kind < 6)
    return { event: 'product_viewed', properties: { sku: sku(), category: category(), page: 'pages/product/index' } }
  if (kind < 8)
    return {
      event: 'cart_added',
      properties: { cartId: `cart-${pick(1e9)}`, sku: sku(), category: category(), quantity: 1 + pick(3) },
    }
  const items = Array.from({ length: 1 + pick(3) }, () => {
    const amount = Math.round(random() * 5000) / 100
    return { sku: sku(), name: '有机小青菜 500g', category: category(), quantity: 1 + pick(3), amount }
  })
  const total = Math.round(items.reduce((sum, item) => sum + item.amount, 0) * 100) / 100
  return { event: 'order_paid', properties: { orderId: `o-${pick(1e9)}`, storeId: `s-${pick(40)}`, total, items } }
}

/** A random UUID, as clients make them for their events. */
function uuid(random: () => number): string {
  const part = (length: number) =>
    Math.floor(random() * 16 ** length)
      .toString(16)
      .padStart(length, '0')
  return `${part(8)}-${part(4)}-4${part(3)}-a${part(3)}-${part(6)}${part(6)}`
}

/** A small, fast generator of numbers in [0, 1): mulberry32 by Tommy Ettinger, public domain. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A hundred tags: ten of each category, counted, summed and aged in different ways. */
export function shopTags(count = 100): unknown[] {
  return Array.from({ length: count }, (_, index) => {
    const category = CATEGORIES[index % CATEGORIES.length]
    const form = Math.floor(index / 10) % 10
    const never = {
      fact: 'eventCount',
      operator: 'equal',
      value: 0,
      params: { event: 'order_paid', item: ofCategory('fruit') },
    }
    // As "buys organic vegetables often and has never bought fruit": one tag of ten looks for what never happened too.
    const conditions = { all: [tagCondition(form, category), ...(form === 9 ? [never] : [])] }
    return { kind: 'tag', id: `tag-${index}`, conditions }
  })
}

function tagCondition(form: number, category: string | undefined) {
  const own = ofCategory(category)
  const orders = { event: 'order_paid', item: own }
  const atLeast = (fact: string, value: number, params: object) => ({
    fact,
    operator: 'greaterThanInclusive',
    value,
    params,
  })
  switch (form) {
    case 0:
      return atLeast('eventCount', 3, { ...orders, within: '30d' })
    case 1:
      return atLeast('eventCount', 2, { ...orders, within: '7d' })
    case 2:
      return atLeast('itemSum', 100, { ...orders, within: '30d', property: 'amount' })
    case 3:
      return atLeast('eventCount', 10, orders)
    case 4:
      return atLeast('eventDistinct', 3, { ...orders, within: '30d', property: 'storeId' })
    case 5:
      return { fact: 'sinceLastEvent', operator: 'greaterThan', value: '5d', params: orders }
    case 6:
      return atLeast('eventCount', 5, { event: 'product_viewed', where: own, within: '3d' })
    case 7:
      return atLeast('eventCount', 2, { event: 'cart_added', where: own, within: '1d' })
    case 8:
      return atLeast('itemCount', 4, { ...orders, within: '14d' })
    default:
      return atLeast('eventCount', 2, { ...orders, within: '30d' })
  }
}

function ofCategory(category: string | undefined) {
  return { all: [{ fact: 'category', operator: 'equal', value: category }] }
}

/** Twenty journeys, two of each category: reminders about carts and thanks for large orders. */
export function shopJourneys(): unknown[] {
  const template = { kind: 'template', id: 'hello', body: '{{ subject.id }}，您好' }
  const journeys = CATEGORIES.flatMap((category) => [
    {
      kind: 'journey',
      id: `cart-${category}`,
      entry: {
        on: 'event',
        event: 'cart_added',
        conditions: { all: [ofEvent('category', 'equal', category), ofEvent('quantity', 'equal', 3)] },
      },
      exit: { on: 'event', event: 'order_paid' },
      steps: [
        { id: 'wait', wait: '30d' },
        { id: 'remind', send: { template: 'hello', channel: 'push', class: 'promotion' } },
      ],
    },
    {
      kind: 'journey',
      id: `large-${category}`,
      entry: { on: 'tag.added', tag: `tag-${CATEGORIES.indexOf(category)}` },
      reentry: { after: '30d' },
      steps: [{ id: 'bought', waitFor: { event: 'order_paid', timeout: '30d' }, then: [{ id: 'later', wait: '30d' }] }],
    },
  ])
  return [template, ...journeys]
}

function ofEvent(property: string, operator: string, value: unknown) {
  return { fact: 'event', params: { property }, operator, value }
}
