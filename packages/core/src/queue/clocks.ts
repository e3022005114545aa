import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../ports/clock.js'

/** The longest wait of one timer: `setTimeout` overflows beyond 2^31 - 1 ms and fires at once. */
const LONGEST_WAIT_MS = 2_000_000_000

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await wait(Math.min(Math.max(0, ms), LONGEST_WAIT_MS), undefined, { signal, ref: true }).catch(() => undefined)
  },
}

/** A clock that stands still until it is moved: for tests and simulations. */
export interface VirtualClock extends Clock {
  /** Moves the clock on; it never goes back. */
  moveTo(at: number | string | Date): void
}

export function virtualClock(start: number | string | Date): VirtualClock {
  let now = instantOf(start)
  return {
    now: () => now,
    sleep: () => Promise.resolve(),
    moveTo: (at) => {
      now = Math.max(now, instantOf(at))
    },
  }
}

/** Milliseconds since the epoch. Throws `RangeError` for a text that is no time. */
export function instantOf(at: number | string | Date): number {
  const ms = typeof at === 'number' ? at : new Date(at).getTime()
  if (!Number.isFinite(ms)) throw new RangeError(`This is no time: ${JSON.stringify(at)}.`)
  return ms
}
