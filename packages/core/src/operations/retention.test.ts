import { definePack } from '@linli/rules'
import { expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { NOON, track } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'
import type { RetentionOptions } from './retention.js'

const RULES = definePack([
  template('hello'),
  journey('remind', [send('push')], { reentry: 'always' }),
  journey('linger', [wait('short', '1h'), wait('long', '90d')], { entry: { on: 'event', event: 'visit' } }),
  { kind: 'policy', id: 'two-a-month', cap: { max: 2, within: '30d' } },
])

async function shop(retention: RetentionOptions = {}) {
  const clock = virtualClock(NOON)
  const sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
  const store = memoryStore()
  const engine = await createEngine({ rules: RULES, database: store, clock, channels: [sms], retention })
  const pass = async (days: number) => {
    clock.moveTo(clock.now() + days * 86_400_000)
    await engine.settle()
  }
  return { engine, sms, pass }
}

const keysIn = async ({ engine }: Pick<Awaited<ReturnType<typeof shop>>, 'engine'>) =>
  (await engine.deliveries()).map(({ key }) => key)

it('deliveries that have ended are forgotten after their time; what they were stays in decisions, events and caps', async () => {
  const { engine, sms, pass } = await shop({ deliveries: '7d' })
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  const [first = ''] = await keysIn({ engine })

  await pass(5)
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  await engine.receive([{ deliveryKey: first, says: 'opened' }])
  await pass(6)
  expect(await keysIn({ engine })).toHaveLength(2)
  await pass(1)
  expect(await keysIn({ engine })).toEqual([])

  expect((await engine.decisions()).filter(({ decision }) => decision === 'message.accepted')).toHaveLength(2)
  expect((await engine.receive([{ deliveryKey: first, says: 'clicked' }])).results).toMatchObject([
    { status: 'rejected', code: 'receipt.unknown' },
  ])
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  expect(sms.sent).toHaveLength(2)
  expect((await engine.verify()).violations).toEqual([])
  await engine.close()
})

it('what waits for a person is kept, however long', async () => {
  const { engine, sms, pass } = await shop({ deliveries: '1d' })
  sms.respond('lost_after', { status: 'awaiting_person' })
  await engine.ingest([track('cart', 'u1'), track('cart', 'u2')])
  await engine.settle()

  await pass(400)

  expect((await engine.deliveries()).map(({ state }) => state).sort()).toEqual(['awaiting_person', 'parked'])
  await engine.close()
})

it('decisions are forgotten after their time, and nothing else changes', async () => {
  const { engine, sms, pass } = await shop({ decisions: '7d' })
  await engine.ingest([track('cart', 'u1'), track('visit', 'u2')])
  await engine.settle()
  const before = await engine.decisions()
  expect(before.map(({ decision }) => decision)).toContain('message.accepted')

  await pass(6)
  await engine.ingest([track('visit', 'u2')])
  await engine.settle()
  expect((await engine.decisions()).slice(0, before.length)).toEqual(before)
  const young = (await engine.decisions()).slice(-1)
  await pass(2)
  expect(await engine.decisions()).toEqual(young)

  expect(await engine.deliveries()).toHaveLength(1)
  expect((await engine.verify()).violations).toEqual([])
  // Both count for the cap.
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  expect(sms.sent).toHaveLength(2)
  await engine.close()
})

it('who is in a journey since before is explained by where they stand', async () => {
  const { engine, pass } = await shop({ decisions: '7d' })
  await engine.ingest([track('visit', 'u1')])
  await engine.settle()
  await pass(8)

  expect(await engine.decisions({ subject: ['user', 'u1'] })).toEqual([])
  expect(await engine.explain({ subject: ['user', 'u1'], rule: 'linger' })).toMatchObject({
    holds: true,
    runs: [{ enteredAt: '2026-03-01T04:00:00.000Z', step: 'long' }],
  })
  await engine.close()
})

it('all are kept where nothing is said, and a time that is none or too short is refused', async () => {
  const { engine, pass } = await shop()
  await engine.ingest([track('cart', 'u1')])
  await pass(4000)
  expect(await keysIn({ engine })).toHaveLength(1)
  await engine.close()

  for (const time of ['soon', '23h', '']) {
    for (const retention of [{ deliveries: time }, { decisions: time }]) {
      await expect(shop(retention)).rejects.toMatchObject({ code: 'retention.invalid', facts: retention })
    }
  }
})
