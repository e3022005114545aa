import { apartFromPoison } from '../poison.js'

interface Waiting<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/**
 * Has what comes one by one done together: what is added while a batch is under way makes up the next one. What a batch fails
 * by fails alone.
 */
export class Gatherer<T, R> {
  private waiting: Waiting<T, R>[] = []
  private isBusy = false

  constructor(
    /** Does a batch, and gives a result for each item, in their order. */
    private readonly work: (items: readonly T[]) => Promise<readonly R[]>,
    /** How many items a batch has at most. */
    private readonly limit: number,
  ) {}

  /** Resolves when the batch is done that the item is in. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      void this.drain()
    })
  }

  private async drain(): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.limit)
      const items = batch.map(({ item }) => item)
      for (const [index, result] of (await apartFromPoison(items, this.work)).entries()) {
        const waiting = batch[index]
        if (result.status === 'fulfilled') waiting?.resolve(result.value)
        else waiting?.reject(result.reason)
      }
    }
    this.isBusy = false
  }
}
