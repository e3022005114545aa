import { Temporal } from 'temporal-polyfill'
import * as z from 'zod'
import { DURATION_FORMS, formatDuration, parseDuration } from '../duration.js'
import type { Place } from '../problems.js'
import type { SubjectView } from '../subject.js'
import { type Calendar, type CalendarUnit, calendarFor } from './calendar.js'
import { type ConditionScope, paramsPlace } from './fact.js'

/**
 * When an event counts: one that happened at `s` counts at `t` while `enters(s) <= t < leaves(s)`. Both rise with `s`, so
 * events enter and leave in the order they happened in.
 */
export interface Span {
  enters(s: number): number
  leaves(s: number): number
}

/** Which time before now a fact looks at. */
export interface Window {
  /** As a person would say it: `last 30d`. */
  readonly text: string
  /** All time: events count for ever. */
  readonly endless: boolean
  /** An event counts for at most this long after it happened; 0 where `from` says what counts. */
  readonly horizonMs: number
  /** An event that happened this long ago has begun to count. 0: it counts at once. */
  readonly delayMs: number
  /** Events from here on count for ever; infinity where `horizonMs` says what counts. */
  readonly from: number
  /** The span as it is for this subject: calendar periods are those of its zone. */
  spanFor(view: SubjectView): Span
}

const DAY = 86_400_000
const FOREVER = Number.POSITIVE_INFINITY

/** Zones differ by less than this, and so do periods of the same name. */
const ZONE_MARGIN = 2 * DAY

const PERIODS: Readonly<Record<Period, readonly [unit: CalendarUnit, ago: 0 | 1, longestMs: number]>> = {
  today: ['day', 0, DAY],
  yesterday: ['day', 1, DAY],
  thisWeek: ['week', 0, 7 * DAY],
  lastWeek: ['week', 1, 7 * DAY],
  thisMonth: ['month', 0, 31 * DAY],
  lastMonth: ['month', 1, 31 * DAY],
}

const PERIOD_NAMES = ['today', 'yesterday', 'thisWeek', 'lastWeek', 'thisMonth', 'lastMonth'] as const
type Period = (typeof PERIOD_NAMES)[number]

/** The params of windows; at most one of them. */
export const windowParams = {
  within: z
    .string()
    .optional()
    .describe('Only the time before now of this length, such as "30d" or "PT2H". No window at all: all time.'),
  between: z
    .tuple([z.string(), z.string()])
    .optional()
    .describe('Only from the first to the second of these lengths of time ago: ["90d", "30d"].'),
  since: z.string().optional().describe("Only from this date (midnight in the subject's zone) or ISO 8601 instant on."),
  during: z
    .enum(PERIOD_NAMES)
    .optional()
    .describe("Only this calendar period in the subject's zone; weeks from Monday."),
}

export interface WindowParams {
  readonly within?: string | undefined
  readonly between?: readonly [string, string] | undefined
  readonly since?: string | undefined
  readonly during?: Period | undefined
}

const NAMES = ['within', 'between', 'since', 'during'] as const

/** The window that params say, all time where they say none; undefined after an error has been reported. */
export function readWindow(params: WindowParams, place: Place, scope: ConditionScope): Window | undefined {
  const given = NAMES.filter((name) => params[name] !== undefined)
  if (given.length > 1) {
    const message = `A fact has one window. Leave out all but one of ${given.map((name) => `"${name}"`).join(', ')}.`
    scope.problems.error(paramsPlace(place), 'window.several', message, { found: given })
    return undefined
  }
  if (params.within !== undefined) return readWithin(params.within, place, scope)
  if (params.between !== undefined) return readBetween(params.between, place, scope)
  if (params.since !== undefined) return readSince(params.since, place, scope)
  return params.during === undefined ? ALL_TIME : readDuring(params.during, scope)
}

const ALL_TIME: Window = fixed(
  { text: 'all time', horizonMs: FOREVER, endless: true },
  { enters: (s) => s, leaves: () => FOREVER },
)

function fixed(window: Partial<Window> & { readonly text: string }, span: Span): Window {
  return { endless: false, horizonMs: 0, delayMs: 0, from: FOREVER, ...window, spanFor: () => span }
}

function readWithin(within: string, place: Place, scope: ConditionScope): Window | undefined {
  const horizonMs = readLength(within, paramsPlace(place, 'within'), scope)
  if (horizonMs === undefined) return undefined
  return fixed(
    { text: `last ${formatDuration(horizonMs)}`, horizonMs },
    { enters: (s) => s, leaves: (s) => s + horizonMs },
  )
}

