import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { log, shopOf, track, worldOf } from '../../testing/shop.js'
import type { Channel, RepeatSafety, SendResult } from '../ports/channel.js'
import { memoryChannel } from '../testing/memory-channel.js'

const RULES = [template('hello'), journey('remind', [send('push'), wait('later', '2d')])]
const CAP = { kind: 'policy', id: 'one', cap: { max: 1, within: '7d' } }
const HOUR = 3_600_000

async function open(repeat: RepeatSafety, rules: readonly unknown[] = RULES) {
  const sms = memoryChannel({ name: 'sms', repeat })
  return { sms, world: await worldOf(rules, { channels: [sms] }) }
}

const IDEMPOTENT: RepeatSafety = { kind: 'idempotent', windowMs: HOUR }
const NONE: RepeatSafety = { kind: 'none' }
const QUERYABLE: RepeatSafety = { kind: 'queryable' }

describe('a call without an answer, to a channel that drops repeats', () => {
  it('is repeated with the same key, and leaves once', async () => {
    const { sms, world } = await open(IDEMPOTENT)
    sms.respond('lost_after')

    await world.ingest(track('cart', 'u1'))
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'unknown' }])
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.calls).toHaveLength(2)
    expect(new Set(sms.calls.map(({ message }) => message.deliveryKey)).size).toBe(1)
    expect(sms.sent).toHaveLength(1)
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.accepted'])
    await world.close()
  })

  it('is never repeated outside of its window: then it is parked', async () => {
    const { sms, world } = await open(IDEMPOTENT)
    sms.respond(...Array(20).fill('lost_after'))

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')

    const [first] = sms.calls
    for (const { context } of sms.calls) {
      expect(context.at.getTime() - (first?.context.at.getTime() ?? 0)).toBeLessThan(HOUR)
    }
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'parked' }])
    expect(sms.calls.length).toBeLessThanOrEqual(8)
    await world.close()
  })

  it('may have left whatever the repeat is answered: asked to wait, it is repeated later with the same key', async () => {
    const { sms, world } = await open(IDEMPOTENT)
    sms.respond('lost_after', { status: 'deferred', retryAt: new Date('2026-03-01T12:10:00+08:00') })

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T12:09:00+08:00')
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'unknown' }])
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(new Set(sms.calls.map(({ message }) => message.deliveryKey)).size).toBe(1)
    expect(sms.sent).toHaveLength(1)
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.accepted'])
    await world.close()
  })

  it('may have left although the repeat is refused: it is parked, and goes by no other channel', async () => {
    const sms = memoryChannel({ name: 'sms', repeat: IDEMPOTENT })
    const push = memoryChannel({ name: 'push', repeat: IDEMPOTENT })
    const rules = [template('hello'), journey('remind', [send('push', { channel: ['sms', 'push'] })])]
    const world = await worldOf(rules, { channels: [sms, push] })
    sms.respond('lost_after', { status: 'refused', reason: 'recipient' })

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(await world.engine.deliveries()).toMatchObject([{ state: 'parked' }])
    expect(push.calls).toHaveLength(0)
    await world.close()
  })

  it('is not repeated for one who has opted out since: it is parked, for it may have left', async () => {
    const { sms, world } = await open(IDEMPOTENT)
    sms.respond('lost_before')
    await world.ingest(track('cart', 'u1'))

    await world.ingest(track('consent_withdrawn', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.calls).toHaveLength(1)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'parked', reason: 'opted out' }])
    await world.close()
  })

  it('counts for the cap while nobody knows', async () => {
    const { sms, world } = await open(IDEMPOTENT, [...RULES, journey('other', [send('push')]), CAP])
    sms.respond('lost_after')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.sent).toHaveLength(1)
    await world.close()
  })

  it('is not repeated where the cap has no room by now, for it would be one too many if it left only then', async () => {
    const rules = [
      template('hello'),
      journey('remind', [send('push')]),
      journey('other', [send('push')], { entry: { on: 'event', event: 'order' } }),
      { kind: 'policy', id: 'one', cap: { max: 1, within: '1m' } },
    ]
    const sms = memoryChannel({ name: 'sms', repeat: IDEMPOTENT })
    const shop = shopOf(rules)
    const engine = await shop.start({ channels: [sms] })
    sms.respond('lost_before')
    await engine.ingest([track('cart', 'u1')])
    await engine.settle()

    // Nobody was at work for longer than the window of the cap.
    shop.clock.moveTo(shop.clock.now() + 120_000)
    await engine.ingest([track('order', 'u1')])
    await engine.settle()

    expect(sms.sent).toHaveLength(1)
    expect((await engine.deliveries()).map(({ state, reason }) => [state, reason])).toEqual(
      expect.arrayContaining([
        ['accepted', undefined],
        ['parked', 'cap'],
      ]),
    )
    await engine.close()
  })

  it('is not repeated in quiet hours: after them, and it may still have left before', async () => {
    const night = { kind: 'policy', id: 'night', quietHours: { from: '12:01', to: '12:30' } }
    const sms = memoryChannel({ name: 'sms', repeat: IDEMPOTENT })
    const shop = shopOf([...RULES, night])
    const engine = await shop.start({ channels: [sms] })
    sms.respond('lost_before', { status: 'refused', reason: 'recipient' })
    await engine.ingest([track('cart', 'u1')])
    await engine.settle()

    shop.clock.moveTo('2026-03-01T12:02:00+08:00')
    await engine.settle()
    expect(sms.calls).toHaveLength(1)
    expect(await engine.deliveries()).toMatchObject([{ state: 'unknown', reason: 'quiet hours' }])

    shop.clock.moveTo('2026-03-01T12:30:00+08:00')
    await engine.settle()
    expect(sms.calls).toHaveLength(2)
    expect(await engine.deliveries()).toMatchObject([{ state: 'parked' }])
    await engine.close()
  })

  it('is repeated also when the run has ended in the meantime, so that its outcome is known', async () => {
    const exit = { exit: { on: 'event', event: 'order' } }
    const { sms, world } = await open(IDEMPOTENT, [template('hello'), journey('remind', [send('push')], exit)])
    sms.respond('lost_after')
    await world.ingest(track('cart', 'u1'))

    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(await world.engine.deliveries()).toMatchObject([{ state: 'accepted' }])
    await world.close()
  })
})

