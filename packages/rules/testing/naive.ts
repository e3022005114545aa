import fc from 'fast-check'
import type { EventRecord } from '../src/subject.js'
import { WINDOWS } from './history.js'

/** A second, plain implementation of the facts over events: it looks at the whole history each time. */

export interface Leaf {
  fact: string
  operator: string
  value: unknown
  params: { event: string | string[]; within?: string; where?: Where; item?: Where; property?: string }
}

interface Where {
  fact: string
  operator: string
  value: unknown
}

export type Tree = Leaf | { all: Tree[] } | { any: Tree[] } | { not: Tree }

const WINDOW_MS: Record<string, number> = { '1s': 1000, '2s': 2000, PT3S: 3000, '1m': 60_000 }
const DURATION_MS: Record<string, number> = { '1s': 1000, '2s': 2000, '3s': 3000, PT4S: 4000 }

export function naiveHolds(tree: Tree, events: readonly EventRecord[], at: number): boolean {
  if ('all' in tree) return tree.all.every((part) => naiveHolds(part, events, at))
  if ('any' in tree) return tree.any.some((part) => naiveHolds(part, events, at))
  if ('not' in tree) return !naiveHolds(tree.not, events, at)
  if (tree.fact === 'sinceLastEvent') return compareSince(tree, events, at)
  return compare(tree.operator, naiveValue(tree, events, at), tree.value)
}

function compareSince(leaf: Leaf, events: readonly EventRecord[], at: number): boolean {
  const { operator, value } = leaf
  if (operator.startsWith('not:')) return !compareSince({ ...leaf, operator: operator.slice(4) }, events, at)
  const since = naiveValue(leaf, events, at)
  return since !== undefined && compare(operator, since, DURATION_MS[String(value)])
}

function naiveValue({ fact, params }: Leaf, events: readonly EventRecord[], at: number): unknown {
  const names = [params.event].flat()
  const windowMs = params.within === undefined ? Number.POSITIVE_INFINITY : (WINDOW_MS[params.within] ?? Number.NaN)
  const inside = events.filter((event) => {
    if (!names.includes(event.event) || event.at > at || at >= event.at + windowMs) return false
    return (
      matches(params.where, event.properties) && (params.item === undefined || items(event, params.item).length > 0)
    )
  })
  const read = (event: EventRecord) => event.properties[params.property ?? '']
  switch (fact) {
    case 'eventCount':
      return inside.length
    case 'itemCount':
      return inside.flatMap((event) => items(event, params.item)).length
    case 'eventSum':
      return exactSum(inside.map(read))
    case 'itemSum':
      return exactSum(inside.flatMap((event) => items(event, params.item)).map((item) => item[params.property ?? '']))
    case 'eventDistinct':
      return new Set(inside.flatMap(read).filter((value) => value !== null && typeof value !== 'undefined')).size
    case 'lastEvent':
      return latest(inside, read)
    default: {
      const times = inside.map((event) => event.at)
      return times.length === 0 ? undefined : at - Math.max(...times)
    }
  }
}

/** Sums whole millionths as big integers: exact whatever the order. */
function exactSum(values: readonly unknown[]): number {
  const parts = values.flat().filter((value) => typeof value === 'number')
  const bounded = parts.map((value) => Math.max(-9e9, Math.min(9e9, value)))
  return Number(bounded.reduce((sum, value) => sum + BigInt(Math.round(value * 1e6)), 0n)) / 1e6
}

/** Of events of the same instant, the one whose value has the greater JSON text; none is least. */
function latest(events: readonly EventRecord[], read: (event: EventRecord) => unknown): unknown {
  const at = Math.max(...events.map((event) => event.at))
  const values = events.filter((event) => event.at === at).map(read)
  const text = (value: unknown) => (value === undefined ? '' : JSON.stringify(value))
  return values.reduce((best, value) => (text(value) > text(best) ? value : best), undefined)
}

function items(event: EventRecord, where: Where | undefined): Record<string, unknown>[] {
  const { items } = event.properties
  return Array.isArray(items) ? (items as Record<string, unknown>[]).filter((item) => matches(where, item)) : []
}

function matches(where: Where | undefined, bag: Readonly<Record<string, unknown>>): boolean {
  return where === undefined || compare(where.operator, bag[where.fact], where.value)
}

