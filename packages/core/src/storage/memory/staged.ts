/** A map with changes on top, which are kept or forgotten together. `undefined` stands for "removed". */
export class Staged<V> {
  readonly #base: ReadonlyMap<string, V>
  #changes: Map<string, V | undefined> | undefined

  constructor(base: ReadonlyMap<string, V>) {
    this.#base = base
  }

  get(key: string): V | undefined {
    const changes = this.#changes
    return changes?.has(key) ? changes.get(key) : this.#base.get(key)
  }

  set(key: string, value: V | undefined): void {
    this.#changes ??= new Map()
    this.#changes.set(key, value)
  }

  isChanged(key: string): boolean {
    return this.#changes?.has(key) ?? false
  }

  /** What was set, in the order in which keys were first set. */
  get changes(): Iterable<readonly [string, V | undefined]> {
    return this.#changes ?? []
  }
}
