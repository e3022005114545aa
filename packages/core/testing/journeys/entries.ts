import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import type { LoggedEvent } from '../law/known.js'
import { end, isInTime, keyOf, mustLeave } from './exits.js'
import { keptOutBy } from './halts.js'
import type { Life } from './life.js'
import { follow, walk } from './steps.js'
import { isOfControl } from './tree.js'
import type { Run } from './words.js'

// Who enters which journey.

/** The earliest `start` step that has not been looked at; gives whether there was one. */
export function startNext(life: Life): boolean {
  const run = life.starts.shift()
  if (run === undefined) return false
  const { step } = run
  if (!life.runs.includes(run) || !('start' in step)) return true
  const definition = life.journeys.find(({ id }) => id === step.start.journey)
  const conditions = definition?.entry.on === 'start' ? definition.entry.conditions : undefined
  const mayBegin = definition !== undefined && life.holds(conditions, run.event)
  if (!mayBegin) life.line({ decision: 'journey.held', rule: step.start.journey, reason: 'conditions' })
  const child = mayBegin ? enter(life, definition, run.event, run.event?.at ?? life.at) : undefined
  // It may have given way to the one that it has started.
  if (!life.runs.includes(run)) return true
  if (child === undefined) follow(life, run, step.else ?? [])
  else if (step.start.wait === undefined && child.isIn) follow(life, run, step.then ?? [])
  else run.waiting = { kind: 'child', child }
  return true
}

/** Begins a run, or says why not. It may have to wait for a place first. */
export function enter(
  life: Life,
  definition: JourneyDefinition,
  event: LoggedEvent | undefined,
  since: number,
): Run | undefined {
  const key = keyOf(definition, event)
  const obstacle = obstacleTo(life, definition, key) ?? keepOut(life, definition, key, since)
  if (obstacle !== undefined) {
    life.line({ decision: 'journey.held', rule: definition.id, key, ...obstacle })
    return undefined
  }
  const run: Run = {
    name: '',
    isIn: false,
    definition,
    key,
    since,
    enteredAt: life.at,
    path: [],
    event,
    step: definition.steps[0] as StepDefinition,
    movedFrom: undefined,
    waiting: { kind: 'wish', wish: { kind: 'place' }, aside: undefined },
    until: Number.POSITIVE_INFINITY,
    goalReached: false,
    collected: 0,
    variants: new Map(),
  }
  life.runs.push(run)
  if (definition.limit === undefined) letIn(life, run)
  return run
}

/** It is now that the journey is entered. */
function letIn(life: Life, run: Run): void {
  const { definition, key } = run
  for (const rival of rivalsOf(life, definition, run)) end(life, rival, `gave way to ${definition.id}`)
  const number = life.past.filter((one) => one.definition.id === definition.id).length
  const path = [{ steps: definition.steps, next: 0 }]
  Object.assign(run, { name: `${definition.id}#${number}`, isIn: true, enteredAt: life.at, path })
  life.past.push(run)
  life.say('journey.entered', run, { key })
  walk(life, run)
}

/** What becomes of who has waited for a place. */
export function answer(life: Life, run: Run): void {
  if (life.choices.isLetIn(run)) return letIn(life, run)
  life.runs = life.runs.filter((one) => one !== run)
  life.line({ decision: 'journey.held', rule: run.definition.id, key: run.key, reason: 'limit' })
}

/** Why somebody may not enter. */
function obstacleTo(life: Life, definition: JourneyDefinition, key: string | undefined): object | undefined {
  if (definition.key !== undefined && key === undefined) return { reason: 'no key', key: definition.key }
  const halted = keptOutBy(life, definition.id)
  if (halted !== undefined) return { reason: halted }
  const isOurs = (run: Run) => run.definition.id === definition.id && run.key === key
  const earlier = life.past.filter(isOurs)
  const { reentry = 'oneAtATime', priority = 0 } = definition
  if (reentry !== 'always' && life.runs.some(isOurs)) return { reason: 'active' }
  if (isTooSoon(life, definition, earlier)) return { reason: 're-entry' }
  if (mustLeave(life, definition)) return { reason: 'exit conditions' }
  const isStronger = (rival: Run) => (rival.definition.priority ?? 0) >= priority
  return rivalsOf(life, definition).some(isStronger) ? { reason: 'exclusive' } : undefined
}

function isTooSoon(
  life: Life,
  { reentry }: JourneyDefinition,
  earlier: readonly { readonly enteredAt: number }[],
): boolean {
  if (reentry === 'never') return earlier.length > 0
  const last = Math.max(...earlier.map(({ enteredAt }) => enteredAt))
  return typeof reentry === 'object' && life.at < last + lengthOf(reentry.after)
}

/** Runs of the group of journeys of which somebody is in one at a time. */
function rivalsOf(life: Life, { exclusive }: JourneyDefinition, own?: Run): readonly Run[] {
  if (exclusive === undefined) return []
  return life.runs.filter((run) => run !== own && run.definition.exclusive === exclusive)
}

/** Says so where somebody is kept out to compare with, and whether this time counts as one that would have been an entry. */
function keepOut(
  life: Life,
  definition: JourneyDefinition,
  key: string | undefined,
  since: number,
): object | undefined {
  const isHeldOut = definition.holdout !== undefined && life.choices.isHeldOut(definition.id)
  const isInControl = life.outside.hasControl && isOfControl(definition) && life.choices.isInControl()
  if (!isHeldOut && !isInControl) return undefined
  const group = isInControl ? 'control group' : 'holdout'
  const earlier = life.keptOut.filter((one) => one.definition.id === definition.id && one.key === key)
  const { goal, reentry = 'oneAtATime' } = definition
  const isOpen = reentry === 'oneAtATime' && earlier.some((one) => !one.goalReached && isInTime(one, life.at))
  if (goal === undefined || isOpen || isTooSoon(life, definition, earlier)) return { reason: group }
  life.keptOut.push({ definition, key, since, enteredAt: life.at, goalReached: false, group })
  return { reason: group, compared: true }
}
