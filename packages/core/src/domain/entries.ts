import { type CompiledJourney, contentHash, type EventRecord } from '@linli/rules'
import type { Draft } from './draft.js'
import { rememberGoal } from './goals.js'
import { entryHalt, haltName } from './halts.js'
import { type HeldOut, heldOutOf } from './holdouts.js'
import { exitConditionsAt, hasExitConditions, keyText } from './matching.js'
import { exitRun, journeyOf, keepOut } from './runs.js'
import { runSteps } from './steps.js'
import type { Goal, Run } from './subject.js'

/** How many journeys may follow from one another, each begun by what a step of the one before said. */
const CHAIN_LIMIT = 100

/** How many runs of one subject may begin by what steps did, within an hour: journeys that set off one another may branch. */
const CHAINED_LIMIT = 1000
const HOUR_MS = 3_600_000

/** Begins a run, or says why not. Gives the run's id. `startedBy`: the run whose step wants it. */
export function enter(
  draft: Draft,
  journey: CompiledJourney,
  event: EventRecord | undefined,
  startedBy?: string,
): string | undefined {
  const key = journey.key === undefined ? undefined : keyText(journey.key(draft))
  const obstacle = journey.key !== undefined && key === undefined ? noKey(journey) : obstacleTo(draft, journey, key)
  const from = event?.at ?? draft.at
  if (obstacle !== undefined) {
    draft.decide('journey.held', journey.id, { ...obstacle, ...about(key, startedBy) })
    return undefined
  }
  const heldOut = heldOutOf(journey, draft.name)
  if (heldOut !== undefined) {
    const compared = compareWith(draft, journey, from, key, heldOut) && { compared: true }
    draft.decide('journey.held', journey.id, { ...heldOut, ...about(key, startedBy), ...compared })
    return undefined
  }
  const run = newRun(draft, journey, key, event)
  if (journey.limit === undefined) begin(draft, journey, run, startedBy)
  else askForPlace(draft, journey, { ...run, pending: { ...(startedBy !== undefined && { startedBy }) } })
  return run.id
}

function begin(draft: Draft, journey: CompiledJourney, run: Run, startedBy: string | undefined): void {
  for (const rival of rivalsOf(draft, journey, run)) exitRun(draft, rival, `gave way to ${journey.id}`)
  const { id, key, enteredAt } = run
  rememberEntry(draft, journey, entryName(journey.id, key))
  rememberGoal(draft, journey, enteredAt, { run: id, ...(key !== undefined && { key }) })
  draft.decide('journey.entered', journey.id, { run: id, version: journey.version, ...about(key, startedBy) })
  draft.writeRuns([...draft.runs.filter((one) => one.id !== id), run], journey.id)
  runSteps(draft, journey, run, journey.first)
}

/** The run stands before its first step until it is known whether the journey has a place left. */
function askForPlace(draft: Draft, journey: CompiledJourney, run: Run): void {
  draft.writeRuns([...draft.runs, run], journey.id)
  draft.effects.push({ kind: 'place', source: { journey: journey.id, run: run.id, step: run.step }, at: draft.at })
}

/** Lets somebody in who has waited for a place, or says that there was none. */
export function settlePlace(draft: Draft, journey: CompiledJourney, { pending, ...run }: Run, granted: boolean): void {
  if (granted) return begin(draft, journey, run, pending?.startedBy)
  draft.writeRuns(
    draft.runs.filter(({ id }) => id !== run.id),
    run.journey,
  )
  const { max, within } = journey.limit ?? {}
  const limit = { reason: 'limit', max, ...(within !== undefined && { within }) }
  keepOut(draft, run, { ...limit, ...about(run.key, pending?.startedBy) })
}

function about(key: string | undefined, startedBy: string | undefined) {
  return { ...(key !== undefined && { key }), ...(startedBy !== undefined && { startedBy }) }
}

function noKey({ definition }: CompiledJourney) {
  return { reason: 'no key', key: definition.key }
}

