import type { Program } from '@linli/rules'
import type { Advanced } from './advance.js'
import type { Decision } from './decision.js'
import { evaluateDerived } from './derived.js'
import { Draft } from './draft.js'
import { hush } from './journeys.js'
import { LazyMap } from './lazy-map.js'
import type { Before, Known } from './merge.js'
import { latestOf } from './profile.js'
import { type Goal, nextInstant, type SubjectKey, type SubjectState, subjectName, UNBORN } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

/** What is known of each of two subjects by its own events alone. */
export interface Replayed {
  readonly stays: SubjectState
  readonly goes: SubjectState
}

export interface Split {
  readonly stays: Advanced
  readonly goes: Advanced
}

/**
 * One subject that was two after all. What events say is each one's own again. What they do not say — runs, messages sent,
 * tags that journeys put on — goes back as far as it was there before the merge; what came since stays with the one who
 * stayed. Journeys greet nobody for it. Only an `alias` makes the two one again.
 */
export function split(
  one: Known,
  goes: SubjectKey,
  before: Before,
  replayed: Replayed,
  program: Program,
  at: number,
  cause: { readonly merge: string },
  surroundings: Surroundings = ALONE,
): Split {
  const also = before.from.also.filter((id) => one.state.also.includes(id))
  const leaving = new Set([goes.id, ...also])
  const moved = new Set(movingRuns(one.state, before.from))
  const details = { decision: 'identity.unmerged' as const, into: one.key.id, from: goes.id, ...cause }
  const again = (key: SubjectKey, state: SubjectState, own: SubjectState, had: SubjectState['tags']): Advanced => {
    const { features, relations, consent } = own
    const changed = lookedAtAgain(key, { ...state, features, relations, consent }, program, at, surroundings)
    const said = { at, subject: subjectName(key) }
    const decisions: Decision[] = [{ ...said, ...details }, ...manualChanges(had, state.tags, program, said)]
    return { ...changed, decisions: [...decisions, ...changed.decisions] }
  }
  const { state } = one
  return {
    stays: again(
      one.key,
      staying(state, before, replayed.stays, { leaving, moved }, program),
      replayed.stays,
      state.tags,
    ),
    goes: again(
      goes,
      going(one, before.from, replayed.goes, { also, leaving, moved }, program),
      replayed.goes,
      NO_TAGS,
    ),
  }
}

/** All tags and scores as they follow from what is known now. Journeys do not react. */
function lookedAtAgain(
  key: SubjectKey,
  state: SubjectState,
  program: Program,
  at: number,
  surroundings: Surroundings,
): Advanced {
  const draft = new Draft(key, state, program, surroundings)
  draft.at = Math.max(state.at, at)
  // Runs that go back to who had them are due there.
  draft.due = Math.min(draft.due, nextInstant(draft))
  draft.occasion = { reason: 'unmerged', quiet: true }
  evaluateDerived(draft, draft.rules.derived)
  hush(draft)
  return { state: draft.state(), decisions: draft.decisions, effects: draft.effects }
}

const NO_TAGS: SubjectState['tags'] = LazyMap.of()

/** Tags that journeys put on go to whom they were put on. */
function manualChanges(
  had: SubjectState['tags'],
  has: SubjectState['tags'],
  program: Program,
  said: Pick<Decision, 'at' | 'subject'>,
): Decision[] {
  const ids = [...new Set([...had.keys(), ...has.keys()])].filter((id) => isManual(id, program))
  return ids.flatMap((rule): Decision[] => {
    const [was, is] = [had.get(rule) !== undefined, has.get(rule) !== undefined]
    return was === is ? [] : [{ ...said, decision: is ? 'tag.added' : 'tag.removed', rule, reason: 'unmerged' }]
  })
}

/** The ids, and the runs, that are the other's again. */
interface Leaving {
  readonly leaving: ReadonlySet<string>
  readonly moved: ReadonlySet<string>
}

/** Runs that were the other's. One that waits for a message planned since stays: its outcome comes to whom it was planned for. */
function movingRuns(now: SubjectState, before: SubjectState): string[] {
  const steps = new Map(before.runs.map(({ id, step }) => [id, step]))
  return now.runs
    .filter(({ id, step, until }) => steps.has(id) && (until > 0 || steps.get(id) === step))
    .map(({ id }) => id)
}

function staying(
  now: SubjectState,
  before: Before,
  own: SubjectState,
  { leaving, moved }: Leaving,
  program: Program,
): SubjectState {
  const sent = new Set(before.from.sends.map(([, , , key]) => key))
  const isIts = (tag: string) => isManual(tag, program) && before.from.tags.get(tag) !== undefined
  const tags = [...now.tags.entries()].filter(([id]) => !isIts(id) || before.into.tags.get(id) !== undefined)
  return {
    ...now,
    traits: latestOf(before.into.traits, own.traits),
    tags: LazyMap.of(tags),
    runs: now.runs.filter(({ id }) => !moved.has(id)),
    goals: now.goals.filter((goal) => !before.from.goals.some((one) => isSameGoal(one, goal))),
    sends: now.sends.filter(([, , , key]) => !sent.has(key)),
    untold: now.untold.filter(({ source }) => !moved.has(source.run)),
    also: now.also.filter((id) => !leaving.has(id)),
    apart: [...new Set([...now.apart, ...leaving])],
  }
}

function going(
  { key, state: now }: Known,
  before: SubjectState,
  own: SubjectState,
  { also, leaving, moved }: Leaving & { readonly also: readonly string[] },
  program: Program,
): SubjectState {
  const sent = new Set(before.sends.map(([, , , sentKey]) => sentKey))
  const stillHas = ([id]: readonly [string, unknown]) => isManual(id, program) && now.tags.get(id) !== undefined
  return {
    ...UNBORN,
    at: Math.max(before.at, own.at),
    traits: latestOf(before.traits, own.traits),
    tags: LazyMap.of([...before.tags.entries()].filter(stillHas)),
    runs: now.runs.filter(({ id }) => moved.has(id)),
    entered: before.entered,
    entries: before.entries,
    goals: now.goals.filter((goal) => before.goals.some((one) => isSameGoal(one, goal))),
    sends: now.sends.filter(([, , , sentKey]) => sent.has(sentKey)),
    untold: now.untold.filter(({ source }) => moved.has(source.run)),
    also,
    left: [...new Set([...before.left, ...own.left])],
    apart: [...new Set([...before.apart, key.id, ...now.also.filter((id) => !leaving.has(id))])],
  }
}

function isSameGoal(one: Goal, other: Goal): boolean {
  return one.run === other.run && one.journey === other.journey && one.from === other.from
}

function isManual(tag: string, { subjects }: Program): boolean {
  return subjects.user.tagsById.get(tag)?.kind === 'manual'
}
