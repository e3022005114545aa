import type { Pack } from '../pack.js'
import type { Problems } from '../problems.js'
import type { StepDefinition } from '../schemas/journey.js'

/** What is allowed but is seldom meant. */
export function warnAbout(pack: Pack, problems: Problems): void {
  const asksConsent = pack.policies.some(({ definition }) => 'consent' in definition)
  for (const { definition, place } of pack.journeys) {
    const promotes = [...stepsOf(definition.steps)].some((step) => 'send' in step && step.send.class === 'promotion')
    if (promotes && !asksConsent) {
      const message =
        'This journey sends promotions and the pack has no consent policy: only those who opted out are spared.'
      problems.warning(place, 'policy.noConsent', message)
    }
  }
}

function* stepsOf(steps: readonly StepDefinition[]): Generator<StepDefinition> {
  for (const step of steps) {
    yield step
    if ('branch' in step) for (const one of step.branch) yield* stepsOf(one.then)
    if ('then' in step && step.then) yield* stepsOf(step.then)
    if ('else' in step && step.else) yield* stepsOf(step.else)
  }
}
