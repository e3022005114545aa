import { beforeEach, describe, expect, it } from 'vitest'
import { atLeast, journey, send, tag, template, wait } from '../../testing/rules.js'
import { group, identify, log, track, worldOf } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { Channel } from '../ports/channel.js'
import type { World } from '../simulation/world.js'
import { memoryStore } from '../storage/memory/store.js'
import { gate } from '../testing/store-checks/material.js'

const community = { subject: 'community' }
const RULES = [
  template('hello', '{{ traits.name }}，您好'),
  template('tip', '{{ entry.buyer }} 下单了'),
  { kind: 'offer', id: 'trial', total: 2 },
  journey('remind', [wait('later', '1h'), send('push')]),
  journey('gift', [{ id: 'coupon', issue: { offer: 'trial' } }], { entry: { on: 'event', event: 'joined' } }),
  tag('two-people', { fact: 'userCount', operator: 'equal', value: 2, params: { event: 'cart' } }, community),
  tag('busy', atLeast(3, 'cart'), community),
  tag('in-busy', { fact: 'tag', operator: 'equal', value: true, params: { id: 'busy', of: 'community' } }),
  journey(
    'tell',
    [
      { id: 'tip', suggest: { to: 'leader', template: 'tip', expires: '3d' } },
      wait('a-day', '1d'),
      { id: 'again', suggest: { to: 'leader', template: 'tip', expires: '3d' } },
    ],
    { ...community, entry: { on: 'event', event: 'order' }, reentry: 'always' },
  ),
]

const known = (userId: string, type: string, id: string): IncomingEvent => ({
  ...identify(userId),
  context: { externalIds: [{ type, id }] },
})
const visitor = (anonymousId: string, event = 'cart'): IncomingEvent => {
  const { userId: _, ...anonymous } = track(event, '')
  return { ...anonymous, anonymousId }
}

const LATER = '2026-03-03T12:00:00+08:00'

let store: ReturnType<typeof memoryStore>
let world: World
let engine: Engine

beforeEach(async () => {
  store = memoryStore()
  world = await worldOf(RULES, { database: store })
  engine = world.engine
})

