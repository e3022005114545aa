import { type CompiledJourney, type EventMatch, type EventRecord, holds, until } from '@linli/rules'
import type { Draft } from './draft.js'

/** Whether the event at hand is what is meant. */
export function matches(draft: Draft, match: EventMatch, event: EventRecord): boolean {
  return match.events.has(event.event) && (match.condition === undefined || holds(match.condition.verdict(draft)))
}

/** Whether the event at hand is about the same order, cart … as the run. */
export function sameKey(draft: Draft, journey: CompiledJourney, key: string | undefined): boolean {
  return journey.key === undefined || keyText(journey.key(draft)) === key
}

/** A key as it is kept: text. */
export function keyText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

export function hasExitConditions({ exits }: CompiledJourney): boolean {
  return exits.some(({ on }) => on === 'conditions')
}

/** When conditions that end the journey's runs hold, or may come to hold by time alone: now, later, or never (Infinity). */
export function exitConditionsAt(draft: Draft, { exits }: CompiledJourney): number {
  let earliest = Number.POSITIVE_INFINITY
  for (const exit of exits) {
    if (exit.on !== 'conditions') continue
    const verdict = exit.condition.verdict(draft)
    if (holds(verdict)) return draft.at
    earliest = Math.min(earliest, until(verdict))
  }
  return earliest
}
