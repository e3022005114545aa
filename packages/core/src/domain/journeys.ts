import type { EventRecord, WaitCase } from '@linli/rules'
import { type Chance, chancesByChange, takeInTurn } from './chances.js'
import type { Input } from './decision.js'
import { evaluateDerived } from './derived.js'
import { collect } from './digests.js'
import type { Draft } from './draft.js'
import { settlePlace } from './entries.js'
import { reachGoals } from './goals.js'
import { exitConditionsAt, hasExitConditions, matches, sameKey } from './matching.js'
import { exitRun, journeyOf, replaceRun, stepOf } from './runs.js'
import { awaitChild, startNext } from './starts.js'
import { awaitConditions, followSend, runSteps, takeCase } from './steps.js'
import { isAt, type Run } from './subject.js'
import { keepUntold } from './untold.js'

/** How many changes of tags and scores journeys may bring about within one input: A tags, so B enters and untags … */
const CASCADE_LIMIT = 100

/** How many journeys an event has behind it: those of steps say so. */
export function linkOf({ messageId, properties }: EventRecord): number {
  const link = messageId.startsWith('linli:') ? properties['link'] : undefined
  return typeof link === 'number' ? link : 0
}

/** Runs whose wait has ended by `instant`, in the order they were entered. */
export function dueRuns(draft: Draft, instant: number): readonly Run[] {
  return draft.runs.filter((run) => run.until > 0 && run.until <= instant)
}

/** Ends a wait by time: the next step after `wait` and `digest`, else the `else` steps. One for conditions is looked at. */
export function timeOut(draft: Draft, run: Run): void {
  const journey = journeyOf(draft, run)
  const step = stepOf(journey, run)
  if (journey === undefined || step === undefined) return exitRun(draft, run, 'its journey no longer exists')
  if (step.verb === 'wait') runSteps(draft, journey, run, step.next)
  else if (step.verb === 'waitFor') {
    if (draft.at >= (run.deadline ?? 0)) runSteps(draft, journey, run, step.otherwise)
    else awaitConditions(draft, journey, run, step)
  } else if (step.verb === 'digest') runSteps(draft, journey, run, step.next)
  else if (step.verb === 'start') {
    if (draft.at >= (run.deadline ?? 0)) runSteps(draft, journey, run, step.otherwise)
    else awaitChild(draft, journey, run, step)
  } else exitRun(draft, run, 'its step cannot wait')
}

/**
 * Shows an event to the runs there are. A run that waits for exactly this event, or collects it, takes it; else the exit may.
 * Gives the runs that collected it.
 */
export function moveRunsByEvent(draft: Draft, event: EventRecord): readonly Run[] {
  reachGoals(draft, event)
  const collected: Run[] = []
  for (const run of draft.runs) {
    const journey = journeyOf(draft, run)
    if (journey === undefined || event.at < run.enteredAt || !sameKey(draft, journey, run.key)) continue
    const step = stepOf(journey, run)
    const taken = step?.verb === 'waitFor' ? step.cases.find((one) => isMet(draft, one, event)) : undefined
    if (taken !== undefined) {
      takeCase(draft, journey, { ...run, ...(journey.keepsEvent && { event }) }, taken)
    } else if (step?.verb === 'digest' && matches(draft, step.match, event)) {
      collect(draft, journey, run, step, event)
      collected.push(run)
    } else if (journey.exits.some((exit) => exit.on === 'event' && matches(draft, exit, event))) {
      exitRun(draft, run, `event ${event.event}`)
    }
  }
  return collected
}

/**
 * Lets the subject enter the journeys that it may now; lets journeys react to tags put on and taken off and to scores that
 * crossed a line, and tags and scores to runs that began, moved or ended; and to what that brings about in turn.
 */
export function react(draft: Draft, first: readonly Chance[] = []): void {
  let chances = first
  let count = 0
  const follows = () => followRuns(draft)
  do {
    const changes = draft.changes.splice(0)
    const heeded = changes.slice(0, CASCADE_LIMIT - count)
    takeInTurn(draft, [...chances, ...heeded.flatMap((change) => chancesByChange(draft, change, follows))])
    followRuns(draft)
    const next = changes[heeded.length]
    if (next !== undefined) {
      draft.changes.length = 0
      return draft.decide('journey.held', next.id, { reason: 'cascade', limit: CASCADE_LIMIT })
    }
    count += changes.length
    chances = []
  } while (draft.changes.length > 0 || follow(draft))
}

