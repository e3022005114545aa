import type { Derived } from '@linli/rules'
import type { Draft } from './draft.js'
import { dropUnknownScores, evaluateScore, scoresDueAt } from './scores.js'
import { dropUnknownTags, evaluateTag, tagsDueAt } from './tags.js'

/** Looks again at tags and scores that may have changed, and at those that read what did. */
export function evaluateDerived(draft: Draft, suspects: Iterable<Derived>): void {
  const queued = suspects instanceof Set ? (suspects as Set<Derived>) : new Set(suspects)
  const queue = [...queued]
  // The readers of one feature come in order; only those of several have to be brought into it.
  if (queue.length > 1 && queue.some((one, index) => one.rank < (queue[index - 1]?.rank ?? -1))) queue.sort(byRank)
  for (let index = 0; index < queue.length; index++) {
    const derived = queue[index]
    if (derived === undefined || !evaluate(draft, derived)) continue
    for (const reader of readersOf(draft, derived)) {
      if (queued.has(reader)) continue
      queued.add(reader)
      insert(queue, reader, index + 1)
    }
  }
}

/** Puts one into its place. Readers come after what they read, so what has been looked at, before `from`, stays where it is. */
function insert(queue: Derived[], derived: Derived, from: number): void {
  let place = queue.length
  while (place > from && byRank(queue[place - 1] as Derived, derived) > 0) place -= 1
  queue.splice(place, 0, derived)
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
