/** What may be read of a map whose values stand in text until they are asked for. */
export interface ReadonlyLazyMap<T extends readonly unknown[]> {
  get(key: string): T | undefined
  keys(): Iterable<string>
  entries(): Iterable<readonly [string, T]>
  /** The same members in a map that may be written to. */
  copy(): LazyMap<T>
  /** The map as text, for `decode`. */
  encode(): string
}

/** Stands before each key and each value: JSON text never has it, and keys must not. */
const MARK = '\t'

/**
 * A map of JSON lists that stays text. An event touches few of a subject's features and tags: those are found in the text
 * and parsed, and only they are written again; the others go from the row and back into it as they are.
 */
export class LazyMap<T extends readonly unknown[]> implements ReadonlyLazyMap<T> {
  private constructor(
    /** Keys and values in turn, each after a mark. Values are lists, so none can be taken for a key. */
    private readonly text: string,
    /** What was written since, over the text; undefined where it was deleted. */
    private readonly written: Map<string, T | undefined>,
  ) {}

  static of<T extends readonly unknown[]>(values: Iterable<readonly [string, T]> = []): LazyMap<T> {
    return new LazyMap<T>('', new Map(values))
  }

  static decode<T extends readonly unknown[]>(text: string): LazyMap<T> {
    return new LazyMap<T>(text, new Map())
  }

  get(key: string): T | undefined {
    const value = this.written.get(key)
    if (value !== undefined || this.text === '' || this.written.has(key)) return value
    const from = find(this.text, key)
    return from === -1 ? undefined : (JSON.parse(this.text.slice(from, endOf(this.text, from))) as T)
  }

  set(key: string, value: T): void {
    this.written.set(key, value)
  }

  delete(key: string): void {
    if (this.text === '') this.written.delete(key)
    else this.written.set(key, undefined)
  }

  *keys(): Generator<string> {
    const parts = this.text.split(MARK)
    for (let index = 1; index < parts.length; index += 2) {
      const key = parts[index] ?? ''
      if (!this.written.has(key)) yield key
    }
    for (const [key, value] of this.written) if (value !== undefined) yield key
  }

  *entries(): Generator<readonly [string, T]> {
    const parts = this.text.split(MARK)
    for (let index = 1; index < parts.length; index += 2) {
      const key = parts[index] ?? ''
      if (!this.written.has(key)) yield [key, JSON.parse(parts[index + 1] ?? 'null') as T]
    }
    for (const [key, value] of this.written) if (value !== undefined) yield [key, value]
  }

  copy(): LazyMap<T> {
    return new LazyMap(this.text, new Map(this.written))
  }

  encode(): string {
    let { text } = this
    for (const [key, value] of this.written) {
      const entry = value === undefined ? '' : `${MARK}${key}${MARK}${JSON.stringify(value)}`
      const from = this.text === '' ? -1 : find(text, key)
      if (from === -1) text += entry
      else text = text.slice(0, from - key.length - 2) + entry + text.slice(endOf(text, from))
    }
    return text
  }

  toJSON(): Record<string, T> {
    return Object.fromEntries(this.entries())
  }
}

/** Where the value of a key begins; -1 when there is none. */
function find(text: string, key: string): number {
  const at = text.indexOf(MARK + key + MARK)
  return at === -1 ? -1 : at + key.length + 2
}

function endOf(text: string, from: number): number {
  const end = text.indexOf(MARK, from)
  return end === -1 ? text.length : end
}
