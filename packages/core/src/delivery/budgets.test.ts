import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { group, log, track, worldOf } from '../../testing/shop.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

type Rule = Readonly<Record<string, unknown>>

const HELLO = template('hello')
const REMIND = journey('remind', [send('push')], { reentry: 'always' })
const READY = journey('ready', [send('push', { class: 'service' })], {
  entry: { on: 'event', event: 'arrived' },
  reentry: 'always',
})
const budget = (more: Rule) => ({ kind: 'policy', id: 'purse', budget: more })
const MIX = { kind: 'policy', id: 'fifth', mix: { share: 0.2, of: 'community' } }
const carts = (...ids: readonly string[]) => ids.map((id) => track('cart', id))
const into = (community: string, ...ids: readonly string[]) => ids.map((id) => group(id, community))

async function open(rules: readonly unknown[]) {
  const store = memoryStore()
  const [wechat, sms] = [memoryChannel({ name: 'wechat' }), memoryChannel({ name: 'sms' })]
  const world = await worldOf([HELLO, ...rules], { channels: [wechat, sms], database: store })
  const used = async () => (await store.readTallies()).map(({ counter, taken, made }) => [counter, taken, made])
  const to = () => sms.sent.map((message) => message.to.id)
  const suppressed = async () => (await world.decisions()).filter(({ decision }) => decision === 'message.suppressed')
  return { wechat, sms, world, store, used, to, suppressed }
}

