// What wall clocks show, found by asking Intl again and again. It shares no code with linli.

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A stretch of time in which a zone's clocks are ahead of UTC by the same. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly ahead: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

function aheadAt(zone: string, at: number): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    formats.set(zone, format)
  }
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE)
}

/** The stretches of a zone between two instants: looked at once a day, and where they differ, minute by minute halved. */
export function stretchesOf(zone: string, from: number, to: number): readonly Stretch[] {
  const stretches: Stretch[] = []
  let [begin, ahead] = [from, aheadAt(zone, from)]
  for (let at = from; at < to; at += 24 * HOUR) {
    const next = Math.min(at + 24 * HOUR, to)
    const after = aheadAt(zone, next)
    if (after === ahead) continue
    let [before, since] = [at, next]
    while (since - before > MINUTE) {
      const middle = before + Math.floor((since - before) / 2 / MINUTE) * MINUTE
      if (aheadAt(zone, middle) === ahead) before = middle
      else since = middle
    }
    stretches.push({ from: begin, to: since, ahead })
    begin = since
    ahead = after
  }
  return [...stretches, { from: begin, to, ahead }]
}

/** When clocks first show a local time, or what comes after it where they leap over it. */
export function firstShown(stretches: readonly Stretch[], local: number): number {
  for (const { from, to, ahead } of stretches) {
    const at = Math.max(local - ahead, from)
    if (at < to) return at
  }
  return Number.POSITIVE_INFINITY
}
