import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import type { Place, Steps } from './words.js'

// Journeys as trees of steps.

/** Where a step stands. */
export function placeOf(steps: Steps, id: string): Place[] | undefined {
  for (const [index, step] of steps.entries()) {
    if (step.id === id) return [{ steps, next: index }]
    for (const inner of innerOf(step)) {
      const found = placeOf(inner, id)
      if (found !== undefined) return [{ steps, next: index + 1 }, ...found]
    }
  }
  return undefined
}

/** Whether something below reads the event that brought a run there. */
export function readsEvent(steps: Steps): boolean {
  return allOf(steps).some((step) => {
    if ('start' in step || 'digest' in step) return true
    const asked = 'branch' in step ? step.branch.map(({ conditions }) => conditions) : step
    return ['branch', 'set', 'emit'].some((verb) => verb in step) && /"fact":"event"/.test(JSON.stringify(asked))
  })
}

/** Whether it is kept from a control group: it promotes or gives, and serves nobody. */
export function isOfControl({ steps }: JourneyDefinition): boolean {
  const all = allOf(steps)
  const classes = all.flatMap((step) => ('send' in step ? [step.send.class] : []))
  const gives = classes.length > 0 || all.some((step) => 'issue' in step)
  return gives && !classes.includes('service')
}

function allOf(steps: Steps): readonly StepDefinition[] {
  return steps.flatMap((step) => [step, ...innerOf(step).flatMap(allOf)])
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
