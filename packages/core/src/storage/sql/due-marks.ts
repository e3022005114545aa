/** A place in a line of what is due: an instant, and the names that tell apart what is due at it. */
export interface Place {
  readonly dueAt: number
  readonly names: readonly string[]
}

/** Before everything. */
export const START: Place = { dueAt: Number.MIN_SAFE_INTEGER, names: [] }
/**
 * Of what became due so short a time ago, nothing is passed over: transactions of other processes that are under way may yet bring
 * more of it. What one brings that takes longer, that process finds at once, and others when marks no longer hold.
 */
const MARGIN_MS = 200
/** For how long marks hold: so many milliseconds, or so many times as long as it took to look from the start. */
const HOLD_MS = 500
const HOLD_TIMES = 10

/** What was found, in the order of each line. */
export interface Found<T> {
  readonly rows: readonly T[]
  /** Of these lines nothing that is due is left, as far as one may take it. */
  readonly emptied: readonly string[]
}

/**
 * Where this process begins to look in each line of what is due. What was dealt with leaves dead entries in the index, and while
 * somebody keeps a transaction open they stay: whoever looks would pass over all of them again and again. A mark is a hint. What
 * this process itself makes due before it takes it back; what another one makes due there is found when the marks no longer hold,
 * and everything is looked through from the start: after half a second, or, where that takes long, ten times as long.
 */
export class DueMarks {
  readonly #places = new Map<string, Place>()
  readonly #isUsed: boolean
  readonly #now: () => number
  /** For each search that is under way, what was said since it began. */
  readonly #searches = new Set<(() => void)[]>()
  #holdUntil = Number.NEGATIVE_INFINITY
  #isKnown = false

  /** `isUsed`: else everything is always looked through from the start. `now`: milliseconds that only rise. */
  constructor(isUsed: boolean, now: () => number = () => performance.now()) {
    this.#isUsed = isUsed
    this.#now = now
  }

  /** Where to begin in each line that was ever marked. */
  get places(): ReadonlyMap<string, Place> {
    if (this.#isUsed && this.#now() < this.#holdUntil) return this.#places
    return new Map(Array.from(this.#places.keys(), (line) => [line, START]))
  }

  /** Takes what is due until an instant, and moves the marks. */
  async take<T>(
    until: number,
    search: (from: ReadonlyMap<string, Place>) => Promise<Found<T>>,
    placeOf: (row: T) => readonly [line: string, place: Place],
  ): Promise<readonly T[]> {
    this.#isKnown = false
    const { rows } = await this.#search(search, ({ rows, emptied }) => {
      const edge = edgeOf(until)
      const lasts = [...rows.map(placeOf), ...emptied.map((line) => [line, edge] as const)]
      for (const [line, last] of lasts) this.#places.set(line, last.dueAt < edge.dueAt ? last : edge)
    })
    return rows
  }

  /**
   * Looks for what is due first in any of these lines (by its name in what is found), and moves their marks: there is nothing before
   * it. Undefined where they are not looked at.
   */
  look<Name extends string, T extends { readonly [name in Name]: number | undefined } & { readonly now: number }>(
    lines: readonly string[] | undefined,
    first: Name,
    search: (from: ReadonlyMap<string, Place>) => Promise<T>,
  ): Promise<T> {
    if (lines === undefined) return search(this.places)
    return this.#search(search, (found) => {
      const place: Place = {
        dueAt: Math.min(found[first] ?? Number.POSITIVE_INFINITY, edgeOf(found.now).dueAt),
        names: [],
      }
      for (const line of lines) {
        if ((this.#places.get(line) ?? START).dueAt < place.dueAt) this.#places.set(line, place)
      }
    })
  }

  async #search<T>(search: (from: ReadonlyMap<string, Place>) => Promise<T>, move: (found: T) => void): Promise<T> {
    const said: (() => void)[] = []
    this.#searches.add(said)
    try {
      const began = this.#now()
      const from = this.places
      const found = await search(new Map(from))
      if (from !== this.#places) this.#restart(began)
      move(found)
      // The search may not have seen what was said meanwhile.
      for (const again of said) again()
      return found
    } finally {
      this.#searches.delete(said)
    }
  }

  #restart(began: number): void {
    const ended = this.#now()
    this.#holdUntil = ended + Math.max(HOLD_MS, HOLD_TIMES * (ended - began))
    for (const line of this.#places.keys()) this.#places.set(line, START)
  }

  /** Whether this process has made something due since it last took from here: nobody need look for it. */
  get isKnown(): boolean {
    return this.#isUsed && this.#isKnown
  }

  /** Something is due from an instant on: in one line, or in any. `now`: what the clock said last. */
  add(dueAt: number, line?: string, now: number = Number.NEGATIVE_INFINITY): void {
    if (dueAt <= now) this.#isKnown = true
    this.#say(() => {
      for (const name of line === undefined ? this.#places.keys() : [line]) {
        const place = this.#places.get(name)
        if (place !== undefined && dueAt <= place.dueAt) this.#places.set(name, { dueAt, names: [] })
      }
    })
  }

  /** What was taken is due again, nobody knows from when on. */
  reset(): void {
    this.#say(() => {
      this.#holdUntil = Number.NEGATIVE_INFINITY
    })
  }

  #say(change: () => void): void {
    change()
    for (const said of this.#searches) said.push(change)
  }
}

function edgeOf(now: number): Place {
  return { dueAt: now - MARGIN_MS, names: [] }
}

/** Where a process begins to look for what is due. */
export class Marks {
  /** A line for each channel. */
  readonly deliveries: DueMarks
  /** One line, without a name. */
  readonly subjects: DueMarks

  constructor(areUsed: boolean) {
    this.deliveries = new DueMarks(areUsed)
    this.subjects = new DueMarks(areUsed)
  }
}
