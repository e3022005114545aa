/**
 * What a condition says at an instant, in one number: whether it holds, and until which instant that is certain if
 * nothing new happens. Positive: it holds until then. Negative: it does not hold until then. The sign carries the
 * answer so that the hot path allocates nothing; infinity means "until something happens".
 */
export type Verdict = number

export const ALWAYS: Verdict = Number.POSITIVE_INFINITY
export const NEVER: Verdict = Number.NEGATIVE_INFINITY

export function holds(verdict: Verdict): boolean {
  return verdict > 0
}

/** The instant until which a verdict is certain, in milliseconds since the epoch; infinity when time cannot change it. */
export function until(verdict: Verdict): number {
  return Math.abs(verdict)
}

export function verdictOf(holding: boolean, untilAt: number): Verdict {
  return holding ? untilAt : -untilAt
}

/** Both hold: certain until the first ends. One fails: certain until the last failing one may change. */
export function both(a: Verdict, b: Verdict): Verdict {
  if (a > 0) return b > 0 ? Math.min(a, b) : b
  return b > 0 ? a : Math.min(a, b)
}

/** The dual of `both`. */
export function either(a: Verdict, b: Verdict): Verdict {
  return -both(-a, -b)
}
