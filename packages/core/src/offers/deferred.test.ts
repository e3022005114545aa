import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template } from '../../testing/rules.js'
import { NOON, track, worldOf } from '../../testing/shop.js'
import type { Store } from '../ports/store.js'
import type { World } from '../simulation/world.js'
import { type MemoryIssuer, memoryIssuer } from '../testing/memory-issuer.js'

const MINUTE = 60_000
const LATER = Date.parse(NOON) + 10 * MINUTE
const OFFER = { kind: 'offer', id: 'trial', issuer: 'pay', total: 1, perPerson: 1, value: 5, budget: { money: 5 } }
const STEPS = [{ id: 'coupon', issue: { offer: 'trial' } }, send('push')]
const GIVE = journey('give', STEPS, { reentry: 'always', exit: { on: 'event', event: 'order' } })
const OTHER = journey('other', STEPS, { entry: { on: 'event', event: 'other' }, reentry: 'always' })
const RULES = [OFFER, template('hello'), GIVE, OTHER]

describeOnEveryStore('a coupon whose issuer asked to wait', (open) => {
  let store: Store
  let world: World
  let pay: MemoryIssuer

  /** The only coupon is kept for u1 until the issuer can be asked again. */
  beforeEach(async () => {
    store = await open()
    pay = memoryIssuer({ name: 'pay' })
    pay.respond({ status: 'deferred', retryAt: new Date(LATER) })
    world = await worldOf(RULES, { issuers: [pay], database: store })
    await world.ingest(track('cart', 'u1'))
    expect(await taken()).toEqual([1, 5_000_000])
  })
  afterEach(async () => {
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  const taken = async () => [(await world.engine.pools()).get('trial')?.issued, await store.readSpent('trial', 0)]
  const coupons = async () => (await world.engine.deliveries()).filter(({ kind }) => kind === 'coupon')
  const cancel = async () => {
    const [run] = (await world.engine.runs({ journey: 'give' })).runs
    await world.engine.cancel({ subject: ['user', 'u1'], run: run?.run ?? '' })
  }

  /** Nothing is kept any more, and whoever asks next gets it. */
  async function isFreeFor(person: string) {
    expect(await taken()).toEqual([0, 0])
    await world.ingest(track('other', person))
    expect(pay.issued.map(({ to }) => to.id)).toEqual([person])
    expect(await taken()).toEqual([1, 5_000_000])
  }

  it('is free for others once its run is cancelled', async () => {
    await cancel()

    expect(await coupons()).toMatchObject([{ state: 'suppressed', reason: 'cancelled' }])
    await isFreeFor('u2')
  })

  it('is not counted for the person any more once its run is cancelled', async () => {
    await cancel()

    await isFreeFor('u1')
  })

  it('is free once its run is cancelled while its issuer is paused', async () => {
    await world.engine.pause({ channel: 'pay' })
    await world.advanceTo(LATER)
    expect(await coupons()).toMatchObject([{ state: 'paused' }])

    await cancel()
    await world.engine.resume({ channel: 'pay' })

    await isFreeFor('u2')
  })

  it('is free once its run has ended by itself, when it would have been asked for again', async () => {
    await world.ingest(track('order', 'u1'))
    await world.advanceTo(LATER)

    expect(await coupons()).toMatchObject([{ state: 'suppressed', reason: 'run ended' }])
    await isFreeFor('u2')
  })

  it.each([
    { target: 'the journey', halt: { journey: 'give' } },
    { target: 'the issuer', halt: { channel: 'pay' } },
  ])('is kept while $target is paused, and asked for by the same key once it goes on', async ({ halt }) => {
    await world.engine.pause(halt)
    await world.advanceTo(LATER)
    expect(await taken()).toEqual([1, 5_000_000])

    await world.engine.resume(halt)
    await world.engine.settle()

    expect(pay.issued.map(({ to }) => to.id)).toEqual(['u1'])
    expect(pay.calls.map(({ grantKey }) => grantKey)).toEqual(Array(2).fill(pay.issued[0]?.grantKey))
    expect(await taken()).toEqual([1, 5_000_000])
  })

  it.each([
    { target: 'the journey', halt: { journey: 'give' } },
    { target: 'the issuer', halt: { channel: 'pay' } },
  ])('is free once $target is stopped, also after a pause', async ({ halt }) => {
    await world.engine.pause(halt)
    await world.advanceTo(LATER)
    await world.engine.stop(halt)
    await world.engine.settle()

    expect(await taken()).toEqual([0, 0])
    await world.engine.resume(halt)
    await isFreeFor('u2')
  })

  it('is free where the offer is no more when it would have been asked for again', async () => {
    await world.engine.publish(definePack([template('hello'), journey('give', [send('push')], { reentry: 'always' })]))
    await world.advanceTo(LATER)
    await world.engine.publish(definePack(RULES))

    await isFreeFor('u2')
  })

  it('is free once the person is erased', async () => {
    await world.engine.erasePerson('u1')

    expect(await coupons()).toEqual([])
    await isFreeFor('u2')
  })

  it('is free once a person is erased whose coupon a pause has put aside', async () => {
    await world.engine.pause({ channel: 'pay' })
    await world.advanceTo(LATER)
    await world.engine.erasePerson('u1')
    await world.engine.resume({ channel: 'pay' })

    await isFreeFor('u2')
  })
})

describeOnEveryStore('a coupon of which nobody knows whether its issuer has given it', (open) => {
  const parkedAnew = async () => {
    const pay = memoryIssuer({ name: 'pay', repeat: { kind: 'none' } })
    pay.respond('lost_before')
    const world = await worldOf(RULES, { issuers: [pay], database: await open() })
    await world.ingest(track('cart', 'u1'))
    return { world, key: (await world.engine.parked())[0]?.deliveryKey ?? '' }
  }

  it.each(['parked', 'to be asked for again'])('stays counted when its person is erased, %s', async (how) => {
    const { world, key } = await parkedAnew()
    await world.engine.pause({ channel: 'pay' })
    if (how !== 'parked') {
      await world.engine.resolve(key, 'send again', { by: 'li', reason: 'looked it up' })
      await world.engine.settle()
    }

    await world.engine.erasePerson('u1')

    expect((await world.engine.pools()).get('trial')?.issued).toBe(1)
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })
})
