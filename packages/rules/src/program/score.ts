import { compileConditions, compileValue } from '../conditions/compile.js'
import { type Evidence, type Explanation, isoOf } from '../conditions/explanation.js'
import { holds, until } from '../conditions/verdict.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import { countFresh, DecayFeature, type DecayState, decayedSum, HALVINGS, nextHalving } from '../facts/decay.js'
import { compileFilterAt } from '../facts/event-filter.js'
import { evidenceFor } from '../facts/evidence.js'
import type { ConditionScope } from '../facts/fact.js'
import { featureKey } from '../facts/feature.js'
import type { Place, Problems } from '../problems.js'
import type { ScoreDefinition, TermDefinition } from '../schemas/score.js'
import type { EventRecord, SubjectView } from '../subject.js'
import { type Tier, tierOf } from '../tiers.js'

/** A number that subjects have at every instant, added up from terms. */
export interface CompiledScore {
  readonly id: string
  /** Its place in `SubjectProgram.derived`. */
  readonly rank: number
  readonly kind: 'score'
  readonly definition: ScoreDefinition
  /** In the order of `from`. */
  readonly tiers: readonly Tier[]
  /** The value, exact to a millionth, and until when it is certain if nothing new happens (infinity: for ever). */
  evaluate(view: SubjectView): readonly [value: number, until: number]
  /** With the subject's log, in any order, also which of its events were counted. */
  explain(view: SubjectView, log?: readonly EventRecord[]): ScoreExplanation
}

/** Where a score comes from. */
export interface ScoreExplanation {
  readonly value: number
  readonly tier?: string
  /** When the value can next change by itself; null when only something new can change it. ISO 8601. */
  readonly until: string | null
  /** In the order of the definition. */
  readonly terms: readonly TermExplanation[]
}

export interface TermExplanation extends Evidence {
  /** As written. */
  readonly term: TermDefinition
  readonly points: number
  /** What it gives now. */
  readonly contribution: number
  readonly until: string | null
  /** Of a term with conditions. */
  readonly conditions?: Explanation
  /** Of a term with `per`: the fact's value. Of a term with `event`: how many events count. */
  readonly actual?: unknown
}

interface Term {
  /** Millionths of points, and until when that is certain. */
  evaluate(view: SubjectView): readonly [contribution: number, until: number]
  explain(view: SubjectView, log?: readonly EventRecord[]): Pick<TermExplanation, 'conditions' | 'actual'> & Evidence
}

export const MILLION = 1_000_000

/** What one term gives at most: fifty such are still added up exactly. */
export const LARGEST_CONTRIBUTION = 100_000_000

export function compileScore(
  definition: ScoreDefinition,
  place: Place,
  scope: ConditionScope,
): Omit<CompiledScore, 'rank'> {
  const tiers = readTiers(definition, place, scope.problems)
  const terms = definition.terms.flatMap((term, index) => {
    const at = { ...place, pointer: `${place.pointer}/terms/${index}` }
    const compiled = compileTerm(term, at, scope)
    return compiled === undefined ? [] : [{ definition: term, ...compiled }]
  })
  const evaluate = (view: SubjectView) => {
    let [sum, certain] = [0, Number.POSITIVE_INFINITY]
    for (const term of terms) {
      const [contribution, termUntil] = term.evaluate(view)
      sum += contribution
      certain = Math.min(certain, termUntil)
    }
    return [sum / MILLION, certain] as const
  }
  return {
    id: definition.id,
    kind: 'score',
    definition,
    tiers,
    evaluate,
    explain: (view, log) => {
      const [value, certain] = evaluate(view)
      const tier = tierOf(tiers, value)
      const explained = terms.map((term) => explainTerm(term, view, log))
      return { value, ...(tier !== undefined && { tier }), until: isoOf(certain), terms: explained }
    },
  }
}

function explainTerm(
  { definition, ...term }: Term & { readonly definition: TermDefinition },
  view: SubjectView,
  log: readonly EventRecord[] | undefined,
): TermExplanation {
  const [contribution, certain] = term.evaluate(view)
  const base = { term: definition, points: definition.points, contribution: contribution / MILLION }
  return { ...base, until: isoOf(certain), ...term.explain(view, log) }
}

/** A score's tiers in the order of `from`; what is wrong with them is reported. */
function readTiers({ tiers = [] }: ScoreDefinition, place: Place, problems: Problems): readonly Tier[] {
  tiers.forEach((tier, index) => {
    const at = (key: string) => ({ ...place, pointer: `${place.pointer}/tiers/${index}/${key}` })
    const before = tiers.slice(0, index)
    if (before.some(({ id }) => id === tier.id)) {
      problems.error(at('id'), 'tier.duplicate', `Two tiers are called "${tier.id}".`, { found: tier.id })
    }
    const same = before.find(({ from }) => from === tier.from)
    if (same !== undefined) {
      const message = `The tiers "${same.id}" and "${tier.id}" begin at the same points.`
      problems.error(at('from'), 'tier.duplicate', message, { found: tier.from })
    }
  })
  return tiersInOrder(tiers)
}

