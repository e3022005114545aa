import { isObject } from '../json.js'
import { type Place, placeText } from '../problems.js'
import type { Range } from './cells.js'
import type { Formula, Literal } from './formula.js'
import { stretchOf, stretchText } from './stretch.js'

/** What a literal asks for, in words: `the number of "paid" in the last 7d to be at least 5`. */
export function asked(literal: Literal): string {
  const { leaf, holds } = literal
  return `${thing(leaf.fact, leaf.params ?? {}, leaf.path)} ${holds ? '' : 'not '}to ${comparison(leaf.operator)} ${valueText(leaf.value)}`
}

/** A literal in words and, in brackets, where it stands: below the same file, by its place in it only. */
export function askedAt(literal: Literal, from: Place): string {
  const { file, pointer } = literal.place
  if (file === from.file && pointer === from.pointer) return asked(literal)
  return `${asked(literal)} (${file === from.file ? `#${pointer}` : placeText(literal.place)})`
}

type Params = Readonly<Record<string, unknown>>

const THINGS: Readonly<Record<string, (params: Params) => string>> = {
  eventCount: (params) => `the number of ${events(params)}`,
  itemCount: (params) => `the number of items of ${events(params)}`,
  eventSum: (params) => `the sum of ${property(params)} of ${events(params)}`,
  itemSum: (params) => `the sum of ${property(params)} of items of ${events(params)}`,
  eventAvg: (params) => `the average ${property(params)} of ${events(params)}`,
  eventMin: (params) => `the least ${property(params)} of ${events(params)}`,
  eventMax: (params) => `the greatest ${property(params)} of ${events(params)}`,
  lift: (params) => `the lift of ${events(params)}`,
  rank: ({ by, as = 'place' }) =>
    `the ${String(as)} by ${isObject(by) ? thing(String(by['fact']), isObject(by['params']) ? by['params'] : {}, undefined) : ''}`,
  share: (params) => `the share of ${events(params)}`,
  eventDistinct: (params) => `the number of different ${property(params)} of ${events(params)}`,
  userCount: (params) => `the number of people with ${events(params)}`,
  firstEvent: (params) => `${property(params)} of the first ${events(params)}`,
  lastEvent: (params) => `${property(params)} of the latest ${events(params)}`,
  sinceFirstEvent: (params) => `the time since the first ${events(params)}`,
  sinceLastEvent: (params) => `the time since the latest ${events(params)}`,
  messageCount: (params) => `the number of ${quoted([params['class'], params['template']])}messages`,
  sequence: () => 'the number of sequences',
  trait: ({ name }) => `the trait ${text(name)}`,
  relation: ({ name }) => `the ${String(name)}`,
  tag: ({ id }) => `the tag ${text(id)}`,
  score: ({ id, as }) => (as === 'tier' ? `the tier of the score ${text(id)}` : `the score ${text(id)}`),
  consent: () => 'consent',
  run: ({ journey }) => `being in the journey ${text(journey)}`,
  event: (params) => (params['property'] === undefined ? 'the event' : `${property(params)} of the event`),
  now: ({ as }) => `the local ${String(as)}`,
}

function thing(fact: string, params: Params, path: string | undefined): string {
  const named = THINGS[fact]?.(params) ?? text(fact)
  const relation = params['of'] === undefined ? '' : ` of the ${String(params['of'])}`
  return `${named}${stretchText(stretchOf(params))}${relation}${path === undefined ? '' : ` (${path})`}`
}

function events({ event, where, item }: Params): string {
  const names = [event].flat().map(text).join(' or ')
  return where === undefined && item === undefined ? names : `such ${names}`
}

function property(params: Params): string {
  return text(params['property'])
}

function quoted(names: readonly unknown[]): string {
  return names
    .filter((name) => name !== undefined)
    .map((name) => `${text(name)} `)
    .join('')
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

const COMPARISONS: Readonly<Record<string, string>> = {
  equal: 'be',
  notEqual: 'be other than',
  lessThan: 'be less than',
  lessThanInclusive: 'be at most',
  greaterThan: 'be more than',
  greaterThanInclusive: 'be at least',
  in: 'be one of',
  notIn: 'be none of',
  contains: 'contain',
  doesNotContain: 'be a list without',
}

function comparison(operator: string): string {
  return COMPARISONS[operator] ?? `be (${operator})`
}

/** A constant, a list of some, or another fact. */
function valueText(value: unknown): string {
  if (isObject(value)) {
    const { fact, params = {}, path } = value as { fact: string; params?: Params; path?: string }
    return thing(fact, params, path)
  }
  const whole = text(value)
  return whole.length <= 60 ? whole : `${whole.slice(0, 57)}...`
}

/** What values something can have, as a sentence; undefined where it may have any. */
export function rangeText(range: Range): string | undefined {
  if (range.kind === 'numbers') return numbersText(range)
  return range.kind === 'values' ? `It is ${range.values.map(nameOf).join(' or ') || 'never there'}.` : undefined
}

function numbersText({ low, high, whole }: Extract<Range, { kind: 'numbers' }>): string | undefined {
  const kind = whole ? 'a whole number' : 'a number'
  if (low === -Infinity && high === Infinity) return undefined
  if (low === high) return `It is always ${low}.`
  if (high === Infinity) return `It is ${kind}, ${low} or more.`
  return low === -Infinity ? `It is ${kind}, ${high} or less.` : `It is ${kind} from ${low} to ${high}.`
}

function nameOf(value: unknown): string {
  return value === undefined ? 'without a value' : text(value)
}

/** What several formulas ask for, together. */
export function askedTogether(formulas: readonly Formula[], from: Place): string {
  return formulas
    .map((formula) => {
      if (formula.kind === 'literal') return askedAt(formula, from)
      return `one of the ${formula.parts.length} parts at ${formula.place.file === from.file ? `#${formula.place.pointer}` : placeText(formula.place)}`
    })
    .join(', and ')
}
