import { lengthOf } from '../../../rules/testing/naive-window.js'

// When waits end, where clocks are never changed: in UTC, else in Shanghai.

const HOUR = 3_600_000
const DAY = 24 * HOUR
const SHANGHAI = 8 * HOUR

export type Wait =
  | string
  | { readonly until: string; readonly weekdays?: readonly number[]; readonly timeZone?: string }
  | {
      readonly trait: string
      readonly before?: string
      readonly after?: string
      readonly at?: string
      readonly yearly?: boolean
    }

/** When a wait that begins now ends; undefined without a date to come. */
export function endOf(wait: Wait, now: number, trait: (name: string) => unknown): number | undefined {
  if (typeof wait === 'string') return now + lengthOf(wait)
  if ('until' in wait) return nextTime(wait, now)
  const said = trait(wait.trait)
  if (typeof said !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(said)) return undefined
  if (!wait.yearly) return notBefore(now, shifted(said, wait))
  for (let year = yearOf(now) - 1; ; year++) {
    const end = notBefore(now, shifted(returnOf(said, year), wait))
    if (end !== undefined) return end
  }
}

function notBefore(now: number, at: number): number | undefined {
  return at >= now ? at : undefined
}

/** The first time of day that is not before `now`. */
export function nextTime({ until, weekdays, timeZone }: Extract<Wait, { until: string }>, now: number): number {
  const east = timeZone === 'UTC' ? 0 : SHANGHAI
  for (let day = midnightBefore(now, east); ; day += DAY) {
    const at = day + timeOf(until)
    const weekday = new Date(day + east).getUTCDay() || 7
    if (at >= now && (weekdays === undefined || weekdays.includes(weekday))) return at
  }
}

/** Local midnight of a date, moved, and put to a time of the day that this leads to. */
function shifted(date: string, { before, after, at }: Exclude<Wait, string | { until: string }>): number {
  const moved =
    Date.parse(`${date}T00:00:00Z`) - SHANGHAI - (before ? lengthOf(before) : 0) + (after ? lengthOf(after) : 0)
  return at === undefined ? moved : midnightBefore(moved) + timeOf(at)
}

function returnOf(date: string, year: number): string {
  const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1
  return `${year}${date.endsWith('-02-29') && !isLeap ? '-02-28' : date.slice(4)}`
}

const midnightBefore = (at: number, east = SHANGHAI) => Math.floor((at + east) / DAY) * DAY - east
const yearOf = (at: number) => new Date(at + SHANGHAI).getUTCFullYear()
const timeOf = (time: string) => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000
