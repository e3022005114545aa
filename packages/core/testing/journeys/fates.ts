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

/** What somebody has published, or stopped. */
export type News =
  | { readonly journeys: readonly JourneyDefinition[] }
  /** Left out: all of them. */
  | { readonly stopped: string | undefined }

/**
 * Somebody meets all that is new at once. Runs go on as they began, unless a changed journey says otherwise: the first that
 * stops a run does, and of those that move it, the last.
 */
export function meet(life: Life, news: readonly News[]): void {
  for (const one of news) if ('journeys' in one) life.journeys = one.journeys
  const fates = life.runs.map((run) => ({ run, ...fateOf(run, news) }))
  for (const { run, reason } of fates) if (reason !== undefined) end(life, run, reason)
  for (const { run, reason, to } of fates)
    if (reason === undefined && !fits(life, to ?? run.definition))
      end(life, run, 'its journey no longer fits the rules')
  for (const { run, reason, to } of fates)
    if (life.runs.includes(run) && reason === undefined && to !== undefined) move(life, run, to)
}

/** Whether the journeys in force have those that a definition speaks of. */
function fits({ journeys }: Life, definition: JourneyDefinition): boolean {
  const spokenOf = [...JSON.stringify(definition).matchAll(/"journey":"(\w+)"/g)].map(([, id]) => id)
  return spokenOf.every((one) => journeys.some(({ id }) => id === one))
}

/** Why it ends, or the definition that it goes on by; neither where it goes on as it began. */
function fateOf({ definition }: Run, news: readonly News[]) {
  let to: JourneyDefinition | undefined
  for (const one of news) {
    if ('stopped' in one) {
      if (one.stopped === undefined || one.stopped === definition.id) return { reason: 'stopped' }
      continue
    }
    const journey = one.journeys.find(({ id }) => id === definition.id)
    if (journey === undefined || JSON.stringify(journey) === JSON.stringify(to ?? definition)) continue
    if (journey.earlier === 'stop') return { reason: 'stopped by a newer version' }
    if (typeof journey.earlier === 'object') to = journey
  }
  return { to }
}

function move(life: Life, run: Run, definition: JourneyDefinition): void {
  abandon(life, run)
  // What brought it here is kept only where something reads it.
  if (!readsEvent(run.definition.steps)) run.event = undefined
  run.definition = definition
  // Who waits for a place has no step to leave.
  if (!run.isIn) return
  run.movedFrom = run.step.id
  const { earlier } = definition
  run.path = (typeof earlier === 'object' && placeOf(definition.steps, earlier.moveTo)) || []
  walk(life, run)
}
