import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { log, track, worldOf } from '../../testing/shop.js'
import type { SendResult } from '../ports/channel.js'
import { memoryChannel } from '../testing/memory-channel.js'

const RULES = [
  template('hello'),
  journey('remind', [send('push', { channel: ['wechat', 'sms'] }), wait('later', '2d')]),
]

async function open(rules: readonly unknown[] = RULES) {
  const [wechat, sms] = [memoryChannel({ name: 'wechat' }), memoryChannel({ name: 'sms' })]
  return { wechat, sms, world: await worldOf(rules, { channels: [wechat, sms] }) }
}

describe('a step with several channels', () => {
  it('uses the first that takes the message', async () => {
    const { wechat, sms, world } = await open()

    await world.ingest(track('cart', 'u1'))

    expect([wechat.calls.length, sms.calls.length]).toEqual([1, 0])
    await world.close()
  })

  it('goes on to the next when the recipient cannot be reached by the first', async () => {
    const { wechat, sms, world } = await open()
    wechat.respond({ status: 'refused', reason: 'recipient', detail: 'not subscribed' })

    await world.ingest(track('cart', 'u1'))

    expect(sms.sent).toHaveLength(1)
    expect(await log(world.engine, 'message.')).toEqual([
      'message.planned',
      'message.rejected not subscribed',
      'message.planned',
      'message.accepted',
    ])
    const keys = (await world.engine.deliveries()).map(({ key }) => key)
    expect(new Set(keys).size).toBe(2)
    await world.close()
  })

  it('goes on when nobody agreed to the first', async () => {
    const { wechat, sms, world } = await open()

    await world.ingest(track('consent_withdrawn', 'u1', { channel: 'wechat' }), track('cart', 'u1'))

    expect([wechat.calls.length, sms.sent.length]).toEqual([0, 1])
    await world.close()
  })

  it('does not go on when the content is at fault: the next would refuse it too', async () => {
    for (const reason of ['content', 'configuration', 'other'] as const) {
      const { wechat, sms, world } = await open()
      wechat.respond({ status: 'refused', reason })

      await world.ingest(track('cart', 'u1'))

      expect(sms.calls).toEqual([])
      expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
      await world.close()
    }
  })

  it('does not go on when the template lacks a value', async () => {
    const { wechat, sms, world } = await open([template('hello', '{{ traits.name }}'), ...RULES.slice(1)])

    await world.ingest(track('cart', 'u1'))

    expect([wechat.calls.length, sms.calls.length]).toEqual([0, 0])
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.suppressed template'])
    await world.close()
  })

  it('does not go on while the outcome of the first is unknown', async () => {
    const { wechat, sms, world } = await open()
    wechat.respond('lost_after')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect([wechat.sent.length, sms.calls.length]).toEqual([1, 0])
    await world.close()
  })

  it('lets the run go on when no channel is left', async () => {
    const { wechat, sms, world } = await open()
    wechat.respond({ status: 'refused', reason: 'recipient' })
    sms.respond({ status: 'refused', reason: 'recipient' })

    await world.ingest(track('cart', 'u1'))

    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    await world.close()
  })
})

describe('a provider that asks to wait', () => {
  const after = (iso: string): SendResult => ({ status: 'deferred', retryAt: new Date(iso), detail: 'busy' })

  it('is called again at the time it said, and not before', async () => {
    const { wechat, world } = await open()
    wechat.respond(after('2026-03-01T12:05:00+08:00'))
    await world.ingest(track('cart', 'u1'))
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.deferred busy'])

    await world.advanceTo('2026-03-01T12:04:59+08:00')
    expect(wechat.calls).toHaveLength(1)

    await world.advanceTo('2026-03-01T12:05:00+08:00')
    expect(wechat.calls.map(({ context }) => context.attempt)).toEqual([1, 2])
    expect(wechat.sent).toHaveLength(1)
    await world.close()
  })

  it('with a time that has passed is called again after a second, not in a circle', async () => {
    const { wechat, world } = await open()
    wechat.respond(after('2020-01-01T00:00:00Z'))

    await world.ingest(track('cart', 'u1'))
    expect(wechat.calls).toHaveLength(1)

    await world.advanceTo('2026-03-01T12:00:01+08:00')
    expect(wechat.sent).toHaveLength(1)
    await world.close()
  })

  it('is not waited for without end: after eight times the next channel is used', async () => {
    const { wechat, sms, world } = await open()
    wechat.respond(...Array<SendResult>(20).fill(after('2020-01-01T00:00:00Z')))

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T18:00:00+08:00')

    expect([wechat.calls.length, sms.sent.length]).toEqual([8, 1])
    await world.close()
  })

  it('does not use up the time in which the next channel drops repeats', async () => {
    const wechat = memoryChannel({ name: 'wechat' })
    const sms = memoryChannel({ name: 'sms', repeat: { kind: 'idempotent', windowMs: 60_000 } })
    const world = await worldOf(RULES, { channels: [wechat, sms] })
    wechat.respond(after('2026-03-01T20:00:00+08:00'), { status: 'refused', reason: 'recipient' })
    sms.respond('lost_after')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T21:00:00+08:00')

    expect([sms.calls.length, sms.sent.length]).toEqual([2, 1])
    expect(await log(world.engine, 'message.accepted')).toHaveLength(1)
    await world.close()
  })

  it('does not use up the cap', async () => {
    const cap = { kind: 'policy', id: 'one', cap: { max: 1, within: '7d' } }
    const { wechat, world } = await open([...RULES, cap])
    wechat.respond(after('2026-03-01T12:05:00+08:00'))

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(wechat.sent).toHaveLength(1)
    await world.close()
  })

  it('is not called again for one who has opted out since', async () => {
    const { wechat, sms, world } = await open()
    wechat.respond(after('2026-03-01T12:05:00+08:00'))
    await world.ingest(track('cart', 'u1'))

    await world.ingest(track('consent_withdrawn', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect([wechat.calls.length, sms.calls.length]).toEqual([1, 0])
    await world.close()
  })
})
