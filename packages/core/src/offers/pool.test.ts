import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { log, shopOf, track, worldOf } from '../../testing/shop.js'

const offer = (more: Record<string, unknown> = {}) => ({ kind: 'offer', id: 'trial', total: 100, ...more })
const HELLO = template('hello', 'Here is {{ coupon.code }}')
const give = (more: Record<string, unknown> = {}) =>
  journey('trial', [{ id: 'coupon', issue: { offer: 'trial' } }, send('push')], { reentry: 'always', ...more })
const HOUR = 3_600_000

describe('a budget', () => {
  const refusals = async (world: Awaited<ReturnType<typeof worldOf>>) =>
    (await world.decisions()).filter(({ decision }) => decision === 'coupon.refused')

  it('is never exceeded, and who gets no coupon is told what was left', async () => {
    const world = await worldOf([offer({ value: 0.1, budget: { money: 0.3 } }), HELLO, give()])

    await world.ingest(...['u1', 'u2', 'u3', 'u4'].map((user) => track('cart', user)))

    expect(await log(world.engine, 'coupon.issued')).toHaveLength(3)
    expect(await refusals(world)).toMatchObject([{ reason: 'budget', budget: 0.3, spent: 0.3, needed: 0.1 }])
    expect((await world.engine.pools()).get('trial')).toEqual({ issued: 3, total: 100 })
    await world.close()
  })

  it('of a day begins anew with the day of its zone', async () => {
    const world = await worldOf([offer({ value: 5, budget: { money: 5, during: 'today' } }), HELLO, give()])

    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))
    await world.advanceTo('2026-03-01T23:59:59.999+08:00')
    await world.ingest(track('cart', 'u3'))
    await world.advanceTo('2026-03-02T00:00:00+08:00')
    await world.ingest(track('cart', 'u4'))

    expect(await log(world.engine, 'coupon.')).toEqual([
      'coupon.issued',
      'coupon.refused budget',
      'coupon.refused budget',
      'coupon.issued',
    ])
    await world.close()
  })

  it('of any 30 days counts what was spent in them', async () => {
    const world = await worldOf([offer({ value: 5, budget: { money: 10, within: '30d' } }), HELLO, give()])
    const start = world.clock.now()
    const at = async (ms: number, user: string) => {
      await world.advanceTo(start + ms)
      await world.ingest(track('cart', user))
    }

    await at(0, 'u1')
    await at(24 * HOUR, 'u2')
    await at(30 * 24 * HOUR - 1, 'u3')
    // A part of the window is an hour and a half long, and counts until it is out of it.
    await at(30 * 24 * HOUR + 2 * HOUR, 'u4')
    await at(30 * 24 * HOUR + 3 * HOUR, 'u5')

    expect(await log(world.engine, 'coupon.')).toEqual([
      'coupon.issued',
      'coupon.issued',
      'coupon.refused budget',
      'coupon.issued',
      'coupon.refused budget',
    ])
    await world.close()
  })
})

describe('an offer with an end', () => {
  it('issues nothing from that instant on', async () => {
    const rules = [offer({ until: '2026-03-02T00:00:00+08:00', expires: '1d' }), HELLO, give()]
    const world = await worldOf(rules)

    await world.advanceTo('2026-03-01T23:59:59.999+08:00')
    await world.ingest(track('cart', 'u1'))
    await world.advanceTo('2026-03-02T00:00:00+08:00')
    await world.ingest(track('cart', 'u2'))

    expect(await log(world.engine, 'coupon.')).toEqual(['coupon.issued', 'coupon.refused offer is over'])
    await world.close()
  })
})

