import * as z from 'zod'
import type { SubjectView } from '../subject.js'
import { type Tier, tierOf } from '../tiers.js'
import { type FactRequest, type FactType, type FactUse, paramsPlace, valuePlace } from './fact.js'
import { checkNumericLeaf } from './thresholds.js'

const scoreParams = z.strictObject({
  id: z.string().min(1).describe('The id of a score of this pack.'),
  as: z.enum(['value', 'tier']).optional().describe('Its value, a number (when left out), or the id of its tier.'),
})

type Request = FactRequest<z.infer<typeof scoreParams>>

export const score: FactType<z.infer<typeof scoreParams>> = {
  name: 'score',
  summary: 'The value of a score, or its tier: below the first tier, no value.',
  params: scoreParams,
  compile: compileScoreFact,
}

function compileScoreFact(request: Request): FactUse | undefined {
  const { params, place, scope, leaf } = request
  const { id, as = 'value' } = params
  const tiers = scope.scoreTiers.get(id)
  if (tiers === undefined) {
    const message = `The pack has no score ${JSON.stringify(id)} for a ${scope.subject}.`
    scope.problems.unknown(paramsPlace(place, 'id'), 'score', id, scope.scoreTiers.keys(), message)
    return undefined
  }
  if (as === 'value' ? !checkNumericLeaf(leaf, 'score', scope) : !checkTier(tiers, request)) return undefined
  scope.depends.scores.add(id)
  const value = (view: SubjectView) => view.score(id) ?? 0
  const read = as === 'value' ? value : (view: SubjectView) => tierOf(tiers, value(view))
  const moved = as === 'value' && ({ moved: { by: 'adding', from: (view: SubjectView) => view.at } } as const)
  return { read, reads: { kind: 'score', id }, ...moved }
}

/** Whether a tier is compared with tiers that there are; what is wrong is reported. */
function checkTier(tiers: readonly Tier[], { params: { id }, leaf, scope }: Request): boolean {
  if (leaf === undefined || leaf.reference !== undefined) return true
  const known = tiers.map((tier) => tier.id)
  const unknown = [leaf.constant].flat().find((name) => typeof name !== 'string' || !known.includes(name))
  if (unknown === undefined) return true
  const message = `The score "${id}" has no tier ${JSON.stringify(unknown)}. It has: ${known.join(', ') || 'none'}.`
  const extra = { found: leaf.constant, name: unknown, known }
  scope.problems.error(valuePlace(leaf.place), 'tier.unknown', message, extra)
  return false
}
