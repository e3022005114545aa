import type { EventRecord } from '@linli/rules'
import type { Draft } from './draft.js'
import { matches, sameKey } from './matching.js'
import type { Run } from './subject.js'

/** From now on, what the run is for may be reached. */
export function rememberGoal(draft: Draft, withinMs: number, { journey, hash, id, key, enteredAt: from }: Run): void {
  const open = draft.goals.filter((goal) => goal.until > draft.at)
  const goal = { journey, hash, run: id, ...(key !== undefined && { key }), from, until: from + withinMs }
  draft.goals = [...open, goal]
}

export function reachGoals(draft: Draft, event: EventRecord): void {
  for (const goal of draft.goals) {
    const journey = draft.program.journeysByHash.get(goal.hash)
    const inTime = event.at >= goal.from && event.at < goal.until
    if (!inTime || journey?.goal === undefined || !sameKey(draft, journey, goal.key)) continue
    if (!matches(draft, journey.goal, event)) continue
    draft.goals = draft.goals.filter((one) => one !== goal)
    draft.decide('journey.goal', goal.journey, { run: goal.run, event: event.event, messageId: event.messageId })
  }
}
