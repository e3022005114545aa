import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, send, tag, template, wait } from '../../testing/rules.js'
import { log, shopOf, worldOf } from '../../testing/shop.js'
import type { Channel } from '../ports/channel.js'
import type { IncomingEvent } from './event.js'

const RULES = [tag('regular', atLeast(3, 'order')), tag('never-ordered', count('order', 'equal', 0))]
let messages = 0
const event = (more: Omit<IncomingEvent, 'messageId'>): IncomingEvent => ({ messageId: `t-${++messages}`, ...more })
const known = (...ids: readonly string[]) => ({
  externalIds: ids.map((name) => ({ type: name.slice(0, name.indexOf(':')), id: name.slice(name.indexOf(':') + 1) })),
})
/** An order of a user, who is known by these identifiers. */
const order = (userId: string, ...ids: readonly string[]) => event({ event: 'order', userId, context: known(...ids) })
const alias = (userId: string, previousId: string) => event({ type: 'alias', userId, previousId })

describe('two users with the same identifier', () => {
  it('are one: the one who had it first stays, with all that both did', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1', 'openid:o1'), order('u2'), order('u2'))

    await world.ingest(event({ type: 'identify', userId: 'u2', traits: { city: '上海' }, context: known('openid:o1') }))

    const one = await world.engine.subject('user', 'u1')
    expect(one).toMatchObject({ id: 'u1', also: ['u2'], tags: ['regular'], traits: { city: '上海' } })
    expect(await world.engine.subject('user', 'u2')).toEqual(one)
    await world.close()
  })

  it('are one within one call, wherever the identifier stands in it', async () => {
    for (const at of [0, 1, 2]) {
      const world = await worldOf(RULES)
      const orders = ['u2', 'u2', 'u2'].map((user, index) => (index === at ? order(user, 'unionid:x') : order(user)))

      await world.ingest(...orders, order('u1', 'unionid:x'))

      expect(await world.engine.subject('user', 'u1')).toMatchObject({ id: 'u2', tags: ['regular'] })
      await world.close()
    }
  })

  it('stay one, under whichever id their events come', async () => {
    const world = await worldOf([tag('many', atLeast(6, 'order'))])
    await world.ingest(order('u1', 'phone:1390'), order('u2', 'phone:1390'))

    await world.ingest(order('u2'), order('u1'), order('u2', 'phone:1390'), order('u1', 'phone:1390'))

    expect((await world.engine.subject('user', 'u2'))?.tags).toEqual(['many'])
    expect(await log(world.engine, 'identity')).toHaveLength(2)
    await world.close()
  })

  it('are not one by a type that the host does not take for unique', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1', 'device:d1'), order('u2', 'device:d1'))
    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u2' })
    await world.close()

    const engine = await shopOf(RULES).start({ identifiers: ['device'] })
    await engine.ingest([
      order('u1', 'device:d1'),
      order('u2', 'device:d1'),
      order('u3', 'phone:1'),
      order('u4', 'phone:1'),
    ])
    expect(await engine.subject('user', 'u2')).toMatchObject({ id: 'u1' })
    expect(await engine.subject('user', 'u4')).toMatchObject({ id: 'u4' })
  })

  it('may be three, found out one after the other', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1', 'openid:a'), order('u2', 'openid:b'), order('u3', 'openid:c'))

    await world.ingest(order('u3', 'openid:b'))
    await world.ingest(order('u2', 'openid:a'))

    const one = await world.engine.subject('user', 'u3')
    expect(one).toMatchObject({ id: 'u1', tags: ['regular'] })
    expect([...(one?.also ?? [])].sort()).toEqual(['u2', 'u3'])
    await world.close()
  })

  it('are refused an identifier that everybody may have', async () => {
    const world = await worldOf(RULES)
    for (const id of ['undefined', 'null', '0', ' ']) {
      expect((await world.ingest(order('u1', `openid:${id}`))).results[0]).toMatchObject({ code: 'event.identifier' })
    }
    const odd = [{ type: 'open id', id: 'o1' }, { type: 'openid', id: 7 }, { id: 'o1' }, 'o1']
    for (const one of odd) {
      const report = await world.ingest(event({ event: 'order', userId: 'u1', context: { externalIds: [one] } }))
      expect(report.results[0]).toMatchObject({ code: 'event.identifier' })
    }
    await world.close()
  })
})

