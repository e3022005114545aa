import type { CompiledJourney, EventRecord } from '@linli/rules'
import type { Draft } from './draft.js'
import { matches, sameKey } from './matching.js'
import { replaceRun } from './runs.js'
import type { Goal, Run } from './subject.js'

/** How late an event may come after the goal's time is over, and still reach it: somebody's phone was off. */
const LATE_MS = 14 * 86_400_000

/** From now on, the goal may be reached: by a run, or by somebody who was kept out at this moment. */
export function rememberGoal(draft: Draft, journey: CompiledJourney, from: number, of: Partial<Goal>): void {
  if (journey.goal === undefined) return
  const open = draft.goals.filter((goal) => goal.until + LATE_MS > draft.at)
  const goal = { journey: journey.id, hash: journey.hash, ...of, from, until: from + journey.goal.withinMs }
  draft.goals = [...open, goal]
}

/**
 * A run that goes on by another definition of its journey is for what that one says, unless it has reached a goal. The
 * variants that it has taken remain its own.
 */
export function moveGoal(draft: Draft, journey: CompiledJourney, run: Run): void {
  const { id, key, enteredAt, variants, reached } = run
  if (reached) return
  draft.goals = draft.goals.filter((goal) => goal.run !== id)
  rememberGoal(draft, journey, enteredAt, {
    run: id,
    ...(key !== undefined && { key }),
    ...(variants !== undefined && { variants }),
  })
}

/** Notes which variant a run takes, so that its goal, also one that it comes to have later, is put down to it. */
export function rememberVariant(draft: Draft, run: Run, variant: string): Run {
  const variants = { ...run.variants, [run.step]: variant }
  if (draft.goals.some((goal) => goal.run === run.id))
    draft.goals = draft.goals.map((goal) => (goal.run === run.id ? { ...goal, variants } : goal))
  return { ...run, variants }
}

/** Says which goals the event at hand reaches. */
export function reachGoals(draft: Draft, event: EventRecord): void {
  for (const goal of draft.goals) {
    const journey = draft.program.journeysByHash.get(goal.hash)
    const inTime = event.at >= goal.from && event.at < goal.until && draft.at < goal.until + LATE_MS
    if (!inTime || journey?.goal === undefined || !sameKey(draft, journey, goal.key)) continue
    if (!matches(draft, journey.goal, event)) continue
    draft.goals = draft.goals.filter((one) => one !== goal)
    const { run, group, variants } = goal
    const underWay = draft.runs.find(({ id }) => id === run)
    if (underWay !== undefined) replaceRun(draft, { ...underWay, reached: true })
    const value = journey.goal.value?.(draft)
    draft.decide('journey.goal', goal.journey, {
      ...(run === undefined ? { group } : { run }),
      event: event.event,
      messageId: event.messageId,
      ...(variants && { variants }),
      ...(typeof value === 'number' && Number.isFinite(value) && { value }),
    })
  }
}