describe('erasing a person', () => {
  it('removes all that is kept of them, ends their runs, and sends nothing any more', async () => {
    await world.ingest(identify('u1', { name: '王芳' }), identify('u2', { name: '李明' }))
    await world.ingest(track('cart', 'u1'), track('joined', 'u1'), track('cart', 'u2'))

    const erasure = await engine.erasePerson('u1')

    const reference = expect.stringMatching(/^erased:[\w-]{22}$/)
    expect(erasure).toMatchObject({ reference, names: 1, events: 4, deliveries: 1, coupons: 1 })
    expect(await engine.subject('user', 'u1')).toBeUndefined()
    expect(await engine.decisions({ subject: ['user', 'u1'] })).toEqual([])
    expect(await engine.deliveries({ subject: ['user', 'u1'] })).toEqual([])
    await world.advanceTo(LATER)
    expect(world.sent.map(({ to }) => to.id)).toEqual(['u2'])
  })

  it('leaves what was given away given away', async () => {
    await world.ingest(track('joined', 'u1'), track('joined', 'u2'))

    await engine.erasePerson('u1')
    await world.ingest(track('joined', 'u3'))

    expect((await engine.pools()).get('trial')).toEqual({ issued: 2, total: 2 })
    expect(await log(engine, 'coupon.refused')).toEqual(['coupon.refused pool is empty'])
  })

  it('is done once: again, it changes nothing, whatever name is said', async () => {
    await world.ingest(known('u1', 'openid', 'o-1'), track('cart', 'u1'))
    const { reference } = await engine.erasePerson('u1')
    const before = await engine.decisions()

    expect(await engine.erasePerson('u1')).toEqual({
      ...{ reference, names: 0, events: 0, decisions: 0, deliveries: 0, coupons: 0 },
    })
    expect((await engine.erasePerson('id:openid:o-1')).reference).toBe(reference)
    expect(await engine.decisions()).toEqual(before)
    expect(before).toEqual([{ at: expect.any(Number), subject: reference, decision: 'person.erased' }])
  })

  it('keeps out whoever has not come yet', async () => {
    expect(await engine.erasePerson('u9')).toMatchObject({ names: 1, events: 0 })

    expect((await engine.ingest([track('cart', 'u9')])).results).toMatchObject([{ code: 'person.erased' }])
    expect(await store.readSubject({ kind: 'user', id: 'u9' })).toBeUndefined()
  })

  it.each(['u1', 'u2', 'anon:a-1', 'id:openid:o-1'])(
    'finds all of somebody who was known by several ids, by %s',
    async (name) => {
      await world.ingest(visitor('a-1'), known('u1', 'openid', 'o-1'), track('cart', 'u2'))
      await world.ingest({ ...identify('u1'), anonymousId: 'a-1' }, known('u2', 'openid', 'o-1'))
      expect((await engine.subject('user', 'u2'))?.id).toBe('u1')

      expect(await engine.erasePerson(name)).toMatchObject({ names: 4, events: 5 })

      expect([...store.subjects()]).toEqual([])
      expect(await engine.merges()).toEqual([])
      const late = [track('cart', 'u1'), track('cart', 'u2'), visitor('a-1')]
      expect(await engine.ingest(late)).toMatchObject({ rejected: 3 })
    },
  )

  it('works communities and leaders out anew, without them', async () => {
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))
    await world.ingest(track('cart', 'u1'), track('cart', 'u2'), track('cart', 'u2'))
    expect((await engine.subject('community', 'c1'))?.tags).toEqual(['two-people', 'busy'])
    expect((await engine.subject('user', 'u2'))?.tags).toEqual(['in-busy'])

    await engine.erasePerson('u1')
    await engine.settle()

    expect(await engine.subject('community', 'c1')).toMatchObject({ tags: [], relations: { leader: 'l1' } })
    expect((await engine.subject('user', 'u2'))?.tags).toEqual([])
  })

  it('ends runs of communities that hold what they said, and takes back what those suggested', async () => {
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))
    await world.ingest(track('order', 'u1', { buyer: '王芳' }), track('order', 'u2', { buyer: '李明' }))
    expect((await engine.suggestions()).map(({ text }) => text).sort()).toEqual(['李明 下单了', '王芳 下单了'])

    await engine.erasePerson('u1')
    await world.advanceTo(LATER)

    expect((await engine.suggestions()).map(({ text }) => text)).toEqual(['李明 下单了', '李明 下单了'])
    expect(await log(engine, 'journey.exited')).toEqual(['journey.exited person erased', 'journey.exited completed'])
    const deliveries = await engine.deliveries({ subject: ['community', 'c1'] })
    expect(deliveries.map(({ state }) => state).sort()).toEqual(['awaiting_person', 'awaiting_person', 'suppressed'])
    expect(JSON.stringify([deliveries, await engine.decisions()])).not.toContain('王芳')
    expect(await log(engine, 'message.suppressed')).toEqual(['message.suppressed person erased'])
  })

  it('takes back words about them that their community has not heard yet', async () => {
    await engine.ingest([group('u1', 'c1'), track('cart', 'u1'), group('u2', 'c1'), track('cart', 'u2')])
    await engine.ingest([track('cart', 'u1'), track('cart', 'u2')], { mode: 'history' })

    await engine.erasePerson('u1')
    await engine.settle()

    expect((await engine.subject('community', 'c1'))?.tags).toEqual([])
    await world.ingest(track('cart', 'u2'))
    expect((await engine.subject('community', 'c1'))?.tags).toEqual(['busy'])
  })

  it('lets a message go that is being handed over, and keeps nothing of what became of it', async () => {
    const calls: string[] = []
    const handedOver = gate()
    const slow: Channel = {
      name: 'sms',
      repeat: { kind: 'none' },
      send: async ({ to }) => {
        calls.push(to.id)
        await handedOver.opened
        return { status: 'accepted', providerId: 'p-1' }
      },
    }
    const slowWorld = await worldOf(RULES, { database: store, channels: [slow] })
    await slowWorld.ingest(identify('u1', { name: '王芳' }), track('cart', 'u1'))
    slowWorld.clock.moveTo(slowWorld.clock.now() + 3_600_000)
    const settled = slowWorld.engine.settle()
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve))

    await slowWorld.engine.erasePerson('u1')
    handedOver.open()
    await settled

    expect(calls).toEqual(['u1'])
    expect([...store.subjects()]).toEqual([])
    expect(await slowWorld.engine.deliveries()).toEqual([])
    expect(await log(slowWorld.engine, '')).toEqual(['person.erased'])
  })
})

