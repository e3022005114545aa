import type { JourneyDefinition } from '@linli/rules'
import type { Decision } from '../../src/domain/decision.js'
import { JourneysDiffer } from './comparison.js'

const DAY = 86_400_000
const SHANGHAI = 8 * 3_600_000

/** Counts who was let in where there are only so many places: all of them are given, and none twice. */
export class Places {
  readonly #taken = new Map<string, number>()
  #seen = 0

  /** Looks at what was decided since the last time, by journeys that were in force all that time. */
  look(decisions: readonly Decision[], journeys: readonly JourneyDefinition[]): void {
    for (const { at, decision, rule, reason } of decisions.slice(this.#seen)) {
      const isIn = decision === 'journey.entered'
      const { limit } = journeys.find(({ id }) => id === rule) ?? {}
      if (limit === undefined || (!isIn && (decision !== 'journey.held' || reason !== 'limit'))) continue
      const pool = [rule, limit.within && dayOf(at, limit.timeZone)].join()
      const taken = this.#taken.get(pool) ?? 0
      if (isIn) this.#taken.set(pool, taken + 1)
      if (isIn === taken < limit.max) continue
      const who = isIn ? 'somebody was let in' : 'nobody was let in'
      throw new JourneysDiffer(`${who} to ${rule} where ${taken} of ${limit.max} places were taken`)
    }
    this.#seen = decisions.length
  }
}

function dayOf(at: number, timeZone: string | undefined): number {
  return Math.floor((at + (timeZone === 'UTC' ? 0 : SHANGHAI)) / DAY)
}
