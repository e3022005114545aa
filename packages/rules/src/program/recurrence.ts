import rrule from 'rrule'
import type { Frequency, RecurrenceParts } from './recurrence-parts.js'

/** Recurring local times. A local time is the milliseconds of a clock that knows no zones, as if it were one of UTC. */
export interface Recurrence {
  /** The first one after a local time; undefined when there is none any more, or none within 40 years. */
  after(local: number): number | undefined
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEK = 7 * DAY

/** A 29 February that is a Monday comes again after 28 years, or 40. */
export const LONGEST_GAP_YEARS = 40
const LONGEST_GAP_MS = (LONGEST_GAP_YEARS + 1) * 366 * DAY

/** A Monday, where nothing depends on when it starts. */
const ORIGIN = Date.UTC(1970, 0, 5)

/** How many periods are remembered. */
const PERIODS_KEPT = 16

/** What is worked out at once, by the library: of days and hours, a year, of which the interval then leaves some. */
const PERIODS = { YEARLY: 'year', MONTHLY: 'month', WEEKLY: 'week', DAILY: 'year', HOURLY: 'year' } as const
const { RRule } = rrule
/** So many that a second period lies beyond the last year that the library knows: it stops, also where it finds nothing. */
const ONE_PERIOD = {
  year: { freq: RRule.YEARLY, interval: 10_000 },
  month: { freq: RRule.MONTHLY, interval: 120_000 },
  week: { freq: RRule.WEEKLY, interval: 530_000 },
} as const

/** The recurrence that parts, each of them right, come to together. */
export function recurrenceOf(parts: RecurrenceParts): Recurrence {
  const endless = new Periods(parts, parts.until ?? Number.POSITIVE_INFINITY)
  if (parts.count === undefined) return endless
  let last = (parts.start ?? ORIGIN) - 1
  for (let left = parts.count; left > 0; left--) last = endless.after(last) ?? Number.POSITIVE_INFINITY
  return new Periods(parts, last)
}

class Periods implements Recurrence {
  private readonly start: number
  private readonly weeksFrom: number
  private readonly known = new Map<number, readonly number[]>()

  constructor(
    private readonly parts: RecurrenceParts,
    private readonly end: number,
  ) {
    this.start = parts.start ?? ORIGIN
    const weekday = new Date(this.start).getUTCDay()
    this.weeksFrom = floorTo(this.start, DAY) - ((weekday - parts.weekStart + 7) % 7) * DAY
  }

  after(local: number): number | undefined {
    const from = Math.max(local, this.start - 1)
    for (let period = this.periodOf(from); ; period++) {
      const begin = this.beginOf(period)
      if (begin > this.end || begin > from + LONGEST_GAP_MS) return undefined
      if (!this.isCounted(period)) continue
      const found = this.timesIn(period).find((one) => one > from)
      if (found !== undefined) return found <= this.end ? found : undefined
    }
  }

  private get length() {
    return PERIODS[this.parts.frequency]
  }

  private periodOf(local: number): number {
    const date = new Date(local)
    if (this.length === 'year') return date.getUTCFullYear()
    if (this.length === 'month') return 12 * date.getUTCFullYear() + date.getUTCMonth()
    return Math.floor((local - this.weeksFrom) / WEEK)
  }

  private beginOf(period: number): number {
    if (this.length === 'year') return Date.UTC(period, 0, 1)
    if (this.length === 'month') return Date.UTC(Math.floor(period / 12), period % 12, 1)
    return this.weeksFrom + period * WEEK
  }

  /** Whether the interval, counted from the start, leaves this year, month or week. */
  private isCounted(period: number): boolean {
    const { frequency, interval } = this.parts
    if (frequency === 'DAILY' || frequency === 'HOURLY') return true
    return (period - this.periodOf(this.start)) % interval === 0
  }

  /** To leap so many weeks takes the library 10 ms; where some weekday always follows, an end does as well. */
  private onePeriod(period: number) {
    if (this.length !== 'week' || this.parts.options.bysetpos != null) return ONE_PERIOD[this.length]
    return { freq: RRule.WEEKLY, interval: 1, until: new Date(this.beginOf(period + 1) - 1) }
  }

  private timesIn(period: number): readonly number[] {
    const known = this.known.get(period)
    if (known !== undefined) return known
    const dtstart = new Date(this.beginOf(period))
    const rule = new RRule({ ...this.parts.options, ...this.onePeriod(period), dtstart }, true)
    const times = everyNth(this.parts.frequency, this.parts.interval, this.start, rule.all().map(Number))
    if (this.known.size >= PERIODS_KEPT) this.known.clear()
    this.known.set(period, times)
    return times
  }
}

/** Of days and hours, those that the interval leaves. */
function everyNth(frequency: Frequency, interval: number, start: number, times: readonly number[]): readonly number[] {
  const unit = frequency === 'DAILY' ? DAY : frequency === 'HOURLY' ? HOUR : undefined
  if (unit === undefined || interval === 1) return times
  const first = floorTo(start, unit)
  return times.filter((one) => ((floorTo(one, unit) - first) / unit) % interval === 0)
}

function floorTo(local: number, unit: number): number {
  return Math.floor(local / unit) * unit
}
