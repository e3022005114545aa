import type { Explanation, FactExplanation, ScoreExplanation } from '@linli/rules'
import type { Picture } from './picture.js'

/** A tree of conditions in which what reads a tag, or a related subject, also says why that is as it is. Each tag once. */
export function withReasons(tree: Explanation, picture: Picture, told: Set<string> = new Set()): Explanation {
  switch (tree.kind) {
    case 'all':
    case 'any':
      return { ...tree, parts: tree.parts.map((part) => withReasons(part, picture, told)) }
    case 'not':
    case 'condition':
      return { ...tree, part: withReasons(tree.part, picture, told) }
    case 'fact':
      return withReason(tree, picture, told)
  }
}

function withReason(leaf: FactExplanation, picture: Picture, told: Set<string>): FactExplanation {
  const { reads } = leaf
  if (reads === undefined || reads.kind === 'score') return leaf
  if (reads.kind === 'tag') {
    const because = once(told, `${picture.name}/${reads.id}`) ? reasonOf(reads.id, picture, told) : undefined
    return because === undefined ? leaf : { ...leaf, because }
  }
  const other = picture.related(reads.kind)
  const because = other && reasonOf(reads.verdict, other, told)
  if (because?.kind !== 'fact') return { ...leaf, actual: undefined }
  return { ...leaf, actual: because.actual, until: because.until, because }
}

function once(told: Set<string>, name: string): boolean {
  if (told.has(name)) return false
  told.add(name)
  return true
}

function reasonOf(id: string, picture: Picture, told: Set<string>): Explanation | undefined {
  const tag = picture.rules.tagsById.get(id)
  if (tag === undefined || tag.kind === 'manual') return undefined
  return withReasons(tag.condition.explain(picture, picture.events), picture, told)
}

/** The same for the terms of a score. */
export function scoreWithReasons(score: ScoreExplanation, picture: Picture): ScoreExplanation {
  const told = new Set<string>()
  const terms = score.terms.map((term) =>
    term.conditions === undefined ? term : { ...term, conditions: withReasons(term.conditions, picture, told) },
  )
  return { ...score, terms }
}
