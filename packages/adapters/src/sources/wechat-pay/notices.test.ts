import { createEngine, definePack, type Engine } from '@linli/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { listeningEngine } from '../../../testing/sources.js'
import { favorCoupons, WechatPay } from '../../channels/wechat-pay/index.js'
import { type FakeWechatPay, startFakeWechatPay } from '../../testing/fake-wechat-pay.js'
import {
  NotDecrypted,
  type PayNotice,
  type PayNoticeOutcome,
  type WechatPaySourceOptions,
  wechatPaySource,
} from './index.js'

const URL = 'http://shop.test/wechat-pay'
let fake: FakeWechatPay
beforeAll(async () => {
  fake = await startFakeWechatPay()
})
afterAll(() => fake.close())
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const PAYMENT = {
  transaction_id: '4200000001202611261234567890',
  out_trade_no: 'order-1007',
  trade_state: 'SUCCESS',
  success_time: '2026-11-20T10:34:56+08:00',
  payer: { openid: 'o-of-wang' },
  amount: { total: 2999, payer_total: 2499, currency: 'CNY', payer_currency: 'CNY' },
}
const REFUND = {
  refund_id: '50300000012026',
  out_trade_no: 'order-1007',
  transaction_id: PAYMENT.transaction_id,
  refund_status: 'SUCCESS',
  success_time: '2026-11-21T10:34:56+08:00',
  amount: { total: 2999, refund: 1001, payer_total: 2499, payer_refund: 834 },
}

/** A source for an engine that only listens, and all that the host is told. */
function listening(options: Partial<WechatPaySourceOptions> = {}) {
  const engine = listeningEngine()
  const redeemed: unknown[] = []
  const [told, errors]: [(readonly [string, PayNoticeOutcome])[], unknown[]] = [[], []]
  const redeem = (code: string, redemption: unknown) => {
    redeemed.push([code, redemption])
    return Promise.resolve({} as never)
  }
  const source = wechatPaySource({
    engine: { ingest: engine.ingest, redeem },
    platformKeys: fake.platformKeys,
    apiV3Key: fake.apiV3Key,
    onNotice: ({ type }, outcome) => told.push([type, outcome]),
    onError: (error) => errors.push(error),
    ...options,
  })
  return { engine, source, redeemed, told, errors }
}

describe('a notice of a payment', () => {
  it('is an order that was paid, by whoever has the openid, to the fen', async () => {
    const { engine, source, told } = listening()
    const response = await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(engine.events).toEqual([
      {
        event: 'order_paid',
        messageId: expect.stringMatching(/^wechat-pay:/),
        timestamp: new Date('2026-11-20T02:34:56Z'),
        context: { externalIds: [{ type: 'openid', id: 'o-of-wang' }] },
        properties: { orderId: 'order-1007', total: 29.99, paid: 24.99, transactionId: PAYMENT.transaction_id },
      },
    ])
    expect(told).toEqual([['TRANSACTION.SUCCESS', { became: 'event', event: 'order_paid' }]])
  })

  it('counts once, however often it comes, under one id or under two', async () => {
    const engine = await startEngine()
    const source = wechatPaySource({ engine, platformKeys: fake.platformKeys, apiV3Key: fake.apiV3Key })
    const payment = { ...PAYMENT, success_time: new Date().toISOString() }
    for (const id of ['EV-1', 'EV-1', 'EV-2']) {
      expect((await source(fake.notice('TRANSACTION.SUCCESS', payment, URL, { id }))).status).toBe(200)
    }
    await engine.settle()
    const found = await engine.subject('user', 'id:openid:o-of-wang')
    expect(found?.tags).toEqual(['paid-once'])
  })

  it.each([1, 7, 10, 29, 57, 1001, 2_999_999_999, 900_719_925_474_099])('of %i fen is as many yuan', async (total) => {
    const { engine, source } = listening()
    await source(fake.notice('TRANSACTION.SUCCESS', { ...PAYMENT, amount: { total } }, URL))
    const yuan = engine.events[0]?.properties?.['total']
    expect(Math.round(Number(yuan) * 100)).toBe(total)
    const digits = String(total).padStart(3, '0')
    expect(Number(yuan).toFixed(2)).toBe(`${digits.slice(0, -2)}.${digits.slice(-2)}`)
  })

  it.each([
    ['no whole number of fen', { total: 0.5 }],
    ['fen in words', { total: '2999' }],
    ['other money', { total: 2999, currency: 'USD' }],
  ])('with %s says no total', async (_, amount) => {
    const { engine, source } = listening()
    await source(fake.notice('TRANSACTION.SUCCESS', { ...PAYMENT, amount }, URL))
    expect(engine.events[0]?.properties).toEqual({ orderId: 'order-1007', transactionId: PAYMENT.transaction_id })
  })

  it('is of whom the host says, under the name that the host says', async () => {
    const person = ({ resource }: PayNotice) => Promise.resolve({ userId: `of-${resource['out_trade_no']}` })
    const { engine, source } = listening({ person, names: { 'TRANSACTION.SUCCESS': 'wechat_paid' } })
    await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))
    expect(engine.events).toMatchObject([{ event: 'wechat_paid', userId: 'of-order-1007' }])
    expect(engine.events[0]).not.toHaveProperty('context')
  })

  it.each([
    ['notice.unused', 'TRANSACTION.SUCCESS', PAYMENT, { names: { 'TRANSACTION.SUCCESS': false as const } }],
    ['notice.unused', 'PAYSCORE.USER_OPEN_SERVICE', {}, {}],
    ['notice.unused', 'toString', {}, {}],
    ['notice.nobody', 'TRANSACTION.SUCCESS', { ...PAYMENT, payer: {} }, {}],
    ['notice.not_done', 'TRANSACTION.SUCCESS', { ...PAYMENT, trade_state: 'CLOSED' }, {}],
  ])('is answered 200 and becomes nothing: %s of %s', async (code, type, resource, options) => {
    const { engine, source, told } = listening(options)
    expect((await source(fake.notice(type, resource, URL))).status).toBe(200)
    expect(told).toEqual([[type, { became: 'nothing', code }]])
    expect(engine.events).toEqual([])
  })
})