function readBetween(between: readonly [string, string], place: Place, scope: ConditionScope): Window | undefined {
  const horizonMs = readLength(between[0], paramsPlace(place, 'between', '0'), scope)
  const delayMs = readLength(between[1], paramsPlace(place, 'between', '1'), scope)
  if (horizonMs === undefined || delayMs === undefined) return undefined
  if (horizonMs <= delayMs) {
    const message = `"between" goes from longer ago to shorter ago: ${JSON.stringify([between[1], between[0]])}.`
    scope.problems.error(paramsPlace(place, 'between'), 'window.order', message, { found: between })
    return undefined
  }
  const text = `between ${formatDuration(horizonMs)} and ${formatDuration(delayMs)} ago`
  return fixed({ text, horizonMs, delayMs }, { enters: (s) => s + delayMs, leaves: (s) => s + horizonMs })
}

function readLength(text: string, place: Place, scope: ConditionScope): number | undefined {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  scope.problems.error(place, 'duration.invalid', `A window looks like ${DURATION_FORMS}.`, { found: text })
  return undefined
}

function readSince(since: string, place: Place, scope: ConditionScope): Window | undefined {
  const text = `since ${since}`
  const instant = parseWith(() => Temporal.Instant.from(since).epochMilliseconds)
  if (instant !== undefined) return fixed({ text, from: instant }, spanSince(instant))
  const date = /^\d{4}-\d\d-\d\d$/.test(since) ? parseWith(() => Temporal.PlainDate.from(since)) : undefined
  if (date === undefined) {
    const message = 'A date looks like "2026-01-01", an instant like "2026-01-01T08:00:00+08:00".'
    scope.problems.error(paramsPlace(place, 'since'), 'since.invalid', message, { found: since })
    return undefined
  }
  scope.depends.traits.add('timeZone')
  const from = Date.parse(since) - ZONE_MARGIN
  const spanIn = remembered((calendar) => spanSince(calendar.startOf(date)))
  return { text, endless: false, horizonMs: 0, delayMs: 0, from, spanFor: (view) => spanIn(calendarFor(view)) }
}

/** An earlier event has left before it came. */
function spanSince(instant: number): Span {
  return { enters: (s) => s, leaves: (s) => (s < instant ? Number.NEGATIVE_INFINITY : FOREVER) }
}

function parseWith<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readDuring(during: Period, scope: ConditionScope): Window {
  scope.depends.traits.add('timeZone')
  const [unit, ago, longestMs] = PERIODS[during]
  const spanIn = remembered((calendar) => spanOfPeriod(calendar, unit, ago))
  const horizonMs = longestMs * (ago + 1) + ZONE_MARGIN
  const delayMs = ago === 0 ? 0 : longestMs + ZONE_MARGIN
  return {
    text: during,
    endless: false,
    horizonMs,
    delayMs,
    from: FOREVER,
    spanFor: (view) => spanIn(calendarFor(view)),
  }
}

function spanOfPeriod(calendar: Calendar, unit: CalendarUnit, ago: 0 | 1): Span {
  if (ago === 0) return { enters: (s) => s, leaves: (s) => calendar.periodAt(unit, s).end }
  return { enters: (s) => calendar.periodAt(unit, s).end, leaves: (s) => calendar.periodAt(unit, s).endOfNext }
}

/** One span a calendar. */
function remembered(create: (calendar: Calendar) => Span): (calendar: Calendar) => Span {
  const known = new WeakMap<Calendar, Span>()
  return (calendar) => {
    const span = known.get(calendar) ?? create(calendar)
    known.set(calendar, span)
    return span
  }
}

/** How long ago an event that counts can have happened at most; undefined where there is no such bound. */
export function longestReachMs({ within, between, during }: WindowParams): number | undefined {
  if (during === undefined) return parseDuration(between?.[0] ?? within)
  const [, ago, longestMs] = PERIODS[during]
  return longestMs * (ago + 1)
}

/** When an event that happens now begins to count; infinity where it never does. */
export function countsFrom(window: Window): (view: SubjectView) => number {
  return (view) => {
    const span = window.spanFor(view)
    return span.leaves(view.at) > view.at ? span.enters(view.at) : Number.POSITIVE_INFINITY
  }
}

/** Whether an event that happened at `s` counts at `at`. */
export function isInside(span: Span, s: number, at: number): boolean {
  return span.enters(s) <= at && at < span.leaves(s)
}
