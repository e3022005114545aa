import { type CompiledJourney, contentHash, type EventRecord, hashShare } from '@linli/rules'
import type { Draft } from './draft.js'
import { rememberGoal } from './goals.js'
import { exitConditionsAt, hasExitConditions, keyText } from './matching.js'
import { runSteps } from './steps.js'
import type { Run } from './subject.js'

/** How many journeys may follow from one another, each begun by what a step of the one before said. */
const CHAIN_LIMIT = 100

/** Begins a run, or says why not. Gives the run's id. `startedBy`: the run whose step wants it. */
export function enter(
  draft: Draft,
  journey: CompiledJourney,
  event: EventRecord | undefined,
  startedBy?: string,
): string | undefined {
  const key = journey.key === undefined ? undefined : keyText(journey.key(draft))
  const obstacle = journey.key !== undefined && key === undefined ? noKey(journey) : obstacleTo(draft, journey, key)
  if (obstacle !== undefined) {
    draft.decide('journey.held', journey.id, { ...obstacle, ...about(key, startedBy) })
    return undefined
  }
  const run = newRun(draft, journey, key, event)
  rememberEntry(draft, journey, key)
  if (journey.goal !== undefined) rememberGoal(draft, journey.goal.withinMs, run)
  const { version } = journey
  draft.decide('journey.entered', journey.id, { run: run.id, version, ...about(key, startedBy) })
  draft.writeRuns([...draft.runs, run], journey.id)
  runSteps(draft, journey, run, journey.first)
  return run.id
}

function about(key: string | undefined, startedBy: string | undefined) {
  return { ...(key !== undefined && { key }), ...(startedBy !== undefined && { startedBy }) }
}

function noKey({ definition }: CompiledJourney) {
  return { reason: 'no key', key: definition.key }
}

/** Why somebody may not enter now; undefined when nothing stands against it. */
function obstacleTo(draft: Draft, journey: CompiledJourney, key: string | undefined) {
  const again = reentryObstacle(draft, journey, key)
  if (again !== undefined) return again
  if (hasExitConditions(journey) && exitConditionsAt(draft, journey) <= draft.at) return { reason: 'exit conditions' }
  if (journey.holdout > 0 && hashShare(`${journey.id}|${draft.name}`) < journey.holdout) {
    return { reason: 'holdout', share: journey.holdout }
  }
  return draft.link >= CHAIN_LIMIT ? { reason: 'chain', limit: CHAIN_LIMIT } : undefined
}

function newRun(draft: Draft, journey: CompiledJourney, key: string | undefined, event: EventRecord | undefined): Run {
  draft.entered += 1
  const identity = [draft.name, journey.id, key ?? '', draft.at, draft.entered]
  return {
    id: contentHash(identity.join('|'), 16),
    journey: journey.id,
    hash: journey.hash,
    ...(key !== undefined && { key }),
    // By its own time: what happened after the entry event concerns the run, also when both came late.
    enteredAt: event?.at ?? draft.at,
    step: '',
    until: 0,
    ...(draft.link > 0 && { link: draft.link }),
    ...(journey.keepsEvent && event !== undefined && { entry: event }),
  }
}

function reentryObstacle(draft: Draft, { id, reentry }: CompiledJourney, key: string | undefined) {
  if (reentry.kind === 'always') return undefined
  const active = draft.runs.find((run) => run.journey === id && run.key === key)
  if (active !== undefined) return { reason: 'active', run: active.id }
  const last = draft.entries[entryName(id, key)]
  if (reentry.kind === 'oneAtATime' || last === undefined) return undefined
  if (reentry.kind !== 'after') return { reason: 're-entry', last: new Date(last).toISOString() }
  const from = last + reentry.ms
  return draft.at < from ? { reason: 're-entry', from: new Date(from).toISOString() } : undefined
}

function entryName(journey: string, key: string | undefined): string {
  return key === undefined ? journey : `${journey}/${key}`
}

/** Remembers the entry where re-entry depends on it, and forgets those that no longer matter. */
function rememberEntry(draft: Draft, { id, reentry }: CompiledJourney, key: string | undefined): void {
  if (reentry.kind === 'always' || reentry.kind === 'oneAtATime') return
  const keptForMs = reentry.kind === 'after' ? reentry.ms : Number.POSITIVE_INFINITY
  const outdated = (name: string, at: number) =>
    (name === id || name.startsWith(`${id}/`)) && at + keptForMs <= draft.at
  const kept = Object.entries(draft.entries).filter(([name, at]) => !outdated(name, at))
  draft.entries = Object.fromEntries([...kept, [entryName(id, key), draft.at]])
}
