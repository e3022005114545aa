import type { LoggedEvent } from '../law/known.js'
import { enter } from './entries.js'
import { isTurn, leaveByTurn } from './exits.js'
import type { Life } from './life.js'
import { nextBeginning } from './schedules.js'
import type { Asked, Turn } from './words.js'

// What one thing may have somebody enter: an event and what follows from it, or an instant. Those of a higher priority go first.

export interface Chance {
  readonly priority: number
  take(): unknown
}

/** @param collected journeys of which a run has collected the event: it lets nobody in once more */
export function chancesByEvent(life: Life, event: LoggedEvent, collected: ReadonlySet<string>): readonly Chance[] {
  return life.journeys.flatMap((journey) => {
    const { entry, priority = 0 } = journey
    if (collected.has(journey.id)) return []
    const isMeant = entry.on === 'event' || (entry.on === 'api' && event.properties['journey'] === journey.id)
    if (!isMeant) return []
    const asked = (entry.on === 'api' ? { ...entry, event: 'journey_requested' } : entry) as Asked
    return [{ priority, take: () => life.matches(asked, event) && enter(life, journey, event, event.at) }]
  })
}

/** What leaves by a tag or score does so before what may begin by it. */
export function chancesByTurn(life: Life, turn: Turn): readonly Chance[] {
  const meant = life.journeys.filter(({ entry }) => isTurn(entry, turn, life.rules))
  const entries = meant.map((journey) => ({
    priority: journey.priority ?? 0,
    take: () => {
      if (life.holds((journey.entry as Asked).conditions, undefined)) enter(life, journey, undefined, life.at)
    },
  }))
  const first = Math.max(0, ...entries.map(({ priority }) => priority))
  return [{ priority: first, take: () => leaveByTurn(life, turn) }, ...entries]
}

/** Journeys that begin by themselves now: for all who are known by then, and of the audience. */
export function chancesByTime(life: Life): readonly Chance[] {
  return life.journeys.flatMap((journey) => {
    const { entry, priority = 0 } = journey
    if (entry.on !== 'schedule' || nextBeginning(entry, life.at - 1) !== life.at) return []
    if (life.events.length === 0 || !life.holds(entry.conditions, undefined)) return []
    return [{ priority, take: () => enter(life, journey, undefined, life.at) }]
  })
}

export function takeInTurn(chances: readonly Chance[]): void {
  for (const chance of chances.toSorted((a, b) => b.priority - a.priority)) chance.take()
}
