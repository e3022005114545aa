import type { CompiledTag, ScheduledJourney } from '@linli/rules'
import type { Draft } from './draft.js'

/** Keeps when a journey next begins for one of its audience, and nothing for whoever is not. */
export function reschedule(draft: Draft, { journey: id = '' }: CompiledTag, isOneOfThem: boolean): void {
  const journey = draft.rules.journeysBySchedule.get(id)
  if (journey === undefined || !isOneOfThem) return draft.writeSchedule(id, undefined)
  // What is due at this very instant has yet to begin.
  if ((draft.schedules[id] ?? Number.POSITIVE_INFINITY) > draft.at) setNext(draft, journey)
}

function setNext(draft: Draft, { id, entry }: ScheduledJourney): void {
  const next = entry.schedule(draft, draft.at)
  if (next !== draft.schedules[id]) draft.writeSchedule(id, next)
}

/** The journeys that begin now for the subject; each knows when it begins again. */
export function takeScheduled(draft: Draft, instant: number): readonly ScheduledJourney[] {
  const due = Object.keys(draft.schedules).filter((id) => (draft.schedules[id] ?? 0) <= instant)
  return due.flatMap((id) => {
    const journey = draft.rules.journeysBySchedule.get(id)
    if (journey === undefined) draft.writeSchedule(id, undefined)
    else setNext(draft, journey)
    return journey ?? []
  })
}
