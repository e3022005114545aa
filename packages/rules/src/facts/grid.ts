import type { Retention } from './retention.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Each divides the next, so that rounding twice is rounding once. */
const LADDER: readonly number[] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY]

/** More entries than this are put on a grid. */
export const MOST_ENTRIES = 1000

/** An instant before all others: at it, nothing is over, and nothing has entered that does not at once. */
export const UNKNOWN_NOW = Number.NEGATIVE_INFINITY

/** What happened at an instant. */
export type Timed = readonly [at: number, ...unknown[]]

/** Entries in order, and the grid in milliseconds that their times are rounded down to; 0: they are exact. */
export interface Gridded<E extends Timed> {
  readonly entries: readonly E[]
  readonly gridMs: number
}

export interface Compaction<E extends Timed> {
  readonly retention: Retention
  /** How many entries may be kept exact: `MOST_ENTRIES`, or infinity where something else bounds them. */
  readonly most: number
  /** The order of entries, first by time, that does not depend on the order of arrival. */
  compare(a: E, b: E): number
  /** Joins entries that stand in order on a grid; on none (0), leaves out those that can no longer matter. */
  tidy(entries: readonly E[], gridMs: number, now: number): readonly E[]
}

/**
 * Adds entries, in any order. Beyond `most`, times are rounded down to the finest grid on which they are few
 * enough: an entry then enters and leaves a window up to one step of the grid early. Down, so that no entry crosses into
 * the next day of a calendar. Since each grid divides the next and the number of entries only rises with what is added,
 * the outcome does not depend on the order of arrival. Once all entries have left, times are exact again.
 */
export function addEntries<E extends Timed>(
  known: Gridded<E>,
  added: readonly E[],
  now: number,
  compaction: Compaction<E>,
): Gridded<E> {
  const old = withoutOver(known.entries, now, compaction)
  const gridMs = old.length === 0 ? 0 : known.gridMs
  const rounded = added.map((entry) => roundDown(entry, gridMs))
  const all = rounded.reduce((entries, entry) => insert(entries, entry, compaction), old)
  const entries = compaction.tidy(withoutOver(all, now, compaction), gridMs, now)
  return entries.length <= compaction.most ? { entries, gridMs } : coarsen(entries, gridMs, now, compaction)
}

function insert<E extends Timed>(entries: readonly E[], entry: E, { compare }: Compaction<E>): readonly E[] {
  let place = entries.length
  while (place > 0 && compare(entries[place - 1] as E, entry) > 0) place -= 1
  return entries.toSpliced(place, 0, entry)
}

function withoutOver<E extends Timed>(entries: readonly E[], now: number, { retention }: Compaction<E>): readonly E[] {
  const first = entries.findIndex(([at]) => !retention.isOver(at, now))
  return first === 0 ? entries : entries.slice(first === -1 ? entries.length : first)
}

function coarsen<E extends Timed>(
  entries: readonly E[],
  gridMs: number,
  now: number,
  compaction: Compaction<E>,
): Gridded<E> {
  let found = { entries, gridMs }
  for (const step of LADDER) {
    if (step <= gridMs) continue
    const rounded = found.entries.map((entry) => roundDown(entry, step)).sort(compaction.compare)
    found = { entries: compaction.tidy(withoutOver(rounded, now, compaction), step, now), gridMs: step }
    if (found.entries.length <= compaction.most) break
  }
  return found
}

/** The entries of two subjects that turned out to be one. */
export function mergeEntries<E extends Timed>(a: Gridded<E>, b: Gridded<E>, compaction: Compaction<E>): Gridded<E> {
  const gridMs = Math.max(a.gridMs, b.gridMs)
  const rounded = [...a.entries, ...b.entries].map((entry) => roundDown(entry, gridMs)).sort(compaction.compare)
  const entries = compaction.tidy(rounded, gridMs, UNKNOWN_NOW)
  return entries.length <= compaction.most ? { entries, gridMs } : coarsen(entries, gridMs, UNKNOWN_NOW, compaction)
}

function roundDown<E extends Timed>(entry: E, gridMs: number): E {
  const [at] = entry
  if (gridMs === 0 || at % gridMs === 0) return entry
  return entry.with(0, Math.floor(at / gridMs) * gridMs) as unknown as E
}
