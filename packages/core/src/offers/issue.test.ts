import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { group, log, shopOf, track, worldOf } from '../../testing/shop.js'
import { memoryStore } from '../storage/memory/store.js'
import { randomCode } from './issue.js'

const offer = (more: Record<string, unknown> = {}) => ({ kind: 'offer', id: 'trial', total: 100, ...more })
const give = (more: Record<string, unknown> = {}) =>
  journey(
    'trial',
    [{ id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'none', exit: { reason: 'no coupon' } }] }, send('push')],
    { reentry: 'always', ...more },
  )
const HELLO = template('hello', 'Here is {{ coupon.code }} of {{ coupon.name }}')

describe('a coupon', () => {
  it('is issued, and the message after it has its code', async () => {
    const world = await worldOf([offer({ name: 'Fruit', value: 8, expires: '7d' }), HELLO, give()])

    await world.ingest(track('cart', 'u1'))

    expect(world.sent.map(({ content }) => content.body)).toEqual(['Here is TEST-000001 of Fruit'])
    expect((await world.decisions()).find(({ decision }) => decision === 'coupon.issued')).toMatchObject({
      subject: 'user:u1',
      rule: 'trial',
      journey: 'trial',
      step: 'coupon',
      expiresAt: '2026-03-08T04:00:00.000Z',
    })
    expect(await world.engine.pools()).toEqual(new Map([['trial', { issued: 1, total: 100 }]]))
    await world.close()
  })

  it('is for one person once, when nothing is said; then the steps of `else` follow', async () => {
    const world = await worldOf([offer(), HELLO, give()])

    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('cart', 'u1'))

    expect(await log(world.engine, 'coupon.')).toEqual(['coupon.issued', 'coupon.refused limit for one person'])
    expect((await world.decisions()).filter(({ reason }) => reason === 'no coupon')).toHaveLength(1)
    expect(world.sent).toHaveLength(1)
    await world.close()
  })

  it('is for one person as often as the offer says', async () => {
    const world = await worldOf([offer({ perPerson: 2 }), HELLO, give()])

    await world.ingest(track('cart', 'u1'), track('cart', 'u1'), track('cart', 'u1'), track('cart', 'u2'))

    expect((await log(world.engine, 'coupon.issued')).length).toBe(3)
    expect(await log(world.engine, 'coupon.refused')).toHaveLength(1)
    await world.close()
  })

  it('is never issued beyond the total, however many want one at once', async () => {
    const world = await worldOf([offer({ total: 3 }), HELLO, give()])

    await world.ingest(...Array.from({ length: 20 }, (_, index) => track('cart', `u${index}`)))

    expect(await log(world.engine, 'coupon.issued')).toHaveLength(3)
    expect(new Set(await log(world.engine, 'coupon.refused'))).toEqual(new Set(['coupon.refused pool is empty']))
    expect(await world.engine.pools()).toEqual(new Map([['trial', { issued: 3, total: 3 }]]))
    expect(world.sent).toHaveLength(3)
    await world.close()
  })

  it('is never issued beyond the total by two processes', async () => {
    const shop = shopOf([offer({ total: 5 }), journey('trial', [{ id: 'coupon', issue: { offer: 'trial' } }])])
    const [one, other] = [await shop.start(), await shop.start()]
    const carts = (from: string) => Array.from({ length: 10 }, (_, index) => track('cart', `${from}${index}`))

    await Promise.all([one.ingest(carts('a')), other.ingest(carts('b'))])
    await Promise.all([one.settle(), other.settle()])

    expect(await log(one, 'coupon.issued')).toHaveLength(5)
  })

  it('of one grant is the same one when it is asked for again', async () => {
    const store = memoryStore()
    const shop = shopOf([offer(), HELLO, give({ exit: { on: 'event', event: 'order' } })], { store })
    const engine = await shop.start({ channels: [silent], makeCode: () => 'CODE-1' })
    await engine.ingest([track('cart', 'u1')])
    await engine.settle()
    const [granted] = (await engine.deliveries()).filter(({ kind }) => kind === 'coupon')
    if (granted === undefined) throw new Error('no coupon was granted')

    await store.transaction((tx) => tx.saveDeliveries([{ ...granted, state: 'planned', dueAt: shop.clock.now() }]))
    await engine.settle()

    expect(await engine.pools()).toEqual(new Map([['trial', { issued: 1, total: 100 }]]))
    expect(await log(engine, 'coupon.issued')).toHaveLength(1)
  })

  it('is not issued to a run that has ended, and it is said', async () => {
    const shop = shopOf([offer(), journey('trial', [{ id: 'coupon', issue: { offer: 'trial' } }], EXIT)])
    const engine = await shop.start()

    await engine.ingest([track('cart', 'u1'), track('order', 'u1')])
    await engine.settle()

    expect(await engine.pools()).toEqual(new Map())
    expect(await engine.deliveries()).toMatchObject([{ state: 'suppressed', reason: 'run ended' }])
    expect(await log(engine, 'coupon.')).toEqual(['coupon.refused run ended'])
  })

  it('can be for a community', async () => {
    const entry = { entry: { on: 'event', event: 'order' }, subject: 'community' }
    const world = await worldOf([offer(), journey('trial', [{ id: 'coupon', issue: { offer: 'trial' } }], entry)])

    await world.ingest(group('u1', 'c1'), track('order', 'u1'))

    expect((await world.decisions()).filter(({ decision }) => decision === 'coupon.issued')).toMatchObject([
      { subject: 'community:c1' },
    ])
    await world.close()
  })

  it('comes back as an event', async () => {
    const reacts = journey('follow', [wait('later', '1h')], { entry: { on: 'event', event: 'coupon_issued' } })
    const world = await worldOf([offer(), HELLO, give(), reacts])

    await world.ingest(track('cart', 'u1'))

    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ journey: 'follow' }])
    await world.close()
  })
})

const EXIT = { exit: { on: 'event', event: 'order' } }

const silent = {
  name: 'sms',
  repeat: { kind: 'none' as const },
  send: () => Promise.resolve({ status: 'accepted' as const }),
}

describe('a code', () => {
  it('has 80 random bits in an alphabet without look-alikes', () => {
    const codes = Array.from({ length: 2000 }, randomCode)

    expect(new Set(codes).size).toBe(2000)
    for (const code of codes) expect(code).toMatch(/^[2-9A-HJKLMNP-Z]{16}$/)
    expect(new Set(codes.join('')).size).toBe(32)
  })
})
