import { describe, expect, it } from 'vitest'
import { journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { identify, log, track, worldOf } from '../../testing/shop.js'
import { memoryChannel } from '../testing/memory-channel.js'

const REMIND = journey('remind', [send('push'), wait('later', '2d')], { exit: { on: 'event', event: 'order' } })
const SERVICE = journey('thank', [send('thanks', { class: 'service' })], { entry: { on: 'event', event: 'order' } })
const HELLO = template('hello', 'Hello {{ traits.name | default: "neighbour" }}')
const NIGHT = { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00' } }
const ONE_A_WEEK = { kind: 'policy', id: 'one-a-week', cap: { max: 1, within: '7d' } }
const LATE = '2026-03-01T23:10:00+08:00'

const states = async (world: { engine: { deliveries(): Promise<readonly { state: string; reason?: string }[]> } }) =>
  (await world.engine.deliveries()).map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`))

describe('a message', () => {
  it('is planned, handed to its channel, and accepted', async () => {
    const sms = memoryChannel({ name: 'sms' })
    const world = await worldOf([HELLO, REMIND], { channels: [sms] })

    await world.ingest(identify('u1', { name: 'Wang', phone: '138' }), track('cart', 'u1'))

    expect(sms.sent).toMatchObject([
      {
        channel: 'sms',
        class: 'promotion',
        to: { kind: 'user', id: 'u1', traits: { name: 'Wang', phone: '138' } },
        content: { template: 'hello', body: 'Hello Wang' },
        source: { journey: 'remind', step: 'push' },
      },
    ])
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.accepted'])
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'accepted', attempt: 1, providerId: 'memory-1' }])
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    await world.close()
  })

  it('is rendered with what is known when it leaves', async () => {
    const world = await worldOf([HELLO, REMIND, NIGHT], { now: LATE })
    await world.ingest(track('cart', 'u1'))
    await world.ingest(identify('u1', { name: 'Wang' }))

    await world.advanceTo('2026-03-02T08:00:00+08:00')

    expect(world.sent.map(({ content }) => content.body)).toEqual(['Hello Wang'])
    await world.close()
  })

  it('comes back as an event, on which journeys can branch', async () => {
    const arrived = { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'message_accepted' } }
    const world = await worldOf([HELLO, tag('reached', arrived), REMIND])

    await world.ingest(track('cart', 'u1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['reached'])
    await world.close()
  })

  it('that a person has to confirm counts as sent', async () => {
    const wecom = memoryChannel({ name: 'sms', outcome: { status: 'awaiting_person', providerId: 'task-1' } })
    const world = await worldOf([HELLO, REMIND, ONE_A_WEEK], { channels: [wecom] })

    await world.ingest(track('cart', 'u1'))

    expect(await world.engine.deliveries()).toMatchObject([{ state: 'awaiting_person', providerId: 'task-1' }])
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    await world.close()
  })

  it('whose template lacks a value is suppressed, and it is said which', async () => {
    const world = await worldOf([template('hello', 'Hello {{ traits.name }}'), REMIND])

    await world.ingest(track('cart', 'u1'))

    expect(world.sent).toEqual([])
    expect((await world.decisions()).find(({ decision }) => decision === 'message.suppressed')).toMatchObject({
      reason: 'template',
      detail: expect.stringContaining('traits.name'),
      run: expect.any(String),
      step: 'push',
    })
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    await world.close()
  })
})

describe('quiet hours', () => {
  it("hold a message until 08:00 in the recipient's time zone", async () => {
    const world = await worldOf([HELLO, REMIND, NIGHT], { now: LATE })
    await world.ingest(track('cart', 'u1'), identify('u2', { timeZone: 'Asia/Tokyo' }), track('cart', 'u2'))
    expect(world.sent).toEqual([])
    expect(await log(world.engine, 'message.deferred')).toEqual(Array(2).fill('message.deferred quiet hours'))

    await world.advanceTo('2026-03-02T08:00:00+09:00')
    expect(world.sent.map(({ to }) => to.id)).toEqual(['u2'])

    await world.advanceTo('2026-03-02T07:59:59.999+08:00')
    expect(world.sent.map(({ to }) => to.id)).toEqual(['u2'])

    await world.advanceTo('2026-03-02T08:00:00+08:00')
    expect(world.sent.map(({ to }) => to.id)).toEqual(['u2', 'u1'])
    await world.close()
  })

  it('let service messages through', async () => {
    const world = await worldOf([HELLO, SERVICE, NIGHT], { now: LATE })

    await world.ingest(track('order', 'u1'))

    expect(world.sent).toHaveLength(1)
    await world.close()
  })

  it('are asked again at their end: the recipient may have moved west', async () => {
    const world = await worldOf([HELLO, REMIND, NIGHT], { now: LATE })
    await world.ingest(track('cart', 'u1'))
    await world.ingest(identify('u1', { timeZone: 'Asia/Urumqi' }))

    await world.advanceTo('2026-03-02T09:59:59+08:00')
    expect(world.sent).toEqual([])

    await world.advanceTo('2026-03-02T08:00:00+06:00')
    expect(world.sent).toHaveLength(1)
    await world.close()
  })
})

describe('a message that waits', () => {
  it('obeys an opt-out that came in the meantime', async () => {
    const world = await worldOf([HELLO, REMIND, NIGHT], { now: LATE })
    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('consent_withdrawn', 'u1'))

    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(world.sent).toEqual([])
    expect(await states(world)).toEqual(['suppressed: opted out'])
    await world.close()
  })

  it('obeys an opt-out that comes in the same call as what plans it', async () => {
    const world = await worldOf([HELLO, REMIND])

    await world.ingest(track('cart', 'u1'), track('consent_withdrawn', 'u1'))

    expect(world.sent).toEqual([])
    await world.close()
  })

  it('is called off when its run ends', async () => {
    const world = await worldOf([HELLO, REMIND, NIGHT], { now: LATE })
    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('order', 'u1'))

    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(world.sent).toEqual([])
    expect(await log(world.engine, 'message.')).toEqual([
      'message.planned',
      'message.deferred quiet hours',
      'message.suppressed run ended',
    ])
    await world.close()
  })
})

describe('a policy that asks for consent', () => {
  const CONSENT = { kind: 'policy', id: 'consent', consent: {} }

  it('suppresses what nobody agreed to, says what was missing, and lets the run go on', async () => {
    const world = await worldOf([HELLO, REMIND, CONSENT])

    await world.ingest(track('cart', 'u1'))

    expect(world.sent).toEqual([])
    expect((await world.decisions()).find(({ decision }) => decision === 'message.suppressed')).toMatchObject({
      rule: 'consent',
      journey: 'remind',
      reason: 'no consent',
      needed: 'a consent_granted event for promotion on sms',
    })
    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    await world.close()
  })

  it('lets through what was agreed to', async () => {
    const world = await worldOf([HELLO, REMIND, CONSENT])

    await world.ingest(track('consent_granted', 'u1', { channel: 'sms', class: 'promotion' }), track('cart', 'u1'))

    expect(world.sent).toHaveLength(1)
    await world.close()
  })
})

describe('a cap', () => {
  const twice = journey('remind', [send('one'), send('two'), putTag('mark', 'done')])

  it('suppresses what is beyond it, with the reason, and lets the run go on', async () => {
    const world = await worldOf([HELLO, tag('done'), twice, ONE_A_WEEK])

    await world.ingest(track('cart', 'u1'))

    expect(world.sent.map(({ source }) => source.step)).toEqual(['one'])
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed cap'])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['done'])
    await world.close()
  })

  it('holds for messages of several journeys that become due at the same instant', async () => {
    const journeys = ['a', 'b', 'c'].map((id) => journey(id, [wait('w', '1h'), send('push')]))
    const world = await worldOf([HELLO, ...journeys, ONE_A_WEEK])
    await world.ingest(track('cart', 'u1'))

    await world.advanceTo('2026-03-01T14:00:00+08:00')

    expect(world.sent).toHaveLength(1)
    expect(await log(world.engine, 'message.suppressed')).toEqual(Array(2).fill('message.suppressed cap'))
    await world.close()
  })

  it('lets the next through as soon as the window has passed', async () => {
    const world = await worldOf([HELLO, journey('remind', [send('push')]), ONE_A_WEEK])
    await world.ingest(track('cart', 'u1'))

    await world.advanceTo('2026-03-08T11:59:59.999+08:00')
    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-08T12:00:00+08:00')
    await world.ingest(track('cart', 'u1'))

    expect(world.sent).toHaveLength(2)
    await world.close()
  })

  it('does not count a message that the provider refused', async () => {
    const sms = memoryChannel({ name: 'sms' })
    const world = await worldOf([HELLO, tag('done'), twice, ONE_A_WEEK], { channels: [sms] })
    sms.respond({ status: 'refused', reason: 'content' })

    await world.ingest(track('cart', 'u1'))

    expect(sms.sent.map(({ source }) => source.step)).toEqual(['two'])
    await world.close()
  })
})

describe('messages that a cap has no room for all of', () => {
  it('go by the priority of their journeys', async () => {
    const sms = memoryChannel({ name: 'sms' })
    const urgent = journey('urgent', [send('first', { class: 'promotion' })], { priority: 5 })
    const world = await worldOf([HELLO, REMIND, urgent, ONE_A_WEEK], { channels: [sms] })

    await world.ingest(...['u1', 'u2', 'u3'].map((user) => track('cart', user)))

    expect(sms.sent.map(({ source }) => source.journey)).toEqual(['urgent', 'urgent', 'urgent'])
    await world.close()
  })
})
