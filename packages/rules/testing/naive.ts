import type { EventRecord } from '../src/subject.js'
import { countSequences, type NaiveFilter, type NaiveSequence } from './naive-sequence.js'
import { inWindow, lengthOf, type NaiveWindow } from './naive-window.js'

/** A second, plain implementation of the facts over events: it looks at the whole history each time. */

export interface Leaf {
  fact: string
  operator: string
  value: unknown
  params: NaiveParams
}

/** What facts over events take; sequences take `steps` in place of `event`. */
export interface NaiveParams extends NaiveWindow, Partial<Omit<NaiveSequence, keyof NaiveWindow>> {
  event?: string | string[]
  where?: Where
  item?: Where
  among?: { where?: Where; item?: Where }
  property?: string
}

export interface Where {
  fact: string
  operator: string
  value: unknown
}

export type Tree = Leaf | { all: Tree[] } | { any: Tree[] } | { not: Tree }

export function naiveHolds(tree: Tree, events: readonly EventRecord[], at: number, zone?: string): boolean {
  if ('all' in tree) return tree.all.every((part) => naiveHolds(part, events, at, zone))
  if ('any' in tree) return tree.any.some((part) => naiveHolds(part, events, at, zone))
  if ('not' in tree) return !naiveHolds(tree.not, events, at, zone)
  if (tree.fact.startsWith('since')) return compareSince(tree, events, at)
  const { value } = tree
  const expected = isReference(value) ? naiveValue(value, events, at, zone) : value
  return compare(tree.operator, naiveValue(tree, events, at, zone), expected)
}

function isReference(value: unknown): value is Leaf {
  return typeof value === 'object' && value !== null && 'fact' in value
}

function compareSince(leaf: Leaf, events: readonly EventRecord[], at: number): boolean {
  const { operator, value } = leaf
  if (operator.startsWith('not:')) return !compareSince({ ...leaf, operator: operator.slice(4) }, events, at)
  const since = naiveValue(leaf, events, at)
  return since !== undefined && compare(operator, since, lengthOf(String(value)))
}

function matchesFilter({ event: names = [], where, item }: NaiveParams, event: EventRecord): boolean {
  if (![names].flat().includes(event.event)) return false
  return matches(where, event.properties) && (item === undefined || items(event, item).length > 0)
}

export function naiveValue(
  { fact, params }: Pick<Leaf, 'fact' | 'params'>,
  events: readonly EventRecord[],
  at: number,
  zone?: string,
): unknown {
  if (fact === 'sequence') {
    return countSequences(params as NaiveSequence, events, at, zone, (filter: NaiveFilter, event) =>
      matchesFilter(filter, event),
    )
  }
  if (fact === 'share') return naiveShare(params, events, at, zone)
  const inside = events.filter((event) => matchesFilter(params, event) && inWindow(params, event.at, at, zone))
  const read = (event: EventRecord) => event.properties[params.property ?? '']
  const numbers = () => inside.flatMap(read).filter((value): value is number => typeof value === 'number')
  const times = inside.map((event) => event.at)
  switch (fact) {
    case 'eventCount':
      return inside.length
    case 'itemCount':
      return inside.flatMap((event) => items(event, params.item)).length
    case 'eventSum':
      return exactSum(inside.map(read))
    case 'eventAvg':
      return numbers().length === 0 ? undefined : (exactSum(numbers()) * 1e6) / (numbers().length * 1e6)
    case 'eventMin':
      return numbers().length === 0 ? undefined : Math.min(...numbers())
    case 'eventMax':
      return numbers().length === 0 ? undefined : Math.max(...numbers())
    case 'itemSum':
      return exactSum(inside.flatMap((event) => items(event, params.item)).map((item) => item[params.property ?? '']))
    case 'eventDistinct':
      return new Set(inside.flatMap(read).filter((value) => value !== null && typeof value !== 'undefined')).size
    case 'userCount':
      return new Set(inside.flatMap(({ userId }) => userId ?? [])).size
    case 'lastEvent':
      return greatestAt(Math.max(...times), inside, read)
    case 'firstEvent':
      return greatestAt(Math.min(...times), inside, read)
    case 'sinceFirstEvent':
      return times.length === 0 ? undefined : at - Math.min(...times)
    default:
      return times.length === 0 ? undefined : at - Math.max(...times)
  }
}

/** Counts the part among the whole. */
function naiveShare(
  { event, where, item, among, ...window }: NaiveParams,
  events: readonly EventRecord[],
  at: number,
  zone?: string,
) {
  const whole = events.filter(
    (one) => matchesFilter({ ...(event && { event }), ...among }, one) && inWindow(window, one.at, at, zone),
  )
  const part = whole.filter((one) =>
    matchesFilter({ ...(event && { event }), ...(where && { where }), ...(item && { item }) }, one),
  )
  return whole.length === 0 ? undefined : part.length / whole.length
}

/** Sums whole millionths as big integers: exact whatever the order. */
function exactSum(values: readonly unknown[]): number {
  const parts = values.flat().filter((value) => typeof value === 'number')
  const bounded = parts.map((value) => Math.max(-9e9, Math.min(9e9, value)))
  return Number(bounded.reduce((sum, value) => sum + BigInt(Math.round(value * 1e6)), 0n)) / 1e6
}

/** Of events of the same instant, the one whose value has the greater JSON text; none is least. */
function greatestAt(at: number, events: readonly EventRecord[], read: (event: EventRecord) => unknown): unknown {
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
