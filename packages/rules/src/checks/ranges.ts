import type { NamedConditions } from '../conditions/named.js'
import { expandNamed } from '../conditions/predicate.js'
import type { Conditions } from '../conditions/tree.js'
import { MOST_CHAIN_ENTRIES } from '../facts/sequence-feature.js'
import { isObject } from '../json.js'
import type { Range } from './cells.js'
import { conjuncts } from './measure.js'

type Params = Readonly<Record<string, unknown>>

const COUNT = numbers({ low: 0, whole: true })
const AMOUNT = numbers({})
const AMOUNT_OR_NONE = numbers({ absent: true })
const ANYTHING: Range = { kind: 'anything' }
const YES_OR_NO: Range = { kind: 'values', values: [true, false] }

function numbers(bounds: Partial<Extract<Range, { kind: 'numbers' }>>): Range {
  return { kind: 'numbers', low: -Infinity, high: Infinity, whole: false, absent: false, ...bounds }
}

/** How long ago something was, in milliseconds. */
export const TIME_AGO = numbers({ low: 0, whole: true, absent: true })

const RANGES: Readonly<Record<string, Range>> = {
  eventCount: COUNT,
  itemCount: COUNT,
  userCount: COUNT,
  messageCount: COUNT,
  // Of so many events, no more can end a sequence.
  sequence: numbers({ low: 0, high: MOST_CHAIN_ENTRIES, whole: true }),
  eventSum: AMOUNT,
  itemSum: AMOUNT,
  eventAvg: AMOUNT_OR_NONE,
  lift: numbers({ low: 0, absent: true }),
  share: numbers({ low: 0, high: 1, absent: true }),
  eventMin: AMOUNT_OR_NONE,
  eventMax: AMOUNT_OR_NONE,
  sinceFirstEvent: TIME_AGO,
  sinceLastEvent: TIME_AGO,
  firstEvent: ANYTHING,
  lastEvent: ANYTHING,
  trait: ANYTHING,
  relation: ANYTHING,
  event: ANYTHING,
  tag: YES_OR_NO,
  run: YES_OR_NO,
  consent: { kind: 'values', values: [true, false, undefined] },
}

const PLACE = numbers({ low: 1, whole: true, absent: true })
const PERCENTILE = numbers({ low: 0, high: 100, absent: true })

const NOW: Readonly<Record<string, Range>> = {
  weekday: numbers({ low: 1, high: 7, whole: true }),
  hour: numbers({ low: 0, high: 23, whole: true }),
  day: numbers({ low: 1, high: 31, whole: true }),
  month: numbers({ low: 1, high: 12, whole: true }),
  time: { kind: 'texts', near: timesNear },
  date: { kind: 'texts', near: datesNear },
}

/** The values that a fact can have, whatever happens; undefined of a fact that is not known here. */
export function rangeOf(fact: string, params: Params, named: NamedConditions): Range | undefined {
  if (fact === 'eventDistinct') return numbers({ low: 0, high: mostDistinct(params, named), whole: true })
  if (fact === 'rank') return params['as'] === 'percentile' ? PERCENTILE : PLACE
  return fact === 'now' ? NOW[String(params['as'])] : RANGES[fact]
}

/** How many different values a property can have where "where" says what it must be. */
function mostDistinct({ where, property }: Params, named: NamedConditions): number {
  if (!isObject(where)) return Infinity
  const allowed = conjuncts(expandNamed(where as unknown as Conditions, named)).map((part) => {
    if (!('fact' in part) || part.fact !== property || part.path !== undefined) return Infinity
    if (part.operator === 'equal' && !isObject(part.value)) return 1
    return part.operator === 'in' && Array.isArray(part.value) ? new Set(part.value).size : Infinity
  })
  return Math.min(Infinity, ...allowed)
}

const MINUTES_OF_DAY = 1440

function timesNear(constants: readonly unknown[]): readonly unknown[] {
  const minutes = constants.filter((one) => typeof one === 'string').map(minuteOf)
  const near = [0, ...minutes.flatMap((minute) => [minute - 1, minute, minute + 1])]
  return [...new Set(near)].filter((minute) => minute >= 0 && minute < MINUTES_OF_DAY).map(timeText)
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

function timeText(minute: number): string {
  const two = (part: number) => String(part).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

const DAY_MS = 86_400_000

/** Undefined where something is no date of the calendar. */
function datesNear(constants: readonly unknown[]): readonly unknown[] | undefined {
  const days = constants.map((one) => Date.parse(String(one)))
  if (days.some(Number.isNaN)) return undefined
  const near = [...days, 0].flatMap((day) => [day - DAY_MS, day, day + DAY_MS])
  return [...new Set(near)].map((day) => new Date(day).toISOString().slice(0, 10))
}
