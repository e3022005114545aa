import type { IncomingEvent } from './event.js'

/** How far ahead of the engine's clock an event may be. Up to this it counts as happening now. */
export const FUTURE_MS = 5 * 60_000

/** What an event says of times. */
export type Times = Pick<IncomingEvent, 'timestamp' | 'originalTimestamp' | 'sentAt' | 'receivedAt'>

/** When an event happened, or why that cannot be said. */
export type Placed =
  | {
      readonly ok: true
      readonly at: number
      /** What its own clock said; undefined where it said nothing. */
      readonly saidAt: number | undefined
    }
  | { readonly ok: false; readonly code: 'event.time' | 'event.future'; readonly message: string }

/**
 * When an event happened, in milliseconds. A `sentAt` tells how wrong the clock is that wrote `timestamp`: the event is
 * moved by as much, as the Segment spec has it. Where there is an `originalTimestamp`, somebody has done that before.
 */
export function placeInTime({ timestamp, originalTimestamp, sentAt, receivedAt }: Times, now: number): Placed {
  const saidAt = read(timestamp)
  const sent = read(sentAt)
  const received = read(receivedAt)
  if (Number.isNaN(saidAt)) return unreadable('timestamp')
  if (Number.isNaN(sent)) return unreadable('sentAt')
  if (Number.isNaN(received)) return unreadable('receivedAt')
  const arrived = received ?? now
  const isMoved = sent !== undefined && read(originalTimestamp) === undefined
  const at = saidAt === undefined ? arrived : isMoved ? saidAt + arrived - sent : saidAt
  if (at <= 0) return { ok: false, code: 'event.time', message: '"sentAt" puts the event before 1970.' }
  if (at > now + FUTURE_MS) {
    return { ok: false, code: 'event.future', message: 'The event is more than 5 minutes ahead of the clock.' }
  }
  return { ok: true, at: Math.min(at, now), saidAt }
}

function unreadable(name: string): Placed {
  const message = `"${name}" should be ISO 8601 such as "2026-03-01T08:00:00+08:00".`
  return { ok: false, code: 'event.time', message }
}

/** Undefined where nothing is said, NaN for what is no time. */
function read(time: unknown): number | undefined {
  return time === undefined || time === null ? undefined : (parseTime(time) ?? Number.NaN)
}

/** When an event says that it happened; undefined for what is no time. Without a zone it is UTC. */
export function parseTime(timestamp: unknown): number | undefined {
  if (timestamp instanceof Date) return parseTime(timestamp.getTime())
  const at = typeof timestamp === 'string' ? parseIso(timestamp) : timestamp
  return Number.isInteger(at) && (at as number) > 0 ? (at as number) : undefined
}

const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

function parseIso(text: string): number {
  const match = ISO.exec(text)
  if (match === null) return Number.NaN
  return Math.floor(Date.parse(match[1] !== undefined && match[4] === undefined ? `${text}Z` : text))
}
