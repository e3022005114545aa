/** What may be read of a map whose values stand in text until they are asked for. */
export interface ReadonlyLazyMap<T extends readonly unknown[]> {
  get(key: string): T | undefined
  keys(): Iterable<string>
  values(): Iterable<T>
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
  private searches = 0
  /** Where each value stands in the text, once it has been worth while to find out. */
  private places: ReadonlyMap<string, Place> | undefined

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
    const place = this.find(key)
    return place === undefined ? undefined : (JSON.parse(this.text.slice(...place)) as T)
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

  entries(): Iterable<readonly [string, T]> {
    // Of what is in no text, nothing is deleted but what is gone.
    return this.text === '' ? (this.written as Map<string, T>) : this.readThrough()
  }

  values(): Iterable<T> {
    return this.text === '' ? (this.written as Map<string, T>).values() : this.readValues()
  }

  private *readValues(): Generator<T> {
    for (const [, value] of this.readThrough()) yield value
  }

  private *readThrough(): Generator<readonly [string, T]> {
    const parts = this.text.split(MARK)
    for (let index = 1; index < parts.length; index += 2) {
      const key = parts[index] ?? ''
      if (!this.written.has(key)) yield [key, JSON.parse(parts[index + 1] ?? 'null') as T]
    }
    for (const [key, value] of this.written) if (value !== undefined) yield [key, value]
  }

  copy(): LazyMap<T> {
    const copy = new LazyMap(this.text, new Map(this.written))
    copy.places = this.places
    return copy
  }

  encode(): string {
    const replaced: [Place, entry: string][] = []
    let added = ''
    for (const [key, value] of this.written) {
      const entry = value === undefined ? '' : `${MARK}${key}${MARK}${JSON.stringify(value)}`
      const place = this.text === '' ? undefined : this.find(key)
      if (place === undefined) added += entry
      else replaced.push([[place[0] - key.length - 2, place[1]], entry])
    }
    if (replaced.length > 1) replaced.sort(([a], [b]) => a[0] - b[0])
    let [encoded, end] = ['', 0]
    for (const [[from, to], entry] of replaced) {
      encoded += this.text.slice(end, from) + entry
      end = to
    }
    return encoded + this.text.slice(end) + added
  }

  /** Searches the text the first few times, then remembers where everything stands. */
  private find(key: string): Place | undefined {
    this.searches += 1
    if (this.places === undefined && this.searches > FEW_SEARCHES) this.places = placesIn(this.text)
    return this.places === undefined ? search(this.text, key) : this.places.get(key)
  }

  toJSON(): Record<string, T> {
    return Object.fromEntries(this.entries())
  }
}

/** How often a text is searched before it is read through. */
const FEW_SEARCHES = 6

/** Where a value begins and ends. */
type Place = readonly [from: number, to: number]

function search(text: string, key: string): Place | undefined {
  const at = text.indexOf(MARK + key + MARK)
  if (at === -1) return undefined
  const from = at + key.length + 2
  return [from, endOf(text, from)]
}

function placesIn(text: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  for (let at = 0; at < text.length; ) {
    const from = endOf(text, at + 1) + 1
    const to = endOf(text, from)
    places.set(text.slice(at + 1, from - 1), [from, to])
    at = to
  }
  return places
}

function endOf(text: string, from: number): number {
  const end = text.indexOf(MARK, from)
  return end === -1 ? text.length : end
}
