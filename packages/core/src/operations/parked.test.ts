import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template, wait } from '../../testing/rules.js'
import { track, worldOf } from '../../testing/shop.js'
import type { Store } from '../ports/store.js'
import type { World } from '../simulation/world.js'
import { memoryChannel } from '../testing/memory-channel.js'

const AGAIN = journey('again', [send('more')], { entry: { on: 'event', event: 'again' }, reentry: 'always' })
const RULES = [template('hello'), journey('remind', [send('push'), wait('later', '2d')]), AGAIN]
const ONE_A_WEEK = { kind: 'policy', id: 'one-a-week', cap: { max: 1, within: '7d' } }
const NOTE = { by: '小李', reason: '查过平台' }

describeOnEveryStore('a parked message', (open) => {
  let store: Store
  let world: World

  beforeEach(async () => {
    store = await open()
  })
  afterEach(async () => {
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  /** The answer of the first call is lost. */
  async function parked(rules: readonly unknown[] = RULES) {
    const sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
    sms.respond('lost_before')
    world = await worldOf(rules, { channels: [sms], database: store })
    await world.ingest(track('cart', 'u1'))
    const [message] = await world.engine.parked()
    return { sms, key: message?.deliveryKey ?? '', message }
  }

  const states = async () => (await world.engine.deliveries()).map(({ state }) => state)
  const events = async () => (await store.readEvents({ userIds: ['u1'] })).map(({ event }) => event).sort()
  const resolutions = async () => (await world.decisions()).filter(({ decision }) => decision === 'message.resolved')

  it('is listed with why, and since when', async () => {
    const { message } = await parked()
    const noon = new Date('2026-03-01T12:00:00+08:00')

    expect(message).toMatchObject({
      ...{
        kind: 'message',
        subject: 'user:u1',
        journey: 'remind',
        step: 'push',
        channel: 'sms',
        template: 'hello',
        attempts: 1,
      },
      ...{ calledAt: noon, parkedAt: noon, reason: 'the outcome is unknown and may not be repeated' },
    })
  })

  it('that was sent is accepted, and goes on counting for caps', async () => {
    const { key, sms } = await parked([...RULES, ONE_A_WEEK])

    await world.engine.resolve(key, 'sent', NOTE)
    await world.ingest(track('again', 'u1'))

    expect(await states()).toEqual(['accepted', 'suppressed'])
    expect(sms.calls).toHaveLength(1)
    expect(await events()).toEqual(['again', 'cart', 'message_accepted', 'message_parked'])
    expect(await resolutions()).toMatchObject([{ subject: 'user:u1', rule: 'remind', outcome: 'sent', ...NOTE }])
    expect(await world.engine.parked()).toEqual([])
  })

  it('that was not sent is rejected, and gives its place under caps back', async () => {
    const { key } = await parked([...RULES, ONE_A_WEEK])

    await world.engine.resolve(key, 'not sent', NOTE)
    await world.ingest(track('again', 'u1'))

    expect(await states()).toEqual(['rejected', 'accepted'])
    expect(await events()).toContain('message_rejected')
  })

  it('is sent again when somebody wants it, though its run has gone on', async () => {
    const { key, sms } = await parked([...RULES, ONE_A_WEEK])

    await world.engine.resolve(key, 'send again', NOTE)
    await world.engine.settle()

    expect(sms.calls.map(({ message, context }) => [message.deliveryKey, context.attempt])).toEqual([
      [key, 1],
      [key, 1],
    ])
    expect(await states()).toEqual(['accepted'])
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    expect(await events()).toEqual(['cart', 'message_accepted', 'message_parked'])
  })

  it('has no code', async () => {
    const { key } = await parked()

    const resolution = world.engine.resolve(key, 'sent', { ...NOTE, code: 'WX-1' })
    await expect(resolution).rejects.toMatchObject({ code: 'code.invalid' })
    expect(await states()).toEqual(['parked'])
  })

  it('is not sent again to somebody who has opted out', async () => {
    const { key, sms } = await parked()
    await world.ingest(track('consent_withdrawn', 'u1'))

    await world.engine.resolve(key, 'send again', NOTE)
    await world.engine.settle()

    expect(sms.calls).toHaveLength(1)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'suppressed', reason: 'opted out' }])
  })

  it('may be parked again, and resolved again', async () => {
    const { key, sms } = await parked()
    sms.respond('lost_after')

    await world.engine.resolve(key, 'send again', NOTE)
    await world.engine.settle()
    expect(await states()).toEqual(['parked'])
    await world.engine.resolve(key, 'sent', NOTE)

    expect(await states()).toEqual(['accepted'])
    expect(await events()).toEqual(['cart', 'message_accepted', 'message_parked', 'message_parked'])
  })

  it('is resolved once, whoever else tries, and whatever receipt comes', async () => {
    const { key } = await parked()
    const both = [world.engine.resolve(key, 'sent', NOTE), world.engine.resolve(key, 'not sent', NOTE)]

    const done = await Promise.allSettled(both)

    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(done.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'delivery.settled' } })
    expect(await resolutions()).toHaveLength(1)
    await expect(world.engine.resolve('stranger', 'sent', NOTE)).rejects.toMatchObject({ code: 'delivery.unknown' })
    await world.engine.receive([{ deliveryKey: key, says: 'delivered' }])
    await expect(world.engine.resolve(key, 'not sent', NOTE)).rejects.toMatchObject({
      code: 'delivery.settled',
      facts: { state: 'accepted' },
    })
  })
})
