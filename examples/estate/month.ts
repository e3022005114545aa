import type { IncomingEvent } from '@linli/core'
import { DAYS, instant, LAUNCH } from './calendar.js'
import { Diary } from './diary.js'
import type { Neighbour } from './neighbours.js'
import { type Item, NEW_FRUIT, PRODUCTS, pickItem } from './products.js'
import type { Random } from './random.js'

/** Thirty days of three communities, in the order they happened. */
export function makeMonth(neighbours: readonly Neighbour[], random: Random): readonly IncomingEvent[] {
  const diary = new Diary('march')
  for (const neighbour of neighbours) live(neighbour, diary, random)
  return diary.events()
}

/** Late one evening the new fruit is announced to everybody in the area. */
export function makeLaunch(neighbours: readonly Neighbour[]): readonly IncomingEvent[] {
  const diary = new Diary('launch')
  const { sku: productId, name, category, price } = NEW_FRUIT
  const fruit = { productId, name, category, price }
  for (const { id } of neighbours) diary.track(LAUNCH, id, 'product_launched_nearby', fruit)
  return diary.events()
}

/** The new fruit is ordered by about half of those whom its push has reached, within a day and a half. */
export function makeTrials(reached: readonly Neighbour[], random: Random): readonly IncomingEvent[] {
  const diary = new Diary('trial')
  for (const neighbour of reached) {
    if (!random.chance(0.5)) continue
    const at = instant(random.pick([24, 24, 25]), shoppingHour(random), random.between(0, 59))
    diary.order(at, neighbour, [{ ...NEW_FRUIT, quantity: random.between(1, 2) }])
  }
  return diary.events()
}

function live(neighbour: Neighbour, diary: Diary, random: Random): void {
  const { id, joinedOn, consent, forgetful, persona } = neighbour
  const arrival = instant(joinedOn, joinedOn === 0 ? 9 : 15)
  diary.arrive(neighbour, arrival)
  if (joinedOn > 0) diary.track(arrival, id, 'member_joined')
  if (consent === 'withdrawn') diary.track(instant(15, 12, 30), id, 'consent_withdrawn', { class: 'promotion' })
  for (const day of shoppingDays(neighbour, random)) shop(neighbour, day, diary, random)
  if (forgetful) for (const day of [20, 22]) diary.fillCart(instant(day, 18, 40), id, random.pick(PRODUCTS))
  if (persona === 'everyday' && random.chance(0.4)) forgetCart(neighbour, diary, random)
}

/** Looks around, then buys at once or leaves the cart for an hour. */
function shop(neighbour: Neighbour, day: number, diary: Diary, random: Random): void {
  const hour = shoppingHour(random)
  const arrival = instant(day, hour, random.between(0, 45))
  for (let looks = random.between(0, 2); looks > 0; looks--) look(arrival, neighbour, diary, random)
  const items = basket(neighbour, day, random)
  const [first] = items
  if (first === undefined || random.chance(0.6)) return diary.order(arrival, neighbour, items)
  const cartId = diary.fillCart(arrival, neighbour.id, first)
  diary.order(instant(day, hour + 1, random.between(0, 45)), neighbour, items, cartId)
}

/** Most people come in the evening, before the day's group-buy closes. */
function shoppingHour(random: Random): number {
  return random.chance(0.75) ? random.between(18, 19) : random.pick([9, 12])
}

function look(at: number, { id }: Neighbour, diary: Diary, random: Random): void {
  const { sku, name, category, price } = random.pick(PRODUCTS)
  diary.track(at, id, 'product_viewed', { sku, name, category, price })
}

function forgetCart({ id, joinedOn }: Neighbour, diary: Diary, random: Random): void {
  const day = random.between(joinedOn + 1, DAYS - 2)
  diary.fillCart(instant(day, random.pick([18, 19, 21]), random.between(0, 59)), id, random.pick(PRODUCTS))
}

function shoppingDays({ persona, joinedOn }: Neighbour, random: Random): readonly number[] {
  switch (persona) {
    case 'milk':
      return every(3.5, random.between(0, 3))
    case 'rare':
      // A newcomer of this kind takes their time.
      return [random.between(joinedOn + 5, DAYS - 1)]
    case 'organic-and-fruit':
      return every(7, random.between(1, 2))
    default:
      return every(7, joinedOn > 0 ? joinedOn + 1 : random.between(1, 6))
  }
}

function every(days: number, first: number): readonly number[] {
  const count = Math.ceil((DAYS - first) / days)
  return Array.from({ length: count }, (_, index) => first + Math.floor(index * days))
}

/** What a household buys on a day. The first line is what it came for. */
function basket({ persona }: Neighbour, day: number, random: Random): readonly Item[] {
  const organic = () => pickItem(random, 'organic_vegetable', random.between(1, 2))
  const maybe = (share: number, item: () => Item) => (random.chance(share) ? [item()] : [])
  switch (persona) {
    case 'organic':
      return [organic(), ...maybe(0.6, organic), ...maybe(0.3, () => pickItem(random, 'egg'))]
    case 'organic-and-fruit':
      // Fruit comes late in the month, so that they have the tag for a while and lose it.
      return [organic(), ...(day > 20 ? [pickItem(random, 'fruit')] : [])]
    case 'milk': {
      const milk = () => pickItem(random, 'dairy', random.between(1, 3))
      return [milk(), ...maybe(0.5, milk), ...maybe(0.4, () => pickItem(random, 'staple'))]
    }
    default:
      return [
        pickItem(random, 'vegetable', random.between(1, 3)),
        ...maybe(0.6, () => pickItem(random, 'fruit')),
        ...maybe(0.3, () => pickItem(random, 'meat')),
        ...maybe(0.2, () => pickItem(random, 'dairy')),
        ...maybe(0.15, organic),
      ]
  }
}
