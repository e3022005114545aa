import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { offsetAt } from './time-zone.js'

const ZONES = ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC']
const HOUR = 3_600_000

describe('the offset of a zone', () => {
  it('is what clocks there show, in whatever order instants are asked for, also when clocks are changed', () => {
    const changes = ZONES.flatMap((zone) => {
      const from = Temporal.Instant.from('2026-01-01T00:00:00Z').toZonedDateTimeISO(zone)
      const change = from.getTimeZoneTransition('next')?.epochMilliseconds
      return change === undefined ? [] : [change]
    })
    const near = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2 * HOUR, max: 2 * HOUR }))
    const anywhere = fc.integer({ min: Date.parse('1985-01-01'), max: Date.parse('2040-01-01') })
    const instant = fc.oneof(
      near.map(([change, away]) => change + away),
      fc.constantFrom(...changes),
      anywhere,
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...ZONES), instant), { maxLength: 20 }), (asked) => {
        for (const [zone, at] of asked) {
          const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
          expect(offsetAt(zone, at)).toBe(local.offsetNanoseconds / 1_000_000)
        }
      }),
      { numRuns: 200 },
    )
  })
})
