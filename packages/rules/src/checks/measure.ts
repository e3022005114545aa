import type { NamedConditions } from '../conditions/named.js'
import { expandNamed } from '../conditions/predicate.js'
import type { Conditions } from '../conditions/tree.js'
import type { WindowParams } from '../facts/window.js'
import { canonicalJson, isObject } from '../json.js'
import { type Stretch, stretchOf } from './stretch.js'

/** Which events a fact looks at: with these names, for which all of these conditions hold. */
export interface Filter {
  readonly events: ReadonlySet<string>
  readonly where: ReadonlySet<string>
  readonly item: ReadonlySet<string>
}

/** What a fact over events measures, so far as it can be compared with others. */
export interface Measure {
  readonly fact: string
  /** Of which related subject; undefined: of the subject itself. */
  readonly of: unknown
  readonly filter: Filter
  readonly stretch: Stretch
  /** All else that makes it what it is. */
  readonly rest: string
  /** What it is, as written, whatever the window: the same for measures that are read from the same entries. */
  readonly text: string
}

type Params = Readonly<Record<string, unknown>>

/** The measure of a fact over events; undefined for all others. */
export function measureOf(fact: string, params: Params, named: NamedConditions): Measure | undefined {
  const { of, within, between, since, during, ...own } = params
  const stretch = stretchOf({ within, between, since, during } as WindowParams)
  const text = canonicalJson({ fact, ...own })
  if (fact === 'messageCount') {
    const where = Object.entries(own).map(([name, value]) => canonicalJson({ fact: name, operator: 'equal', value }))
    const filter = { events: new Set(['message_accepted']), where: new Set(where), item: new Set<string>() }
    return { fact: 'eventCount', of, stretch, filter, rest: '{}', text }
  }
  if (fact === 'sequence') return measureOfSequence(own, { of, stretch, text }, named)
  const { event, where, item, ...rest } = own
  if (event === undefined) return undefined
  return { fact, of, stretch, filter: filterOf({ event, where, item }, named), rest: canonicalJson(rest), text }
}

/** Of a sequence, the filter is that of the event which completes it. */
function measureOfSequence(
  own: Params,
  base: Pick<Measure, 'of' | 'stretch' | 'text'>,
  named: NamedConditions,
): Measure | undefined {
  const last: unknown = Array.isArray(own['steps']) ? own['steps'].at(-1) : undefined
  if (!isObject(last) || last['no'] !== undefined) return undefined
  return { ...base, fact: 'sequence', filter: filterOf(last, named), rest: canonicalJson(own) }
}

function filterOf({ event, where, item }: Params, named: NamedConditions): Filter {
  return {
    events: new Set([event].flat() as string[]),
    where: new Set(partsOf(where as Conditions | undefined, named)),
    item: new Set(partsOf(item as Conditions | undefined, named)),
  }
}

/** Conditions that all hold where a tree does. */
function partsOf(tree: Conditions | undefined, named: NamedConditions): readonly string[] {
  return tree === undefined ? [] : conjuncts(expandNamed(tree, named)).map(canonicalJson)
}

/** Conditions that all hold where a tree does, and the tree where all do. */
export function conjuncts(tree: Conditions): readonly Conditions[] {
  return 'all' in tree ? tree.all.flatMap(conjuncts) : [tree]
}

/** Whether each event of one is one of the other. */
export function isAmong(inner: Filter, outer: Filter): boolean {
  return includes(outer.events, inner.events) && includes(inner.where, outer.where) && includes(inner.item, outer.item)
}

export function isSameFilter(a: Filter, b: Filter): boolean {
  return isAmong(a, b) && isAmong(b, a)
}

function includes(larger: ReadonlySet<string>, smaller: ReadonlySet<string>): boolean {
  return [...smaller].every((one) => larger.has(one))
}
