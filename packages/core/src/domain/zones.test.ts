import { describe, expect, it } from 'vitest'
import { changesBetween, timesAbout, tryChange } from '../../testing/zones/trial.js'

const changes = changesBetween('2025-12-15T00:00:00Z', '2027-01-15T00:00:00Z')

describe('schedules and waits until a local time', () => {
  it('come once and at the right instant about every change of clocks of every zone in a year', () => {
    expect(new Set(changes.map(({ zone }) => zone)).size).toBeGreaterThan(100)
    // Zones whose clocks change alike, at the same instants, are tried once.
    const tried = new Set<string>()
    for (const change of changes) {
      const likeness = JSON.stringify([change.at, change.stretches])
      if (tried.has(likeness)) continue
      tried.add(likeness)
      for (const [index, time] of timesAbout(change).entries()) {
        const { happened, expected } = tryChange(change, time, index === 0)
        expect({ zone: change.zone, time, ...happened }).toEqual({ zone: change.zone, time, ...expected })
      }
    }
    expect(tried.size).toBeGreaterThan(30)
  }, 120_000)
})
