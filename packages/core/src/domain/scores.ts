import { type CompiledScore, type Program, tierOf } from '@linli/rules'
import type { Decision } from './decision.js'
import type { Draft } from './draft.js'
import { type SubjectKey, type SubjectState, scoreOf, subjectName } from './subject.js'

/** Whether the score's value changed. */
export function evaluateScore(draft: Draft, score: CompiledScore): boolean {
  const [value, certain] = score.evaluate(draft)
  const certainUntil = Number.isFinite(certain) ? certain : 0
  const [before, knownUntil] = scoreOf(draft, score.id)
  if (value !== before || certainUntil !== knownUntil) draft.writeScore(score.id, [value, certainUntil])
  if (value === before) return false
  draft.decide('score.changed', score.id, { ...changeOf(score, before, value), ...draft.because() })
  draft.changes.push({ kind: 'score', id: score.id, from: before, to: value })
  return true
}

/** What a decision says of a score's change: the tiers, where it has some. */
function changeOf({ tiers }: CompiledScore, from: number, to: number) {
  const [tierBefore, tier] = [tierOf(tiers, from), tierOf(tiers, to)]
  return { from, to, ...(tier !== undefined && { tier }), ...(tierBefore !== undefined && { tierBefore }) }
}

/** Scores whose value is no longer certain at `at`. */
export function scoresDueAt(draft: Draft, at: number): readonly CompiledScore[] {
  const due: CompiledScore[] = []
  for (const [id, [value, certainUntil]] of Object.entries(draft.scores)) {
    if (certainUntil === 0 || certainUntil > at) continue
    const score = draft.rules.scoresById.get(id)
    if (score !== undefined) due.push(score)
    // A score that the pack no longer has: nothing will ever change it again.
    else draft.writeScore(id, [value, 0])
  }
  return due
}

/** Takes away scores that the program does not have. */
export function dropUnknownScores(draft: Draft): void {
  for (const [id, [value]] of Object.entries(draft.scores)) {
    if (draft.rules.scoresById.has(id)) continue
    if (value !== 0) draft.decide('score.changed', id, { from: value, to: 0, reason: 'the rule is gone' })
    draft.writeScore(id, [0, 0])
  }
}

/** What becomes of the scores of a subject that is no more. */
export function farewellToScores({ kind, id }: SubjectKey, state: SubjectState, program: Program, at: number) {
  const said = { at, subject: subjectName({ kind, id }), decision: 'score.changed' as const, reason: 'merged' }
  return [...program.subjects[kind].scoresById.values()].flatMap((score): Decision[] => {
    const [value] = scoreOf(state, score.id)
    return value === 0 ? [] : [{ ...said, rule: score.id, ...changeOf(score, value, 0) }]
  })
}
