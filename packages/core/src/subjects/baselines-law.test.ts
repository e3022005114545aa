import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tag } from '../../testing/rules.js'
import { worldOf } from '../../testing/shop.js'

// The law: at every instant, the tags of a community are those that a plain recomputation gives. Its own figures are worked
// out from all that is known; those of the others from what was known before the last full hour, as they were then.

const HOUR = 3_600_000
const MINUTE = 60_000
const WINDOW = 3 * HOUR
/** Any full hour. */
const START = Date.UTC(2026, 2, 1, 4)

interface Action {
  /** Minutes since the action before; counted from a full hour in part, so that many fall on one. */
  readonly after: number
  readonly user: number
  readonly dairy: boolean
  readonly total: number
  /** How many minutes ago it happened. */
  readonly late: number
}

const actionsArb: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.record({
    after: fc.oneof(fc.constantFrom(0, 30, 60), fc.integer({ min: 0, max: 100 })),
    user: fc.integer({ min: 0, max: 5 }),
    dairy: fc.boolean(),
    total: fc.integer({ min: -1, max: 4 }),
    late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 })),
  }),
  { minLength: 1, maxLength: 12 },
)

/** An order as it is known. */
interface Order extends Omit<Action, 'after' | 'late'> {
  readonly at: number
  readonly receivedAt: number
}

const communityOf = (user: number) => `c${user % 3}`
const COMMUNITIES = [0, 1, 2].map(communityOf)

class Naive {
  private readonly orders: Order[] = []

  add(order: Order): void {
    this.orders.push(order)
  }

  /** Communities of which something was known before an instant. */
  knownBefore(at: number): readonly string[] {
    return COMMUNITIES.filter((id) => this.orders.some((one) => communityOf(one.user) === id && one.receivedAt < at))
  }

  /** The orders of a community in the window at an instant, of those that were known before another one. */
  private inside(id: string, at: number, knownBefore: number): readonly Order[] {
    return this.orders.filter(
      (one) => communityOf(one.user) === id && one.receivedAt < knownBefore && one.at <= at && at < one.at + WINDOW,
    )
  }

  tagsOf(id: string, at: number): readonly string[] {
    const hour = Math.floor(at / HOUR) * HOUR
    const known = this.knownBefore(hour)
    const own = this.inside(id, at, Number.POSITIVE_INFINITY)
    const others = known.filter((other) => other !== id).map((other) => this.inside(other, hour, hour))
    const compared = known.length > 0
    const share = shareOf(own)
    const elsewhere = shareOf(others.flat())
    const lift = compared && share !== undefined && elsewhere ? share / elsewhere : undefined
    const shares = others.map(shareOf).filter((one) => one !== undefined)
    const place = (value: number, values: readonly number[]) => values.filter((one) => one > value).length + 1
    const behind = share === undefined ? 0 : shares.filter((one) => one <= share).length
    const tags = {
      'half-dairy': share !== undefined && share >= 0.5,
      'more-dairy': lift !== undefined && lift >= 1.5 - 1e-9,
      'sold-most': compared && place(sumOf(own), others.map(sumOf)) === 1,
      'not-last': compared && place(buyersOf(own), others.map(buyersOf)) <= 2,
      'upper-half': compared && share !== undefined && (shares.length === 0 || behind / shares.length >= 0.5),
    }
    return Object.entries(tags).flatMap(([tag, holds]) => (holds ? [tag] : []))
  }
}

function shareOf(orders: readonly Order[]): number | undefined {
  return orders.length === 0 ? undefined : orders.filter(({ dairy }) => dairy).length / orders.length
}

const sumOf = (orders: readonly Order[]) => orders.reduce((sum, { total }) => sum + total, 0)
const buyersOf = (orders: readonly Order[]) => new Set(orders.map(({ user }) => user)).size

const ORDERS = { event: 'order', within: '3h' }
const DAIRY = { ...ORDERS, item: { fact: 'category', operator: 'equal', value: 'dairy' } }
const by = (fact: string, params: object) => ({ by: { fact, params } })
const fact = (name: string, params: object, operator: string, value: number) => ({
  fact: name,
  params,
  operator,
  value,
})

const RULES = Object.entries({
  'half-dairy': fact('share', DAIRY, 'greaterThanInclusive', 0.5),
  'more-dairy': fact('lift', DAIRY, 'greaterThanInclusive', 1.5),
  'sold-most': fact('rank', by('eventSum', { ...ORDERS, property: 'total' }), 'equal', 1),
  'not-last': fact('rank', by('userCount', ORDERS), 'lessThanInclusive', 2),
  'upper-half': fact('rank', { ...by('share', DAIRY), as: 'percentile' }, 'greaterThanInclusive', 50),
}).map(([id, conditions]) => tag(id, conditions, { subject: 'community' }))

describe('communities that are compared', () => {
  it('have at every instant the tags of a plain recomputation', async () => {
    const seen = { on: 0, off: 0 }
    await fc.assert(
      fc.asyncProperty(actionsArb, async (actions) => {
        const world = await worldOf(RULES, { now: new Date(START).toISOString() })
        const naive = new Naive()
        const check = async (at: number) => {
          for (const id of COMMUNITIES) {
            const subject = await world.engine.subject('community', id)
            const tags = subject === undefined ? [] : naive.tagsOf(id, at)
            expect([...(subject?.tags ?? [])].sort(), `${id} at ${at - START} ms`).toEqual([...tags].sort())
            seen.on += tags.length
            seen.off += RULES.length - tags.length
          }
        }
        const goTo = async (end: number) => {
          for (let at = world.clock.now(); at < end; at = world.clock.now()) {
            // A millisecond before each full hour, and at it.
            const hour = (Math.floor(at / HOUR) + 1) * HOUR
            await world.advanceTo(Math.min(end, at < hour - 1 ? hour - 1 : hour))
            await check(world.clock.now())
          }
        }
        for (const [index, { after, late, ...order }] of actions.entries()) {
          await goTo(world.clock.now() + after * MINUTE)
          const now = world.clock.now()
          const at = now - late * MINUTE
          const userId = `u${order.user}`
          await world.ingest(
            // Of events that come in together, one counts for the community that its user was in when it happened.
            {
              type: 'group',
              userId,
              groupId: communityOf(order.user),
              messageId: `g${index}`,
              timestamp: START - 24 * HOUR,
            },
            {
              event: 'order',
              userId,
              messageId: `m${index}`,
              timestamp: at,
              properties: { total: order.total, items: [{ category: order.dairy ? 'dairy' : 'rice' }] },
            },
          )
          naive.add({ ...order, at, receivedAt: now })
          await check(now)
        }
        await goTo(world.clock.now() + 5 * HOUR)
        await world.close()
      }),
      { numRuns: Number(process.env['LINLI_RUNS'] ?? 40) },
    )
    expect(Math.min(seen.on, seen.off)).toBeGreaterThan(200)
  })
})