describe('after somebody was erased', () => {
  beforeEach(() => world.ingest({ ...known('u1', 'openid', 'o-1'), anonymousId: 'a-1' }, track('cart', 'u1')))

  it('events of theirs are refused by any of their names, live and as history, and leave nothing that tells who it was', async () => {
    const { reference } = await engine.erasePerson('u1')
    const { userId: _, ...openid } = known('', 'openid', 'o-1')
    const alias = (previousId: string): IncomingEvent => ({
      type: 'alias',
      userId: 'u5',
      previousId,
      messageId: `to-${previousId}`,
    })
    const late = [track('cart', 'u1'), visitor('a-1'), openid, alias('u1'), alias('a-1')]

    const other = track('cart', 'u2')

    for (const mode of ['live', 'history'] as const) {
      const { results } = await engine.ingest([...late, other], { mode })
      expect(results.map((result) => ('code' in result ? result.code : result.status))).toEqual([
        ...late.map(() => 'person.erased'),
        mode === 'live' ? 'accepted' : 'duplicate',
      ])
    }

    expect([...store.subjects()].map(({ key }) => key.id)).toEqual(['u2'])
    expect((await store.readLog({ limit: 10 })).map(({ userId }) => userId)).toEqual(['u2'])
    const said = (await engine.decisions()).filter(({ decision }) => decision === 'event.rejected')
    expect(said).toHaveLength(2 * late.length)
    expect(said[0]).toEqual({
      at: expect.any(Number),
      subject: reference,
      decision: 'event.rejected',
      reason: 'person.erased',
    })
    expect(new Set(said.map(({ subject }) => subject))).toEqual(new Set([reference]))
  })

  it('events that cannot be read do not name them either', async () => {
    const { reference } = await engine.erasePerson('u1')

    await engine.ingest([{ ...track('cart', 'u1'), timestamp: 'yesterday' }])

    const [last] = await engine.decisions({ order: 'latest', limit: 1 })
    expect(last).toEqual({
      at: expect.any(Number),
      subject: reference,
      decision: 'event.rejected',
      reason: 'person.erased',
    })
  })

  it('an event of somebody else is taken in without their names', async () => {
    await engine.erasePerson('u1')

    await world.ingest({ ...known('u2', 'openid', 'o-1'), anonymousId: 'a-1' })

    expect(await engine.subject('user', 'u2')).toMatchObject({ id: 'u2', also: [] })
    const [event] = await store.readEvents({ userIds: ['u2'] })
    expect(event).not.toHaveProperty('identifiers')
    expect(event).not.toHaveProperty('anonymousId')
    expect((await engine.ingest([visitor('a-1')])).rejected).toBe(1)
  })

  it('they may come back as somebody new, once they are let in again by any name', async () => {
    const { reference } = await engine.erasePerson('u1')

    expect(await engine.readmitPerson('id:openid:o-1')).toBe(true)
    expect(await engine.readmitPerson('u1')).toBe(false)

    await world.ingest(track('joined', 'u1'), visitor('a-1'))
    expect(await engine.subject('user', 'u1')).toMatchObject({ id: 'u1', also: [] })
    expect((await engine.subject('user', 'anon:a-1'))?.id).toBe('anon:a-1')
    expect(
      (await engine.decisions()).filter(({ subject }) => subject === reference).map(({ decision }) => decision),
    ).toEqual(['person.erased', 'person.readmitted'])
  })

  it('a merge of theirs cannot be undone, and who was parted from them does not remember it', async () => {
    await world.ingest(track('cart', 'u3'), known('u3', 'openid', 'o-1'))
    await world.ingest(track('cart', 'u4'), { type: 'alias', userId: 'u1', previousId: 'u4', messageId: 'one' })
    const [first, second] = await engine.merges()
    await engine.unmerge(first?.id ?? '')
    await world.ingest({ type: 'alias', userId: 'u3', previousId: 'u5', messageId: 'other' }, track('cart', 'u5'))
    expect((await store.readSubject({ kind: 'user', id: 'u3' }))?.apart).toContain('u1')

    await engine.erasePerson('u1')

    await expect(engine.unmerge(second?.id ?? '')).rejects.toMatchObject({ code: 'merge.unknown' })
    expect((await store.readSubject({ kind: 'user', id: 'u3' }))?.apart).not.toContain('u1')
    const left = [
      await store.readMerges({}),
      await engine.decisions(),
      [...store.subjects()],
      await store.readLog({ limit: 99 }),
    ]
    expect(JSON.stringify(left)).not.toMatch(/"u[14]"/)
    expect((await engine.subject('user', 'u3'))?.id).toBe('u3')
  })
})
