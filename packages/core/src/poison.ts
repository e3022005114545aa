/** Whether an error comes from what was to be written or evaluated, so that it would come again. */
export function isPoison(error: unknown): boolean {
  if (FAULTS.some((kind) => error instanceof kind)) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && POISONOUS.test(code)
}

/** A rule that trips over a value, and a row that cannot be read. */
const FAULTS = [TypeError, RangeError, SyntaxError]

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

/** What one in line fails by, when nothing else is done with it. */
export interface Failure {
  readonly name: string
  readonly error: unknown
}

/** How much of what waits in line is done together. */
export class Portion {
  /** The one that was taken alone. */
  alone: string | undefined

  constructor(
    readonly limit: number,
    private readonly failure?: Failure,
  ) {}

  /** Takes note of what was taken. Gives what it fails by where it is to be left alone: others may have come first meanwhile. */
  take<T>(taken: readonly T[], nameOf: (one: T) => string): Failure | undefined {
    const [first] = taken
    if (this.limit > 1 || first === undefined) return undefined
    this.alone = nameOf(first)
    return this.alone === this.failure?.name ? this.failure : undefined
  }
}

/**
 * Does the first in line together, and gives how many they were; where something among them is poison, half as many, so that it
 * holds up no other. What fails alone is left alone, and thrown.
 */
export async function byPortions(most: number, work: (portion: Portion) => Promise<number>): Promise<number> {
  for (let limit = most; ; limit = Math.ceil(limit / 2)) {
    const portion = new Portion(limit)
    try {
      return await work(portion)
    } catch (error) {
      if (!isPoison(error)) throw error
      if (limit > 1) continue
      if (portion.alone !== undefined) await work(new Portion(limit, { name: portion.alone, error }))
      throw error
    }
  }
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
