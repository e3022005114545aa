const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const SHORT = /^(\d{1,9})(s|m|h|d|w)$/
const ISO = /^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/
const LONGEST_MS = 3650 * 86_400_000

/** What a duration may look like, for error messages. */
export const DURATION_FORMS = '"30d", "12h", "45m", "2w" or ISO 8601 such as "PT2H" or "P1DT12H"'

/**
 * Milliseconds of a duration: `"30d"` (s, m, h, d, w) or the ISO 8601 form `"PT2H"` in weeks, days, hours, minutes and
 * seconds. A day is 24 hours. Undefined for anything else, for zero, and beyond ten years.
 */
export function parseDuration(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const short = SHORT.exec(text)
  const ms = short === null ? parseIso(text) : Number(short[1]) * (UNITS[short[2] ?? ''] ?? Number.NaN)
  return ms !== undefined && ms > 0 && ms <= LONGEST_MS ? ms : undefined
}

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text)
  if (match === null || text.endsWith('T')) return undefined
  const amounts = match.slice(1).map((part) => Number(part ?? 0))
  return ['w', 'd', 'h', 'm', 's'].reduce((sum, unit, index) => sum + (amounts[index] ?? 0) * (UNITS[unit] ?? 0), 0)
}

/** A duration for people: `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  let rest = ms
  const parts: string[] = []
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNITS[unit] ?? 1
    const amount = Math.floor(rest / size)
    rest -= amount * size
    if (amount > 0) parts.push(`${amount}${unit}`)
  }
  return parts.slice(0, 2).join(' ')
}
