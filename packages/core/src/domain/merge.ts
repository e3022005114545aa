import type { Dated, FeatureState, Program, RelationName } from '@linli/rules'
import { type Advanced, reevaluate } from './advance.js'
import { supersedes } from './profile.js'
import { type SubjectKey, type SubjectState, subjectName } from './subject.js'

/**
 * Two subjects that turned out to be one: the second's features, traits, relations, consent and sends join the first's.
 * Its runs end: a journey greets a person once.
 */
export function merge(key: SubjectKey, into: SubjectState, from: SubjectState, program: Program, at: number): Advanced {
  const merged: SubjectState = {
    ...into,
    features: mergeFeatures(into.features, from.features, key, program),
    tags: mergeTags(into.tags, from.tags, key, program),
    traits: latestOf(into.traits, from.traits),
    relations: latestOf(into.relations, from.relations) as Partial<Record<RelationName, Dated<string>>>,
    consent: stricterOf(into.consent, from.consent),
    sends: [...into.sends, ...from.sends].sort((a, b) => a[0] - b[0]),
    entries: mergeEntries(into.entries, from.entries),
  }
  const { decisions, ...advanced } = reevaluate(key, merged, program, at)
  const ended = from.runs.map(({ id, journey, step }) => ({
    at,
    subject: subjectName(key),
    decision: 'journey.exited' as const,
    rule: journey,
    run: id,
    step,
    reason: 'merged',
  }))
  return { ...advanced, decisions: [...ended, ...decisions] }
}

/** Tags that journeys put on stay on. Computed ones follow from the merged features. */
function mergeTags(
  into: SubjectState['tags'],
  from: SubjectState['tags'],
  { kind }: SubjectKey,
  program: Program,
): SubjectState['tags'] {
  const manual = Object.entries(from).filter(([id]) => program.subjects[kind].tagsById.get(id)?.kind === 'manual')
  return { ...Object.fromEntries(manual), ...into }
}

function mergeFeatures(
  into: SubjectState['features'],
  from: SubjectState['features'],
  { kind }: SubjectKey,
  program: Program,
): Record<string, FeatureState> {
  const merged: Record<string, FeatureState> = { ...into }
  for (const [name, state] of Object.entries(from)) {
    const known = merged[name]
    const feature = program.subjects[kind].features.get(name)
    merged[name] = known === undefined || feature === undefined ? state : feature.merge(known, state)
  }
  return merged
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
