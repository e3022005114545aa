/** One of several calls that are made together. */
interface Waiting<T, R> {
  readonly item: T
  readonly resolve: (result: R | undefined) => void
  readonly reject: (error: unknown) => void
}

interface Gathering<T, R> {
  readonly waiting: Map<string, Waiting<T, R>>
  readonly timer: NodeJS.Timeout
}

export interface GatheredOptions<T, R> {
  /** How long the first of a batch waits for others, in milliseconds. */
  readonly gatherMs: number
  readonly most: number
  /** Makes one call for all items. Its result is that of each. */
  readonly call: (items: readonly T[]) => Promise<R>
}

/**
 * Makes one call of many that come at about the same time. Those of one `batch` go together; of one `name` there is never
 * more than one in a batch.
 */
export class Gathered<T, R> {
  readonly #open = new Map<string, Gathering<T, R>>()

  constructor(private readonly options: GatheredOptions<T, R>) {}

  /** Undefined where `signal` was aborted before the call: it is made without this one. */
  add(batch: string, name: string, item: T, signal: AbortSignal): Promise<R | undefined> {
    if (signal.aborted) return Promise.resolve(undefined)
    if (this.#open.get(batch)?.waiting.has(name)) this.flush(batch)
    return new Promise((resolve, reject) => {
      const gathering = this.#open.get(batch) ?? this.begin(batch)
      const one = { item, resolve, reject }
      gathering.waiting.set(name, one)
      const withdraw = () => {
        if (gathering.waiting.get(name) === one && gathering.waiting.delete(name)) resolve(undefined)
      }
      signal.addEventListener('abort', withdraw, { once: true })
      if (gathering.waiting.size >= this.options.most) this.flush(batch)
    })
  }

  /** Makes all calls that wait. */
  flushAll(): void {
    for (const batch of [...this.#open.keys()]) this.flush(batch)
  }

  private begin(batch: string): Gathering<T, R> {
    const gathering = { waiting: new Map(), timer: setTimeout(() => this.flush(batch), this.options.gatherMs) }
    this.#open.set(batch, gathering)
    return gathering
  }

  private flush(batch: string): void {
    const gathering = this.#open.get(batch)
    if (gathering === undefined) return
    this.#open.delete(batch)
    clearTimeout(gathering.timer)
    const waiting = [...gathering.waiting.values()]
    gathering.waiting.clear()
    if (waiting.length > 0) void this.callFor(waiting)
  }

  private async callFor(waiting: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const result = await this.options.call(waiting.map(({ item }) => item))
      for (const { resolve } of waiting) resolve(result)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