describe('a budget', () => {
  it('keeps messages back that are beyond it, and says why and when there is room', async () => {
    const { world, to, suppressed } = await open([REMIND, budget({ messages: 2, during: 'today' })])

    await world.ingest(...carts('a', 'b', 'c'))
    await world.advanceTo('2026-03-02T00:00:00+08:00')
    await world.ingest(...carts('d'))

    expect(to()).toHaveLength(3)
    expect(await suppressed()).toMatchObject([
      { rule: 'purse', journey: 'remind', reason: 'budget', needed: 'a send after 2026-03-01T16:00:00.000Z' },
    ])
    await world.close()
  })

  it('of money has a step try its next channel, which costs nothing', async () => {
    const both = journey('remind', [send('push', { channel: ['sms', 'wechat'] })])
    const { world, sms, wechat, used } = await open([both, budget({ money: 0.15, costs: { sms: 0.05 } })])

    await world.ingest(...carts('a', 'b', 'c', 'd', 'e'))

    expect([sms.sent.length, wechat.sent.length]).toEqual([3, 2])
    expect(await used()).toEqual([['purse', 150_000, 0]])
    await world.close()
  })

  it('is for each community by itself where it says so, and for nobody outside of them', async () => {
    const { world, to, used } = await open([REMIND, budget({ messages: 1, of: 'community' })])
    await world.ingest(...into('c-1', 'a', 'b'), ...into('c-2', 'c'))

    await world.ingest(...carts('a', 'b', 'c', 'd', 'e'))

    expect(to().filter((id) => id === 'a' || id === 'b')).toHaveLength(1)
    expect(to()).toEqual(expect.arrayContaining(['c', 'd', 'e']))
    expect(await used()).toEqual([
      ['purse/c-1', 1, 0],
      ['purse/c-2', 1, 0],
    ])
    await world.close()
  })

  it('gives its last place to the journey with the higher priority', async () => {
    const journeys = [1, 9, 5].map((priority) => journey(`p${priority}`, [send('push')], { priority }))
    const { world, sms } = await open([...journeys, budget({ messages: 2 })])

    await world.ingest(...carts('a'))

    expect(sms.sent.map(({ source }) => source.journey)).toEqual(['p9', 'p5'])
    await world.close()
  })

  it('has a place again for what a provider would not take', async () => {
    const { world, sms, used } = await open([REMIND, budget({ messages: 1 })])
    sms.respond({ status: 'refused', reason: 'other' })

    await world.ingest(...carts('a'))
    expect(await used()).toEqual([['purse', 0, 0]])
    await world.ingest(...carts('b'))

    expect(sms.sent.map((message) => message.to.id)).toEqual(['b'])
    expect((await world.engine.deliveries({ state: 'accepted' }))[0]?.body.counted).toHaveLength(1)
    expect((await world.engine.deliveries({ state: 'rejected' }))[0]?.body.counted).toBeUndefined()
    await world.close()
  })

  it('keeps the place of what was put off for nobody, and of what may have left', async () => {
    const { world, sms, to, used } = await open([REMIND, budget({ messages: 2 })])
    sms.respond({ status: 'deferred', retryAt: new Date('2026-03-01T06:00:00Z') }, 'lost_after')

    await world.ingest(...carts('a'))
    expect(await used()).toEqual([['purse', 0, 0]])
    await world.ingest(...carts('b'))
    expect(await used()).toEqual([['purse', 1, 0]])
    await world.ingest(...carts('c'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')

    // What was put off came last. What was repeated was counted once.
    expect(to().sort()).toEqual(['b', 'c'])
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed budget'])
    await world.close()
  })

  it('is asked again before a repetition that would leave at a time when there is no room', async () => {
    const { world, sms, suppressed } = await open([REMIND, budget({ messages: 1, during: 'today' })])
    await world.advanceTo('2026-03-01T23:59:58+08:00')
    sms.respond('lost_before')
    await world.ingest(...carts('a'))
    await world.advanceTo('2026-03-02T00:00:00+08:00')

    await world.ingest(...carts('b'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(sms.sent.map((message) => message.to.id)).toEqual(['b'])
    expect(await suppressed()).toEqual([])
    expect(await log(world.engine, 'message.parked')).toEqual(['message.parked budget'])
    await world.close()
  })

  it('keeps the place of what did not arrive, and gives back that of what somebody would not send', async () => {
    const { world, sms, used } = await open([REMIND, budget({ messages: 2 })])
    sms.respond({ status: 'accepted' }, { status: 'awaiting_person' })
    await world.ingest(...carts('a'))
    await world.ingest(...carts('b'))
    const [first] = (await world.engine.deliveries({ state: 'accepted' })).map(({ key }) => key)
    const [second] = (await world.engine.deliveries({ state: 'awaiting_person' })).map(({ key }) => key)

    await world.engine.receive([
      { deliveryKey: first ?? '', says: 'failed' },
      { deliveryKey: second ?? '', says: 'declined' },
    ])
    expect(await used()).toEqual([['purse', 1, 0]])
    await world.ingest(...carts('c'))
    await world.ingest(...carts('d'))

    expect(sms.sent.map((message) => message.to.id)).not.toContain('d')
    expect(await world.engine.budgets()).toEqual({
      budgets: [{ policy: 'purse', of: 'messages', used: 2, max: 2 }],
      mixes: [],
    })
    expect((await world.engine.verify()).violations).toEqual([])
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed budget'])
    await world.close()
  })

  it('is spent still after somebody was erased, and names nobody', async () => {
    const { world, store, to } = await open([REMIND, budget({ messages: 2, of: 'community' })])
    await world.ingest(...into('c-1', 'secret-name', 'b', 'c'), ...carts('secret-name'))

    await world.engine.erasePerson('secret-name')
    await world.ingest(...carts('b', 'c'))

    expect(to().filter((id) => id !== 'secret-name')).toHaveLength(1)
    expect(JSON.stringify(await store.readTallies())).not.toContain('secret-name')
    await world.close()
  })

  it('goes on with what was spent when its rules change', async () => {
    const { world, sms } = await open([REMIND, budget({ messages: 2 })])
    await world.ingest(...carts('a', 'b', 'c'))

    await world.engine.publish(definePack([HELLO, REMIND, budget({ messages: 3 })]))
    await world.ingest(...carts('d', 'e'))

    expect(sms.sent).toHaveLength(3)
    await world.close()
  })

  it('forgets what was counted long ago', async () => {
    const { world, store } = await open([REMIND, MIX, READY, budget({ messages: 5, within: '1h' })])
    await world.ingest(...into('c-1', 'a'))
    for (let day = 2; day <= 20; day++) {
      await world.advanceTo(`2026-03-${String(day).padStart(2, '0')}T12:00:00+08:00`)
      await world.ingest(...carts('b'), track('arrived', 'a'))
    }

    const counters = (await store.readTallies()).map(({ counter }) => counter)
    expect(counters.filter((counter) => counter === 'purse').length).toBeLessThanOrEqual(3)
    expect(counters.filter((counter) => counter === 'fifth/c-1').length).toBeLessThanOrEqual(9)
    await world.close()
  })
})

describe('a mix of a community', () => {
  const MEMBERS = ['a', 'b', 'c', 'd', 'e']
  const arrived = (...ids: readonly string[]) => ids.map((id) => track('arrived', id))

  it('counts what all members get together', async () => {
    const { world, sms, suppressed } = await open([REMIND, READY, MIX])
    await world.ingest(...into('c-1', ...MEMBERS), ...into('c-2', 'x'))
    await world.ingest(...arrived('a', 'b', 'c', 'd'))

    await world.ingest(...carts('e'))
    await world.ingest(...carts('a', 'x', 'stranger'))

    const promoted = sms.sent.filter((message) => message.class === 'promotion').map((message) => message.to.id)
    expect(promoted.sort()).toEqual(['e', 'stranger'])
    expect(await suppressed()).toMatchObject([
      { subject: 'user:a', rule: 'fifth', reason: 'mix', needed: expect.stringContaining('4 more messages') },
      { subject: 'user:x', rule: 'fifth', reason: 'mix' },
    ])
    await world.close()
  })

  it('makes room by what providers took, and by nothing that they may not have', async () => {
    const { world, sms, used } = await open([REMIND, READY, MIX])
    await world.ingest(...into('c-1', ...MEMBERS))
    sms.respond({ status: 'refused', reason: 'other' })

    await world.ingest(...arrived('a', 'b', 'c', 'd'))
    await world.ingest(...carts('e'))
    expect(sms.sent.filter((message) => message.class === 'promotion')).toEqual([])
    expect(await used()).toEqual([['fifth/c-1', 0, 3]])

    await world.ingest(...arrived('a'))
    await world.ingest(...carts('e'))
    expect(sms.sent.filter((message) => message.class === 'promotion')).toHaveLength(1)
    await world.close()
  })

  it('takes back the room of what did not arrive, and makes it where that was not so', async () => {
    const { world, used } = await open([READY, MIX])
    await world.ingest(...into('c-1', ...MEMBERS), ...arrived('a', 'b'))
    const [first] = await world.engine.deliveries()
    const says = (said: 'failed' | 'opened') => world.engine.receive([{ deliveryKey: first?.key ?? '', says: said }])

    await says('failed')
    expect(await used()).toEqual([['fifth/c-1', 0, 1]])
    await says('opened')
    expect((await world.engine.budgets()).mixes).toEqual([
      { policy: 'fifth', community: 'c-1', alike: 0, all: 2, share: 0.2, window: '7d' },
    ])
    expect(await used()).toEqual([['fifth/c-1', 0, 2]])
    await world.close()
  })

  it('is missed where it was lost', async () => {
    const { world, store, used } = await open([READY, MIX])
    await world.ingest(...into('c-1', ...MEMBERS), ...arrived('a', 'b'))
    const [tally] = await store.readTallies()
    if (tally === undefined) throw new Error('nothing is counted')

    await store.transaction((tx) => tx.addTallies([{ ...tally, made: -1 }]))

    expect(await used()).toEqual([['fifth/c-1', 0, 1]])
    expect(await world.engine.verify()).toMatchObject({ violations: [{ invariant: 'budget.miscounted' }] })
    await world.close()
  })

  it('goes by the community that somebody belongs to when the message leaves', async () => {
    const later = journey('remind', [wait('later', '1h'), send('push')])
    const { world, used } = await open([later, READY, MIX])
    await world.ingest(...into('c-1', ...MEMBERS))
    await world.ingest(...arrived('a', 'b', 'c', 'd'), ...carts('a'))
    await world.ingest(...into('c-2', 'a'))
    await world.advanceTo('2026-03-01T14:00:00+08:00')

    expect(await used()).toEqual([['fifth/c-1', 0, 4]])
    await world.close()
  })
})
