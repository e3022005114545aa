/** Asia/Shanghai has had no other offset since 1991. */
export const OFFSET_MS = 8 * 60 * 60_000
const FORM = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/

/** A time as providers of the mainland write it, `2026-03-01 12:00:05`, in Beijing; undefined where it is none. */
export function beijingTime(value: unknown): Date | undefined {
  const found = typeof value === 'string' ? FORM.exec(value) : null
  const at = found === null ? Number.NaN : Date.parse(`${found[1]}T${found[2]}+08:00`)
  return Number.isNaN(at) ? undefined : new Date(at)
}

/** An instant as they write it. */
export function beijingText(at: Date): string {
  return new Date(at.getTime() + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
}
