/** What may be read of a map whose values are read from text when they are asked for. */
export interface ReadonlyLazyMap<T> {
  readonly size: number
  get(key: string): T | undefined
  keys(): Iterable<string>
  entries(): Iterable<readonly [string, T]>
  /** The same members in a map that may be written to. */
  copy(): LazyMap<T>
  /** Writes keys and the texts of their values in turn. */
  encode(into: string[]): void
}

/**
 * A map of JSON values that are read from text one by one, when they are asked for. An event touches few of a subject's
 * features and tags; the others go from the row and back into it as the text they are.
 */
export class LazyMap<T> implements ReadonlyLazyMap<T> {
  /** The text of a value that nobody has asked for, or the value in a list of one. */
  private constructor(private readonly members: Map<string, string | readonly [T]>) {}

  static of<T>(values: Iterable<readonly [string, T]> = []): LazyMap<T> {
    return new LazyMap(new Map([...values].map(([key, value]) => [key, [value] as const])))
  }

  /** Reads keys and texts in turn, from one place of a list up to another. */
  static decode<T>(texts: readonly string[], from: number, to: number): LazyMap<T> {
    const members = new Map<string, string>()
    for (let index = from; index + 1 < to; index += 2) members.set(texts[index] ?? '', texts[index + 1] ?? 'null')
    return new LazyMap<T>(members)
  }

  get size(): number {
    return this.members.size
  }

  get(key: string): T | undefined {
    const member = this.members.get(key)
    if (typeof member !== 'string') return member?.[0]
    const value = JSON.parse(member) as T
    this.members.set(key, [value])
    return value
  }

  set(key: string, value: T): void {
    this.members.set(key, [value])
  }

  delete(key: string): void {
    this.members.delete(key)
  }

  keys(): Iterable<string> {
    return this.members.keys()
  }

  *entries(): Generator<readonly [string, T]> {
    for (const key of this.members.keys()) yield [key, this.get(key) as T]
  }

  copy(): LazyMap<T> {
    return new LazyMap(new Map(this.members))
  }

  encode(into: string[]): void {
    for (const [key, member] of this.members) {
      into.push(key, typeof member === 'string' ? member : JSON.stringify(member[0]))
    }
  }

  toJSON(): Record<string, T> {
    return Object.fromEntries(this.entries())
  }
}
