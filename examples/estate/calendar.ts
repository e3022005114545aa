/** The story's days are counted from Monday, 2 March 2026, in Shanghai time. */
const FIRST_DAY = Date.parse('2026-03-02T00:00:00+08:00')
const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const DAYS = 30

/** The evening on which the new fruit is announced: too late to send anything before the morning. */
export const LAUNCH = instant(23, 22, 20)
export const MORNING_AFTER = instant(24, 8, 10)
export const BEGIN = instant(0, 0)
export const END = instant(DAYS, 0)

/** Milliseconds since the epoch of a day of the story and a local time. */
export function instant(day: number, hour: number, minute = 0): number {
  return FIRST_DAY + day * DAY_MS + (hour * 60 + minute) * MINUTE_MS
}

/** `03-25 22:20`, in Shanghai, which has no daylight saving time. */
export function dayAndTime(at: number): string {
  return new Date(at + 8 * 60 * MINUTE_MS).toISOString().slice(5, 16).replace('T', ' ')
}
