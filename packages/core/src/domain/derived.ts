import type { Derived } from '@linli/rules'
import type { Draft } from './draft.js'
import { dropUnknownScores, evaluateScore, scoresDueAt } from './scores.js'
import { dropUnknownTags, evaluateTag, tagsDueAt } from './tags.js'

/** Looks again at tags and scores that may have changed, and at those that read what did. */
export function evaluateDerived(draft: Draft, suspects: Iterable<Derived>): void {
  const queued = suspects instanceof Set ? (suspects as Set<Derived>) : new Set(suspects)
  const queue = [...queued]
  // The readers of one feature come in order; only those of several have to be brought into it.
  if (queue.some((one, index) => one.rank < (queue[index - 1]?.rank ?? -1))) queue.sort(byRank)
  for (let index = 0; index < queue.length; index++) {
    const derived = queue[index]
    if (derived === undefined || !evaluate(draft, derived)) continue
    const readers = readersOf(draft, derived).filter((reader) => !queued.has(reader))
    if (readers.length === 0) continue
    for (const reader of readers) queued.add(reader)
    queue.push(...readers)
    // Readers come after what they read, so what has been looked at stays where it is.
    queue.splice(index + 1, Number.POSITIVE_INFINITY, ...queue.slice(index + 1).sort(byRank))
  }
}

/** Whether it changed in a way that others can read. */
function evaluate(draft: Draft, derived: Derived): boolean {
  return derived.kind === 'score' ? evaluateScore(draft, derived) : evaluateTag(draft, derived)
}

function readersOf({ rules: { readers } }: Draft, { kind, id }: Derived): readonly Derived[] {
  return (kind === 'score' ? readers.scores : readers.tags).get(id) ?? []
}

function byRank(a: Derived, b: Derived): number {
  return a.rank - b.rank
}

/** Tags and scores that are no longer certain at `at`. */
export function derivedDueAt(draft: Draft, at: number): readonly Derived[] {
  return [...tagsDueAt(draft, at), ...scoresDueAt(draft, at)]
}

/** Takes off the tags, and takes away the scores, that the program does not have. */
export function dropUnknown(draft: Draft): void {
  dropUnknownTags(draft)
  dropUnknownScores(draft)
}
