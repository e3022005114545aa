import {
  type CompiledJourney,
  type CompiledScore,
  combined,
  type Explanation,
  exitsOf,
  type Turn,
  turnOf,
} from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { heldOutOf } from '../domain/holdouts.js'
import type { Picture } from './picture.js'
import { withReasons } from './reasons.js'

/** What would turn a tag: its conditions, or time. */
export function turnOfTag(conditions: Explanation, until: string | null): Turn {
  return combined('any', [...(until === null ? [] : [{ kind: 'time', at: until } as const]), turnOf(conditions)])
}

/** What would turn a tag that only journeys put on and take off. */
export function turnByHand(id: string, holds: boolean): Turn {
  return { kind: 'fact', fact: 'tag', params: { id }, operator: 'equal', expected: true, holds: !holds }
}

/** What it takes to the next tier; undefined in the highest, or where there are no tiers. */
export function turnOfScore({ id, tiers }: CompiledScore, value: number): Turn | undefined {
  const next = tiers.find(({ from }) => from > value)
  if (next === undefined) return undefined
  const more = Math.round((next.from - value) * 1e6) / 1e6
  return {
    kind: 'fact',
    fact: 'score',
    params: { id, tier: next.id },
    operator: 'greaterThanInclusive',
    expected: next.from,
    holds: true,
    more,
  }
}

/** What would let somebody in who is outside. */
export function turnInto(
  journey: CompiledJourney,
  {
    picture,
    conditions,
    decisions,
  }: {
    readonly picture: Pick<Picture, 'name' | 'at' | 'traits'>
    readonly conditions: Explanation | undefined
    readonly decisions: readonly Decision[]
  },
): Turn {
  const { definition, entry, reentry } = journey
  if (heldOutOf(journey, picture.name) !== undefined) return { kind: 'never' }
  const last = decisions.findLast(({ decision }) => decision === 'journey.entered')
  // With a key, each value counts by itself: another one may come at any time.
  const counts = last !== undefined && definition.key === undefined
  if (counts && reentry.kind === 'never') return { kind: 'never' }
  const again = counts && reentry.kind === 'after' ? last.at + reentry.ms : 0
  const trigger = { ...triggerOf(definition.entry), ...(again > picture.at && { from: new Date(again).toISOString() }) }
  return combined('all', [
    trigger,
    ...timeOf(entry, picture, again),
    ...(conditions === undefined || conditions.holds ? [] : [turnOf(conditions)]),
  ])
}

/** When a journey next begins by itself: not before one may enter it again. */
function timeOf(entry: CompiledJourney['entry'], picture: Pick<Picture, 'at' | 'traits'>, again: number): Turn[] {
  if (entry.on !== 'schedule') return []
  const next = entry.schedule(picture, Math.max(picture.at, again - 1))
  return [next === undefined ? { kind: 'never' } : { kind: 'time', at: new Date(next).toISOString() }]
}

/** What would let somebody out before the end; undefined where nothing does. */
export function turnOut({ definition, exits }: CompiledJourney, picture: Picture): Turn | undefined {
  const ways = exitsOf(definition).map(({ exit }, index) => {
    const compiled = exits[index]
    return compiled?.on === 'conditions'
      ? turnOf(withReasons(compiled.condition.explain(picture, picture.events), picture))
      : triggerOf(exit)
  })
  return ways.length === 0 ? undefined : combined('any', ways)
}

function triggerOf(definition: object): Extract<Turn, { kind: 'trigger' }> {
  const { conditions: _, ...trigger } = definition as Readonly<Record<string, unknown>>
  return { kind: 'trigger', trigger }
}
