import { type CompiledEntry, type CompiledJourney, type CompiledTrigger, type EventRecord, holds } from '@linli/rules'
import type { Change, Draft } from './draft.js'
import { enter } from './entries.js'
import { matches, sameKey } from './matching.js'
import { exitRun, journeyOf } from './runs.js'
import type { Run } from './subject.js'

/** What may have the subject enter a journey, or end its runs: done when its turn comes, by what is true then. */
export interface Chance {
  readonly priority: number
  take(draft: Draft): void
}

/** Takes chances, those of a higher priority first; those of the same in the order given. */
export function takeInTurn(draft: Draft, chances: readonly Chance[]): void {
  const inTurn = chances.length > 1 ? [...chances].sort((a, b) => b.priority - a.priority) : chances
  for (const chance of inTurn) chance.take(draft)
}

/** Journeys that an event may begin, in the order of the pack; it is in those runs that have collected it already. */
export function chancesByEvent(draft: Draft, event: EventRecord, collected: readonly Run[]): readonly Chance[] {
  const found = draft.rules.journeysByEvent.find(event)
  const journeys = found.length > 1 ? found.toSorted((a, b) => a.rank - b.rank) : found
  return journeys.map((journey) => ({
    priority: journey.priority,
    take: () => {
      draft.event = event
      if (mayEnter(draft, journey, event, collected)) enter(draft, journey, event)
      draft.event = undefined
    },
  }))
}

function mayEnter(draft: Draft, journey: CompiledJourney, event: EventRecord, collected: readonly Run[]): boolean {
  const { entry } = journey
  if (collected.some((run) => run.journey === journey.id && sameKey(draft, journey, run.key))) return false
  return (entry.on === 'event' || entry.on === 'api') && matches(draft, entry, event)
}

/** A journey that begins by itself. */
export function chanceOf(journey: CompiledJourney): Chance {
  return { priority: journey.priority, take: (draft) => void enter(draft, journey, undefined) }
}

/** Runs that a change may end, and after them journeys that it may begin. `first` is done before both. */
export function chancesByChange(draft: Draft, change: Change, first: () => void): readonly Chance[] {
  const { journeysByTag, journeysByScore } = draft.rules
  const found = (change.kind === 'tag' ? journeysByTag : journeysByScore).get(change.id) ?? []
  const meant = change.quiet === true ? [] : found.filter(({ entry }) => isMeant(entry, change))
  const exits = {
    priority: Math.max(0, ...meant.map(({ priority }) => priority)),
    take: () => {
      first()
      exitBy(draft, change)
    },
  }
  const entries = meant.map((journey) => ({
    priority: journey.priority,
    take: () => {
      const { condition } = journey.entry
      if (condition === undefined || holds(condition.verdict(draft))) enter(draft, journey, undefined)
    },
  }))
  return [exits, ...entries]
}

/** Ends runs by all that has changed; what these changes may begin comes later. */
export function leaveByChanges(draft: Draft): void {
  for (const change of draft.changes) exitBy(draft, change)
}

function exitBy(draft: Draft, change: Change): void {
  for (const run of draft.runs) {
    const exit = journeyOf(draft, run)?.exits.find((one) => one.on !== 'conditions' && isMeant(one, change))
    if (exit !== undefined) exitRun(draft, run, `${exit.on} ${change.id}`)
  }
}

function isMeant(trigger: CompiledTrigger | CompiledEntry, change: Change): boolean {
  switch (trigger.on) {
    case 'score.crossed':
      return change.kind === 'score' && trigger.score === change.id && trigger.crosses(change.from, change.to)
    case 'tag.added':
    case 'tag.removed': {
      const on = change.kind === 'tag' && (change.added ? 'tag.added' : 'tag.removed')
      return trigger.on === on && trigger.tag === change.id
    }
    default:
      return false
  }
}
