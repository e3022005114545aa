import { type CompiledTag, holds, until, VERDICT_MARK } from '@linli/rules'
import type { Draft } from './draft.js'
import { reschedule } from './schedules.js'
import type { TagState } from './subject.js'

const NO_TAG: TagState = [0, 0]

/** Whether the tag was put on or taken off. */
export function evaluateTag(draft: Draft, tag: CompiledTag): boolean {
  if (tag.kind === 'manual') return false
  const verdict = tag.condition.verdict(draft)
  const certainUntil = Number.isFinite(verdict) ? until(verdict) : 0
  const known = draft.tags.get(tag.id) ?? NO_TAG
  const since = known[0]
  const was = since > 0
  const is = holds(verdict)
  if (was !== is) draft.changeTag(tag, is, certainUntil)
  else if (certainUntil !== known[1]) {
    draft.writeTag(tag.id, is || certainUntil > 0 ? [since, certainUntil] : undefined)
  }
  if (tag.kind === 'audience') reschedule(draft, tag, is)
  return was !== is
}

/** Tags whose verdict is no longer certain at `at`. */
export function tagsDueAt(draft: Draft, at: number): CompiledTag[] {
  const due: CompiledTag[] = []
  for (const [id, known] of draft.tags.entries()) {
    const certainUntil = known[1]
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
    const isHidden = id.startsWith(VERDICT_MARK)
    if (draft.hasTag(id) && !isHidden) draft.decide('tag.removed', id, { reason: 'the rule is gone' })
    draft.writeTag(id, undefined)
  }
}
