import { describe, expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { log, shopOf, track, worldOf } from '../../testing/shop.js'
import type { RepeatSafety } from '../ports/channel.js'
import type { CouponIssuer } from '../ports/issuer.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { memoryIssuer } from '../testing/memory-issuer.js'

const offer = (more: Record<string, unknown> = {}) => ({
  ...{ kind: 'offer', id: 'trial', name: 'Fruit', issuer: 'pay', stock: '9865000', value: 5 },
  ...more,
})
const HELLO = template('hello', 'Yours: {{ coupon.code | default: "-" }}')
const NONE = [{ id: 'none', exit: { reason: 'no coupon' } }]
const give = (more: Record<string, unknown> = {}) =>
  journey('trial', [{ id: 'coupon', issue: { offer: 'trial' }, else: NONE }, send('push')], {
    reentry: 'always',
    ...more,
  })
const rules = (more: Record<string, unknown> = {}) => [offer(more), HELLO, give()]
const MINUTE = 60_000
const KEYS = { kind: 'idempotent', windowMs: 60 * MINUTE } as const

describe('a coupon that somebody else issues', () => {
  it('is asked for by the grant key, with the stock and who gets it, and its code goes into the message', async () => {
    const pay = memoryIssuer({ name: 'pay' })
    const world = await worldOf(rules({ budget: { money: 10 } }), { issuers: [pay] })
    await world.ingest({ ...track('cart', 'u1'), context: { traits: {} } }, track('cart', 'u2'), track('cart', 'u3'))

    const keys = (await world.engine.deliveries()).filter(({ kind }) => kind === 'coupon').map(({ key }) => key)
    expect(pay.issued).toHaveLength(2)
    expect(pay.issued[0]).toMatchObject({
      offer: { id: 'trial', name: 'Fruit', value: 5 },
      stock: '9865000',
      to: { kind: 'user' },
      source: { journey: 'trial', step: 'coupon' },
    })
    expect(keys).toContain(pay.issued[0]?.grantKey)
    expect(await log(world.engine, 'coupon.')).toEqual(
      expect.arrayContaining(['coupon.issued', 'coupon.issued', 'coupon.refused budget']),
    )
    expect(await world.engine.pools()).toEqual(new Map([['trial', { issued: 2, total: 100_000_000 }]]))
    expect(await world.engine.coupon('memory-1')).toMatchObject({ offer: 'trial', value: 5, status: 'valid' })
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  it('is for one person as often as the offer says, also while calls are under way', async () => {
    const pay = memoryIssuer({ name: 'pay' })
    const world = await worldOf(rules(), { issuers: [pay] })

    await world.ingest(track('cart', 'u1'), track('cart', 'u1'), track('cart', 'u1'))

    expect(pay.calls).toHaveLength(1)
    expect(await log(world.engine, 'coupon.refused')).toHaveLength(2)
    await world.close()
  })

  it('leaves its pool and budget as they were where its issuer refuses, and the run goes its other way', async () => {
    const pay = memoryIssuer({ name: 'pay', outcome: { status: 'refused', reason: 'other', detail: 'used up' } })
    const world = await worldOf(rules({ total: 1, budget: { money: 5 } }), { issuers: [pay] })

    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('cart', 'u2'))

    expect(pay.calls).toHaveLength(2)
    const decisions = await world.decisions()
    const refusals = decisions.filter(({ decision }) => decision === 'coupon.refused')
    expect(refusals).toMatchObject([
      { reason: 'other', issuer: 'pay', detail: 'used up' },
      { reason: 'other', issuer: 'pay', detail: 'used up' },
    ])
    expect(decisions.filter(({ reason }) => reason === 'no coupon')).toHaveLength(2)
    expect(await world.engine.pools()).toEqual(new Map([['trial', { issued: 0, total: 1 }]]))
    await world.close()
  })

  it('is asked for again later, by the same key, where its issuer says so, and keeps its place', async () => {
    const pay = memoryIssuer({ name: 'pay' })
    const world = await worldOf(rules({ total: 1 }), { issuers: [pay] })
    pay.respond({ status: 'deferred', retryAt: new Date(world.clock.now() + MINUTE) })

    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('cart', 'u2'))
    await world.advanceTo(world.clock.now() + MINUTE)

    expect(pay.calls.map(({ grantKey }) => grantKey)).toEqual(Array(2).fill(pay.issued[0]?.grantKey))
    expect(await log(world.engine, 'coupon.')).toEqual([
      'coupon.deferred the provider asked to wait',
      'coupon.refused pool is empty',
      'coupon.issued',
    ])
    await world.close()
  })

  it('gives its place back where the run ends before it is asked for again', async () => {
    const pay = memoryIssuer({ name: 'pay' })
    const exits = give({ exit: { on: 'event', event: 'order' } })
    const world = await worldOf([offer({ total: 1, budget: { money: 5 } }), HELLO, exits], { issuers: [pay] })
    pay.respond({ status: 'deferred', retryAt: new Date(world.clock.now() + MINUTE) })
    await world.ingest(track('cart', 'u1'))
    await world.ingest(track('order', 'u1'))
    await world.advanceTo(world.clock.now() + MINUTE)

    await world.ingest(track('cart', 'u2'))

    expect(pay.issued.map(({ to }) => to.id)).toEqual(['u2'])
    await world.close()
  })

  it('waits while its issuer is paused', async () => {
    const pay = memoryIssuer({ name: 'pay' })
    const world = await worldOf(rules(), { issuers: [pay] })
    await world.engine.pause({ channel: 'pay' })
    await world.ingest(track('cart', 'u1'))
    expect(pay.calls).toEqual([])

    await world.engine.resume({ channel: 'pay' })
    await world.engine.settle()

    expect(pay.issued).toHaveLength(1)
    expect(world.sent).toHaveLength(1)
    await world.close()
  })

  it('needs its issuer at the start, under a name of its own', async () => {
    const start = (options: object) => shopOf(rules()).start({ channels: [memoryChannel({ name: 'sms' })], ...options })

    await expect(start({})).rejects.toMatchObject({ code: 'issuer.missing', facts: { offer: 'trial', issuer: 'pay' } })
    const issuers = [memoryIssuer({ name: 'sms' }), memoryIssuer({ name: 'pay' })]
    await expect(start({ issuers })).rejects.toMatchObject({ code: 'channel.duplicate' })
  })
})

describe('an issuer whose answer is no answer', () => {
  it.each([
    ['without a code', { status: 'accepted' }],
    ['of no known kind', { status: 'fine' }],
    ['of nothing', undefined],
  ])('%s leaves the coupon in doubt, counted, and its run without it', async (_, answer) => {
    const pay = {
      name: 'pay',
      repeat: { kind: 'none' },
      issue: () => Promise.resolve(answer),
    } as unknown as CouponIssuer
    const world = await worldOf(rules({ total: 1 }), { issuers: [pay] })

    await world.ingest(track('cart', 'u1'))

    expect((await log(world.engine, 'coupon.'))[0]).toMatch(/^coupon.parked/)
    expect((await world.engine.pools()).get('trial')?.issued).toBe(1)
    expect(await world.engine.health()).toMatchObject({ ok: expect.any(Boolean) })
    expect((await world.decisions()).some(({ reason }) => reason === 'no coupon')).toBe(true)
    await world.close()
  })
})

/** One process dies while its issuer is called: the provider's own record says what was issued. */
async function crashAndTakeOver(repeat: RepeatSafety, takes: boolean) {
  const shop = shopOf(rules({ total: 1, budget: { money: 5 } }))
  const provider = memoryIssuer({ name: 'pay', repeat })
  const dying: CouponIssuer = {
    ...{ name: 'pay', repeat, lookUp: () => new Promise(() => {}) },
    issue: (grant, context) => {
      if (!takes) provider.respond('lost_before')
      void provider.issue(grant, context).catch(() => undefined)
      return new Promise(() => {})
    },
  }
  const channels = [memoryChannel({ name: 'sms' })]
  const first = await shop.start({ channels, issuers: [dying], callTimeoutMs: 10 * MINUTE })
  await first.ingest([track('cart', 'u1')])
  void first.settle()
  await expect.poll(() => provider.calls.length).toBe(1)
  const second = await shop.start({ channels, issuers: [provider] })
  for (let minute = 0; minute < 30; minute++) {
    await second.settle()
    shop.clock.moveTo(shop.clock.now() + MINUTE)
  }
  const states = (await second.deliveries()).filter(({ kind }) => kind === 'coupon').map(({ state }) => state)
  const result = {
    issued: provider.issued.length,
    calls: provider.calls.length,
    states,
    log: await log(second, 'coupon.'),
  }
  expect((await second.pools()).get('trial')?.issued).toBe(1)
  expect((await second.verify()).violations).toEqual([])
  return result
}

describe('a process that dies while an issuer is called', () => {
  it('is followed by the same call with the same key, and one coupon', async () => {
    expect(await crashAndTakeOver(KEYS, true)).toEqual({
      ...{ issued: 1, calls: 2, states: ['accepted'], log: ['coupon.issued'] },
    })
    expect(await crashAndTakeOver(KEYS, false)).toMatchObject({ issued: 1, states: ['accepted'] })
  })

  it('is followed by a question where the issuer can be asked', async () => {
    expect(await crashAndTakeOver({ kind: 'queryable' }, true)).toMatchObject({
      issued: 1,
      calls: 1,
      states: ['accepted'],
    })
    expect(await crashAndTakeOver({ kind: 'queryable' }, false)).toMatchObject({
      issued: 1,
      calls: 2,
      states: ['accepted'],
    })
  })

  it('leaves the coupon for a person to decide where nothing may follow', async () => {
    const { issued, calls, states, log: said } = await crashAndTakeOver({ kind: 'none' }, true)
    expect({ issued, calls, states }).toEqual({ issued: 1, calls: 1, states: ['parked'] })
    expect(said).toEqual(['coupon.parked the outcome is unknown and may not be repeated'])
  })
})
