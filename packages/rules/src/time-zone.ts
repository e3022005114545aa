import { Temporal } from 'temporal-polyfill'
import { own } from './json.js'
import type { SubjectView } from './subject.js'

/** The zone that counts where a subject has none of its own. */
export const DEFAULT_ZONE = 'Asia/Shanghai'

/** Names of zones that were found to be right: to ask takes long, and all have the same few. */
const KNOWN_ZONES = new Set<string>()
const ZONES_KEPT = 1000

/** Whether a text names a time zone of the IANA database. */
export function isTimeZone(text: unknown): text is string {
  if (typeof text !== 'string') return false
  if (KNOWN_ZONES.has(text)) return true
  try {
    if (new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone === '') return false
    if (KNOWN_ZONES.size < ZONES_KEPT) KNOWN_ZONES.add(text)
    return true
  } catch {
    return false
  }
}

/** A subject's own zone, its trait `timeZone`, or else the fallback. */
export function zoneFor({ traits }: Pick<SubjectView, 'traits'>, fallback: string): string {
  const said = own(traits, 'timeZone') as SubjectView['traits'][string]
  return isTimeZone(said?.[0]) ? said[0] : fallback
}

/** How far clocks of a zone are ahead of UTC, from an instant until they are changed. */
interface Offset {
  readonly from: number
  readonly until: number
  readonly ms: number
}

const OFFSETS = new Map<string, Offset>()

/** How far clocks of a zone are ahead of UTC, in milliseconds. */
export function offsetAt(timeZone: string, at: number): number {
  return offsetFrom(timeZone, at).ms
}

/** Whether clocks of a zone are not changed from one instant until another. */
export function isSteady(timeZone: string, from: number, until: number): boolean {
  return until < offsetFrom(timeZone, from).until
}

/** What was found is kept until clocks are changed. */
function offsetFrom(timeZone: string, at: number): Offset {
  const known = OFFSETS.get(timeZone)
  if (known !== undefined && at >= known.from && at < known.until) return known
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  const until = local.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
  const found = { from: at, until, ms: local.offsetNanoseconds / 1_000_000 }
  if (known !== undefined || OFFSETS.size < ZONES_KEPT) OFFSETS.set(timeZone, found)
  return found
}

/** When a local time has come: of one that comes twice the first, of one that clocks leap over the end of the leap. */
export function firstInstantOf(local: Temporal.PlainDateTime, timeZone: string): number {
  const found = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const leap = found.toPlainDateTime().equals(local) ? undefined : found.getTimeZoneTransition('next')
  return (leap ?? found).epochMilliseconds
}
