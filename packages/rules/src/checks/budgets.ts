import { pointerTo } from '../json.js'
import type { Located, Pack } from '../pack.js'
import type { Problems } from '../problems.js'
import type { Policy, Program } from '../program/program.js'
import type { PolicyDefinition } from '../schemas/definitions.js'
import { stepsOf } from '../schemas/step.js'
import { channelsOf } from './crowded.js'
import { below } from './expand.js'

type BudgetPolicy = Extract<Policy, { kind: 'budget' }>

/** Finds budgets that no message is paid from: because they are too small, or because nothing that is sent is theirs. */
export function checkBudgets(pack: Pack, { policies }: Program, problems: Problems): void {
  for (const policy of policies) {
    const located = pack.policies.find(({ definition }) => definition === policy.definition)
    if (policy.kind !== 'budget' || located === undefined) continue
    checkRoom(policy, located, problems)
    checkUse(policy, located, pack, problems)
  }
}

/** One message must fit, by each channel. */
function checkRoom({ max, costs }: BudgetPolicy, { definition, place }: Located<PolicyDefinition>, problems: Problems) {
  if (costs === undefined) {
    const message = 'This budget never lets a message through. To keep messages back, use "stop", or leave them out.'
    if (max === 0) problems.warning(below(place, 'budget/messages'), 'budget.never', message, { found: max })
    return
  }
  for (const [channel, cost] of costs) {
    if (cost <= max) continue
    const at = below(place, `budget/costs${pointerTo('', channel)}`)
    const message = `One message by ${JSON.stringify(channel)} costs more than the whole budget "${definition.id}" is: none is ever sent. Raise "money", or lower the cost.`
    problems.warning(at, 'budget.never', message, { found: cost / 1_000_000 })
  }
}

/** Something in the pack must be sent by one of its channels, in one of its classes, from one of its journeys. */
function checkUse(
  policy: BudgetPolicy,
  { definition, place }: Located<PolicyDefinition>,
  pack: Pack,
  problems: Problems,
) {
  const { classes, channels, journeys } = policy
  const isUsed = pack.journeys.some(
    (journey) =>
      (journeys?.has(journey.definition.id) ?? true) &&
      [...stepsOf(journey.definition.steps)].some(
        ({ step }) =>
          'send' in step &&
          classes.has(step.send.class) &&
          channelsOf(step.send).some((channel) => channels?.has(channel) ?? true),
      ),
  )
  if (isUsed) return
  const message =
    'Nothing that the pack sends counts for this budget: no message is of its classes, channels and journeys.'
  problems.warning(place, 'budget.unused', message, { found: definition.id })
}
