import type { Tally } from './sweep.js'

/** What is measured of some events: an amount; an amount and a count; an extreme. */
export type Quantities = readonly number[]

/** What one event brought: its time and what is measured of it. */
export type LedgerEntry = readonly [at: number, ...quantities: number[]]

/** How what is measured of events is put together. */
export interface Measure {
  /** The measure of two lots of events together: in any order the same. */
  join(a: Quantities, b: Quantities): Quantities
  /** What the fact says; undefined stands for no events. */
  value(quantities: Quantities | undefined): number | undefined
  /** An order of entries of the same instant. */
  compare(a: LedgerEntry, b: LedgerEntry): number
  /** Where a later amount can make an earlier one superfluous: whether it does. */
  stands?(later: number, earlier: number): boolean
  tally(): Tally<LedgerEntry>
}

/** Amounts that add up, of which `value` makes what the fact says. */
export function additive(value: Measure['value']): Measure {
  return {
    join: (a, b) => a.map((amount, index) => amount + (b[index] ?? 0)),
    value,
    compare: compareAll,
    tally: () => new Sum(value),
  }
}

/** Adds up what enters and takes away what leaves: exact, since all amounts are whole numbers. */
class Sum implements Tally<LedgerEntry> {
  private count = 0
  private readonly amounts: number[] = [0, 0]

  constructor(private readonly of: Measure['value']) {}

  enter(entry: LedgerEntry): void {
    this.count += 1
    this.add(entry, 1)
  }

  leave(entry: LedgerEntry): void {
    this.count -= 1
    this.add(entry, -1)
  }

  value(): number | undefined {
    return this.of(this.count === 0 ? undefined : this.amounts)
  }

  private add(entry: LedgerEntry, sign: 1 | -1): void {
    for (let index = 1; index < entry.length; index++) {
      this.amounts[index - 1] = (this.amounts[index - 1] ?? 0) + sign * (entry[index] ?? 0)
    }
  }
}

/** The greatest (`sign` 1) or the least (-1) amount. */
export function extreme(sign: 1 | -1): Measure {
  const stands = (later: number, earlier: number) => sign * later >= sign * earlier
  return {
    join: (a, b) => (stands(a[0] ?? 0, b[0] ?? 0) ? a : b),
    value: (quantities) => quantities?.[0],
    // The most extreme last: it stands for the others of its instant.
    compare: ([, a = 0], [, b = 0]) => sign * (a - b),
    stands,
    tally: () => new Extreme(stands),
  }
}

/** Candidates from old to new, each less extreme than the one before: the first is the extreme. */
class Extreme implements Tally<LedgerEntry> {
  private readonly candidates: LedgerEntry[] = []
  private first = 0

  constructor(private readonly stands: (later: number, earlier: number) => boolean) {}

  enter(entry: LedgerEntry): void {
    const { candidates } = this
    while (candidates.length > this.first && this.stands(entry[1] ?? 0, candidates.at(-1)?.[1] ?? 0)) {
      candidates.pop()
    }
    candidates.push(entry)
  }

  leave(entry: LedgerEntry): void {
    if (this.candidates[this.first] === entry) this.first += 1
  }

  value(): number | undefined {
    return this.candidates[this.first]?.[1]
  }
}

function compareAll(a: LedgerEntry, b: LedgerEntry): number {
  for (let index = 1; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
