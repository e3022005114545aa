import { Temporal } from 'temporal-polyfill'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import { own } from '../json.js'
import type { Place, Problems } from '../problems.js'
import type { WaitDefinition } from '../schemas/wait.js'
import type { SubjectView } from '../subject.js'
import { DEFAULT_ZONE, firstInstantOf, isTimeZone, zoneFor } from '../time-zone.js'

/** When a wait that begins now ends; undefined where there is nothing to wait for. */
export type WaitEnd = (view: SubjectView) => number | undefined

type UntilWait = Extract<WaitDefinition, { until: string }>
type TraitWait = Extract<WaitDefinition, { trait: string }>

const NOTHING: WaitEnd = () => undefined

/** Reads a wait; what is wrong is reported. */
export function compileWait(wait: WaitDefinition, place: Place, problems: Problems): WaitEnd {
  if (typeof wait === 'string') {
    const ms = readDuration(wait, place, problems)
    return (view) => view.at + ms
  }
  const { timeZone = DEFAULT_ZONE } = wait
  if (!isTimeZone(timeZone)) {
    const at = { ...place, pointer: `${place.pointer}/timeZone` }
    problems.error(at, 'timeZone.unknown', 'This is no IANA time zone, such as "Asia/Shanghai".', { found: timeZone })
    return NOTHING
  }
  return 'until' in wait ? untilLocalTime(wait, timeZone) : untilDate(wait, timeZone, place, problems)
}

function readDuration(text: string, place: Place, problems: Problems): number {
  const ms = parseDuration(text)
  if (ms === undefined) {
    problems.error(place, 'duration.invalid', `A duration looks like ${DURATION_FORMS}.`, { found: text })
  }
  return ms ?? 0
}

function untilLocalTime({ until, weekdays }: UntilWait, timeZone: string): WaitEnd {
  const time = Temporal.PlainTime.from(until)
  return (view) => {
    const zone = zoneFor(view, timeZone)
    const today = localDate(view.at, zone)
    // From yesterday on: clocks that leap over midnight show a time of yesterday only now.
    for (let ahead = -1; ahead <= 8; ahead++) {
      const date = today.add({ days: ahead })
      if (weekdays !== undefined && !weekdays.includes(date.dayOfWeek)) continue
      const at = firstInstantOf(date.toPlainDateTime(time), zone)
      if (at >= view.at) return at
    }
    return undefined
  }
}

function localDate(at: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate()
}

function untilDate(wait: TraitWait, timeZone: string, place: Place, problems: Problems): WaitEnd {
  const { trait, before, after, at, yearly = false } = wait
  if (before !== undefined && after !== undefined) {
    const message = 'A wait ends "before" or "after" the date. Leave out one of them.'
    problems.error(place, 'wait.several', message, { found: { before, after } })
    return NOTHING
  }
  const below = (key: string) => ({ ...place, pointer: `${place.pointer}/${key}` })
  const shiftMs =
    (after === undefined ? 0 : readDuration(after, below('after'), problems)) -
    (before === undefined ? 0 : readDuration(before, below('before'), problems))
  const time = at === undefined ? undefined : Temporal.PlainTime.from(at)
  const end = (local: Temporal.PlainDateTime, zone: string) => {
    const shifted = local.add({ milliseconds: shiftMs })
    return firstInstantOf(time === undefined ? shifted : shifted.toPlainDate().toPlainDateTime(time), zone)
  }
  return (view) => {
    const said = own(view.traits, trait) as SubjectView['traits'][string]
    const zone = zoneFor(view, timeZone)
    const local = readDate(said?.[0], zone)
    if (local === undefined) return undefined
    if (yearly) return nextReturn(local, localDate(view.at, zone).year, (one) => end(one, zone), view.at)
    const instant = end(local, zone)
    return instant >= view.at ? instant : undefined
  }
}

/** The wall clock's time at a date or an instant. */
function readDate(said: unknown, zone: string): Temporal.PlainDateTime | undefined {
  if (typeof said !== 'string') return undefined
  try {
    if (!/(Z|[+-]\d\d:?\d\d)$/.test(said) || !said.includes('T')) return Temporal.PlainDateTime.from(said)
    return Temporal.Instant.from(said).toZonedDateTimeISO(zone).toPlainDateTime()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The first return of a day and month, on 28 February where there is no 29, whose wait has not ended at `at`. */
function nextReturn(
  local: Temporal.PlainDateTime,
  year: number,
  end: (local: Temporal.PlainDateTime) => number,
  at: number,
): number | undefined {
  // "before" and "after" may be up to ten years.
  for (let near = year - 11; near <= year + 11; near++) {
    const instant = end(local.with({ year: near }))
    if (instant >= at) return instant
  }
  return undefined
}
