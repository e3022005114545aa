/** A call may start at most this long after it was cleared, or let through; later, consent may have been withdrawn. */
export const LONGEST_LEAD_MS = 5_000

/** Leave for one call of a channel: to begin in time, or never. */
export interface Slot {
  /** By the engine's clock. */
  readonly until: number
  /** Says once whether the call has begun: at this instant or just before. What is said later does not count. */
  close(hasBegun: boolean): void
  /** When it was written down for all that were let through together. */
  readonly closed: Promise<void>
}

/** Of a channel without a rate. */
export const UNLIMITED: Slot = { until: Number.POSITIVE_INFINITY, close: () => undefined, closed: Promise.resolve() }

/** Slots for calls that were let through together. `settle` is told once of all of them how many began, and until when. */
export function slotsOf(
  count: number,
  { until, now, settle }: { until: number; now: () => number; settle: (begun: Begun) => Promise<void> },
): readonly Slot[] {
  let open = count
  let begun = 0
  let last = 0
  let settled = (_: Promise<void>): void => undefined
  const closed = new Promise<void>((resolve) => {
    settled = resolve
  })
  const close = (hasBegun: boolean) => {
    open -= 1
    if (hasBegun) {
      begun += 1
      last = Math.max(last, now())
    }
    if (open === 0) settled(settle({ count: begun, last }))
  }
  return Array.from({ length: count }, () => {
    let isOpen = true
    const closeOnce = (hasBegun: boolean) => {
      if (isOpen) close(hasBegun)
      isOpen = false
    }
    return { until, close: closeOnce, closed }
  })
}

export interface Begun {
  readonly count: number
  /** When the last of them began, by the engine's clock. */
  readonly last: number
}
