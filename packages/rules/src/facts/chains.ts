/** The pure part of sequences: which chains of events are complete, and when. */

/** What happened at an instant: which parts of a sequence it can be, as bits, and what it is matched by. */
export type ChainEntry = readonly [at: number, parts: number, key?: string | number | boolean]

/** A sequence whose events are told apart by bits of one number. */
export interface ChainShape {
  /** The steps after one another, the absence at the end left out. */
  readonly steps: readonly ChainStep[]
  /** What must not follow the last step, and for how long. */
  readonly absence: { readonly part: number; readonly forMs: number } | undefined
}

export interface ChainStep {
  readonly part: number
  /** At most this long after the step before, not included; infinity for the first. */
  readonly withinMs: number
  /** What must not lie between this step and the one before; 0: nothing. */
  readonly unless: number
}

/** How long after an entry a chain that it belongs to can be complete. */
export function reachOf({ steps, absence }: ChainShape): number {
  const between = steps.slice(1).reduce((sum, { withinMs }) => sum + withinMs, 0)
  return between + (absence?.forMs ?? 0)
}

/** An entry that is one step of a chain, with the entry that was the step before. */
interface Reached<E extends ChainEntry> {
  readonly entry: E
  readonly before: Reached<E> | undefined
}

/** A complete chain: when it was, and its entries. */
export interface Completion<E extends ChainEntry> {
  readonly at: number
  chain(): readonly E[]
}

/** All complete chains, one for each entry that ends some, in order of time. Entries are in order of time. */
export function completionsOf<E extends ChainEntry>(entries: readonly E[], shape: ChainShape): Completion<E>[] {
  const byKey = new Map<ChainEntry[2], E[]>()
  for (const entry of entries) {
    const own = byKey.get(entry[2])
    if (own === undefined) byKey.set(entry[2], [entry])
    else own.push(entry)
  }
  return [...byKey.values()].flatMap((own) => completedIn(own, shape)).sort((a, b) => a.at - b.at)
}

function completedIn<E extends ChainEntry>(entries: readonly E[], { steps, absence }: ChainShape): Completion<E>[] {
  const ends = endsOf(entries, steps)
  if (absence === undefined) return ends.map((end) => ({ at: end.entry[0], chain: () => chainOf(end) }))
  const answers = entries.filter(([, parts]) => (parts & absence.part) !== 0).map(([at]) => at)
  return ends.flatMap((end) => {
    const [at] = end.entry
    const answered = answers.some((answer) => answer >= at && answer < at + absence.forMs)
    return answered ? [] : [{ at: at + absence.forMs, chain: () => chainOf(end) }]
  })
}

/**
 * Every entry that ends a chain. Of the entries that can be the step before, the latest is the best: it leaves the least
 * time and the fewest events in between. Entries of one instant do not follow each other.
 */
function endsOf<E extends ChainEntry>(entries: readonly E[], steps: readonly ChainStep[]): Reached<E>[] {
  const latest: (Reached<E> | undefined)[] = steps.map(() => undefined)
  const blocked = steps.map(() => Number.NEGATIVE_INFINITY)
  const ends: Reached<E>[] = []
  for (let from = 0, to = 0; from < entries.length; from = to) {
    const now = entries[from]?.[0]
    while (to < entries.length && entries[to]?.[0] === now) to += 1
    const group = entries.slice(from, to)
    const reached = group.map((entry) =>
      steps.map((step, index) => reach(entry, step, latest[index - 1], blocked[index])),
    )
    for (const places of reached) {
      places.forEach((place, index) => {
        if (place !== undefined) latest[index] = place
      })
      const end = places.at(-1)
      if (end !== undefined) ends.push(end)
    }
    for (const [at, parts] of group) {
      steps.forEach(({ unless }, index) => {
        if ((parts & unless) !== 0) blocked[index] = at
      })
    }
  }
  return ends
}

function reach<E extends ChainEntry>(
  entry: E,
  { part, withinMs, unless }: ChainStep,
  before: Reached<E> | undefined,
  blockedAt = Number.NEGATIVE_INFINITY,
): Reached<E> | undefined {
  const [at, parts] = entry
  if ((parts & part) === 0) return undefined
  if (withinMs === Number.POSITIVE_INFINITY) return { entry, before: undefined }
  if (before === undefined || at >= before.entry[0] + withinMs) return undefined
  return unless !== 0 && blockedAt > before.entry[0] ? undefined : { entry, before }
}

function chainOf<E extends ChainEntry>(end: Reached<E>): readonly E[] {
  const chain: E[] = []
  for (let place: Reached<E> | undefined = end; place !== undefined; place = place.before) chain.push(place.entry)
  return chain.reverse()
}
