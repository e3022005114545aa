import type { Clock } from '../ports/clock.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import type { Programs } from '../subjects/programs.js'
import { pausedBy } from './paused.js'

/** How many deliveries one transaction makes due. */
const BATCH = 500

/**
 * Makes deliveries due that were put aside, once nothing pauses them any more. A process looks once for each version that it
 * meets, so what one that was cut off has left is found by the others, or by the next.
 */
export class Release {
  /** The version that it is through with. */
  private finished = 0

  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
  ) {}

  /** Whether there may be some to make due. */
  get isPending(): boolean {
    return this.programs.newest?.version.number !== this.finished
  }

  /** Makes at most one batch due. Gives how many deliveries there were. */
  async pass(): Promise<number> {
    if (!this.isPending) return 0
    return this.store.transaction((tx) => this.batch(tx))
  }

  private async batch(tx: StoreTransaction): Promise<number> {
    const { version } = await this.programs.in(tx)
    const now = (await tx.now()) ?? this.clock.now()
    const still = version.halts.filter(({ state }) => state === 'paused').map(pausedBy)
    const count = await tx.releaseDeliveries(still, now, BATCH)
    if (count === 0) this.finished = version.number
    return count
  }
}
