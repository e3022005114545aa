import { isPoison, throwFailures } from '../poison.js'
import type { Clock } from '../ports/clock.js'
import type { Queue } from '../ports/queue.js'
import type { DueKind, Store } from '../ports/store.js'

/** One kind of work. */
export interface Work {
  readonly name: string
  /** What it does when it is due; left out: the work knows by itself whether there is any. */
  readonly of?: readonly DueKind[]
  /** Whether there may be any, as far as the work knows by itself; left out: it does not. */
  readonly isPending?: () => boolean
  /** Does a batch and says how much there was. `hurried`: somebody waits for all of it. */
  readonly pass: (hurried: boolean) => Promise<number>
  /** So many milliseconds it rests after a look in vain, however often it is woken. Left out: it looks again at once. */
  readonly restMs?: number
  /** Goes on beside all other work, with so many passes under way at once; left out: takes turns with what does so too. */
  readonly lanes?: number
}

export interface InProcessOptions {
  readonly store: Store
  readonly clock: Clock
  /** In the order in which they are done. */
  readonly work: readonly Work[]
  /** Told of a pass that failed; the next pass comes after a pause. */
  readonly onError: (error: unknown) => void
}

/** How long a loop sleeps at most before it looks again, for work that other processes have left. */
const LONGEST_SLEEP_MS = 500
const PAUSE_AFTER_ERROR_MS = 1000

/** What came of a pass. */
interface Passed {
  readonly done: number
  /** In how many milliseconds there may be something to do. */
  readonly restMs: number
}

/** Does due work in this process: at once, until nothing is left (`settle`), or on and on (`start`). */
export class InProcessQueue implements Queue {
  readonly sharing = 'database'
  private stopping: AbortController | undefined
  private loops: readonly Promise<void>[] = []
  private readonly sleeping = new Set<AbortController>()

  constructor(private readonly options: InProcessOptions) {}

  /** Does everything that is due now, and what that brings about, until nothing is left. */
  async settle(): Promise<void> {
    while ((await this.pass(this.options.work, true)).done > 0);
  }

  start(): void {
    if (this.loops.length > 0) return
    this.stopping = new AbortController()
    const { signal } = this.stopping
    const { work } = this.options
    const inTurn = work.filter(({ lanes }) => lanes === undefined)
    const beside = work.flatMap((one) => Array.from({ length: one.lanes ?? 0 }, () => [one]))
    this.loops = [inTurn, ...beside].map((some) => this.run(some, signal))
  }

  /** Ends the sleep of all loops: there may be something to do. */
  wake(): void {
    for (const one of this.sleeping) one.abort()
  }

  /** Ends the loops after the passes under way. */
  async stop(): Promise<void> {
    this.stopping?.abort()
    this.wake()
    await Promise.all(this.loops)
    this.loops = []
  }

  private async pass(works: readonly Work[], hurried: boolean): Promise<Passed> {
    let [done, restMs] = [0, LONGEST_SLEEP_MS]
    const results: PromiseSettledResult<void>[] = []
    const passOne = async (work: Work) => {
      if (work.isPending?.() === false) return
      const waitMs = await waitFor(work, this.options)
      if (waitMs <= 0) done += await work.pass(hurried)
      else restMs = Math.min(restMs, waitMs)
    }
    for (const work of works) {
      const [result] = await Promise.allSettled([passOne(work)])
      results.push(result)
      // Poison of one kind of work holds up no other; where the database is at fault, all of them would fail.
      if (result.status === 'rejected' && !isPoison(result.reason)) break
    }
    throwFailures(results)
    return { done, restMs }
  }

  private async run(works: readonly Work[], stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      // Before the look at what is due: what comes in meanwhile must end the sleep that follows.
      const woken = new AbortController()
      this.sleeping.add(woken)
      try {
        const { done, restMs } = await this.pass(works, false)
        // What was done may have brought about work of other kinds.
        if (done > 0) this.wake()
        else await this.sleep(restMs, woken.signal, stopping)
        if (done === 0 && woken.signal.aborted) await this.rest(works, stopping)
      } catch (error) {
        this.options.onError(error)
        await this.sleep(PAUSE_AFTER_ERROR_MS, woken.signal, stopping)
      } finally {
        this.sleeping.delete(woken)
      }
    }
  }

  private async rest(works: readonly Work[], stopping: AbortSignal): Promise<void> {
    const ms = Math.max(...works.map(({ restMs = 0 }) => restMs))
    if (ms > 0 && !stopping.aborted) await this.options.clock.sleep(ms, stopping)
  }

  private async sleep(ms: number, woken: AbortSignal, stopping: AbortSignal): Promise<void> {
    if (!stopping.aborted && !woken.aborted) await this.options.clock.sleep(ms, woken)
  }
}

/**
 * In how many milliseconds there may be work of a kind: not above 0 when now. A look at what is due costs less than a transaction
 * that finds nothing.
 */
export function waitFor(
  { of }: Pick<Work, 'of'>,
  { store, clock }: Pick<InProcessOptions, 'store' | 'clock'>,
): Promise<number> | number {
  return of === undefined ? 0 : store.dueIn(of, clock.now())
}
