import type { ConditionScope } from '../facts/fact.js'
import type { Place } from '../problems.js'
import { tierOf } from '../tiers.js'

/** What a journey calls a crossing of a score: exactly one of the three. */
export interface CrossingDefinition {
  readonly score: string
  readonly above?: number | undefined
  readonly below?: number | undefined
  readonly tier?: string | undefined
}

type Crosses = (from: number, to: number) => boolean

const NEVER_CROSSED: Crosses = () => false

/** Whether a change of a score is the crossing that is meant. What is wrong is reported. */
export function compileCrossing(definition: CrossingDefinition, place: Place, scope: ConditionScope): Crosses {
  const { score, above, below, tier } = definition
  const at = (key: string) => ({ ...place, pointer: `${place.pointer}/${key}` })
  const tiers = scope.scoreTiers.get(score)
  if (tiers === undefined) {
    const message = `The pack has no score ${JSON.stringify(score)} for a ${scope.subject}.`
    scope.problems.unknown(at('score'), 'score', score, scope.scoreTiers.keys(), message)
  }
  const named = [above, below, tier].filter((one) => one !== undefined)
  if (named.length !== 1) {
    const message = 'A crossing is one of "above": points, "below": points and "tier": the id of a tier.'
    scope.problems.error(place, 'crossing.one', message, { found: definition })
    return NEVER_CROSSED
  }
  if (above !== undefined) return (from, to) => from < above && to >= above
  if (below !== undefined) return (from, to) => from >= below && to < below
  if (tiers === undefined || tier === undefined) return NEVER_CROSSED
  if (!tiers.some(({ id }) => id === tier)) {
    const known = tiers.map(({ id }) => id)
    const message = `The score "${score}" has no tier ${JSON.stringify(tier)}. It has: ${known.join(', ') || 'none'}.`
    scope.problems.error(at('tier'), 'tier.unknown', message, { found: tier, name: tier, known })
  }
  return (from, to) => tierOf(tiers, to) === tier && tierOf(tiers, from) !== tier
}
