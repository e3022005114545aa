import { randomBytes } from 'node:crypto'
import { describe, expect, inject, it } from 'vitest'
import { MUTANTS } from '../../../testing/faults/mutants.js'
import { type Storm, weather } from '../../../testing/faults/storm.js'
import { sweepPoints } from '../../../testing/faults/sweep.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: processes that die on PostgreSQL; there is no database.')

const SEED = 1
const LONG = 120_000

function stormOf(more: Partial<Storm>): Storm {
  return {
    database: postgresUrl ?? '',
    schema: `storm_${randomBytes(6).toString('hex')}`,
    seed: SEED,
    speed: 20,
    faults: 0.3,
    processes: 2,
    events: 100_000,
    blows: {},
    crashDatabase: () => Promise.reject(new Error('The server is not ours alone.')),
    patience: 60,
    ...more,
  }
}

describe.skipIf(postgresUrl === undefined)(
  'processes that are killed, stopped and cut off in the middle of everything',
  () => {
    it('send nothing twice, lose nothing, keep caps and consent, and give no coupon too many', {
      timeout: LONG,
    }, async () => {
      const blows = { kills: 6, stops: 1, terminations: 2, 'lost answers to COMMIT': 2 }
      const storm = stormOf({ processes: 3, blows })

      const { findings, ...counts } = await weather(storm)

      expect(findings).toEqual([])
      expect(counts.sent).toBeGreaterThan(100)
    })

    // All of them are in the campaign; these are noticed by nothing that stays within one process.
    it.each([
      { bug: 'it is not written down that a provider is about to be called', point: 'send:after', hits: 6 },
      { bug: 'work is said to be done before it is committed', point: 'commit:before', hits: 12 },
      { bug: 'the outbox is written after the commit', point: 'addDeliveries:before', hits: 3 },
    ] as const)('would be noticed to have this bug: $bug', { timeout: LONG }, async ({ bug, point, hits }) => {
      expect(MUTANTS.map(({ name }) => name)).toContain(bug)

      const { findings, kills } = await sweepPoints({ ...stormOf({ patience: 5, mutant: bug }), hits, points: [point] })

      expect(kills).toBeGreaterThan(0)
      expect(findings.length).toBeGreaterThan(0)
    })
  },
)
