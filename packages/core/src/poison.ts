/** Whether an error comes from what was to be written or evaluated, so that it would come again. */
export function isPoison(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && POISONOUS.test(code)
}

/**
 * SQLSTATEs that blame the rows: cardinality, data, constraints, program limits, and what a trigger of the host's raises; pages that
 * cannot be read. Any other blames the database, or what it was asked, and may be well a moment later.
 * Source: PostgreSQL documentation, appendix A.
 */
const POISONOUS = /^((21|22|23|54|P0)[0-9A-Z]{3}|XX00[12])$/

/**
 * Does all together; where something among them is poison, half by half, so that it holds up no other. Where the database is
 * at fault, all have failed. `work` gives a result for each item, in their order.
 */
export async function apartFromPoison<T, R>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly PromiseSettledResult<R>[]> {
  const whole = await settled(work, items)
  if (whole.status === 'fulfilled') {
    return items.map((_, index) => ({ status: 'fulfilled', value: whole.value[index] as R }))
  }
  if (items.length <= 1 || !isPoison(whole.reason)) return items.map(() => whole)
  const half = Math.ceil(items.length / 2)
  const first = await apartFromPoison(items.slice(0, half), work)
  return [...first, ...(await apartFromPoison(items.slice(half), work))]
}

async function settled<T, R>(
  work: (items: T) => Promise<R>,
  items: T,
): Promise<{ status: 'fulfilled'; value: R } | PromiseRejectedResult> {
  try {
    return { status: 'fulfilled', value: await work(items) }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

/** Throws what went wrong, if anything did. */
export function throwFailures(results: readonly PromiseSettledResult<unknown>[]): void {
  const reasons = new Set(results.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : [])))
  const [first] = reasons
  if (reasons.size > 1) throw new AggregateError(reasons, `${reasons.size} things could not be done.`)
  if (reasons.size === 1) throw first
}
