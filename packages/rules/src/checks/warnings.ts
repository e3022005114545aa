import { isObject, walkJson } from '../json.js'
import { definitionsOf, type Pack } from '../pack.js'
import type { Problems } from '../problems.js'
import { stepsOf } from '../schemas/step.js'

/** What is allowed but is seldom meant. */
export function warnAbout(pack: Pack, problems: Problems): void {
  warnAboutConsent(pack, problems)
  warnAboutUnusedConditions(pack, problems)
}

function warnAboutConsent(pack: Pack, problems: Problems): void {
  if (pack.policies.some(({ definition }) => 'consent' in definition)) return
  for (const { definition, place } of pack.journeys) {
    const promotes = [...stepsOf(definition.steps)].some(
      ({ step }) => 'send' in step && step.send.class === 'promotion',
    )
    if (!promotes) continue
    const message =
      'This journey sends promotions and the pack has no consent policy: only those who opted out are spared.'
    problems.warning(place, 'policy.noConsent', message)
  }
}

/** What a fact's params should be depends on where it is used, so conditions that nothing uses are hardly checked. */
function warnAboutUnusedConditions(pack: Pack, problems: Problems): void {
  const used = new Set<unknown>()
  for (const definition of definitionsOf(pack)) {
    walkJson(definition, (node) => {
      if (isObject(node) && typeof node['condition'] === 'string') used.add(node['condition'])
      return 'deeper'
    })
  }
  for (const { definition, place } of pack.conditions) {
    if (used.has(definition.id)) continue
    problems.warning(place, 'condition.unused', 'No rule uses this condition, so its facts have not been checked.')
  }
}
