import * as z from 'zod'
import { checkBooleanLeaf, type FactType, paramsPlace } from './fact.js'

const runParams = z.strictObject({
  journey: z.string().min(1).describe('The id of a journey of this pack.'),
  step: z.string().min(1).optional().describe('The step at which it waits; left out: any.'),
  key: z.string().min(1).optional().describe('Which run, of a journey with a key; left out: any.'),
})

export const run: FactType<z.infer<typeof runParams>> = {
  name: 'run',
  summary: 'Whether the subject is in a journey, or waits at one of its steps: true or false.',
  params: runParams,
  compile({ params: { journey, step, key }, place, scope, leaf }) {
    const steps = scope.journeySteps.get(journey)
    if (steps === undefined) {
      const message = `The pack has no journey ${JSON.stringify(journey)} for a ${scope.subject}.`
      scope.problems.unknown(paramsPlace(place, 'journey'), 'journey', journey, scope.journeySteps.keys(), message)
      return undefined
    }
    if (step !== undefined && !steps.has(step)) {
      const message = `The journey "${journey}" has no step ${JSON.stringify(step)}.`
      scope.problems.unknown(paramsPlace(place, 'step'), 'step', step, steps, message)
      return undefined
    }
    if (!checkBooleanLeaf(leaf, scope, 'Somebody is in a journey or not: compare it with true or false.')) {
      return undefined
    }
    scope.depends.journeys.add(journey)
    return {
      read: ({ runs }) =>
        runs.some(
          (one) =>
            one.journey === journey &&
            one.pending === undefined &&
            (step === undefined || one.step === step) &&
            (key === undefined || one.key === key),
        ),
    }
  },
}
