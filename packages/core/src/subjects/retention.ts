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

  /** Gives how many events it has forgotten. */
  async pass(): Promise<number> {
    const keepMs = this.programs.newest?.program.history?.keepMs
    const now = this.clock.now()
    if (keepMs === undefined || (keepMs === this.keptMs && now < this.nextLook)) return 0
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
