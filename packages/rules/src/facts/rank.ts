import * as z from 'zod'
import { canonicalJson, contentHash } from '../json.js'
import type { Others, SubjectView } from '../subject.js'
import { type ConditionScope, type FactRequest, type FactType, type FactUse, paramsPlace } from './fact.js'
import { checkCompared, compareByFigure } from './others.js'
import { testOf } from './sweep.js'
import { checkNumericLeaf } from './thresholds.js'

/** Facts whose value is a number that does not change all the time. */
const RANKED_BY = [
  'eventCount',
  'eventSum',
  'eventAvg',
  'eventMin',
  'eventMax',
  'itemCount',
  'itemSum',
  'eventDistinct',
  'userCount',
  'share',
  'messageCount',
  'sequence',
  'score',
] as const

const rankParams = z.strictObject({
  by: z
    .strictObject({ fact: z.enum(RANKED_BY), params: z.record(z.string(), z.json()).optional() })
    .describe('The fact whose value decides: the greatest is the first.'),
  as: z
    .enum(['place', 'percentile'])
    .optional()
    .describe(
      'Its place, 1 for the first (when left out), or how many in a hundred others it is level with or ahead of.',
    ),
})
type RankParams = z.infer<typeof rankParams>

export const rank: FactType<RankParams> = {
  name: 'rank',
  summary:
    'The place among all communities (or leaders), ordered by the value of a fact: 1 is the greatest, equal values share the better place. No value of the fact: no rank, and no comparison holds.',
  params: rankParams,
  compile: compileRank,
}

function compileRank(request: FactRequest<RankParams>): FactUse | undefined {
  const { scope, leaf } = request
  if (!checkCompared(request, 'rank') || !checkNumericLeaf(leaf, 'rank', scope)) return undefined
  const compared = compareByFigure(scope, (own) => valueFigure(request, own))
  if (compared === undefined) return undefined
  const { others, figure } = compared
  const { as = 'place' } = request.params
  const rankOf = as === 'place' ? placeOf : percentileOf
  const { verdict: _, over, ...use } = figure.use
  const holdsFor = leaf && testOf(leaf)
  return {
    ...use,
    read: (view) => rankOf(use.read(view), others(view)),
    // A rank turns with the value alone, so that one way through its changes is enough.
    ...(over &&
      holdsFor && {
        verdict: (view: SubjectView) => {
          const known = others(view)
          return over(view, (value) => holdsFor(rankOf(value, known)))
        },
      }),
    figures: (view) => {
      const [value] = figure.measure(view) ?? []
      const known = others(view)
      return {
        ...(value !== undefined && { value }),
        ...(known && { others: known.count, asOf: new Date(known.at).toISOString() }),
      }
    },
  }
}

function placeOf(value: unknown, others: Others | undefined): number | undefined {
  return isNumber(value) && others !== undefined ? others.above(value) + 1 : undefined
}

function percentileOf(value: unknown, others: Others | undefined): number | undefined {
  if (!isNumber(value) || others === undefined) return undefined
  return others.count === 0 ? 100 : (100 * (others.count - others.above(value))) / others.count
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value)
}

/** A fact's value, as what communities are compared by. */
function valueFigure({ params: { by }, place, compileValue }: FactRequest<RankParams>, scope: ConditionScope) {
  const at = paramsPlace(place, 'by')
  if (by.params?.['as'] === 'tier') {
    scope.problems.error(paramsPlace(at, 'as'), 'rank.unfit', 'Only numbers have a rank: leave "as" out.', {
      found: 'tier',
    })
    return undefined
  }
  const use = compileValue({ fact: by.fact, params: by.params }, at, scope)
  if (use === undefined) return undefined
  return {
    use,
    // Of named conditions, keys of features have what they say.
    key: contentHash(canonicalJson(['value', by, [...scope.depends.features].sort()]), 12),
    measure: (view: SubjectView) => {
      const value = use.read(view)
      return isNumber(value) ? [value] : undefined
    },
    changesAt: use.changesAt ?? (() => Number.POSITIVE_INFINITY),
  }
}
