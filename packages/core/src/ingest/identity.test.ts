import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, send, tag, template } from '../../testing/rules.js'
import { worldOf } from '../../testing/shop.js'
import type { Channel } from '../ports/channel.js'
import type { IncomingEvent } from './event.js'

const RULES = [tag('regular', atLeast(3, 'order')), tag('never-ordered', count('order', 'equal', 0))]
let messages = 0
const event = (more: Omit<IncomingEvent, 'messageId'>): IncomingEvent => ({ messageId: `i-${++messages}`, ...more })
const visit = (anonymousId: string, name = 'order') => event({ event: name, anonymousId })
const order = (userId: string) => event({ event: 'order', userId })
const who = (anonymousId: string, userId: string, traits = {}) =>
  event({ type: 'identify', anonymousId, userId, traits })

describe('an anonymous visitor', () => {
  it('is a user of its own until somebody says who it is', async () => {
    const world = await worldOf(RULES)

    await world.ingest(visit('a1'), visit('a1'), visit('a1'), visit('a2'))

    expect((await world.engine.subject('user', 'anon:a1'))?.tags).toEqual(['regular'])
    expect((await world.engine.subject('user', 'anon:a2'))?.tags).toEqual([])
    await world.close()
  })

  it('becomes the user that `identify` names: what it did counts for the user', async () => {
    const world = await worldOf(RULES)
    await world.ingest(visit('a1'), visit('a1'), order('u1'))

    await world.ingest(who('a1', 'u1', { name: 'Wang' }))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ tags: ['regular'], traits: { name: 'Wang' } })
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1', also: ['anon:a1'] })
    await world.close()
  })

  it('becomes the user that `alias` names', async () => {
    const world = await worldOf(RULES)
    await world.ingest(visit('a1'), visit('a1'), visit('a1'))

    await world.ingest(event({ type: 'alias', previousId: 'a1', userId: 'u1' }))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    await world.close()
  })

  it('is the user from then on', async () => {
    const world = await worldOf(RULES)
    await world.ingest(who('a1', 'u1'))

    await world.ingest(visit('a1'), visit('a1'), visit('a1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1', also: ['anon:a1'] })
    await world.close()
  })

  it('is the user within a call, wherever `identify` stands in it', async () => {
    const world = await worldOf(RULES)

    await world.ingest(visit('a1'), visit('a1'), who('a1', 'u1'), visit('a1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1', also: ['anon:a1'] })
    await world.close()
  })

  it('stays who it was first said to be', async () => {
    const world = await worldOf(RULES)
    await world.ingest(who('a1', 'u1'))

    await world.ingest(who('a1', 'u2'))
    await world.ingest(visit('a1'), visit('a1'), visit('a1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect((await world.engine.subject('user', 'u2'))?.tags).toEqual(['never-ordered'])
    await world.close()
  })

  it('stays who it was first said to be, also within one call', async () => {
    const world = await worldOf(RULES)

    await world.ingest(who('a1', 'u1'), who('a1', 'u2'), visit('a1'), visit('a1'), visit('a1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    await world.close()
  })

  it('does not take along an event that names a user as well', async () => {
    const world = await worldOf(RULES)
    await world.ingest(who('a1', 'u1'))

    await world.ingest(event({ event: 'order', userId: 'u2', anonymousId: 'a1' }))

    expect((await world.engine.subject('user', 'u2'))?.tags).toEqual([])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['never-ordered'])
    await world.close()
  })

  it('can be one of several of the same user', async () => {
    const world = await worldOf(RULES)
    await world.ingest(visit('a1'), visit('a2'), visit('a3'))

    await world.ingest(who('a1', 'u1'), who('a2', 'u1'))
    await world.ingest(who('a3', 'u1'))

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    await world.close()
  })

  it('may say things about itself', async () => {
    const world = await worldOf(RULES)

    await world.ingest(event({ type: 'identify', anonymousId: 'a1', traits: { city: 'Shanghai' } }))
    await world.ingest(event({ type: 'group', anonymousId: 'a1', groupId: 'c1' }))
    expect(await world.engine.subject('user', 'anon:a1')).toMatchObject({ traits: { city: 'Shanghai' } })

    await world.ingest(who('a1', 'u1'))
    expect(await world.engine.subject('user', 'u1')).toMatchObject({
      traits: { city: 'Shanghai' },
      relations: { community: 'c1' },
    })
    await world.close()
  })

  it('leaves a log that adds up: every tag that was put on the visitor is taken off', async () => {
    const world = await worldOf(RULES)
    await world.ingest(visit('a1'), visit('a1'), visit('a1'))
    await world.ingest(who('a1', 'u1'))

    const members = new Map<string, number>()
    for (const { decision, rule, subject } of await world.decisions()) {
      const change = decision === 'tag.added' ? 1 : decision === 'tag.removed' ? -1 : 0
      members.set(`${rule} ${subject}`, (members.get(`${rule} ${subject}`) ?? 0) + change)
    }

    expect([...members].filter(([, sum]) => sum > 0)).toEqual([['regular user:u1', 1]])
    await world.close()
  })

  it('is explained as the user: the log goes with it', async () => {
    const world = await worldOf(RULES)
    await world.ingest(visit('a1'), visit('a1'), visit('a1'))
    await world.ingest(who('a1', 'u1'))

    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'regular' })

    expect(explained).toMatchObject({ holds: true, conditions: { actual: 3 } })
    await world.close()
  })

  it('hears as the user what its community has to say, also when that comes after', async () => {
    const { engine } = await worldOf(RULES)
    await engine.ingest([event({ type: 'group', userId: 'u2', groupId: 'c1', traits: { leaderId: 'l1' } })])
    await engine.settle()

    await engine.ingest([event({ type: 'group', anonymousId: 'a1', groupId: 'c1' })])
    await engine.ingest([who('a1', 'u1')])
    await engine.settle()

    expect((await engine.subject('user', 'u1'))?.relations).toEqual({ community: 'c1', leader: 'l1' })
    expect(await engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1' })
    await engine.close()
  })

  it('has as the user the answer of a provider that was being called', async () => {
    const answers: (() => void)[] = []
    const slow: Channel = {
      name: 'sms',
      repeat: { kind: 'none' },
      send: () => new Promise((resolve) => answers.push(() => resolve({ status: 'accepted' }))),
    }
    const rules = [template('hello'), journey('greet', [send('push')], { entry: { on: 'event', event: 'order' } })]
    const { engine } = await worldOf(rules, { channels: [slow] })
    await engine.ingest([visit('a1')])
    const settled = engine.settle()
    await expect.poll(() => answers.length).toBe(1)

    await engine.ingest([who('a1', 'u1')])
    answers[0]?.()
    await settled

    expect(await engine.subject('user', 'anon:a1')).toMatchObject({ id: 'u1' })
    expect(await engine.deliveries()).toMatchObject([{ state: 'accepted' }])
    await engine.close()
  })
})