describe("codes of the shop's own", () => {
  const GIVEN = { total: undefined, codes: 'given' }

  it('are given away in the order in which they were loaded, until none is left', async () => {
    const world = await worldOf([offer(GIVEN), HELLO, give()])
    expect(await world.engine.addCodes('trial', ['SPRING-2', 'SPRING-1', 'SPRING-2'])).toEqual({
      added: 2,
      duplicates: 1,
      left: 2,
    })

    await world.ingest(...['u1', 'u2', 'u3'].map((user) => track('cart', user)))

    expect(world.sent.map(({ content }) => content.body).sort()).toEqual(
      ['Here is ', 'Here is SPRING-1', 'Here is SPRING-2'].filter((text) => text !== 'Here is '),
    )
    expect(await log(world.engine, 'coupon.refused')).toEqual(['coupon.refused no codes left'])
    expect((await world.engine.pools()).get('trial')).toEqual({ issued: 2, total: 2, codes: { loaded: 2, left: 0 } })
    expect(await world.engine.addCodes('trial', ['SPRING-1', 'SPRING-3'])).toMatchObject({ added: 1, left: 1 })
    expect(JSON.stringify(await world.decisions())).not.toContain('SPRING')
    await world.close()
  })

  it('are no more than the total', async () => {
    const world = await worldOf([offer({ codes: 'given', total: 1 }), HELLO, give()])
    await world.engine.addCodes('trial', ['A', 'B'])

    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))

    expect(await log(world.engine, 'coupon.refused')).toEqual(['coupon.refused pool is empty'])
    expect((await world.engine.pools()).get('trial')).toMatchObject({ codes: { loaded: 2, left: 1 } })
    await world.close()
  })

  it('are refused where they are none, or the offer takes none; nothing is said of them but their number', async () => {
    const world = await worldOf([offer(GIVEN), { ...offer(), id: 'own' }, HELLO, give()])
    const { engine } = world

    await expect(engine.addCodes('tria', [])).rejects.toMatchObject({ code: 'rule.unknown' })
    await expect(engine.addCodes('own', ['A'])).rejects.toMatchObject({ code: 'offer.codes' })
    for (const wrong of ['', 'two words', 'x'.repeat(101), 'line\n', 7 as unknown as string]) {
      const failure = await engine.addCodes('trial', ['A', wrong]).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'code.invalid', facts: { number: 2 } })
      if (wrong !== '') expect(String(failure)).not.toContain(wrong)
    }
    await world.close()
  })

  it('are loaded batch by batch', async () => {
    const world = await worldOf([offer(GIVEN), HELLO, give()])
    async function* codes() {
      for (let number = 0; number < 12_000; number++) yield `CODE-${number}`
    }

    expect(await world.engine.addCodes('trial', codes())).toEqual({ added: 12_000, duplicates: 0, left: 12_000 })
    await world.close()
  })
})

describe('a coupon that is redeemed', () => {
  const rules = [
    offer({ value: 5, expires: '1d' }),
    HELLO,
    give(),
    journey('thanks', [wait('w', '1d')], { entry: { on: 'event', event: 'coupon_redeemed' } }),
  ]

  it('is used once, and the log knows', async () => {
    const world = await worldOf(rules)
    const { engine } = world
    await world.ingest(track('cart', 'u1'))
    expect(await engine.coupon('TEST-000001')).toMatchObject({
      offer: 'trial',
      subject: ['user', 'u1'],
      status: 'valid',
    })

    const used = await engine.redeem('TEST-000001', { by: 'order-7' })
    expect(used).toMatchObject({ status: 'redeemed', by: 'order-7', value: 5, redeemedAt: new Date(world.clock.now()) })
    expect(await engine.redeem('TEST-000001', { by: 'order-7' })).toEqual(used)
    await expect(engine.redeem('TEST-000001', { by: 'order-8' })).rejects.toMatchObject({ code: 'coupon.redeemed' })
    await expect(engine.redeem('TEST-000001')).rejects.toMatchObject({ code: 'coupon.redeemed' })
    expect(await engine.coupon('TEST-000001')).toEqual(used)
    expect((await engine.subject('user', 'u1'))?.runs).toMatchObject([{ journey: 'thanks' }])
    await world.close()
  })

  it('is refused where it is over, unknown, or of somebody else', async () => {
    const world = await worldOf(rules)
    const { engine } = world
    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))
    const wrong = (code: string, redemption = {}) =>
      engine.redeem(code, redemption).catch((error: { code?: string }) => error.code)

    expect(await wrong('TEST-999999')).toBe('coupon.unknown')
    expect(await wrong('')).toBe('coupon.unknown')
    expect(await wrong('TEST-000001', { subject: ['user', 'u2'] })).toBe('coupon.foreign')
    const inTime = world.clock.now()
    await world.advanceTo('2026-03-02T12:00:00+08:00')
    expect(await engine.coupon('TEST-000001')).toMatchObject({ status: 'expired' })
    expect(await wrong('TEST-000001')).toBe('coupon.expired')
    expect(await engine.redeem('TEST-000002', { at: inTime, subject: ['user', 'u2'] })).toMatchObject({
      status: 'redeemed',
      redeemedAt: new Date(inTime),
    })
    await world.close()
  })

  it('is used once where two processes ask at the same time', async () => {
    const shop = shopOf(rules)
    const makeCode = () => 'CODE'
    const [one, other] = [
      await shop.start({ makeCode, channels: [sms] }),
      await shop.start({ makeCode, channels: [sms] }),
    ]
    await one.ingest([track('cart', 'u1')])
    await one.settle()

    const answers = await Promise.allSettled(
      [one, other, one, other].map((engine, i) => engine.redeem('CODE', { by: `o-${i}` })),
    )

    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await one.settle()
    expect((await one.subject('user', 'u1'))?.runs).toHaveLength(1)
  })
})

const sms = {
  name: 'sms',
  repeat: { kind: 'none' as const },
  send: () => Promise.resolve({ status: 'accepted' as const }),
}
