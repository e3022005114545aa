import { beforeAbort } from './deadline.js'

/** Has work under the same key go on one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Rejects with the signal's reason where it is aborted before the turn has come; the work is then not begun. */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const begun = before === undefined ? work() : beforeAbort(before, signal).then(work)
    // Whoever gave up waiting is passed over: the next one still waits for those before.
    const over = Promise.allSettled([before, begun])
    this.#last.set(key, over)
    void over.then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key)
    })
    return begun
  }
}
