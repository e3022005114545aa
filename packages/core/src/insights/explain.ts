import { compileProgram, type Pack, type Program } from '@linli/rules'
import { advance } from '../domain/advance.js'
import type { Decision, Input } from '../domain/decision.js'
import type { RelatedVerdicts } from '../domain/draft.js'
import { hasTag, type SubjectKey, type SubjectState, subjectName, UNBORN } from '../domain/subject.js'
import { viewOf } from '../domain/view.js'
import { EngineError } from '../errors.js'
import { inputOf } from '../ingest/batch.js'
import type { Store } from '../ports/store.js'
import type { Explained } from './explained.js'

export interface Question {
  readonly key: SubjectKey
  readonly rule: string
  readonly at: number
}

/** Explains a rule for a state that was worked out with a program that keeps exact values. */
export function explainState(
  { key, rule, at }: Question,
  state: SubjectState,
  program: Program,
  decisions: readonly Decision[],
  related?: RelatedVerdicts,
): Explained {
  const view = viewOf(state, at, related)
  const base = { subject: subjectName(key), rule, at: new Date(at).toISOString() }
  const own = decisions.filter((decision) => decision.rule === rule || decision['journey'] === rule)
  const tag = program.subjects[key.kind].tagsById.get(rule)
  if (tag?.definition !== undefined) {
    const name = tag.definition.name
    const conditions = tag.kind === 'computed' ? tag.condition.explain(view) : undefined
    const { holds = hasTag(state, rule), until = null } = conditions ?? {}
    const named = { ...(name !== undefined && { name }), ...(conditions && { conditions }) }
    return { ...base, kind: 'tag', ...named, holds, until, decisions: own }
  }
  const journey = program.journeys.get(rule)
  if (journey === undefined || journey.subject !== key.kind) throw unknownRule(rule, key, program)
  const run = state.runs.find((one) => one.journey === rule)
  const conditions = journey.entry.condition?.explain(view)
  const { name } = journey.definition
  return {
    ...base,
    kind: 'journey',
    ...(name !== undefined && { name }),
    ...(conditions && { conditions }),
    holds: run !== undefined,
    until: run !== undefined && run.until > 0 ? new Date(run.until).toISOString() : null,
    decisions: own,
  }
}

function unknownRule(rule: string, { kind }: SubjectKey, program: Program): EngineError {
  const { tags } = program.subjects[kind]
  const journeys = [...program.journeys.values()].filter((journey) => journey.subject === kind)
  const known = [...tags.filter((tag) => tag.definition).map((tag) => tag.id), ...journeys.map((journey) => journey.id)]
  const message = `There is no tag or journey ${JSON.stringify(rule)} for a ${kind}. There are: ${known.join(', ') || 'none'}.`
  return new EngineError('rule.unknown', message, { rule, known })
}

/** Explains from an engine's store: a user's log is gone through again up to the instant. */
export async function explainFromLog({
  store,
  pack,
  ...question
}: Question & { readonly store: Store; readonly pack: Pack }): Promise<Explained> {
  const { key, at } = question
  const program = compileProgram(pack, { exact: true })
  const decisions = await store.readDecisions({ subject: subjectName(key) })
  const until = decisions.filter((decision) => decision.at <= at)
  const stored = await store.readSubject(key)
  const related = await relatedOf(store, stored)
  if (key.kind !== 'user') {
    if (stored === undefined) throw unknownSubject(key)
    return explainState(question, stored, compileProgram(pack), until, related)
  }
  const events = await store.readEvents({ userId: key.id })
  if (events.length === 0) throw unknownSubject(key)
  const inputs = events.filter((event) => event.at <= at).map((event) => inputOf(event, event.at))
  inputs.push({ kind: 'instant', at }, ...leaderByCommunity(stored, at))
  const replayed = advance(key, UNBORN, inputs, program, related).state
  // Runs and tags that steps put on depend on more than the log: they are taken as they are.
  const tags = replayed.tags.copy()
  for (const [id, state] of stored?.tags.entries() ?? []) {
    if (program.subjects.user.tagsById.get(id)?.kind === 'manual') tags.set(id, state)
  }
  const state = { ...replayed, runs: stored?.runs ?? [], tags }
  return explainState(question, state, program, until, related)
}

/** A user's own log does not say what the community said of its leader. */
function leaderByCommunity(stored: SubjectState | undefined, at: number): Input[] {
  const { community, leader } = stored?.relations ?? {}
  if (community === undefined || leader === undefined || leader[1] > at) return []
  const changes = { relations: { leader: leader[0] } }
  return [{ kind: 'refresh', at, relation: 'community', id: community[0], changes, changedAt: leader[1] }]
}

function unknownSubject(key: SubjectKey): EngineError {
  return new EngineError('subject.unknown', `Nothing is known of ${subjectName(key)}.`, { subject: subjectName(key) })
}

/** Reads what rules may ask about a subject's related subjects. */
export async function relatedOf(store: Store, state: SubjectState | undefined): Promise<RelatedVerdicts> {
  const related = new Map<string, SubjectState>()
  for (const relation of ['community', 'leader'] as const) {
    const id = state?.relations[relation]?.[0]
    const found = id === undefined ? undefined : await store.readSubject({ kind: relation, id })
    if (found !== undefined) related.set(`${relation}:${id}`, found)
  }
  return (relation, id, verdict) => hasTag(related.get(`${relation}:${id}`) ?? UNBORN, verdict)
}
