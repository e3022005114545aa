import { Temporal } from 'temporal-polyfill'
import { own } from '../json.js'
import type { SubjectView } from '../subject.js'
import { DEFAULT_ZONE, isTimeZone } from '../time-zone.js'

/** Calendar periods: days, weeks from Monday, months. */
export type CalendarUnit = 'day' | 'week' | 'month'

/** A period of the calendar in some zone, with where the two after it end. */
interface Period {
  readonly start: number
  readonly end: number
  readonly endOfNext: number
}

const DAY = 86_400_000

/** How many results one zone remembers for each unit, and how many zones are remembered. */
const REMEMBERED = 4000
const ZONES = 500

/** The calendar of one zone. What it remembers are pure results: periods by the UTC day that instants in them lie in. */
export class Calendar {
  private readonly known = { day: new Map(), week: new Map(), month: new Map() } as Readonly<
    Record<CalendarUnit, Map<number, readonly Period[]>>
  >

  constructor(private readonly zone: string) {}

  /** The period that an instant lies in. */
  periodAt(unit: CalendarUnit, at: number): Period {
    const known = this.known[unit]
    const day = Math.floor(at / DAY)
    const near = known.get(day)
    const found = near?.find(({ start, end }) => start <= at && at < end)
    if (found !== undefined) return found
    if (known.size >= REMEMBERED) known.clear()
    const period = this.work(unit, at)
    known.set(day, near === undefined ? [period] : [...near, period])
    return period
  }

  /** The instant at which a date begins: midnight, or the first instant after it where there is no midnight. */
  startOf(date: Temporal.PlainDate): number {
    return date.toZonedDateTime(this.zone).epochMilliseconds
  }

  private work(unit: CalendarUnit, at: number): Period {
    let date = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(this.zone).toPlainDate()
    // Clocks that are set back over midnight show the old date again: the day has begun all the same.
    if (this.startOf(date.add({ days: 1 })) <= at) date = date.add({ days: 1 })
    const first = firstOf(unit, date)
    const [start, end, endOfNext] = [0, 1, 2].map((steps) => this.startOf(first.add({ [`${unit}s`]: steps })))
    return { start: start ?? at, end: end ?? at, endOfNext: endOfNext ?? at }
  }
}

function firstOf(unit: CalendarUnit, date: Temporal.PlainDate): Temporal.PlainDate {
  if (unit === 'day') return date
  return unit === 'week' ? date.subtract({ days: date.dayOfWeek - 1 }) : date.with({ day: 1 })
}

const calendars = new Map<string, Calendar>()

/** The calendar of a zone of the IANA database; of anything else, that of Asia/Shanghai. */
export function calendarOf(zone: unknown): Calendar {
  const name = typeof zone === 'string' ? zone : DEFAULT_ZONE
  const known = calendars.get(name)
  if (known !== undefined) return known
  if (calendars.size >= ZONES) calendars.clear()
  const calendar = isTimeZone(name) ? new Calendar(name) : calendarOf(DEFAULT_ZONE)
  calendars.set(name, calendar)
  return calendar
}

/** The calendar of a subject: that of its trait `timeZone`. */
export function calendarFor({ traits }: Pick<SubjectView, 'traits'>): Calendar {
  const said = own(traits, 'timeZone') as SubjectView['traits'][string]
  return calendarOf(said?.[0])
}
