import { tierOf } from '../tiers.js'
import type { Cell } from './cells.js'
import type { Variable } from './formula.js'
import { isAmong, isSameFilter, type Measure } from './measure.js'
import { countsAtOnce, liesIn, type Stretch, stretchText } from './stretch.js'

/** What two variables have to do with each other: which of their values can be there at once. */
export interface Relation {
  readonly a: Variable
  readonly b: Variable
  readonly fits: Fits
  /** Why, for people. */
  readonly because: string
}

type Fits = (a: Cell, b: Cell) => boolean
type Rule = (a: Measure, b: Measure) => Fits | undefined

/** All relations among variables. */
export function relationsAmong(variables: readonly Variable[]): readonly Relation[] {
  const related = variables.filter(({ measure, score }) => measure !== undefined || score !== undefined)
  return related.flatMap((a) => related.flatMap((b) => (a === b ? [] : relationsOf(a, b))))
}

function relationsOf(a: Variable, b: Variable): readonly Relation[] {
  const tier = tierOfPoints(a, b)
  if (tier !== undefined) return [{ a, b, fits: tier, because: 'The tier follows from the points.' }]
  const [one, other] = [a.measure, b.measure]
  if (one === undefined || other === undefined || one.of !== other.of) return []
  return RULES.flatMap((rule) => {
    const fits = rule(one, other)
    return fits === undefined ? [] : [{ a, b, fits, because: becauseOf(one, other) }]
  })
}

/** Points are cut into cells where tiers begin, so that all of a cell are in the same one. */
function tierOfPoints({ score: a }: Variable, { score: b }: Variable): Fits | undefined {
  if (a === undefined || b === undefined || a.name !== b.name || a.as !== 'value' || b.as !== 'tier') return undefined
  return (x, y) => typeof x.sample !== 'number' || tierOf(a.tiers, x.sample) === y.sample
}

function becauseOf(a: Measure, b: Measure): string {
  if (isSameFilter(a.filter, b.filter) && a.stretch.kind === 'ago' && b.stretch.kind === 'ago') {
    return `What lies${stretchText(a.stretch)} lies${stretchText(b.stretch)}, too.`
  }
  return 'Both look at the same events, or one at some of those of the other.'
}

/** Facts that count, each thing at most once: of fewer events or less time, there are no more. */
export const COUNTS: ReadonlySet<string> = new Set([
  'eventCount',
  'itemCount',
  'eventDistinct',
  'userCount',
  'sequence',
])

const RULES: readonly Rule[] = [fewer, counted, extremes, ordered, something, lately, recent, since]

/** A count of less is no more than the same count of more. */
function fewer(a: Measure, b: Measure): Fits | undefined {
  const same = a.fact === b.fact && a.rest === b.rest && COUNTS.has(a.fact)
  return same && isWithin(a, b) && (isExact(b) || a.text === b.text) ? noMore : undefined
}

/** There are no more people, or complete sequences, than events; nor more events with such items than such items. */
function counted(a: Measure, b: Measure): Fits | undefined {
  const ofEvents = b.fact === 'eventCount' && (a.fact === 'userCount' || a.fact === 'sequence')
  const ofItems = b.fact === 'itemCount' && a.fact === 'eventCount' && a.filter.item.size > 0
  return (ofEvents || ofItems) && isWithin(a, b) && isExact(b) ? noMore : undefined
}

/** The greatest of less is no greater, and the least no less. */
function extremes(a: Measure, b: Measure): Fits | undefined {
  if (a.text !== b.text || !liesIn(a.stretch, b.stretch)) return undefined
  if (a.fact === 'eventMax') return (x, y) => isAbsent(x) || (!isAbsent(y) && canBeNoMore(x, y))
  return a.fact === 'eventMin' ? (x, y) => isAbsent(x) || (!isAbsent(y) && canBeNoMore(y, x)) : undefined
}

/** The least of the same is no more than the greatest. */
function ordered(a: Measure, b: Measure): Fits | undefined {
  const same = a.rest === b.rest && isWithin(a, b) && isWithin(b, a) && isExact(a)
  if (a.fact !== 'eventMin' || b.fact !== 'eventMax' || !same) return undefined
  return (x, y) => isAbsent(x) || isAbsent(y) || canBeNoMore(x, y)
}

/** Where there is something of some events, there are such events. */
function something(a: Measure, b: Measure): Fits | undefined {
  if (b.fact !== 'eventCount' || a.fact === 'eventCount' || !isExact(b) || !isWithin(a, b)) return undefined
  return OF_EVENTS.has(a.fact) ? (x, y) => canBeNothing(x) || y.high >= 1 : undefined
}

const OF_EVENTS: ReadonlySet<string> = new Set([
  'eventSum',
  'itemSum',
  'itemCount',
  'eventDistinct',
  'eventAvg',
  'eventMin',
  'eventMax',
  'firstEvent',
  'lastEvent',
])

/** Where there is something of some events lately, the latest of them was not longer ago. */
function lately(a: Measure, b: Measure): Fits | undefined {
  if (!isSince(a) || !isAmong(b.filter, a.filter) || !(COUNTS.has(b.fact) || OF_EVENTS.has(b.fact))) return undefined
  const latestMs = a.fact === 'sinceLastEvent' ? (lengthOf(b.stretch) ?? Infinity) : Infinity
  return (x, y) => canBeNothing(y) || (!isAbsent(x) && x.low < latestMs)
}

/** Where the latest (or first) event was lately, there are such events lately. */
function recent(a: Measure, b: Measure): Fits | undefined {
  const withinMs = lengthOf(b.stretch)
  if (!isSince(a) || b.fact !== 'eventCount' || !isAmong(a.filter, b.filter) || withinMs === undefined) return undefined
  return (x, y) => isAbsent(x) || (x.high >= withinMs && withinMs < Infinity) || y.high >= 1
}

/** How long ago an event that counts was at most, and every younger one counts; undefined where that cannot be said. */
function lengthOf(stretch: Stretch): number | undefined {
  if (stretch.kind === 'ever') return Infinity
  return stretch.kind === 'ago' && stretch.toMs === 0 ? stretch.fromMs : undefined
}

/** The latest of more events was no longer ago, nor the first less long; and the first no later than the latest. */
function since(a: Measure, b: Measure): Fits | undefined {
  if (!isSince(a) || !isSince(b) || !isAmong(a.filter, b.filter)) return undefined
  if (b.fact === 'sinceFirstEvent') return (x, y) => isAbsent(x) || (!isAbsent(y) && canBeNoMore(x, y))
  return a.fact === 'sinceLastEvent' ? (x, y) => isAbsent(x) || (!isAbsent(y) && canBeNoMore(y, x)) : undefined
}

function isSince({ fact }: Measure): boolean {
  return fact === 'sinceLastEvent' || fact === 'sinceFirstEvent'
}

function isWithin(a: Measure, b: Measure): boolean {
  return isAmong(a.filter, b.filter) && liesIn(a.stretch, b.stretch)
}

/** Whether a count is never rounded: what is within it is never missing there. */
function isExact({ stretch }: Measure): boolean {
  return countsAtOnce(stretch)
}

const noMore: Fits = (x, y) => canBeNoMore(x, y)

function canBeNoMore(x: Cell, y: Cell): boolean {
  return x.low < y.high || (x.low === y.high && !x.open && !y.open)
}

function isAbsent({ sample, kind }: Cell): boolean {
  return kind === 'value' && sample === undefined
}

/** Whether no value, or 0, is among its values. */
function canBeNothing(cell: Cell): boolean {
  return isAbsent(cell) || (cell.low <= 0 && cell.high >= 0)
}
