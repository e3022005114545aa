/** A place in a line of what is due: an instant, and the names that tell apart what is due at it. */
export interface Place {
  readonly dueAt: number
  readonly names: readonly string[]
}

/** Before everything. */
export const START: Place = { dueAt: Number.MIN_SAFE_INTEGER, names: [] }
/** Of what became due so short a time ago, nothing is passed over: transactions under way may yet bring more of it. */
const MARGIN_MS = 1_000
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
    const began = this.#now()
    this.#isKnown = false
    const from = this.places
    const { rows, emptied } = await search(new Map(from))
    if (from !== this.#places) this.#restart(began)
    const edge: Place = { dueAt: until - MARGIN_MS, names: [] }
    const lasts = [...rows.map(placeOf), ...emptied.map((line) => [line, edge] as const)]
    for (const [line, last] of lasts) this.#places.set(line, last.dueAt < edge.dueAt ? last : edge)
    return rows
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
    for (const name of line === undefined ? this.#places.keys() : [line]) {
      const place = this.#places.get(name)
      if (place !== undefined && dueAt <= place.dueAt) this.#places.set(name, { dueAt, names: [] })
    }
  }

  /** What was taken is due again, nobody knows from when on. */
  reset(): void {
    this.#holdUntil = Number.NEGATIVE_INFINITY
  }
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
