import { type FeatureState, type Program, VERDICT_MARK } from '@linli/rules'
import { type Advanced, advance } from './advance.js'
import { latestConsent, stricterConsent } from './consent.js'
import type { Decision } from './decision.js'
import { evaluateDerived } from './derived.js'
import { type Change, Draft } from './draft.js'
import { react } from './journeys.js'
import { LazyMap } from './lazy-map.js'
import { latestOf, supersedes } from './profile.js'
import { exitRun } from './runs.js'
import { farewellToScores } from './scores.js'
import { hasTag, type Run, type SubjectKey, type SubjectState, scoreOf, subjectName, UNBORN } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

/** One of two subjects that turn out to be one. */
export interface Known {
  readonly key: SubjectKey
  readonly state: SubjectState
  /** Whether nobody had said who it is: a visitor, or somebody of whom only an identifier was known. */
  readonly isProvisional?: boolean
}

/** Why two subjects are one. */
export interface MergeCause {
  /** The record of the merge. */
  readonly merge: string
  /** `alias`, `anonymousId`, or the type of the identifier that both have. */
  readonly by: string
  /** The event that said so. */
  readonly messageId: string
}

export interface Merged {
  /** The one that stays. */
  readonly into: Advanced
  /** What is left of the other: word of who it turned out to be. */
  readonly from: Advanced
  /** What each was right before. */
  readonly before: Before
}

/** Two subjects right before they were made one. */
export interface Before {
  readonly into: SubjectState
  readonly from: SubjectState
}

/**
 * Two subjects that turned out to be one. What both did, said and were sent is the first's from now on, as if there had
 * been one log: features, traits, relations, tags, runs, sends. Of consent the stricter stands. Of two runs of a journey
 * that nobody is in twice, the younger ends. Journeys hear only of what neither of the two has been through.
 */
export function merge(
  into: Known,
  from: Known,
  program: Program,
  at: number,
  cause: MergeCause,
  surroundings: Surroundings = ALONE,
): Merged {
  const mine = untilNow(into, program, at, surroundings)
  const its = untilNow(from, program, at, surroundings)
  const said = { at, decision: 'identity.merged' as const, into: into.key.id, from: from.key.id, ...cause }
  const one = becomeOne({ ...into, state: mine.state }, { ...from, state: its.state }, program, at, surroundings)
  return {
    into: {
      state: one.state,
      decisions: [...mine.decisions, { ...said, subject: subjectName(into.key) }, ...one.decisions],
      effects: [...mine.effects, ...one.effects],
    },
    from: {
      state: { ...UNBORN, at: Math.max(its.state.at, at), into: into.key.id },
      decisions: [
        ...its.decisions,
        { ...said, subject: subjectName(from.key) },
        ...farewell({ ...from, state: its.state }, program, at),
      ],
      effects: its.effects,
    },
    before: { into: mine.state, from: its.state },
  }
}

/** Whatever time has brought about by now, it has brought about for each of the two. */
function untilNow({ key, state }: Known, program: Program, at: number, surroundings: Surroundings): Advanced {
  if (state.at === 0) return { state, decisions: [], effects: [] }
  return advance(key, state, [{ kind: 'instant', at }], program, surroundings)
}

function becomeOne(into: Known, from: Known, program: Program, at: number, surroundings: Surroundings): Advanced {
  const draft = new Draft(into.key, together(into, from, program), program, surroundings)
  draft.at = Math.max(into.state.at, at)
  for (const id of draft.tags.keys()) {
    if (draft.hasTag(id) && isManual(id, into.key, program) && !hasTag(into.state, id)) {
      draft.decide('tag.added', id, { reason: 'merged' })
    }
  }
  for (const run of doublesOf(draft.runs, program)) exitRun(draft, run, 'merged')
  for (const [run, stronger] of weakerOf(draft.runs, program)) exitRun(draft, run, `gave way to ${stronger}`)
  evaluateDerived(draft, draft.rules.derived)
  draft.changes.splice(0, Number.POSITIVE_INFINITY, ...newsFor(draft, into.state, from.state))
  react(draft)
  const { decisions, effects } = draft
  return { state: draft.state(), decisions, effects }
}

/** All that was known of both. Computed tags, and scores, are looked at afterwards. */
function together(into: Known, from: Known, program: Program): SubjectState {
  const [mine, its] = [into.state, from.state]
  const also = [...new Set([...mine.also, from.key.id, ...its.also])]
  const { relations, left } = mergeRelations(mine, its)
  const due = Math.min(mine.due || Number.POSITIVE_INFINITY, its.due || Number.POSITIVE_INFINITY)
  return {
    ...mine,
    at: Math.max(mine.at, its.at),
    due: Number.isFinite(due) ? due : 0,
    features: mergeFeatures(into, from, program),
    tags: mergeTags(mine.tags, its.tags, into.key, program),
    traits: latestOf(mine.traits, its.traits),
    relations,
    runs: [...mine.runs, ...its.runs],
    entered: Math.max(mine.entered, its.entered),
    entries: mergeEntries(mine.entries, its.entries),
    goals: [...mine.goals, ...its.goals],
    consent: (from.isProvisional ? latestConsent : stricterConsent)(mine.consent, its.consent),
    sends: [...mine.sends, ...its.sends].sort((a, b) => a[0] - b[0]),
    untold: [...mine.untold, ...its.untold],
    also,
    left,
    apart: [...new Set([...mine.apart, ...its.apart])].filter((id) => id !== into.key.id && !also.includes(id)),
  }
}