describe('somebody of whom only an identifier is known', () => {
  it('is a user of its own until an event says whose it is', async () => {
    const world = await worldOf(RULES)
    const scan = () => event({ event: 'order', context: known('external_userid:w1') })
    await world.ingest(scan(), scan())
    expect(await world.engine.subject('user', 'id:external_userid:w1')).toMatchObject({ tags: [] })

    await world.ingest(order('u1', 'external_userid:w1'))

    expect(await world.engine.subject('user', 'id:external_userid:w1')).toMatchObject({ id: 'u1', tags: ['regular'] })
    await world.ingest(scan())
    expect(await world.engine.explain({ subject: ['user', 'u1'], rule: 'regular' })).toMatchObject({
      conditions: { actual: 4 },
    })
    await world.close()
  })

  it('takes a visitor along who shows the identifier', async () => {
    const world = await worldOf(RULES)
    await world.ingest(event({ event: 'order', context: known('openid:o1') }))

    await world.ingest(event({ event: 'order', anonymousId: 'a1', context: known('openid:o1') }))
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ id: 'id:openid:o1' })

    await world.ingest(order('u1', 'openid:o1'))
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1', tags: ['regular'] })
    await world.close()
  })
})

describe('`alias`', () => {
  it('makes one of two known users: the one it names stays', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1'), order('u2'), order('u2'))

    await world.ingest(alias('u1', 'u2'))

    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u1', tags: ['regular'] })
    await world.close()
  })

  it('said again, or the other way round, changes nothing', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1'), order('u2'), alias('u1', 'u2'))
    const before = await world.decisions()

    await world.ingest(alias('u1', 'u2'), alias('u2', 'u1'), alias('u1', 'u1'))

    expect(await world.decisions()).toEqual(before)
    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u1' })
    await world.close()
  })

  it('that comes before the first event of the other goes for what comes later', async () => {
    const world = await worldOf(RULES)
    await world.ingest(alias('u1', 'u2'))

    await world.ingest(order('u2'), order('u2'), order('u1'))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ tags: ['regular'] })
    await world.close()
  })

  it('of a visitor who is somebody already makes one of nobody else', async () => {
    const world = await worldOf(RULES)
    await world.ingest(event({ event: 'order', anonymousId: 'kiosk' }), order('u2'))
    await world.ingest(alias('u1', 'kiosk'))

    await world.ingest(alias('u2', 'kiosk'))

    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u2' })
    await world.close()
  })

  it('of a user who comes in with it makes one of two known users', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u2'), alias('u1', 'u2'), order('u3'))

    await world.ingest(alias('u3', 'u2'))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ id: 'u3', also: ['u1', 'u2', 'anon:u2'] })
    await world.close()
  })

  it('that is a duplicate is not heard again, whatever it says', async () => {
    const world = await worldOf(RULES)
    const said = alias('u1', 'u2')
    await world.ingest(order('u1'), order('u2'), order('u3'), said)

    await world.ingest({ ...said, previousId: 'u3' })

    expect(await world.engine.subject('user', 'u3')).toMatchObject({ id: 'u3' })
    await world.close()
  })
})

