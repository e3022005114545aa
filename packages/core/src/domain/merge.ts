import type { Dated, FeatureState, Program } from '@linli/rules'
import { type Advanced, reevaluate } from './advance.js'
import type { Decision } from './decision.js'
import { LazyMap } from './lazy-map.js'
import { supersedes } from './profile.js'
import { farewellToScores } from './scores.js'
import { hasTag, type SubjectKey, type SubjectState, subjectName } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

/** One of two subjects that turn out to be one. */
export interface Known {
  readonly key: SubjectKey
  readonly state: SubjectState
}

/**
 * Two subjects that turned out to be one: the second's features, traits, relations, consent and sends join the first's.
 * Its runs end: a journey greets a person once.
 */
export function merge(
  into: Known,
  from: Known,
  program: Program,
  at: number,
  surroundings: Surroundings = ALONE,
): Advanced {
  const [mine, its] = [into.state, from.state]
  const merged: SubjectState = {
    ...mine,
    features: mergeFeatures(mine.features, its.features, into.key, program),
    tags: mergeTags(mine.tags, its.tags, into.key, program),
    traits: latestOf(mine.traits, its.traits),
    relations: mergeRelations(mine.relations, its.relations),
    consent: stricterOf(mine.consent, its.consent),
    sends: [...mine.sends, ...its.sends].sort((a, b) => a[0] - b[0]),
    entries: mergeEntries(mine.entries, its.entries),
  }
  const { decisions, ...advanced } = reevaluate(into.key, merged, program, at, surroundings)
  return { ...advanced, decisions: [...farewell(from, program, at), ...decisions] }
}

/** What ends for the subject that is no more. */
function farewell({ key, state }: Known, program: Program, at: number): Decision[] {
  const said = { at, subject: subjectName(key), reason: 'merged' }
  const tags = program.subjects[key.kind].tags.filter(({ id, kind }) => kind !== 'verdict' && hasTag(state, id))
  return [
    ...tags.map(({ id }): Decision => ({ ...said, decision: 'tag.removed', rule: id })),
    ...farewellToScores(key, state, program, at),
    ...state.runs.map(
      ({ id, journey, step }): Decision => ({ ...said, decision: 'journey.exited', rule: journey, run: id, step }),
    ),
  ]
}

/** Tags that journeys put on stay on. Computed ones, and scores, follow from the merged features. */
function mergeTags(
  into: SubjectState['tags'],
  from: SubjectState['tags'],
  { kind }: SubjectKey,
  program: Program,
): SubjectState['tags'] {
  const manual = [...from.entries()].filter(([id]) => program.subjects[kind].tagsById.get(id)?.kind === 'manual')
  return LazyMap.of([...manual, ...into.entries()])
}

function mergeFeatures(
  into: SubjectState['features'],
  from: SubjectState['features'],
  { kind }: SubjectKey,
  program: Program,
): LazyMap<FeatureState> {
  const merged = into.copy()
  for (const [name, state] of from.entries()) {
    const known = merged.get(name)
    const feature = program.subjects[kind].features.get(name)
    merged.set(name, known === undefined || feature === undefined ? state : feature.merge(known, state))
  }
  return merged
}

/** Those of the one who joined a community last: a leader comes with the community. */
function mergeRelations(into: SubjectState['relations'], from: SubjectState['relations']): SubjectState['relations'] {
  const [mine, its] = [into.community, from.community]
  if (mine?.[0] === its?.[0]) return latestOf(into, from)
  return its !== undefined && supersedes(mine, its[0], its[1]) ? from : into
}

function latestOf<T>(into: Readonly<Record<string, Dated<T>>>, from: Readonly<Record<string, Dated<T>>>) {
  const merged: Record<string, Dated<T>> = { ...into }
  for (const [name, dated] of Object.entries(from)) {
    if (supersedes(merged[name], dated[0], dated[1])) merged[name] = dated
  }
  return merged
}

/** What was said last; of a grant and a withdrawal at the same instant the withdrawal. */
function stricterOf(into: SubjectState['consent'], from: SubjectState['consent']): SubjectState['consent'] {
  const merged: Record<string, Dated<boolean>> = { ...into }
  for (const [name, said] of Object.entries(from)) {
    const known = merged[name]
    if (known === undefined || said[1] > known[1] || (said[1] === known[1] && !said[0])) merged[name] = said
  }
  return merged
}

function mergeEntries(into: SubjectState['entries'], from: SubjectState['entries']): SubjectState['entries'] {
  const merged: Record<string, number> = { ...into }
  for (const [name, at] of Object.entries(from)) merged[name] = Math.max(at, merged[name] ?? 0)
  return merged
}
