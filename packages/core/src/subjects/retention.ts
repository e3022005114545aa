import type { Clock } from '../ports/clock.js'
import type { Store } from '../ports/store.js'
import type { Programs } from './programs.js'

/** How many events one transaction forgets. */
const BATCH = 1000
/** How long after the last old event was forgotten it looks for others, in milliseconds. */
const PAUSE_MS = 3_600_000

/** Forgets events that are older than the rules in force keep them, a batch at a time. */
export class Retention {
  private keptMs: number | undefined
  private nextLook = 0

  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
  ) {}

  /** Whether it is time to look for events to forget. */
  get isPending(): boolean {
    const { keepMs } = this
    return keepMs !== undefined && (keepMs !== this.keptMs || this.clock.now() >= this.nextLook)
  }

  private get keepMs(): number | undefined {
    return this.programs.newest?.program.history?.keepMs
  }

  /** Gives how many events it has forgotten. */
  async pass(): Promise<number> {
    if (!this.isPending) return 0
    const { keepMs } = this
    const now = this.clock.now()
    const count = await this.store.transaction(async (tx) => {
      const { history } = (await this.programs.in(tx)).program
      return history === undefined ? 0 : tx.forgetEvents(((await tx.now()) ?? now) - history.keepMs, BATCH)
    })
    if (count === 0) {
      this.keptMs = keepMs
      this.nextLook = now + PAUSE_MS
    }
    return count
  }
}
