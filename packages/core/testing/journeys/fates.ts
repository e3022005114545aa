import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import { abandon, end } from './exits.js'
import type { Life } from './life.js'
import { walk } from './steps.js'
import type { Place, Run, Steps } from './words.js'

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
  run.movedFrom = run.step.id
  run.path = placeOf(definition.steps, to) ?? []
  walk(life, run)
}

function placeOf(steps: Steps, id: string): Place[] | undefined {
  for (const [index, step] of steps.entries()) {
    if (step.id === id) return [{ steps, next: index }]
    for (const inner of innerOf(step)) {
      const found = placeOf(inner, id)
      if (found !== undefined) return [{ steps, next: index + 1 }, ...found]
    }
  }
  return undefined
}

function readsEvent(steps: Steps): boolean {
  return steps.some((step) => {
    if ('start' in step || 'digest' in step) return true
    const asked = 'branch' in step ? step.branch.map(({ conditions }) => conditions) : step
    const isAsked = ['branch', 'set', 'emit'].some((verb) => verb in step)
    return (isAsked && /"fact":"event"/.test(JSON.stringify(asked))) || innerOf(step).some(readsEvent)
  })
}

/** The lists of steps in a step. */
function innerOf(step: StepDefinition): readonly Steps[] {
  const below = [
    'then' in step ? step.then : undefined,
    'else' in step ? step.else : undefined,
    ...('branch' in step ? step.branch.map(({ then }) => then) : []),
    ...('split' in step ? step.split.map(({ then }) => then) : []),
    ...('waitFor' in step && 'any' in step.waitFor ? step.waitFor.any.map(({ then }) => then) : []),
    ...('send' in step ? Object.values(step.on ?? {}) : []),
  ]
  return below.filter((steps) => steps !== undefined)
}
