import type { Explanation, FactExplanation, ScoreExplanation, Turn } from '@linli/rules'
import type { Picture } from './picture.js'

/** A tree of conditions in which what reads a tag, or a related subject, also says why that is as it is. Each tag once. */
export function withReasons(
  tree: Explanation,
  picture: Picture,
  told = new Set<string>(),
  root = picture,
): Explanation {
  switch (tree.kind) {
    case 'all':
    case 'any':
      return { ...tree, parts: tree.parts.map((part) => withReasons(part, picture, told, root)) }
    case 'not':
    case 'condition':
      return { ...tree, part: withReasons(tree.part, picture, told, root) }
    case 'fact':
      return about(withReason(tree, picture, told, root), picture, root)
  }
}

function withReason(leaf: FactExplanation, picture: Picture, told: Set<string>, root: Picture): FactExplanation {
  const { reads } = leaf
  if (reads === undefined || reads.kind === 'score') return leaf
  if (reads.kind === 'tag') {
    const because = once(told, `${picture.name}/${reads.id}`) ? reasonOf(reads.id, picture, told, root) : undefined
    return because === undefined ? leaf : { ...leaf, because }
  }
  const other = picture.related(reads.kind)
  const because = other && reasonOf(reads.verdict, other, told, root)
  if (because?.kind !== 'fact') return { ...leaf, actual: undefined }
  return { ...leaf, actual: because.actual, until: because.until, because }
}

function once(told: Set<string>, name: string): boolean {
  if (told.has(name)) return false
  told.add(name)
  return true
}

/** Says whom a comparison is about where that is not the one who was asked about. */
function about(leaf: FactExplanation, picture: Picture, root: Picture): FactExplanation {
  if (picture === root) return leaf
  return { ...leaf, about: picture.name, toTurn: turnAbout(leaf.toTurn, picture.name) }
}

function turnAbout(turn: Turn, name: string): Turn {
  if (turn.kind === 'all' || turn.kind === 'any')
    return { ...turn, parts: turn.parts.map((part) => turnAbout(part, name)) }
  return turn.kind === 'fact' ? { ...turn, about: name } : turn
}

function reasonOf(id: string, picture: Picture, told: Set<string>, root: Picture): Explanation | undefined {
  const tag = picture.rules.tagsById.get(id)
  if (tag === undefined || tag.kind === 'manual') return undefined
  return withReasons(tag.condition.explain(picture, picture.events), picture, told, root)
}

/** The same for the terms of a score. */
export function scoreWithReasons(score: ScoreExplanation, picture: Picture): ScoreExplanation {
  const told = new Set<string>()
  const terms = score.terms.map((term) =>
    term.conditions === undefined ? term : { ...term, conditions: withReasons(term.conditions, picture, told) },
  )
  return { ...score, terms }
}
