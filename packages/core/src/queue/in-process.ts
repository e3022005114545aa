import type { Clock } from '../ports/clock.js'
import type { Queue } from '../ports/queue.js'
import type { DueKind, Store } from '../ports/store.js'

/** One kind of work. */
export interface Work {
  readonly name: string
  /** What it does when it is due; left out: the work knows by itself whether there is any. */
  readonly of?: readonly DueKind[]
  /** Does a batch and says how much there was. `hurried`: somebody waits for all of it. */
  readonly pass: (hurried: boolean) => Promise<number>
}

export interface InProcessOptions {
  readonly store: Store
  readonly clock: Clock
  /** In the order in which they are done. */
  readonly work: readonly Work[]
  /** Whether `clock` says when something is due; else the store's own does, and only the store can tell. */
  readonly clockDecides: boolean
  /** Told of a pass that failed; the next pass comes after a pause. */
  readonly onError: (error: unknown) => void
}

/** How long the loop sleeps at most before it looks again, for work that other processes have left. */
const LONGEST_SLEEP_MS = 500
const PAUSE_AFTER_ERROR_MS = 1000

/** Does due work in this process: at once, until nothing is left (`settle`), or on and on (`start`). */
export class InProcessQueue implements Queue {
  readonly sharing = 'database'
  private stopping: AbortController | undefined
  private loop: Promise<void> | undefined
  private sleeping: AbortController | undefined

  constructor(private readonly options: InProcessOptions) {}

  /** Does everything that is due now, and what that brings about, until nothing is left. */
  async settle(): Promise<void> {
    while ((await this.pass(true)) > 0);
  }

  start(): void {
    if (this.loop !== undefined) return
    this.stopping = new AbortController()
    this.loop = this.run(this.stopping.signal)
  }

  /** Ends a sleep of the loop: there may be something to do. */
  wake(): void {
    this.sleeping?.abort()
  }

  /** Ends the loop after the pass under way. */
  async stop(): Promise<void> {
    this.stopping?.abort()
    this.wake()
    await this.loop
    this.loop = undefined
  }

  private async pass(hurried: boolean): Promise<number> {
    let done = 0
    for (const work of this.options.work) if (await this.mayHave(work)) done += await work.pass(hurried)
    return done
  }

  /** A look at what is due costs less than a transaction that finds nothing. */
  private async mayHave({ of }: Work): Promise<boolean> {
    const { store, clock, clockDecides } = this.options
    if (of === undefined || !clockDecides) return true
    return ((await store.nextDue(of)) ?? Number.POSITIVE_INFINITY) <= clock.now()
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Before the look at what is due: what comes in meanwhile must end the sleep that follows.
      this.sleeping = new AbortController()
      try {
        if ((await this.pass(false)) === 0) await this.sleep(await this.restMs(), signal)
      } catch (error) {
        this.options.onError(error)
        await this.sleep(PAUSE_AFTER_ERROR_MS, signal)
      }
    }
  }

  private async sleep(ms: number, stopping: AbortSignal): Promise<void> {
    const woken = this.sleeping?.signal
    if (!stopping.aborted && !woken?.aborted) await this.options.clock.sleep(ms, woken)
  }

  private async restMs(): Promise<number> {
    const { store, clock } = this.options
    const next = (await store.nextDue()) ?? Number.POSITIVE_INFINITY
    return Math.min(LONGEST_SLEEP_MS, Math.max(1, next - clock.now()))
  }
}