describe('a person who was two', () => {
  const GREETING = [
    template('hello'),
    journey('greet', [wait('later', '1h'), send('push')], { entry: { on: 'event', event: 'order' }, key: 'orderId' }),
  ]
  const paid = (userId: string, orderId: string) => event({ event: 'order', userId, properties: { orderId } })

  it('gets every message once, addressed to who it is now', async () => {
    const world = await worldOf(GREETING)
    await world.ingest(paid('u1', 'o1'), paid('u2', 'o2'))
    await world.ingest(alias('u1', 'u2'))

    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(world.sent.map(({ to }) => to.id)).toEqual(['u1', 'u1'])
    expect(await log(world.engine, 'journey.exited')).toEqual(['journey.exited completed', 'journey.exited completed'])
    await world.close()
  })

  it('gets no more messages than one may: what both were sent counts for caps', async () => {
    const cap = { kind: 'policy', id: 'one-a-day', cap: { max: 1, within: '1d' } }
    const world = await worldOf([...GREETING, cap])
    await world.ingest(paid('u2', 'o1'))
    await world.advanceTo('2026-03-01T14:00:00+08:00')
    expect(world.sent).toHaveLength(1)

    await world.ingest(alias('u1', 'u2'), paid('u1', 'o2'))
    await world.advanceTo('2026-03-01T16:00:00+08:00')

    expect(world.sent).toHaveLength(1)
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed cap'])
    await world.close()
  })

  it('is sent nothing that either has refused', async () => {
    const world = await worldOf(GREETING)
    await world.ingest(paid('u1', 'o1'), event({ event: 'consent_withdrawn', userId: 'u2' }))
    await world.ingest(event({ event: 'consent_granted', userId: 'u1' }), alias('u1', 'u2'))

    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed opted out'])
    await world.close()
  })

  it('gets one coupon where one for each person was meant', async () => {
    const rules = [
      { kind: 'offer', id: 'fruit', total: 10 },
      journey('gift', [{ id: 'give', issue: { offer: 'fruit' } }], {
        entry: { on: 'event', event: 'order' },
        key: 'orderId',
      }),
    ]
    const world = await worldOf(rules)
    await world.ingest(paid('u2', 'o1'))

    await world.ingest(alias('u1', 'u2'))
    await world.ingest(paid('u1', 'o2'))

    expect(await log(world.engine, 'coupon')).toEqual(['coupon.issued', 'coupon.refused limit for one person'])
    expect((await world.engine.deliveries({ subject: ['user', 'u1'] })).map(({ state }) => state)).toEqual([
      'accepted',
      'rejected',
    ])
    await world.close()
  })

  it('has a message that was on its way once: it is not called again, and its run goes on', async () => {
    const answers: (() => void)[] = []
    const slow: Channel = {
      name: 'sms',
      repeat: { kind: 'none' },
      send: () => new Promise((resolve) => answers.push(() => resolve({ status: 'accepted' }))),
    }
    const rules = [
      template('hello'),
      journey('greet', [send('push'), wait('later', '1d')], { entry: { on: 'event', event: 'order' } }),
    ]
    const { engine } = await worldOf(rules, { channels: [slow] })
    await engine.ingest([order('u1', 'openid:o1')])
    await engine.ingest([event({ event: 'view', userId: 'u0' })])
    const settled = engine.settle()
    await expect.poll(() => answers.length).toBe(1)

    await engine.ingest([alias('u0', 'u1')])
    answers[0]?.()
    await settled
    await engine.settle()

    expect(answers).toHaveLength(1)
    expect(await engine.deliveries({ subject: ['user', 'u0'] })).toMatchObject([{ state: 'accepted' }])
    expect(await engine.subject('user', 'u1')).toMatchObject({ id: 'u0', runs: [{ journey: 'greet', step: 'later' }] })
    await engine.close()
  })

  it('is told by all of its ids what was decided', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1'), order('u2'), order('u2'), alias('u1', 'u2'))

    const log1 = await world.engine.decisions({ subject: ['user', 'u1'] })

    expect(await world.engine.decisions({ subject: ['user', 'u2'] })).toEqual(log1)
    expect(new Set(log1.map(({ subject }) => subject))).toEqual(new Set(['user:u1', 'user:u2']))
    await world.close()
  })
})

describe('a community', () => {
  const people = { fact: 'userCount', params: { of: 'community', event: 'order' }, operator: 'greaterThanInclusive' }
  const rules = [tag('three-buy', { ...people, value: 3 })]
  const join = (userId: string, groupId: string) => event({ type: 'group', userId, groupId })

  it('counts two people who are one once, wherever they have been', async () => {
    const world = await worldOf(rules)
    await world.ingest(join('u1', 'c1'), join('u2', 'c1'), join('u3', 'c1'))
    await world.ingest(order('u1'), order('u2'), order('u3'))
    expect((await world.engine.subject('user', 'u3'))?.tags).toEqual(['three-buy'])

    await world.ingest(join('u2', 'c2'))
    await world.ingest(alias('u1', 'u2'))

    expect((await world.engine.subject('user', 'u3'))?.tags).toEqual([])
    await world.close()
  })

  it('counts whom it had forgotten, where two of those it kept are one', async () => {
    const world = await worldOf(rules)
    await world.ingest(...['u1', 'u2', 'u3', 'u4'].map((userId) => join(userId, 'c1')))
    await world.ingest(order('u1'), order('u2'), order('u3'), order('u4'))

    await world.ingest(alias('u3', 'u4'))
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['three-buy'])
    const turns = (await world.decisions()).filter(
      ({ decision, subject }) => decision === 'tag.removed' && subject === 'user:u1',
    )
    expect(turns).toEqual([])

    await world.ingest(alias('u1', 'u2'))
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual([])
    await world.close()
  })

  it('goes on counting them once', async () => {
    const world = await worldOf(rules)
    await world.ingest(join('u1', 'c1'), join('u2', 'c1'), join('u3', 'c1'), alias('u1', 'u2'))

    await world.ingest(order('u1'), order('u2'), order('u3'))
    expect((await world.engine.subject('user', 'u3'))?.tags).toEqual([])

    await world.ingest(join('u4', 'c1'), order('u4'))
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['three-buy'])
    await world.close()
  })
})