/** Ends runs by conditions, starts journeys that steps ask for, lets go on what waited for either: one of them at a time. */
function follow(draft: Draft): boolean {
  return followExits(draft) || startNext(draft) || followWaits(draft)
}

/** Ends runs whose exit conditions hold; the others know when to look again. Says whether there was one. */
export function followExits(draft: Draft): boolean {
  let ended = false
  for (const run of draft.runs) {
    const journey = journeyOf(draft, run)
    if (journey === undefined || !hasExitConditions(journey)) continue
    const at = exitConditionsAt(draft, journey)
    if (at <= draft.at) {
      ended = true
      exitRun(draft, run, 'exit conditions')
    } else if (at !== (run.exitsAt ?? Number.POSITIVE_INFINITY)) {
      const { exitsAt: _, ...lasting } = run
      replaceRun(draft, Number.isFinite(at) ? { ...lasting, exitsAt: at } : lasting)
    }
  }
  return ended
}

/** Whether a run that waited for conditions, or for another run, went on. */
function followWaits(draft: Draft): boolean {
  return draft.runs.some((run) => {
    const waits = run.deadline !== undefined || run.child !== undefined
    const journey = waits ? journeyOf(draft, run) : undefined
    const step = stepOf(journey, run)
    if (journey === undefined) return false
    if (step?.verb === 'waitFor') return awaitConditions(draft, journey, run, step)
    return step?.verb === 'start' && awaitChild(draft, journey, run, step)
  })
}

/** Looks again at the tags and scores that read runs which have changed. */
function followRuns(draft: Draft): void {
  if (draft.movedJourneys.size === 0) return
  const readers = [...draft.movedJourneys].flatMap((journey) => draft.rules.readers.journeys.get(journey) ?? [])
  draft.movedJourneys.clear()
  evaluateDerived(draft, readers)
}

/**
 * Lets journeys take no notice of what has changed: nobody enters or leaves one. Runs that wait for conditions, or end by
 * them, are due, so that they look at them anew.
 */
export function hush(draft: Draft): void {
  followRuns(draft)
  draft.changes.length = 0
  for (const run of draft.runs) {
    if (run.deadline !== undefined && run.until > draft.at) replaceRun(draft, { ...run, until: draft.at })
    const journey = journeyOf(draft, run)
    if (journey !== undefined && hasExitConditions(journey)) replaceRun(draft, { ...run, exitsAt: draft.at })
  }
}

/** Ends a run because somebody says so. */
export function cancel(draft: Draft, { run: id, by, reason: note }: Extract<Input, { kind: 'cancel' }>): void {
  const run = draft.runs.find((one) => one.id === id)
  if (run !== undefined) {
    exitRun(draft, run, 'cancelled', { ...(by !== undefined && { by }), ...(note !== undefined && { note }) })
  }
}

/** Goes on after a step that waited for its outcome. */
export function resume(draft: Draft, input: Extract<Input, { kind: 'outcome' }>): void {
  const run = draft.runs.find((one) => isAt(one, input))
  const journey = run && journeyOf(draft, run)
  const step = journey?.steps[journey.stepIndex.get(input.step) ?? -1]
  if (run === undefined) return
  if (journey === undefined) return exitRun(draft, run, 'its journey no longer exists')
  if (run.pending !== undefined) return settlePlace(draft, journey, run, input.result === 'accepted')
  if (step?.verb === 'send') return followSend(draft, journey, run, step, input.result)
  if (step?.verb === 'set' || step?.verb === 'emit') return runSteps(draft, journey, run, step.next)
  if (step?.verb !== 'issue') return
  if (input.result !== 'accepted') return runSteps(draft, journey, run, step.otherwise)
  keepUntold(draft, run, input)
  runSteps(draft, journey, { ...run, ...(input.coupon && { coupon: input.coupon }) }, step.next)
}

function isMet(draft: Draft, one: WaitCase, event: EventRecord): boolean {
  return one.on === 'event' && matches(draft, one, event)
}
