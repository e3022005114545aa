import { DURATION_FORMS, formatDuration, parseDuration } from '../duration.js'
import { type CalendarUnit, calendarFor, calendarOf } from '../facts/calendar.js'
import type { Place, Problems } from '../problems.js'
import type { SubjectView } from '../subject.js'
import { isTimeZone } from '../time-zone.js'

/** The messages that count, at an instant, for a policy about numbers of them. */
export interface SendWindow {
  /** How it is called in texts: "7d", "thisMonth". */
  readonly text: string
  /** Its length, where that is always the same. */
  readonly withinMs: number | undefined
  /** Its length at most. */
  readonly longestMs: number
  /** Messages of this instant and later count at `at`. */
  from(recipient: Recipient, at: number): number
  /** When one that was sent at `sentAt` counts no more. */
  ends(recipient: Recipient, sentAt: number): number
}

/** Whose time zone calendars go by. */
export type Recipient = Pick<SubjectView, 'traits'>

export interface SendWindowDefinition {
  readonly within?: string | undefined
  readonly during?: keyof typeof PERIODS | undefined
  readonly timeZone?: string | undefined
}

const DAY_MS = 86_400_000

const PERIODS = { today: 'day', thisWeek: 'week', thisMonth: 'month' } as const satisfies Record<string, CalendarUnit>

/** A period and one hour more, where clocks are put back. */
const LONGEST_MS = { day: 25 * 3_600_000, week: 8 * DAY_MS, month: 32 * DAY_MS } as const

/** Reads the window of a policy; undefined after an error has been reported. */
export function compileSendWindow(
  definition: SendWindowDefinition,
  place: Place,
  problems: Problems,
): SendWindow | undefined {
  const { within, during, timeZone } = definition
  if ((within === undefined) === (during === undefined)) {
    const message = 'Say in which time: one of "within", such as "7d", and "during", such as "thisMonth".'
    problems.error(place, 'window.one', message, { found: definition })
    return undefined
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const at = { ...place, pointer: `${place.pointer}/timeZone` }
    problems.error(at, 'timeZone.unknown', 'This is no IANA time zone, such as "Asia/Shanghai".', { found: timeZone })
    return undefined
  }
  return during === undefined ? rolling(within ?? '', place, problems) : inCalendar(during, timeZone)
}

function rolling(within: string, place: Place, problems: Problems): SendWindow | undefined {
  const withinMs = parseDuration(within)
  if (withinMs === undefined) {
    const at = { ...place, pointer: `${place.pointer}/within` }
    problems.error(at, 'duration.invalid', `A window looks like ${DURATION_FORMS}.`, { found: within })
    return undefined
  }
  return {
    text: formatDuration(withinMs),
    withinMs,
    longestMs: withinMs,
    from: (_, at) => at - withinMs + 1,
    ends: (_, sentAt) => sentAt + withinMs,
  }
}

/** In the recipient's zone, where no other is named. */
function inCalendar(during: keyof typeof PERIODS, timeZone: string | undefined): SendWindow {
  const unit = PERIODS[during]
  const calendar = ({ traits }: Recipient) => (timeZone === undefined ? calendarFor({ traits }) : calendarOf(timeZone))
  return {
    text: during,
    withinMs: undefined,
    longestMs: LONGEST_MS[unit],
    from: (recipient, at) => calendar(recipient).periodAt(unit, at).start,
    ends: (recipient, sentAt) => calendar(recipient).periodAt(unit, sentAt).end,
  }
}