/** Why somebody may not enter now; undefined when nothing stands against it. */
function obstacleTo(draft: Draft, journey: CompiledJourney, key: string | undefined) {
  const halt = entryHalt(draft.program, journey.id)
  if (halt !== undefined) return { reason: halt.state, halt: haltName(halt.target) }
  const again = reentryObstacle(draft, journey, key)
  if (again !== undefined) return again
  if (hasExitConditions(journey) && exitConditionsAt(draft, journey) <= draft.at) return { reason: 'exit conditions' }
  const stronger = rivalsOf(draft, journey).find((run) => (journeyOf(draft, run)?.priority ?? 0) >= journey.priority)
  if (stronger !== undefined) return { reason: 'exclusive', run: stronger.id, journey: stronger.journey }
  if (draft.link >= CHAIN_LIMIT) return { reason: 'chain', limit: CHAIN_LIMIT }
  return draft.link > 0 && chainedNow(draft)[1] >= CHAINED_LIMIT ? { reason: 'chain', limit: CHAINED_LIMIT } : undefined
}

/** Since when, at most an hour, runs that followed from others are counted, and how many began. */
function chainedNow({ chained: [from, count = 0], at }: Draft): readonly [from: number, count: number] {
  return from === undefined || at >= from + HOUR_MS ? [at, 0] : [from, count]
}

/** The runs of the group of journeys of which the subject is in one at a time. */
function rivalsOf(draft: Draft, { exclusive }: CompiledJourney, own?: Run): readonly Run[] {
  if (exclusive === undefined) return []
  return draft.runs.filter((run) => run.id !== own?.id && journeyOf(draft, run)?.exclusive === exclusive)
}

function newRun(draft: Draft, journey: CompiledJourney, key: string | undefined, event: EventRecord | undefined): Run {
  draft.entered += 1
  if (draft.link > 0) {
    const [from, count] = chainedNow(draft)
    draft.chained = [from, count + 1]
  }
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

/**
 * Somebody who is kept out has the goal, too, as often as one who is not: once for each time that would have been an entry.
 * What re-entry depends on is remembered apart, so that all may enter once nobody is kept out any more. Says whether this
 * is such a time.
 */
function compareWith(
  draft: Draft,
  journey: CompiledJourney,
  from: number,
  key: string | undefined,
  { reason: group }: HeldOut,
): boolean {
  if (journey.goal === undefined) return false
  const name = entryName(`${HELD_OUT_MARK}${journey.id}`, key)
  const isOpen = ({ journey: id, group: kept, key: its, until }: Goal) =>
    id === journey.id && kept !== undefined && its === key && until > draft.at
  if (journey.reentry.kind === 'oneAtATime' && draft.goals.some(isOpen)) return false
  if (tooSoon(draft, journey, name) !== undefined) return false
  rememberEntry(draft, journey, name)
  rememberGoal(draft, journey, from, { group, ...(key !== undefined && { key }) })
  return true
}

function reentryObstacle(draft: Draft, { id, reentry }: CompiledJourney, key: string | undefined) {
  if (reentry.kind === 'always') return undefined
  const active = draft.runs.find((run) => run.journey === id && run.key === key)
  if (active !== undefined) return { reason: 'active', run: active.id }
  return tooSoon(draft, { reentry }, entryName(id, key))
}

/** Why it is too soon after the last entry. */
function tooSoon(draft: Draft, { reentry }: Pick<CompiledJourney, 'reentry'>, name: string) {
  const last = draft.entries[name]
  if (last === undefined) return undefined
  if (reentry.kind === 'never') return { reason: 're-entry', last: new Date(last).toISOString() }
  if (reentry.kind !== 'after') return undefined
  const from = last + reentry.ms
  return draft.at < from ? { reason: 're-entry', from: new Date(from).toISOString() } : undefined
}

/** What the names of entries that were none begin with; ids of journeys never do. */
const HELD_OUT_MARK = '~'

/** All names under which an entry may be remembered. */
export function entryNames(journey: string, key: string): readonly string[] {
  return [entryName(journey, key), entryName(`${HELD_OUT_MARK}${journey}`, key)]
}

function entryName(journey: string, key: string | undefined): string {
  return key === undefined ? journey : `${journey}/${key}`
}

/** Remembers the entry where re-entry depends on it, and forgets those that no longer matter. */
function rememberEntry(draft: Draft, { reentry }: CompiledJourney, entry: string): void {
  if (reentry.kind === 'always' || reentry.kind === 'oneAtATime') return
  const entries: Record<string, number> = {}
  const [id = ''] = entry.split('/')
  for (const [name, at] of Object.entries(draft.entries)) {
    const isOver = reentry.kind === 'after' && at + reentry.ms <= draft.at && name !== entry
    if (!isOver || !(name === id || name.startsWith(`${id}/`))) entries[name] = at
  }
  draft.entries = { ...entries, [entry]: draft.at }
}