/** Of the runs of a journey that nobody is in twice, all but the oldest. */
function doublesOf(runs: readonly Run[], program: Program): readonly Run[] {
  const seen = new Set<string>()
  const byAge = [...runs].sort((a, b) => a.enteredAt - b.enteredAt || (a.id < b.id ? -1 : 1))
  return byAge.filter(({ journey, hash, key }) => {
    const reentry = program.journeysByHash.get(hash)?.reentry.kind ?? 'always'
    const name = JSON.stringify([journey, key])
    if (reentry === 'always' || !seen.has(name)) {
      seen.add(name)
      return false
    }
    return true
  })
}

/** Of the runs of a group that nobody is in twice, all but that of the highest priority, the oldest of those; each with its journey. */
function weakerOf(runs: readonly Run[], { journeysByHash }: Program): readonly (readonly [Run, string])[] {
  const priorityOf = ({ hash }: Run) => journeysByHash.get(hash)?.priority ?? 0
  const inTurn = [...runs].sort((a, b) => priorityOf(b) - priorityOf(a) || a.enteredAt - b.enteredAt)
  const strongest = new Map<string, Run>()
  return inTurn.flatMap((run): (readonly [Run, string])[] => {
    const group = journeysByHash.get(run.hash)?.exclusive
    if (group === undefined) return []
    const stronger = strongest.get(group)
    if (stronger === undefined) strongest.set(group, run)
    return stronger === undefined ? [] : [[run, stronger.journey]]
  })
}

/**
 * What changed for the two who are one. A run ends by what changed for either; nobody enters a journey by what only one of
 * them had not been through.
 */
function newsFor(draft: Draft, mine: SubjectState, its: SubjectState): Change[] {
  const tags = draft.rules.tags.filter(({ id }) => !id.startsWith(VERDICT_MARK))
  const ofTags = tags.flatMap(({ id }): Change[] => {
    const added = draft.hasTag(id)
    const changed = [mine, its].filter((state) => hasTag(state, id) !== added).length
    if (changed === 0) return []
    return [{ kind: 'tag', id, added, ...(changed === 1 && { quiet: true as const }) }]
  })
  const ofScores = [...draft.rules.scoresById.keys()].flatMap((id): Change[] => {
    const to = draft.score(id)
    const [a, b] = [scoreOf(mine, id)[0], scoreOf(its, id)[0]]
    const quiet = [a, b]
      .filter((from) => from !== to)
      .map((from): Change => ({ kind: 'score', id, from, to, quiet: true }))
    if (a < to && b < to) return [...quiet, { kind: 'score', id, from: Math.max(a, b), to }]
    if (a > to && b > to) return [...quiet, { kind: 'score', id, from: Math.min(a, b), to }]
    return quiet
  })
  return [...ofTags, ...ofScores]
}

/** The tags and scores that the subject who is no more had. Its runs go on as the other's. */
function farewell({ key, state }: Known, program: Program, at: number): Decision[] {
  const said = { at, subject: subjectName(key), reason: 'merged' }
  const tags = program.subjects[key.kind].tags.filter(({ id }) => !id.startsWith(VERDICT_MARK) && hasTag(state, id))
  return [
    ...tags.map(({ id }): Decision => ({ ...said, decision: 'tag.removed', rule: id })),
    ...farewellToScores(key, state, program, at),
  ]
}

function isManual(id: string, { kind }: SubjectKey, program: Program): boolean {
  return program.subjects[kind].tagsById.get(id)?.kind === 'manual'
}

/** Tags that journeys put on stay on. */
function mergeTags(
  into: SubjectState['tags'],
  from: SubjectState['tags'],
  key: SubjectKey,
  program: Program,
): SubjectState['tags'] {
  const manual = [...from.entries()].filter(([id]) => isManual(id, key, program))
  return LazyMap.of([...manual, ...into.entries()])
}

/** Features that tell people apart know both by the name of the one who stays. */
function mergeFeatures(into: Known, from: Known, program: Program): LazyMap<FeatureState> {
  const { features } = program.subjects[into.key.kind]
  const merged = into.state.features.copy()
  for (const [name, its] of from.state.features.entries()) {
    const [feature, known] = [features.get(name), merged.get(name)]
    const state = feature?.renameUser?.(its, from.key.id, into.key.id) ?? its
    merged.set(name, known === undefined || feature === undefined ? state : feature.merge(known, state))
  }
  return merged
}

/** Those of the one who joined a community last: a leader comes with the community. The others were left. */
function mergeRelations(mine: SubjectState, its: SubjectState): Pick<SubjectState, 'relations' | 'left'> {
  const [into, from] = [mine.relations, its.relations]
  const isSame = into.community?.[0] === from.community?.[0]
  const isLater = from.community !== undefined && supersedes(into.community, from.community[0], from.community[1])
  const relations = isSame ? latestOf(into, from) : isLater ? from : into
  const had = [into, from].flatMap((one) =>
    (['community', 'leader'] as const).flatMap((name) => {
      const id = one[name]?.[0]
      return id === undefined || id === relations[name]?.[0] ? [] : [`${name}:${id}`]
    }),
  )
  return { relations, left: [...new Set([...mine.left, ...its.left, ...had])] }
}

function mergeEntries(into: SubjectState['entries'], from: SubjectState['entries']): SubjectState['entries'] {
  const merged: Record<string, number> = { ...into }
  for (const [name, at] of Object.entries(from)) merged[name] = Math.max(at, merged[name] ?? 0)
  return merged
}
