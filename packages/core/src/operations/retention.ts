import { DURATION_FORMS, parseDuration } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Store, StoreTransaction } from '../ports/store.js'

/** How long what has ended is kept. Each at least `"1d"`; left out: for ever. */
export interface RetentionOptions {
  /**
   * Deliveries that have ended: `"180d"`, since they were planned, first called, or a receipt last told of them. Their decisions
   * and events stay.
   */
  readonly deliveries?: string
  /** Decisions: `"400d"`, since what was decided came about. What they tell of, stays. */
  readonly decisions?: string
}

/** How many rows one transaction forgets. */
const BATCH = 1000
/** How long after the last old row was forgotten it looks for others, in milliseconds. */
const PAUSE_MS = 3_600_000
/** Providers drop repeats of a key, and tell of messages, for about so long. */
const SHORTEST_MS = 86_400_000

/** Forgets at most `limit` of what is as old as `until`, or older, and gives how many they were. */
type Forget = (tx: StoreTransaction, until: number, limit: number) => Promise<number>

/**
 * Who forgets what these options say, by the names of their options.
 *
 * @throws EngineError `retention.invalid`
 */
export function forgettings(options: RetentionOptions, store: Store, clock: Clock): readonly Forgetting[] {
  const ways: Readonly<Record<keyof RetentionOptions, Forget>> = {
    deliveries: (tx, until, limit) => tx.forgetDeliveries(until, limit),
    decisions: (tx, until, limit) => tx.forgetDecisions(until, limit),
  }
  return (Object.keys(ways) as (keyof RetentionOptions)[]).flatMap((name) => {
    const kept = options[name]
    return kept === undefined ? [] : [new Forgetting(name, keepMsOf(name, kept), ways[name], store, clock)]
  })
}

/** Forgets what was long ago, a batch at a time. */
export class Forgetting {
  private nextLook = 0

  constructor(
    readonly name: keyof RetentionOptions,
    private readonly keepMs: number,
    private readonly forget: Forget,
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  /** Whether it is time to look for what is to be forgotten. */
  get isPending(): boolean {
    return this.clock.now() >= this.nextLook
  }

  /** Gives how much it has forgotten. */
  async pass(): Promise<number> {
    if (!this.isPending) return 0
    const now = this.clock.now()
    const count = await this.store.transaction(async (tx) =>
      this.forget(tx, ((await tx.now()) ?? now) - this.keepMs, BATCH),
    )
    if (count === 0) this.nextLook = now + PAUSE_MS
    return count
  }
}

function keepMsOf(name: keyof RetentionOptions, text: string): number {
  const keepMs = parseDuration(text)
  if (keepMs !== undefined && keepMs >= SHORTEST_MS) return keepMs
  const message = `\`retention.${name}\` is ${JSON.stringify(text)}, and should be a duration of at least "1d": ${DURATION_FORMS}.`
  throw new EngineError('retention.invalid', message, { [name]: text })
}