it('a notice of a refund is an order that was paid back, of whom the host says', async () => {
  const { engine, source, told } = listening()
  await source(fake.notice('REFUND.SUCCESS', REFUND, URL))
  expect(told).toEqual([['REFUND.SUCCESS', { became: 'nothing', code: 'notice.nobody' }]])
  const known = listening({ person: () => ({ userId: 'u-1' }) })
  await known.source(fake.notice('REFUND.SUCCESS', REFUND, URL))
  expect(engine.events).toEqual([])
  expect(known.engine.events).toMatchObject([
    {
      event: 'order_refunded',
      userId: 'u-1',
      properties: { orderId: 'order-1007', total: 29.99, refunded: 10.01, refundId: REFUND.refund_id },
    },
  ])
})

const paidOnce = { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'order_paid', within: '30d' } }
const PACK = definePack([
  { kind: 'tag', id: 'paid-once', conditions: paidOnce },
  { kind: 'offer', id: 'wechat-5', issuer: 'wechat-pay', stock: '9865000', value: 5, total: 100 },
  {
    kind: 'journey',
    id: 'thanks',
    entry: { on: 'event', event: 'sign_up' },
    steps: [{ id: 'give', issue: { offer: 'wechat-5' } }],
  },
])

async function startEngine(): Promise<Engine> {
  const pay = new WechatPay({ ...fake.merchant, platformKeys: fake.platformKeys, baseUrl: fake.url })
  const issuers = [favorCoupons({ pay, appId: fake.appId })]
  const engine = await createEngine({ rules: PACK, channels: [], issuers, database: 'memory', identifiers: ['openid'] })
  closing.push(() => engine.close())
  return engine
}

