import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { atLeast, journey, send, tag, template, wait } from '../../testing/rules.js'
import { log, track, worldOf } from '../../testing/shop.js'
import type { Channel, SendResult } from '../ports/channel.js'
import type { Store } from '../ports/store.js'
import type { World } from '../simulation/world.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { gate } from '../testing/store-checks/material.js'
import type { Receipt } from './receipt.js'

const REMIND = journey('remind', [send('push'), wait('later', '2d')])
const RULES = [template('hello'), REMIND, tag('reader', atLeast(1, 'message_opened'))]
const ONE_A_WEEK = { kind: 'policy', id: 'one-a-week', cap: { max: 1, within: '7d' } }
const AGAIN = journey('again', [send('more')], { entry: { on: 'event', event: 'again' }, reentry: 'always' })

describeOnEveryStore('a receipt', (open) => {
  let store: Store
  let world: World

  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => world.close())

  /** Somebody has been sent a message by a channel that does as `outcome` says. */
  async function sent(outcome: SendResult | 'lost_after' = { status: 'accepted' }, rules: readonly unknown[] = RULES) {
    const sms = memoryChannel({ name: 'sms', outcome, repeat: { kind: 'none' } })
    world = await worldOf(rules, { channels: [sms], database: store })
    await world.ingest(track('cart', 'u1'))
    const [delivery] = await world.engine.deliveries()
    return { sms, key: delivery?.key ?? '' }
  }

  async function receive(...receipts: readonly Receipt[]) {
    const { results } = await world.engine.receive(receipts)
    await world.engine.settle()
    return results.map((result) => (result.status === 'rejected' ? result.code : result.status))
  }

  const state = async () =>
    (await world.engine.deliveries()).map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`))
  const events = async () => (await store.readEvents({ userIds: ['u1'] })).map(({ event }) => event).sort()

  it('that may be of several messages moves none of them, and says so to the recipient of each, once', async () => {
    const { key } = await sent({ status: 'accepted', providerId: 'same' })
    await world.ingest(track('cart', 'u2'))
    const opened = { channel: 'sms', providerId: 'same', says: 'opened' } as const

    expect(await receive(opened, opened, { ...opened, says: 'failed' })).toEqual(Array(3).fill('receipt.ambiguous'))
    expect(await receive(opened)).toEqual(['receipt.ambiguous'])

    expect(await state()).toEqual(['accepted', 'accepted'])
    const rejections = (await world.decisions()).filter(({ decision }) => decision === 'receipt.rejected')
    expect(rejections.map(({ subject, says }) => `${subject} ${String(says)}`).sort()).toEqual([
      'user:u1 failed',
      'user:u1 opened',
      'user:u2 failed',
      'user:u2 opened',
    ])
    expect(rejections[0]).toMatchObject({ reason: 'receipt.ambiguous', rule: 'remind', step: 'push', channel: 'sms' })
    expect(await receive({ deliveryKey: key, says: 'opened' })).toEqual(['accepted'])
    expect(await receive({ deliveryKey: key, says: 'confirmed' })).toEqual(['receipt.impossible'])
    expect((await world.engine.verify()).violations).toEqual([])
  })

  it('by a name that its provider gives to more than a hundred messages is told to whoever hands it in alone', async () => {
    await sent({ status: 'accepted', providerId: 'ok' })
    await world.ingest(...Array.from({ length: 100 }, (_, index) => track('cart', `v${index}`)))

    expect(await receive({ channel: 'sms', providerId: 'ok', says: 'opened' })).toEqual(['receipt.ambiguous'])

    expect(await log(world.engine, 'receipt.')).toEqual([])
  })

  it('is a decision, and an event that rules look at, at the time at which it happened', async () => {
    const { key } = await sent()
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(await receive({ deliveryKey: key, says: 'opened', at: '2026-03-01T12:30:00+08:00' })).toEqual(['accepted'])

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['reader'])
    expect((await world.decisions()).find(({ decision }) => decision === 'message.opened')).toMatchObject({
      subject: 'user:u1',
      rule: 'remind',
      step: 'push',
      template: 'hello',
      channel: 'sms',
      class: 'promotion',
      happened: '2026-03-01T04:30:00.000Z',
    })
    const [, , opened] = await store.readEvents({ userIds: ['u1'] })
    expect(opened).toMatchObject({
      event: 'message_opened',
      at: Date.parse('2026-03-01T12:30:00+08:00'),
      properties: { channel: 'sms', class: 'promotion', template: 'hello', journey: 'remind', step: 'push' },
    })
  })

  it('names its message by what the provider calls it', async () => {
    await sent()

    const said = await receive(
      { channel: 'sms', providerId: 'memory-1', says: 'delivered' },
      { channel: 'sms', providerId: 'memory-2', says: 'delivered' },
      { channel: 'mail', providerId: 'memory-1', says: 'delivered' },
    )

    expect(said).toEqual(['accepted', 'receipt.unknown', 'receipt.unknown'])
  })

  it('counts once, however often it comes; clicks count once for each link', async () => {
    const { key } = await sent()
    const click = (link?: string): Receipt => ({ deliveryKey: key, says: 'clicked', ...(link && { link }) })

    const first = await receive(click('a'), click('a'), click('b'), { deliveryKey: key, says: 'delivered' })
    await world.advanceTo('2026-03-01T13:00:00+08:00')
    const second = await receive(click('b'), click(), { channel: 'sms', providerId: 'memory-1', says: 'delivered' })

    expect(first).toEqual(['accepted', 'duplicate', 'accepted', 'accepted'])
    expect(second).toEqual(['duplicate', 'accepted', 'duplicate'])
    const clicked = 'message_clicked'
    expect(await events()).toEqual(['cart', 'message_accepted', clicked, clicked, 'message_delivered', clicked].sort())
  })

  it('that is bad holds up no other', async () => {
    const { key } = await sent()
    const bad = [
      null,
      { deliveryKey: key },
      { says: 'opened' },
      { deliveryKey: '', says: 'opened' },
      { channel: 'sms', says: 'opened' },
      { deliveryKey: key, says: 'opened', at: 'yesterday' },
      { deliveryKey: key, says: 'opened', at: '2026-03-01T12:06:00+08:00' },
      { deliveryKey: key, says: 'clicked', link: 'a\0b' },
      { deliveryKey: 'stranger', says: 'opened' },
    ] as unknown as Receipt[]

    const said = await receive(...bad, { deliveryKey: key, says: 'opened' })

    expect(said).toEqual([
      ...['receipt.shape', 'receipt.shape', 'receipt.name', 'receipt.name', 'receipt.name'],
      ...['receipt.time', 'receipt.time', 'receipt.shape', 'receipt.unknown', 'accepted'],
    ])
  })

  it('that says it did not arrive tells so, and gives its place under caps back', async () => {
    const { key, sms } = await sent(undefined, [...RULES, AGAIN, ONE_A_WEEK])

    expect(await receive({ deliveryKey: key, says: 'failed', detail: 'UNDELIV' })).toEqual(['accepted'])
    await world.ingest(track('again', 'u1'))

    expect(sms.sent).toHaveLength(2)
    expect(await state()).toEqual(['failed: UNDELIV', 'accepted'])
    expect((await world.decisions()).find(({ decision }) => decision === 'message.failed')).toMatchObject({
      reason: 'UNDELIV',
    })
    expect((await world.engine.verify()).violations).toEqual([])
  })

  it('that shows it arrived is believed, whatever was said before, and takes its place again', async () => {
    const { key, sms } = await sent(undefined, [...RULES, AGAIN, ONE_A_WEEK])

    const said = await receive(
      { deliveryKey: key, says: 'failed' },
      { deliveryKey: key, says: 'opened' },
      { deliveryKey: key, says: 'failed' },
    )
    await world.ingest(track('again', 'u1'))

    expect(said).toEqual(['accepted', 'accepted', 'duplicate'])
    expect(sms.sent).toHaveLength(1)
    expect(await state()).toEqual(['accepted', 'suppressed: cap'])
  })

  it('that denies what has arrived is refused', async () => {
    const { key } = await sent()

    expect(
      await receive(
        { deliveryKey: key, says: 'delivered' },
        { deliveryKey: key, says: 'failed' },
        { deliveryKey: key, says: 'confirmed' },
        { deliveryKey: key, says: 'declined' },
      ),
    ).toEqual(['accepted', 'receipt.impossible', 'receipt.impossible', 'receipt.impossible'])
    expect(await state()).toEqual(['accepted'])
  })

  it('of what nobody was handed is refused', async () => {
    const night = { kind: 'policy', id: 'noon', quietHours: { from: '11:00', to: '13:00' } }
    const { key } = await sent(undefined, [...RULES, night])

    expect(await receive({ deliveryKey: key, says: 'delivered' })).toEqual(['receipt.impossible'])
    expect(await state()).toEqual(['retry_at: quiet hours'])
  })

  it('that cannot be leaves a decision about its recipient: one, however often it comes', async () => {
    const { key } = await sent()
    const impossible: Receipt = { deliveryKey: key, says: 'declined' }
    expect(await receive(impossible, impossible)).toEqual(['receipt.impossible', 'receipt.impossible'])
    expect(await receive(impossible)).toEqual(['receipt.impossible'])

    const refused = (await world.decisions()).filter(({ decision }) => decision === 'receipt.rejected')
    expect(refused).toEqual([
      expect.objectContaining({
        ...{ subject: 'user:u1', rule: 'remind', step: 'push', channel: 'sms', says: 'declined' },
        ...{ reason: 'receipt.impossible', detail: 'it waits for nobody' },
      }),
    ])
    expect(await receive({ deliveryKey: key, says: 'delivered' })).toEqual(['accepted'])
    expect((await world.engine.verify()).violations).toEqual([])
  })

  it('shows that a parked message was sent', async () => {
    const { key } = await sent('lost_after')
    expect((await world.engine.deliveries())[0]?.state).toBe('parked')

    await receive({ deliveryKey: key, says: 'delivered' })

    expect(await state()).toEqual(['accepted'])
    expect(await log(world.engine, 'message.')).toEqual([
      ...['message.planned', 'message.parked', 'message.resolved', 'message.delivered'].map((one) =>
        one === 'message.parked' ? `${one} the outcome is unknown and may not be repeated` : one,
      ),
    ])
    expect(await events()).toContain('message_accepted')
    expect((await world.engine.verify()).violations).toEqual([])
  })

  it('says that a person has sent what waited for one, or will not', async () => {
    const { key } = await sent({ status: 'awaiting_person', providerId: 'task-1' })
    expect(await receive({ channel: 'sms', providerId: 'task-1', says: 'confirmed' })).toEqual(['accepted'])
    expect(await state()).toEqual(['accepted'])
    expect(await events()).toEqual(['cart', 'message_accepted', 'message_confirmed'])
    expect(await receive({ deliveryKey: key, says: 'declined' })).toEqual(['receipt.impossible'])
  })

  it('says that nobody will send it: its place under caps is free', async () => {
    const awaiting = { status: 'awaiting_person', providerId: 'task-1' } as const
    const { key, sms } = await sent(awaiting, [...RULES, AGAIN, ONE_A_WEEK])

    expect(await receive({ deliveryKey: key, says: 'declined', detail: '团长没空' })).toEqual(['accepted'])
    await world.ingest(track('again', 'u1'))

    expect(await state()).toEqual(['rejected: 团长没空', 'awaiting_person'])
    expect(sms.sent).toHaveLength(2)
    expect((await world.engine.verify()).violations).toEqual([])
  })

  it('that what waited for a person has arrived says that it was sent, too', async () => {
    const { key } = await sent({ status: 'awaiting_person' })

    await receive({ deliveryKey: key, says: 'opened' })

    expect(await state()).toEqual(['accepted'])
    expect(await receive({ deliveryKey: key, says: 'confirmed' })).toEqual(['duplicate'])
    expect(await log(world.engine, 'message.')).toEqual([
      ...['message.planned', 'message.accepted', 'message.confirmed', 'message.opened'],
    ])
  })

  it('of somebody who was erased is unknown, and nothing of it is kept', async () => {
    const { key } = await sent()
    await world.engine.erasePerson('u1')

    expect(await receive({ deliveryKey: key, says: 'clicked', link: 'https://shop/u1' })).toEqual(['receipt.unknown'])
    expect(await events()).toEqual([])
  })

  describeRaces()

  /** The provider tells of a message before its own answer has been written down. */
  function describeRaces(): void {
    const during = async (answer: SendResult | 'lost', say: (key: string) => Receipt) => {
      const [called, mayAnswer] = [gate(), gate()]
      let key = ''
      const slow: Channel = {
        name: 'sms',
        repeat: { kind: 'none' },
        send: async ({ deliveryKey }) => {
          key = deliveryKey
          called.open()
          await mayAnswer.opened
          if (answer === 'lost') throw new Error('no answer')
          return answer
        },
      }
      const moves = journey('remind', [
        send('push'),
        { id: 'read', waitFor: { event: 'message_opened', timeout: '1d' } },
      ])
      world = await worldOf([template('hello'), moves], { channels: [slow], database: store })
      const working = world.ingest(track('cart', 'u1'))
      await called.opened
      const { results } = await world.engine.receive([say(key)])
      mayAnswer.open()
      await working
      return { key, results }
    }

    it('settles a message whose answer is still to come: the run goes on, and takes it', async () => {
      const { key, results } = await during({ status: 'accepted', providerId: 'p-1' }, (deliveryKey) => ({
        deliveryKey,
        says: 'opened',
      }))

      expect(results).toEqual([{ status: 'accepted', deliveryKey: key }])
      expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.accepted', 'message.opened'])
      expect((await world.engine.subject('user', 'u1'))?.runs).toEqual([])
      expect(await events()).toEqual(['cart', 'message_accepted', 'message_opened'])
      expect(await receive({ channel: 'sms', providerId: 'p-1', says: 'opened' })).toEqual(['duplicate'])
    })

    it('is believed more than the answer that comes later, or never', async () => {
      for (const answer of [{ status: 'refused', reason: 'other' }, 'lost'] as const) {
        await during(answer, (deliveryKey) => ({ deliveryKey, says: 'delivered' }))
        expect(await state()).toEqual(['accepted'])
        expect((await world.engine.verify()).violations).toEqual([])
        await world.close()
        store = await open()
      }
      await sent()
    })

    it('that fails the message first leaves it as if it had come second', async () => {
      await during({ status: 'accepted', providerId: 'p-1' }, (deliveryKey) => ({ deliveryKey, says: 'failed' }))

      expect(await state()).toEqual(['failed: failed'])
      expect(await events()).toEqual(['cart', 'message_accepted', 'message_failed'])
    })

    it('by the provider\u2019s own name is to be handed in again', async () => {
      const { results } = await during({ status: 'accepted', providerId: 'p-1' }, () => ({
        channel: 'sms',
        providerId: 'p-1',
        says: 'opened',
      }))

      expect(results).toMatchObject([{ status: 'rejected', code: 'receipt.early' }])
      expect(await receive({ channel: 'sms', providerId: 'p-1', says: 'opened' })).toEqual(['accepted'])
    })
  }
})
