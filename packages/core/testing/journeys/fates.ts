import type { JourneyDefinition } from '@linli/rules'
import { abandon, end } from './exits.js'
import type { Life } from './life.js'
import { walk } from './steps.js'
import { placeOf, readsEvent } from './tree.js'
import type { Run } from './words.js'

// What becomes of runs when somebody cancels or stops them, or changes their journey.

export function cancel(life: Life, run: Run): void {
  end(life, run, 'cancelled', 'cancelled')
}

/** Runs of a journey, or all of them, are stopped. */
export function stop(life: Life, journey: string | undefined): void {
  for (const run of life.runs) if (journey === undefined || run.definition.id === journey) end(life, run, 'stopped')
}

/** Other journeys are in force: runs go on as they began, unless the changed journey says otherwise. */
export function change(life: Life, journeys: readonly JourneyDefinition[]): void {
  life.journeys = journeys
  const changed = life.runs.flatMap((run) => {
    const journey = journeys.find(({ id }) => id === run.definition.id)
    return journey === undefined || JSON.stringify(journey) === JSON.stringify(run.definition) ? [] : [{ run, journey }]
  })
  for (const { run, journey } of changed) {
    if (journey.earlier === 'stop') end(life, run, 'stopped by a newer version')
  }
  for (const { run, journey } of changed) {
    if (typeof journey.earlier === 'object') move(life, run, journey, journey.earlier.moveTo)
  }
}

function move(life: Life, run: Run, definition: JourneyDefinition, to: string): void {
  abandon(life, run)
  // What brought it here is kept only where something reads it.
  if (!readsEvent(run.definition.steps)) run.event = undefined
  run.definition = definition
  // Who waits for a place has no step to leave.
  if (!run.isIn) return
  run.movedFrom = run.step.id
  run.path = placeOf(definition.steps, to) ?? []
  walk(life, run)
}
