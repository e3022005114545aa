import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { log, worldOf } from '../../testing/shop.js'
import type { World } from '../simulation/world.js'
import type { IncomingEvent } from './event.js'

const RULES = [tag('regular', atLeast(3, 'order')), tag('never-ordered', count('order', 'equal', 0))]
let messages = 0
const event = (more: Omit<IncomingEvent, 'messageId'>): IncomingEvent => ({ messageId: `s-${++messages}`, ...more })
const order = (userId: string, openid?: string) =>
  event({
    event: 'order',
    userId,
    context: openid === undefined ? {} : { externalIds: [{ type: 'openid', id: openid }] },
  })
const alias = (userId: string, previousId: string) => event({ type: 'alias', userId, previousId })
const undoAll = async ({ engine }: World) => {
  for (const { id } of (await engine.merges()).toReversed()) await engine.unmerge(id)
  await engine.settle()
}

describe('a merge', () => {
  it('is listed with who, when and by what', async () => {
    const world = await worldOf(RULES)
    const shown = order('u2', 'o1')
    await world.ingest(order('u1', 'o1'), order('u3'), shown)

    const [merge, ...others] = await world.engine.merges({ subject: ['user', 'u2'] })

    expect(others).toEqual([])
    expect(merge).toMatchObject({ into: 'u1', from: 'u2', by: 'openid', messageId: shown.messageId })
    expect(merge?.at).toEqual(new Date(world.clock.now()))
    expect(await world.engine.merges({ subject: ['user', 'u3'] })).toEqual([])
    await world.close()
  })

  it('that is undone leaves each with the tags of its own events, those since then too', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1'), order('u2'), order('u2'))
    await world.ingest(alias('u1', 'u2'), order('u2'))
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])

    await undoAll(world)

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ id: 'u1', also: ['anon:u2'], tags: [] })
    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u2', also: [], tags: ['regular'] })
    expect(await log(world.engine, 'identity.unmerged')).toHaveLength(2)
    expect(await world.engine.merges()).toMatchObject([{ undoneAt: new Date(world.clock.now()) }])
    await world.close()
  })

  it('leaves a log that adds up when it is undone', async () => {
    const rules = [...RULES, tag('greeted'), journey('greet', [putTag('mark', 'greeted')])]
    const world = await worldOf(rules)
    await world.ingest(order('u1'), order('u2'), event({ event: 'cart', userId: 'u2' }))
    await world.ingest(alias('u1', 'u2'))
    await undoAll(world)

    const members = new Map<string, number>()
    for (const { decision, rule, subject } of await world.decisions()) {
      const change = decision === 'tag.added' ? 1 : decision === 'tag.removed' ? -1 : 0
      members.set(`${rule} ${subject}`, (members.get(`${rule} ${subject}`) ?? 0) + change)
    }
    expect([...members].filter(([, sum]) => sum !== 0)).toEqual([['greeted user:u2', 1]])
    expect((await world.engine.subject('user', 'u2'))?.tags).toEqual(['greeted'])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual([])
    await world.close()
  })

  it('gives runs, what was sent, consent and traits back to whom they were', async () => {
    const cap = { kind: 'policy', id: 'one-a-day', cap: { max: 1, within: '1d' } }
    const steps = [send('first'), wait('later', '2d'), send('second')]
    const rules = [template('hello'), cap, journey('greet', steps, { entry: { on: 'event', event: 'order' } })]
    const world = await worldOf(rules)
    await world.ingest(order('u2'), event({ type: 'identify', userId: 'u2', traits: { city: '上海' } }))
    await world.ingest(event({ event: 'consent_withdrawn', userId: 'u1', properties: { channel: 'mail' } }))
    await world.ingest(alias('u1', 'u2'))

    await undoAll(world)

    const [u1, u2] = [await world.engine.subject('user', 'u1'), await world.engine.subject('user', 'u2')]
    expect(u1).toMatchObject({ traits: {}, runs: [], consent: { 'mail|*': false } })
    expect(u2).toMatchObject({ traits: { city: '上海' }, runs: [{ journey: 'greet', step: 'later' }], consent: {} })
    await world.ingest(order('u1'))
    expect(world.sent.map(({ to }) => to.id)).toEqual(['u2', 'u1'])
    await world.advanceTo('2026-03-05T12:00:00+08:00')
    expect(world.sent.map(({ to }) => to.id).sort()).toEqual(['u1', 'u1', 'u2', 'u2'])
    await world.close()
  })

  it('that was undone is not made again by the identifier of both, only by an alias', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1', 'o1'), order('u2', 'o1'))
    await undoAll(world)

    await world.ingest(order('u2', 'o1'), order('u1', 'o1'), order('u2', 'o1'))
    expect(await world.engine.subject('user', 'u1')).toMatchObject({ id: 'u1', tags: [] })
    expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: 'u2', tags: ['regular'] })

    await world.ingest(alias('u2', 'u1'))
    expect(await world.engine.subject('user', 'u1')).toMatchObject({ id: 'u2', also: ['u1', 'anon:u1'] })
    await world.close()
  })

  it('of a visitor that is undone leaves a visitor who is nobody until an alias says otherwise', async () => {
    const world = await worldOf(RULES)
    const who = (userId: string) => event({ type: 'identify', userId, anonymousId: 'kiosk' })
    await world.ingest(event({ event: 'order', anonymousId: 'kiosk' }), who('u1'))
    await undoAll(world)

    await world.ingest(who('u1'), who('u2'), event({ event: 'order', anonymousId: 'kiosk' }))
    expect(await world.engine.subject('user', 'anon:kiosk')).toMatchObject({ id: 'anon:kiosk' })

    await world.ingest(alias('u2', 'kiosk'), order('u2'))
    expect(await world.engine.subject('user', 'anon:kiosk')).toMatchObject({ id: 'u2', tags: ['regular'] })
    await world.close()
  })

  it('can be undone in the middle: who had joined before stays with whom it joined', async () => {
    for (const first of [0, 1]) {
      const world = await worldOf(RULES)
      await world.ingest(order('u1'), order('u2'), order('u3'))
      await world.ingest(alias('u2', 'u3'))
      await world.ingest(alias('u1', 'u2'))
      const merges = await world.engine.merges()

      await world.engine.unmerge(merges[first]?.id ?? '')
      expect(await world.engine.subject('user', 'u3')).toMatchObject({ id: first === 0 ? 'u3' : 'u2' })
      expect(await world.engine.subject('user', 'u2')).toMatchObject({ id: first === 0 ? 'u1' : 'u2' })

      await world.engine.unmerge(merges[1 - first]?.id ?? '')
      for (const user of ['u1', 'u2', 'u3'])
        expect(await world.engine.subject('user', user)).toMatchObject({ id: user })
      await world.close()
    }
  })

  it('cannot be undone twice, nor where there is none', async () => {
    const world = await worldOf(RULES)
    await world.ingest(order('u1'), order('u2'), alias('u1', 'u2'))
    const [merge] = await world.engine.merges()
    await world.engine.unmerge(merge?.id ?? '')

    await expect(world.engine.unmerge(merge?.id ?? '')).rejects.toMatchObject({ code: 'merge.unknown' })
    await expect(world.engine.unmerge('nothing')).rejects.toMatchObject({ code: 'merge.unknown' })
    await world.close()
  })
})