describe('a notice of a used coupon', () => {
  it('redeems what linli has issued, once, for the payment', async () => {
    const engine = await startEngine()
    const told: PayNoticeOutcome[] = []
    const source = wechatPaySource({
      engine,
      platformKeys: fake.platformKeys,
      apiV3Key: fake.apiV3Key,
      onNotice: (_, outcome) => told.push(outcome),
    })
    const context = { externalIds: [{ type: 'openid', id: 'o-of-wang' }] }
    await engine.ingest([
      { type: 'identify', messageId: 'm-0', userId: 'u-1', traits: { openid: 'o-of-wang' }, context },
    ])
    await engine.ingest([{ event: 'sign_up', messageId: 'm-1', userId: 'u-1' }])
    await engine.settle()
    const code = fake.coupons.at(-1)?.couponId ?? ''
    await expect(engine.coupon(code)).resolves.toMatchObject({ offer: 'wechat-5', status: 'valid' })
    for (const transaction of ['42-1', '42-1', '42-2']) {
      expect((await source(fake.use(code, transaction, URL))).status).toBe(200)
    }
    await expect(engine.coupon(code)).resolves.toMatchObject({ status: 'redeemed', by: '42-1' })
    const nothing = { became: 'nothing', code: 'coupon.redeemed' }
    expect(told).toEqual([{ became: 'redeemed' }, { became: 'redeemed' }, nothing])
  })

  const USED = {
    coupon_id: 'c-1',
    stock_id: '9865000',
    normal_coupon_information: { coupon_amount: 500 },
    consume_information: { consume_time: '2026-11-20T10:34:56+08:00', transaction_id: '42-1' },
  }

  it('names the coupon, the payment and the time', async () => {
    const { source, redeemed } = listening()
    await source(fake.notice('COUPON.USE', USED, URL))
    expect(redeemed).toEqual([['c-1', { by: '42-1', at: new Date('2026-11-20T02:34:56Z') }]])
  })

  it('of a coupon that linli does not know is an event where the host knows whose it is', async () => {
    const engine = await startEngine()
    const used = { ...USED, consume_information: { consume_time: new Date().toISOString(), transaction_id: '42-1' } }
    const keys = { platformKeys: fake.platformKeys, apiV3Key: fake.apiV3Key }
    const told: PayNoticeOutcome[] = []
    const onNotice = (_: PayNotice, outcome: PayNoticeOutcome) => told.push(outcome)
    await wechatPaySource({ engine, ...keys, onNotice })(fake.notice('COUPON.USE', used, URL))
    const person = () => ({ userId: 'u-9' })
    await wechatPaySource({ engine, ...keys, onNotice, person })(fake.notice('COUPON.USE', used, URL))
    const event = 'coupon_redeemed'
    expect(told).toEqual([
      { became: 'nothing', code: 'coupon.unknown' },
      { became: 'event', event },
    ])
  })

  it('is only an event where coupons are not to be redeemed', async () => {
    const { engine, source, redeemed } = listening({ redeems: false, person: () => ({ userId: 'u-9' }) })
    await source(fake.notice('COUPON.USE', USED, URL))
    expect(redeemed).toEqual([])
    expect(engine.events).toMatchObject([
      {
        event: 'coupon_redeemed',
        timestamp: new Date('2026-11-20T02:34:56Z'),
        properties: { couponId: 'c-1', value: 5, stockId: '9865000', transactionId: '42-1' },
      },
    ])
  })

  it('is asked for again where the engine cannot tell', async () => {
    const redeem = () => Promise.reject(new Error('The database is away.'))
    const { source, errors } = listening({ engine: { ingest: listeningEngine().ingest, redeem } })
    expect((await source(fake.notice('COUPON.USE', USED, URL))).status).toBe(503)
    expect(errors).toHaveLength(1)
  })
})

describe('notices', () => {
  it.each(['forged', 'unknown key', 'old', 'none'] as const)('with a signature that is %s are refused', async (how) => {
    const { engine, source, told } = listening()
    const response = await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL, { signature: how }))
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ code: 'FAIL' })
    expect([engine.events, told]).toEqual([[], []])
  })

  it('are refused with one byte changed on their way, and taken under a new key', async () => {
    const { source } = listening()
    const right = fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL)
    const { headers } = right
    const body = (await right.text()).replace('"summary":"通知"', '"summary":"通告"')
    expect((await source(new Request(URL, { method: 'POST', headers, body }))).status).toBe(401)
    fake.rotateKey()
    expect((await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))).status).toBe(401)
    expect((await listening().source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))).status).toBe(200)
  })

  it('that cannot be taken in are asked for again', async () => {
    const { engine, source, errors } = listening()
    engine.fail(true)
    const notice = fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL)
    expect((await source(notice.clone())).status).toBe(503)
    expect(errors).toHaveLength(1)
    engine.fail(false)
    expect((await source(notice)).status).toBe(200)
    expect(engine.events).toHaveLength(1)
  })

  it('that cannot be decrypted are asked for again, and the host is told', async () => {
    const { source, errors } = listening({ apiV3Key: 'x'.repeat(32) })
    expect((await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))).status).toBe(503)
    expect(errors).toEqual([expect.any(NotDecrypted)])
  })

  it('are answered 200 also where the host fails when it is told', async () => {
    const errors: unknown[] = []
    const onNotice = () => Promise.reject(new Error('no'))
    const { source } = listening({ onNotice, onError: (error) => errors.push(error) })
    expect((await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))).status).toBe(200)
    expect(errors).toHaveLength(1)
  })

  it('are posted, and have a size', async () => {
    const { source } = listening()
    expect((await source(new Request(URL))).status).toBe(405)
    const large = new Request(URL, { method: 'POST', body: 'x'.repeat(300_000) })
    expect((await source(large)).status).toBe(413)
  })

  it('that the engine refuses are told so', async () => {
    const { source, told } = listening({
      engine: {
        redeem: () => Promise.reject(new Error('none')),
        ingest: () => {
          const result = { status: 'rejected', messageId: 'm', code: 'event.too_old', message: '' } as const
          return Promise.resolve({ accepted: 0, duplicates: 0, rejected: 1, results: [result] })
        },
      },
    })
    expect((await source(fake.notice('TRANSACTION.SUCCESS', PAYMENT, URL))).status).toBe(200)
    expect(told).toEqual([['TRANSACTION.SUCCESS', { became: 'nothing', code: 'event.too_old' }]])
  })

  it('need keys that can be keys', () => {
    expect(() => listening({ apiV3Key: 'short' })).toThrow('apiV3Key')
    expect(() => listening({ platformKeys: [] })).toThrow('platformKeys')
  })
})
