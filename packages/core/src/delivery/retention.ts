import { DURATION_FORMS, parseDuration } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Store } from '../ports/store.js'

/** How long what has ended is kept. */
export interface RetentionOptions {
  /**
   * Deliveries that have ended: `"180d"`, at least `"1d"`, since they were planned, first called, or a receipt last told of them. Left out:
   * for ever. Their decisions and events stay.
   */
  readonly deliveries?: string
}

/** How many deliveries one transaction forgets. */
const BATCH = 1000
/** How long after the last old delivery was forgotten it looks for others, in milliseconds. */
const PAUSE_MS = 3_600_000
/** Providers drop repeats of a key, and tell of messages, for about so long. */
const SHORTEST_MS = 86_400_000

/** Forgets deliveries that have ended long ago, a batch at a time. */
export class DeliveryRetention {
  private readonly keepMs: number | undefined
  private nextLook = 0

  /** @throws EngineError `retention.invalid` */
  constructor(
    { deliveries }: RetentionOptions,
    private readonly store: Store,
    private readonly clock: Clock,
  ) {
    this.keepMs = deliveries === undefined ? undefined : keepMsOf(deliveries)
  }

  /** Whether it is time to look for deliveries to forget. */
  get isPending(): boolean {
    return this.keepMs !== undefined && this.clock.now() >= this.nextLook
  }

  /** Gives how many deliveries it has forgotten. */
  async pass(): Promise<number> {
    const { keepMs } = this
    const now = this.clock.now()
    if (keepMs === undefined || !this.isPending) return 0
    const count = await this.store.transaction(async (tx) =>
      tx.forgetDeliveries(((await tx.now()) ?? now) - keepMs, BATCH),
    )
    if (count === 0) this.nextLook = now + PAUSE_MS
    return count
  }
}

function keepMsOf(text: string): number {
  const keepMs = parseDuration(text)
  if (keepMs !== undefined && keepMs >= SHORTEST_MS) return keepMs
  const message = `\`retention.deliveries\` is ${JSON.stringify(text)}, and should be a duration of at least "1d": ${DURATION_FORMS}.`
  throw new EngineError('retention.invalid', message, { deliveries: text })
}
