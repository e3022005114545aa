import { randomBytes } from 'node:crypto'
import { expect, inject, it } from 'vitest'
import { openStore } from '../../packages/core/src/storage/open.js'
import { differenceOf, liveLines, simulatedLines } from '../../packages/core/testing/production/twice.js'
import { END } from './calendar.js'
import { liveThroughMonth, readyPack } from './story.js'

const postgresUrl = inject('postgresUrl')

it.skipIf(postgresUrl === undefined)(
  'a simulation of the month tells what a shop on PostgreSQL does',
  async () => {
    const { events } = await liveThroughMonth({ seed: 2026 })
    const recording = { rules: await readyPack(), events, until: END }
    const simulated = await simulatedLines(recording)

    const store = await openStore(postgresUrl ?? '', {
      schema: `estate_${randomBytes(6).toString('hex')}`,
      clock: 'engine',
    })
    expect(differenceOf(simulated, await liveLines(recording, store))).toBeUndefined()

    const kinds = new Set(simulated.map((line) => (JSON.parse(line) as { decision: string }).decision))
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'coupon.issued',
        'coupon.refused',
        'message.accepted',
        'message.deferred',
        'suggestion.made',
      ]),
    )
  },
  120_000,
)
