import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import type { LoggedEvent } from '../law/known.js'
import { isTurn, keyOf, mustLeave } from './exits.js'
import { keptOutBy } from './halts.js'
import type { Life } from './life.js'
import { follow, walk } from './steps.js'
import type { Asked, Run, Turn } from './words.js'

// Who enters which journey.

/** @param collected journeys of which a run has collected the event: it lets nobody in once more */
export function enterByEvent(life: Life, event: LoggedEvent, collected: ReadonlySet<string>): void {
  for (const journey of life.journeys) {
    const { entry } = journey
    if (entry.on !== 'event' || collected.has(journey.id)) continue
    if (life.matches(entry as Asked, event)) enter(life, journey, event, event.at)
  }
}

export function enterByTurn(life: Life, turn: Turn): void {
  for (const journey of life.journeys) {
    const { entry } = journey
    if (!isTurn(entry, turn, life.rules)) continue
    if (life.holds((entry as Asked).conditions, undefined)) enter(life, journey, undefined, life.at)
  }
}

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
  if (child === undefined) follow(life, run, step.else ?? [])
  else if (step.start.wait === undefined) follow(life, run, step.then ?? [])
  else run.waiting = { kind: 'child', child: child.name }
  return true
}

function enter(
  life: Life,
  definition: JourneyDefinition,
  event: LoggedEvent | undefined,
  since: number,
): Run | undefined {
  const key = keyOf(definition, event)
  const obstacle = obstacleTo(life, definition, key)
  if (obstacle !== undefined) {
    life.line({ decision: 'journey.held', rule: definition.id, key, ...obstacle })
    return undefined
  }
  const number = life.past.filter((run) => run.definition.id === definition.id).length
  const run: Run = {
    name: `${definition.id}#${number}`,
    definition,
    key,
    since,
    enteredAt: life.at,
    path: [{ steps: definition.steps, next: 0 }],
    event,
    step: definition.steps[0] as StepDefinition,
    movedFrom: undefined,
    waiting: { kind: 'time' },
    until: Number.POSITIVE_INFINITY,
    goalReached: false,
    collected: 0,
  }
  life.runs.push(run)
  life.past.push(run)
  life.say('journey.entered', run, { key })
  walk(life, run)
  return run
}

/** Why somebody may not enter. */
function obstacleTo(life: Life, definition: JourneyDefinition, key: string | undefined): object | undefined {
  if (definition.key !== undefined && key === undefined) return { reason: 'no key', key: definition.key }
  const halted = keptOutBy(life, definition.id)
  if (halted !== undefined) return { reason: halted }
  const earlier = life.past.filter((run) => run.definition.id === definition.id && run.key === key)
  const { reentry = 'oneAtATime' } = definition
  if (reentry !== 'always' && earlier.some((run) => life.runs.includes(run))) return { reason: 'active' }
  const last = Math.max(...earlier.map((run) => run.enteredAt))
  if (reentry === 'never' && earlier.length > 0) return { reason: 're-entry' }
  if (typeof reentry === 'object' && life.at < last + lengthOf(reentry.after)) return { reason: 're-entry' }
  if (mustLeave(life, definition)) return { reason: 'exit conditions' }
  const isHeldOut = definition.holdout !== undefined && life.choices.isHeldOut(definition.id)
  return isHeldOut ? { reason: 'holdout' } : undefined
}
