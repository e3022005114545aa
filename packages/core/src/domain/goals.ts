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

/** A run that goes on by another definition of its journey is for what that one says, unless it has reached its goal. */
export function moveGoal(draft: Draft, run: Run, withinMs: number | undefined): void {
  if (!draft.goals.some((goal) => goal.run === run.id)) return
  draft.goals = draft.goals.filter((goal) => goal.run !== run.id)
  if (withinMs !== undefined) rememberGoal(draft, withinMs, run)
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
