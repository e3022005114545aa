import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template } from '../../testing/rules.js'
import { track, worldOf } from '../../testing/shop.js'
import type { Store } from '../ports/store.js'
import type { World } from '../simulation/world.js'
import { memoryIssuer } from '../testing/memory-issuer.js'

const OFFER = { kind: 'offer', id: 'trial', issuer: 'pay', total: 1, value: 5, budget: { money: 5 }, expires: '7d' }
const GIVE = journey('give', [{ id: 'coupon', issue: { offer: 'trial' }, else: [send('push')] }])
const RULES = [OFFER, template('hello'), GIVE]
const NOTE = { by: '小李', reason: '查过商户平台' }
const NOON = Date.parse('2026-03-01T12:00:00+08:00')
const DAY = 86_400_000

describeOnEveryStore('a parked coupon', (open) => {
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
    const pay = memoryIssuer({ name: 'pay', repeat: { kind: 'none' } })
    pay.respond('lost_before')
    world = await worldOf(rules, { issuers: [pay], database: store })
    await world.ingest(track('cart', 'u1'))
    const [coupon] = await world.engine.parked()
    return { pay, key: coupon?.deliveryKey ?? '', coupon }
  }

  const coupons = async () => (await world.engine.deliveries()).filter(({ kind }) => kind === 'coupon')
  const states = async () => (await coupons()).map(({ state }) => state)
  const issued = async () => (await world.engine.pools()).get('trial')?.issued
  const spent = () => store.readSpent('trial', 0)
  const events = async () =>
    (await store.readEvents({ userIds: ['u1'] })).map(({ event }) => event).filter((event) => /^coupon/.test(event))
  const resolutions = async () => (await world.decisions()).filter(({ decision }) => decision === 'coupon.resolved')

  it('is listed with why, and since when, and keeps what it has taken', async () => {
    const { coupon } = await parked()

    expect(coupon).toMatchObject({
      ...{ kind: 'coupon', subject: 'user:u1', journey: 'give', step: 'coupon', issuer: 'pay', offer: 'trial' },
      ...{ calledAt: new Date(NOON), parkedAt: new Date(NOON), attempts: 1 },
      reason: 'the outcome is unknown and may not be repeated',
    })
    expect([await issued(), await spent()]).toEqual([1, 5_000_000])
  })

  it('that was issued is its holder’s by the code that is said, good from when it was asked for', async () => {
    const { key, pay } = await parked()
    await world.advanceTo(NOON + DAY)

    await world.engine.resolve(key, 'sent', { ...NOTE, code: 'WX-1' })

    expect(await states()).toEqual(['accepted'])
    expect([await issued(), await spent(), pay.calls.length]).toEqual([1, 5_000_000, 1])
    expect(await events()).toEqual(['coupon_parked', 'coupon_issued'])
    const expiresAt = new Date(NOON + 7 * DAY)
    expect(await world.engine.coupon('WX-1')).toMatchObject({ subject: ['user', 'u1'], status: 'valid', expiresAt })
    const [resolution] = await resolutions()
    expect(resolution).toMatchObject({ subject: 'user:u1', rule: 'trial', issuer: 'pay', outcome: 'sent', ...NOTE })
    expect(JSON.stringify(await world.decisions())).not.toContain('WX-1')
    expect(await world.engine.redeem('WX-1', { by: 'order-1' })).toMatchObject({ status: 'redeemed' })
    expect(await world.engine.parked()).toEqual([])
  })

  it('that was issued may be good until its issuer says', async () => {
    const { key } = await parked()
    const expiresAt = '2026-03-02T00:00:00+08:00'

    await world.engine.resolve(key, 'sent', { ...NOTE, code: 'WX-1', expiresAt })

    expect((await world.engine.coupon('WX-1'))?.expiresAt).toEqual(new Date(expiresAt))
  })

  it('that was not issued leaves its place and its money to somebody else', async () => {
    const { key, pay } = await parked()

    await world.engine.resolve(key, 'not sent', NOTE)
    expect([await states(), await issued(), await spent()]).toEqual([['rejected'], 0, 0])
    expect(await events()).toEqual(['coupon_parked', 'coupon_refused'])
    await world.ingest(track('cart', 'u2'))

    expect(pay.issued.map(({ to }) => to.id)).toEqual(['u2'])
    expect(await resolutions()).toMatchObject([{ outcome: 'not sent', ...NOTE }])
  })

  it('is asked for again by the same key when somebody wants it, though its run has gone on', async () => {
    const { key, pay } = await parked()

    await world.engine.resolve(key, 'send again', NOTE)
    await world.engine.settle()

    expect(pay.calls.map(({ grantKey }) => grantKey)).toEqual([key, key])
    expect([await states(), await issued(), await spent()]).toEqual([['accepted'], 1, 5_000_000])
    expect(await world.engine.coupon('memory-1')).toMatchObject({ subject: ['user', 'u1'] })
    expect(world.sent).toHaveLength(1)
  })

  it('counts as issued where it is refused when it is asked for again: the first call may have been taken', async () => {
    const { key, pay } = await parked()
    pay.respond({ status: 'refused', reason: 'other' })

    await world.engine.resolve(key, 'send again', NOTE)
    await world.engine.settle()

    expect([await states(), await issued(), await spent()]).toEqual([['parked'], 1, 5_000_000])
    await world.engine.resolve(key, 'not sent', NOTE)
    expect([await states(), await issued(), await spent()]).toEqual([['rejected'], 0, 0])
  })

  it('is not issued without its code, nor by that of another coupon', async () => {
    const { key } = await parked([{ ...OFFER, total: 2, budget: { money: 10 } }, template('hello'), GIVE])
    await world.ingest(track('cart', 'u2'))
    const refused = { code: 'code.invalid', facts: { deliveryKey: key } }

    for (const code of [undefined, '', 'x'.repeat(201), 'a\0b', 'memory-1']) {
      const note = { ...NOTE, ...(code !== undefined && { code }) }
      await expect(world.engine.resolve(key, 'sent', note)).rejects.toMatchObject(refused)
    }
    await expect(world.engine.resolve(key, 'not sent', { ...NOTE, code: 'WX-1' })).rejects.toMatchObject(refused)
    expect(await states()).toEqual(['parked', 'accepted'])
  })

  it('is resolved once, whoever else tries', async () => {
    const { key } = await parked()
    const all = [
      world.engine.resolve(key, 'sent', { ...NOTE, code: 'WX-1' }),
      world.engine.resolve(key, 'not sent', NOTE),
      world.engine.resolve(key, 'sent', { ...NOTE, code: 'WX-2' }),
    ]

    const done = await Promise.allSettled(all)

    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const reasons = done.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
    expect(reasons).toEqual(['delivery.settled', 'delivery.settled'])
    expect(await resolutions()).toHaveLength(1)
    await expect(world.engine.resolve(key, 'not sent', NOTE)).rejects.toMatchObject({ code: 'delivery.settled' })
  })
})
