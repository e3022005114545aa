import { type CompiledTag, holds, until, VERDICT_MARK } from '@linli/rules'
import type { Draft } from './draft.js'

/** Looks again at tags that may have changed, and at the tags that read those that did. */
export function evaluateTags(draft: Draft, suspects: Iterable<CompiledTag>): void {
  const queued = suspects instanceof Set ? (suspects as Set<CompiledTag>) : new Set(suspects)
  const queue = [...queued]
  // The readers of one feature come in order; only those of several have to be brought into it.
  if (queue.some((tag, index) => tag.rank < (queue[index - 1]?.rank ?? -1))) queue.sort(byRank)
  for (let index = 0; index < queue.length; index++) {
    const tag = queue[index]
    if (tag === undefined || tag.kind === 'manual' || !evaluateTag(draft, tag)) continue
    const readers = draft.rules.tagsByTag.get(tag.id)?.filter((reader) => !queued.has(reader)) ?? []
    if (readers.length === 0) continue
    for (const reader of readers) queued.add(reader)
    queue.push(...readers)
    // Readers come after what they read, so what has been looked at stays where it is.
    queue.splice(index + 1, Number.POSITIVE_INFINITY, ...queue.slice(index + 1).sort(byRank))
  }
}

function byRank(a: CompiledTag, b: CompiledTag): number {
  return a.rank - b.rank
}

/** Whether the tag was put on or taken off. */
function evaluateTag(draft: Draft, tag: CompiledTag): boolean {
  const verdict = tag.condition.verdict(draft)
  const certainUntil = Number.isFinite(verdict) ? until(verdict) : 0
  const [since, knownUntil] = draft.tags.get(tag.id) ?? [0, 0]
  const was = since > 0
  const is = holds(verdict)
  if (was !== is) draft.changeTag(tag, is, certainUntil)
  else if (certainUntil !== knownUntil) {
    draft.writeTag(tag.id, is || certainUntil > 0 ? [since, certainUntil] : undefined)
  }
  return was !== is
}

/** Tags whose verdict is no longer certain at `at`. */
export function tagsDueAt(draft: Draft, at: number): CompiledTag[] {
  const due: CompiledTag[] = []
  for (const [id, [, certainUntil]] of draft.tags.entries()) {
    if (certainUntil === 0 || certainUntil > at) continue
    const tag = draft.rules.tagsById.get(id)
    if (tag !== undefined) due.push(tag)
    // A tag that the pack no longer has: nothing will ever turn it again.
    else draft.writeTag(id, undefined)
  }
  return due
}

/** Takes off tags that the program does not have. */
export function dropUnknownTags(draft: Draft): void {
  for (const id of [...draft.tags.keys()]) {
    if (draft.rules.tagsById.has(id)) continue
    const isVerdict = id.startsWith(VERDICT_MARK)
    if (draft.hasTag(id) && !isVerdict) draft.decide('tag.removed', id, { reason: 'the rule is gone' })
    draft.writeTag(id, undefined)
  }
}
