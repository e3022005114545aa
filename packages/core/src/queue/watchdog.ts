import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Store } from '../ports/store.js'

/** How long the first of what is due may stay the first before the work counts as stuck. */
export const PATIENCE_MS = 30_000

export interface WatchdogOptions {
  readonly store: Store
  readonly clock: Clock
  /** Milliseconds that only rise, whatever is done to the machine's clock. */
  readonly elapsed: () => number
  readonly onError: (error: unknown) => void
}

/**
 * Notices that nobody takes what is due. However much there is to do, what is first changes as long as work goes on.
 */
export class Watchdog {
  /** Since when each is the first of its line. */
  private since = new Map<string, number>()
  private wasStuck = false

  constructor(private readonly options: WatchdogOptions) {}

  /** Whether the work is stuck. `heads`: the first of other lines than those of the store. */
  async isStuck(heads: readonly string[]): Promise<boolean> {
    const { onError, elapsed } = this.options
    const now = elapsed()
    const firsts = [...(await this.due()), ...heads]
    this.since = new Map(firsts.map((name) => [name, this.since.get(name) ?? now]))
    const stuck = firsts.filter((name) => now - (this.since.get(name) ?? now) >= PATIENCE_MS)
    if (stuck.length > 0 && !this.wasStuck) onError(overdue(stuck))
    this.wasStuck = stuck.length > 0
    return this.wasStuck
  }

  private async due(): Promise<readonly string[]> {
    const { store, clock } = this.options
    const now = await store.transaction(async (tx) => (await tx.now()) ?? clock.now())
    // What a rate holds back waits by design.
    const firsts = (await store.readFirstDue()).filter(({ dueAt, heldUntil }) => Math.max(dueAt, heldUntil) <= now)
    return firsts.map(({ line, name }) => `${line}/${name}`)
  }
}

function overdue(stuck: readonly string[]): EngineError {
  const lines = [...new Set(stuck.map((name) => name.slice(0, name.indexOf('/'))))]
  const message = `Nobody has taken what is due for ${PATIENCE_MS / 1000} seconds (${lines.join(', ')}). This process does it itself until that is over.`
  return new EngineError('work.overdue', message, { lines })
}
