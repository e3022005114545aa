import type { JourneyDefinition } from '@linli/rules'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import type { LoggedEvent } from '../law/known.js'
import type { PlainRules } from './facts.js'
import type { Life } from './life.js'
import type { Asked, Orphan, Run, Turn } from './words.js'

// What ends runs, and what counts as their goal.

type Trigger = { readonly on: string; readonly tag?: string; readonly score?: string; readonly conditions?: unknown }

export function end(life: Life, run: Run, reason: string, orphaned?: Orphan['reason']): void {
  life.runs = life.runs.filter((one) => one !== run)
  if (run.isIn) life.say('journey.exited', run, { step: run.step.id, reason })
  // Who waited for a place has never been in.
  else life.line({ decision: 'journey.held', rule: run.definition.id, reason })
  abandon(life, run, orphaned)
  life.derive()
}

/** Leaves what its step wished for undone. */
export function abandon(life: Life, run: Run, reason?: Orphan['reason']): void {
  const { step, waiting } = run
  if (waiting.kind === 'wish' && waiting.wish.kind !== 'place') life.orphans.push({ run, step, waiting, reason })
}

export function exitsByEvent(life: Life, { definition }: Run, event: LoggedEvent): boolean {
  return exitsOf(definition).some((exit) => exit.on === 'event' && life.matches(exit as Asked, event))
}

export function leaveByTurn(life: Life, turn: Turn): void {
  for (const run of [...life.runs]) {
    const exit = exitsOf(run.definition).find((one) => isTurn(one, turn, life.rules))
    if (exit !== undefined) end(life, run, `${turn.on} ${turn.tag ?? turn.score}`)
  }
}

/** Exits of which the conditions hold; gives whether there was one. */
export function leaveByConditions(life: Life): boolean {
  const leaving = life.runs.filter(({ definition }) => mustLeave(life, definition))
  for (const run of leaving) end(life, run, 'exit conditions')
  return leaving.length > 0
}

export function mustLeave(life: Life, definition: JourneyDefinition): boolean {
  return exitsOf(definition).some((exit) => exit.on === 'conditions' && life.holds(exit.conditions, undefined))
}

/** Counts the goals that an event reaches, of runs and of those who were kept out. */
export function countGoals(life: Life, event: LoggedEvent): void {
  for (const one of [...life.past, ...life.keptOut]) {
    const { goal } = one.definition
    if (goal === undefined || one.goalReached || !concerns(one, event)) continue
    if (!isInTime(one, event.at) || !life.matches(goal, event)) continue
    one.goalReached = true
    const of = 'group' in one ? { group: one.group } : { run: one.name, variants: inWords(one.variants) }
    life.line({ decision: 'journey.goal', rule: one.definition.id, ...of, event: event.event })
  }
}

/** The variants that a run took, by step. */
export function inWords(variants: Iterable<readonly [step: string, variant: string]>): string {
  return [...variants]
    .map((one) => one.join(' '))
    .sort()
    .join()
}

export function isInTime({ definition, since }: Pick<Run, 'definition' | 'since'>, at: number): boolean {
  return definition.goal !== undefined && at < since + lengthOf(definition.goal.within)
}

/** Whether it happened since the run was entered, and is about the same thing. */
export function concerns(
  { since, definition, key }: Pick<Run, 'since' | 'definition' | 'key'>,
  event: LoggedEvent,
): boolean {
  return event.at >= since && (definition.key === undefined || keyOf(definition, event) === key)
}

/** The value of the property that the journey is keyed by. */
export function keyOf({ key }: JourneyDefinition, event: LoggedEvent | undefined): string | undefined {
  const value = key === undefined ? undefined : event?.properties[key]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

export function isTurn(trigger: object, turn: Turn, rules: PlainRules): boolean {
  const { on, tag, score, above, below, tier } = trigger as Trigger & { above?: number; below?: number; tier?: string }
  if (on !== turn.on) return false
  if (on !== 'score.crossed') return tag === turn.tag
  const { from = 0, to = 0 } = turn
  if (score !== turn.score) return false
  if (above !== undefined) return from < above && to >= above
  if (below !== undefined) return from >= below && to < below
  const tierAt = (value: number) => rules.tier(score ?? '', new Map([[score ?? '', value]]))
  return tierAt(to) === tier && tierAt(from) !== tier
}

function exitsOf({ exit }: JourneyDefinition): readonly Trigger[] {
  return exit === undefined ? [] : ([exit].flat() as readonly Trigger[])
}
