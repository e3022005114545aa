import type { Located } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import { LARGEST_CONTRIBUTION, MILLION, tiersInOrder } from '../program/score.js'
import { exitsOf, type JourneyDefinition } from '../schemas/journey.js'
import type { ScoreDefinition, TermDefinition } from '../schemas/score.js'
import type { SubjectKind } from '../subject.js'
import type { Range } from './cells.js'
import { below } from './expand.js'
import type { RulesInView } from './rules-in-view.js'

type Bounds = readonly [low: number, high: number]

/** Between which points a score lies, 0 included: the score of those of whom nothing is known. Checks its terms. */
export function boundsOfScore({ definition, place }: Located<ScoreDefinition>, rules: RulesInView): Bounds {
  const { subject = 'user', terms } = definition
  const bounds = terms.map((term, index) => boundsOfTerm(term, below(place, `terms/${index}`), subject, rules))
  const sum = (end: 0 | 1) => bounds.reduce((total, bound) => total + bound[end], 0) / MILLION
  return [Math.min(0, sum(0)), Math.max(0, sum(1))]
}

/** In millionths of points. */
function boundsOfTerm(term: TermDefinition, place: Place, subject: SubjectKind, rules: RulesInView): Bounds {
  const amount = Math.round(term.points * MILLION)
  if ('conditions' in term) {
    const outcome = rules.check({ conditions: term.conditions, place: below(place, 'conditions') }, subject)
    if (outcome === 'always') return [amount, amount]
    return outcome === 'never' ? [0, 0] : [Math.min(0, amount), Math.max(0, amount)]
  }
  const most = Math.round((term.max ?? LARGEST_CONTRIBUTION) * MILLION)
  const capped = (points: number) => Math.max(-most, Math.min(most, points))
  if ('event' in term) {
    rules.filterMatchesNothing(term, place)
    return [amount < 0 ? -most : 0, amount > 0 ? most : 0]
  }
  const { fact, params = {}, path } = term.per
  rules.matchesNothing(term.per, below(place, 'per'))
  const range = path === undefined ? rules.rangeOf(subject, fact, params) : undefined
  if (amount === 0) return [0, 0]
  if (range?.kind !== 'numbers') return [-most, most]
  const ends = [range.low, range.high, ...(range.absent ? [0] : [])].map((end) => capped(Math.round(end * amount)))
  return [Math.min(...ends), Math.max(...ends)]
}

export function rangeOfBounds([low, high]: Bounds): Range {
  return { kind: 'numbers', low, high, whole: false, absent: false }
}

/** Finds tiers that nobody can come into. */
export function checkTiers({ definition, place }: Located<ScoreDefinition>, bounds: Bounds, problems: Problems): void {
  const { id, tiers = [] } = definition
  const [low, high] = bounds
  const ordered = tiersInOrder(tiers)
  for (const [index, tier] of tiers.entries()) {
    const next = ordered[ordered.findIndex((one) => one.id === tier.id) + 1]
    if (tier.from <= high && (next === undefined || low < next.from)) continue
    const message = `Nobody can come into the tier "${tier.id}": the score "${id}" ${boundsText(bounds)}.`
    problems.error(below(place, `tiers/${index}/from`), 'score.unreachable', message, { found: tier.from })
  }
}

/** Finds lines that a score never crosses. */
export function checkCrossings(
  { definition, place }: Located<JourneyDefinition>,
  boundsOf: (subject: SubjectKind, score: string) => Bounds | undefined,
  problems: Problems,
): void {
  const { subject = 'user', entry } = definition
  const exits = exitsOf(definition).map(({ exit, pointer }) => [pointer, exit] as const)
  for (const [key, trigger] of [['entry', entry] as const, ...exits]) {
    if (trigger.on !== 'score.crossed') continue
    const bounds = boundsOf(subject, trigger.score)
    for (const side of ['above', 'below'] as const) {
      const line = trigger[side]
      if (bounds === undefined || line === undefined || (bounds[0] < line && line <= bounds[1])) continue
      const message = `This line is never crossed: the score "${trigger.score}" ${boundsText(bounds)}.`
      problems.error(below(place, `${key}/${side}`), 'score.unreachable', message, { found: line })
    }
  }
}

function boundsText([low, high]: Bounds): string {
  return `is from ${low} to ${high}, whatever its terms give`
}