export function tiersInOrder(tiers: readonly Tier[] = []): readonly Tier[] {
  return [...tiers].sort((a, b) => a.from - b.from)
}

/** Undefined after an error has been reported. */
function compileTerm(term: TermDefinition, place: Place, scope: ConditionScope): Term | undefined {
  checkDecimals(term, place, scope.problems)
  const amount = Math.round(term.points * MILLION)
  if ('conditions' in term) {
    const condition = compileConditions(term.conditions, { ...place, pointer: `${place.pointer}/conditions` }, scope)
    return {
      evaluate: (view) => {
        const verdict = condition.verdict(view)
        return [holds(verdict) ? amount : 0, until(verdict)]
      },
      explain: (view, log) => ({ conditions: condition.explain(view, log) }),
    }
  }
  const most = Math.round((term.max ?? LARGEST_CONTRIBUTION) * MILLION)
  // Not -0, which would be another value than 0 to those who compare.
  const capped = (contribution: number) => Math.max(-most, Math.min(most, contribution)) + 0
  return 'per' in term ? perTerm(term, amount, capped, place, scope) : eventTerm(term, amount, capped, place, scope)
}

/** Points are kept in whole millionths: finer ones would be rounded in silence. */
function checkDecimals(term: TermDefinition, place: Place, problems: Problems): void {
  const numbers = { points: term.points, ...('max' in term && { max: term.max }) }
  for (const [key, number = 0] of Object.entries(numbers)) {
    if (Math.round(number * MILLION) / MILLION === number) continue
    const at = { ...place, pointer: `${place.pointer}/${key}` }
    problems.error(at, 'points.fine', 'Points have at most six decimals.', { found: number })
  }
}

type TermWith<Key extends string> = Extract<TermDefinition, Readonly<Record<Key, unknown>>>

function perTerm(
  { per }: TermWith<'per'>,
  amount: number,
  capped: (contribution: number) => number,
  place: Place,
  scope: ConditionScope,
): Term | undefined {
  const at = { ...place, pointer: `${place.pointer}/per` }
  if (per.fact.startsWith('since')) {
    const message = `"${per.fact}" changes all the time. Give the points under conditions: { "points", "conditions" }.`
    scope.problems.error({ ...at, pointer: `${at.pointer}/fact` }, 'term.unfit', message, { found: per.fact })
    return undefined
  }
  const use = compileValue(per, at, scope)
  if (use === undefined) return undefined
  const { changesAt = () => Number.POSITIVE_INFINITY } = use
  return {
    evaluate: (view) => {
      const value = use.read(view)
      // What is no number gives nothing.
      const contribution = typeof value === 'number' && !Number.isNaN(value) ? Math.round(value * amount) : 0
      return [capped(contribution), changesAt(view)]
    },
    explain: (view, log) => ({ actual: use.read(view), ...evidenceFor(use, view, log) }),
  }
}

function eventTerm(
  term: TermWith<'event'>,
  amount: number,
  capped: (contribution: number) => number,
  place: Place,
  scope: ConditionScope,
): Term | undefined {
  const filter = compileFilterAt(term, place, scope)
  const key = featureKey('decay', filter)
  const feature = scope.features.obtain(key, () => new DecayFeature(key, filter))
  scope.depends.features.add(key)
  const state = (view: SubjectView) => view.features.get(key) as DecayState | undefined
  const names = new Set(filter.events)
  const evidence = (view: SubjectView, log: readonly EventRecord[] | undefined, freshMs: number) => {
    const isFresh = ({ at }: EventRecord) => at <= view.at && view.at < at + freshMs
    const fresh = (_: SubjectView, events: readonly EventRecord[]) =>
      events
        .filter((event) => names.has(event.event) && isFresh(event) && filter.matches(event))
        .sort((a, b) => a.at - b.at)
    return evidenceFor({ evidence: fresh, rounding: (at) => state(at)?.[1] }, view, log)
  }
  if (term.halfLife === undefined) {
    const total = (view: SubjectView) => state(view)?.[0] ?? 0
    return {
      evaluate: (view) => [capped(total(view) * amount), Number.POSITIVE_INFINITY],
      explain: (view, log) => ({ actual: total(view), ...evidence(view, log, Number.POSITIVE_INFINITY) }),
    }
  }
  const halfLifeMs = parseDuration(term.halfLife)
  if (halfLifeMs === undefined) {
    const at = { ...place, pointer: `${place.pointer}/halfLife` }
    const message = `A half-life looks like ${DURATION_FORMS}.`
    scope.problems.error(at, 'duration.invalid', message, { found: term.halfLife })
    return undefined
  }
  feature.need(halfLifeMs)
  return {
    evaluate: (view) => [
      capped(decayedSum(state(view), amount, halfLifeMs, view.at)),
      nextHalving(state(view), halfLifeMs, view.at),
    ],
    explain: (view, log) => ({
      actual: countFresh(state(view), halfLifeMs, view.at),
      ...evidence(view, log, HALVINGS * halfLifeMs),
    }),
  }
}
