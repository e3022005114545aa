import { Temporal } from 'temporal-polyfill'
import type { Place, Problems } from '../problems.js'
import type { SubjectView } from '../subject.js'
import { DEFAULT_ZONE, firstInstantOf, isTimeZone, zoneFor } from '../time-zone.js'
import { LONGEST_GAP_YEARS, type Recurrence, recurrenceOf } from './recurrence.js'
import { readRecurrence } from './recurrence-parts.js'

/** When a journey begins by itself for a subject: the first time after an instant; undefined when it never does again. */
export type Schedule = (view: Pick<SubjectView, 'traits'>, after: number) => number | undefined

export interface ScheduleDefinition {
  readonly schedule: string
  readonly start?: string | undefined
  readonly timeZone?: string | undefined
}

/** Reads a schedule; what is wrong is reported, and never comes. */
export function compileSchedule(definition: ScheduleDefinition, place: Place, problems: Problems): Schedule {
  const { schedule, start, timeZone = DEFAULT_ZONE } = definition
  const at = (key: string) => ({ ...place, pointer: `${place.pointer}/${key}` })
  if (!isTimeZone(timeZone)) {
    const message = 'This is no IANA time zone, such as "Asia/Shanghai".'
    problems.error(at('timeZone'), 'timeZone.unknown', message, { found: timeZone })
  }
  const begin = start === undefined ? undefined : localTime(start)
  if (Number.isNaN(begin)) {
    const message = 'A start is a local time, such as "2026-03-01T10:00"; there is no such day.'
    problems.error(at('start'), 'schedule.start', message, { found: start })
    return NEVER
  }
  const parts = readRecurrence(schedule, begin, at('schedule'), problems)
  if (parts === undefined || !isTimeZone(timeZone)) return NEVER
  const recurrence = recurrenceOf(parts)
  if (recurrence.after((begin ?? 0) - 1) === undefined) {
    const message = `This never comes, not within ${LONGEST_GAP_YEARS} years${start === undefined ? '' : ` of ${start}`}. Look at BYMONTH, BYMONTHDAY and UNTIL.`
    problems.error(at('schedule'), 'schedule.never', message, { found: schedule })
  }
  return inZones(recurrence, timeZone)
}

const NEVER: Schedule = () => undefined

function localTime(text: string): number {
  try {
    const { year, month, day, hour, minute } = Temporal.PlainDateTime.from(text)
    return Date.UTC(year, month - 1, day, hour, minute)
  } catch {
    return Number.NaN
  }
}

/** A stretch of time in which the next occurrence is the same. */
interface Stretch {
  readonly from: number
  readonly next: number | undefined
}

/**
 * The recurrence by the clocks of each subject. The zone's last answer is remembered: of the many who wait for the same
 * occurrence, one asks in earnest.
 */
function inZones(recurrence: Recurrence, fallback: string): Schedule {
  const known = new Map<string, Stretch>()
  return (view, after) => {
    const zone = zoneFor(view, fallback)
    const last = known.get(zone)
    if (last !== undefined && after >= last.from && after < (last.next ?? Number.POSITIVE_INFINITY)) return last.next
    const next = nextIn(zone, recurrence, after)
    known.set(zone, { from: after, next })
    return next
  }
}

function nextIn(zone: string, recurrence: Recurrence, after: number): number | undefined {
  const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(zone)
  // Clocks that were put back show for a second time what has been; of that, the first time counted.
  for (let local = recurrence.after(after + offsetNanoseconds / 1e6); local !== undefined; ) {
    const instant = firstInstantOf(plain(local), zone)
    if (instant > after) return instant
    local = recurrence.after(local)
  }
  return undefined
}

function plain(local: number): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO('UTC').toPlainDateTime()
}