function compare(operator: string, fact: unknown, value: unknown): boolean {
  if (operator.startsWith('not:')) return !compare(operator.slice(4), fact, value)
  const number = typeof fact === 'number' || (typeof fact === 'string' && !Number.isNaN(Number.parseFloat(fact)))
  const [a, b] = [fact as number, value as number]
  switch (operator) {
    case 'equal':
      return fact === value
    case 'notEqual':
      return fact !== value
    case 'in':
      return (value as unknown[]).includes(fact)
    case 'notIn':
      return !(value as unknown[]).includes(fact)
    case 'lessThan':
      return number && a < b
    case 'lessThanInclusive':
      return number && a <= b
    case 'greaterThan':
      return number && a > b
    default:
      return number && a >= b
  }
}

const ORDERINGS = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive'] as const

const prefix = fc.constantFrom('', '', '', 'not:', 'not:not:')

function comparison(number: fc.Arbitrary<number>) {
  const single = fc.record({ operator: fc.constantFrom('equal', 'notEqual', ...ORDERINGS), value: number })
  const list = fc.record({ operator: fc.constantFrom('in', 'notIn'), value: fc.array(number, { maxLength: 4 }) })
  return fc
    .tuple(prefix, fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: list }))
    .map(([decorators, { operator, value }]) => ({ operator: decorators + operator, value: value as unknown }))
}

const where: fc.Arbitrary<Where> = fc.oneof(
  fc.record({ fact: fc.constant('city'), operator: fc.constantFrom('equal', 'notEqual'), value: fc.constant('sh') }),
  fc.record({ fact: fc.constant('city'), operator: fc.constant('in'), value: fc.constant(['sh', 'hz']) }),
  fc.record({ fact: fc.constant('amount'), operator: fc.constantFrom(...ORDERINGS), value: fc.constant(0.3) }),
)

const itemWhere: fc.Arbitrary<Where> = fc.oneof(
  fc.record({ fact: fc.constant('sku'), operator: fc.constantFrom('equal', 'notEqual'), value: fc.constant('a') }),
  fc.record({ fact: fc.constant('sku'), operator: fc.constantFrom('in', 'notIn'), value: fc.constant(['a', 'b']) }),
  fc.record({ fact: fc.constant('qty'), operator: fc.constantFrom(...ORDERINGS), value: fc.constant(1) }),
)

const windows = fc.constantFrom(...WINDOWS)

const filter = fc
  .record({
    event: fc.constantFrom<string | string[]>('paid', 'seen', ['paid', 'seen']),
    where: fc.oneof(fc.constant(undefined), fc.constant(undefined), where),
    item: fc.oneof(fc.constant(undefined), fc.constant(undefined), itemWhere),
  })
  .map(({ event, where, item }) => ({ event, ...(where && { where }), ...(item && { item }) }))

const windowed = fc
  .tuple(filter, windows)
  .map(([params, within]) => ({ ...params, ...(within !== undefined && { within }) }))

const counts = fc.oneof(fc.integer({ min: -1, max: 7 }), fc.constantFrom(0.5, 1.5, 2.5))
const sums = fc.constantFrom(-3, -0.7, 0, 0.1, 0.3, 0.30000000000000004, 0.6, 1, 1.005, 5, 20)

function leaves(fact: string, value: fc.Arbitrary<number>, property: fc.Arbitrary<string> | undefined) {
  return fc
    .tuple(windowed, comparison(value), property ?? fc.constant(undefined))
    .map(([params, test, name]): Leaf => ({ fact, ...test, params: { ...params, ...(name && { property: name }) } }))
}

const lastEvent = fc
  .tuple(
    windowed,
    prefix,
    fc.constantFrom('equal', 'notEqual'),
    fc.constantFrom('x', 'y', 1, null),
    fc.constant('store'),
  )
  .map(([params, not, operator, value, property]): Leaf => {
    return { fact: 'lastEvent', operator: not + operator, value, params: { ...params, property } }
  })

const sinceLastEvent = fc
  .tuple(filter, prefix, fc.constantFrom(...ORDERINGS), fc.constantFrom(...Object.keys(DURATION_MS)))
  .map(([params, not, operator, value]): Leaf => ({ fact: 'sinceLastEvent', operator: not + operator, value, params }))

/** One comparison of any fact over events. */
export const leafArb: fc.Arbitrary<Leaf> = fc.oneof(
  leaves('eventCount', counts, undefined),
  leaves('itemCount', counts, undefined),
  leaves('eventSum', sums, fc.constant('amount')),
  leaves('itemSum', sums, fc.constantFrom('price', 'qty')),
  leaves('eventDistinct', counts, fc.constantFrom('store', 'city')),
  lastEvent,
  sinceLastEvent,
)

export const treeArb: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leafArb,
    fc.array(tie('tree'), { maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('tree').map((not) => ({ not })),
  ),
})).tree