describe('a call without an answer, to a channel that can be asked', () => {
  it('is asked about, and not repeated when the provider has it', async () => {
    const { sms, world } = await open(QUERYABLE)
    sms.respond('lost_after')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.calls).toHaveLength(1)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'accepted', providerId: 'memory-1' }])
    await world.close()
  })

  it('is made again when the provider does not know it', async () => {
    const { sms, world } = await open(QUERYABLE)
    sms.respond('lost_before')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.calls).toHaveLength(2)
    expect(sms.sent).toHaveLength(1)
    await world.close()
  })

  it('is not asked about for ever: a provider that never answers has it parked', async () => {
    let asked = 0
    const silent: Channel = {
      name: 'sms',
      repeat: QUERYABLE,
      send: () => Promise.reject(new Error('no answer')),
      lookUp: () => {
        asked += 1
        return Promise.reject(new Error('no answer'))
      },
    }
    const world = await worldOf(RULES, { channels: [silent] })

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-03T12:00:00+08:00')

    expect(asked).toBeLessThanOrEqual(8)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'parked' }])
    await world.close()
  })
})

describe('a call without an answer, to a channel that promises nothing', () => {
  it('is parked and never made again', async () => {
    const { sms, world } = await open(NONE)
    sms.respond('lost_before')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-04-01T12:00:00+08:00')

    expect(sms.calls).toHaveLength(1)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'parked' }])
    expect(await log(world.engine, 'message.parked')).toHaveLength(1)
    await world.close()
  })

  it('counts as sent: for the cap, and for the run', async () => {
    const { sms, world } = await open(NONE, [...RULES, journey('other', [wait('w', '1h'), send('push')]), CAP])
    sms.respond('lost_before')

    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-01T14:00:00+08:00')

    expect(sms.calls).toHaveLength(1)
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed cap'])
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ journey: 'remind', step: 'later' }])
    await world.close()
  })
})

describe('a channel that misbehaves', () => {
  const badly = (send: Channel['send']): Channel => ({ name: 'sms', repeat: NONE, send })
  const others = (id: string): Channel & { readonly taken: string[] } => {
    const taken: string[] = []
    const send = ({ to }: Parameters<Channel['send']>[0]): Promise<SendResult> => {
      taken.push(to.id)
      return Promise.resolve({ status: 'accepted' })
    }
    return { name: id, repeat: NONE, send, taken }
  }
  const TWO = [...RULES, journey('mail', [send('letter', { channel: 'mail' })])]

  async function playWith(channel: Channel) {
    const mail = others('mail')
    const engine = await shopOf(TWO).start({ channels: [channel, mail], callTimeoutMs: 30 })
    await engine.ingest([track('cart', 'u1'), track('cart', 'u2')])
    await engine.settle()
    const parked = await engine.deliveries({ state: 'parked' })
    await engine.close()
    return { parked: parked.length, mailed: mail.taken.sort() }
  }

  it('and never answers is given up after its time; others are not held up', async () => {
    let aborted = 0
    const hanging = badly((_, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted += 1
      })
      return new Promise(() => {})
    })

    expect(await playWith(hanging)).toEqual({ parked: 2, mailed: ['u1', 'u2'] })
    expect(aborted).toBe(2)
  })

  it('and throws at once leaves the outcome unknown', async () => {
    const throwing = badly(() => {
      throw new Error('u1 has phone 138')
    })

    expect(await playWith(throwing)).toEqual({ parked: 2, mailed: ['u1', 'u2'] })
  })

  it('and answers with what is no result leaves the outcome unknown', async () => {
    for (const answer of [undefined, null, 'ok', {}, { status: 'sent' }, { status: 'deferred' }]) {
      const odd = badly(() => Promise.resolve(answer as unknown as SendResult))

      expect(await playWith(odd)).toEqual({ parked: 2, mailed: ['u1', 'u2'] })
    }
  })

  it('does not get its error text into the log: it may name the recipient', async () => {
    const throwing = badly(() => Promise.reject(new Error('no such phone: 138-0013-8000')))
    const world = await worldOf(RULES, { channels: [throwing] })

    await world.ingest(track('cart', 'u1'))

    expect(JSON.stringify([await world.decisions(), await world.engine.deliveries()])).not.toContain('138-0013')
    await world.close()
  })
})
