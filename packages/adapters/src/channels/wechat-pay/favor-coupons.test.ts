import { inspect } from 'node:util'
import { type CouponGrant, definePack } from '@linli/core'
import { createWorld, issuerContract } from '@linli/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FAKE_PAY_ERRORS, type FakePayErrorName } from '../../testing/fake-pay-errors.js'
import { type FakeWechatPay, startFakeWechatPay } from '../../testing/fake-wechat-pay.js'
import {
  type FavorCouponsOptions,
  favorCoupons,
  outRequestNo,
  queryFavorCoupon,
  queryFavorStock,
  WechatPay,
  type WechatPayOptions,
} from './index.js'

const UNTIL = new Date('2027-01-31T15:59:59.000Z')
const STOCKS = [
  { stockId: '9865000', availableUntil: UNTIL },
  { stockId: '9865001', perPerson: 1 },
  { stockId: '9865002', total: 1 },
  { stockId: '9865003', status: 'paused' },
] as const
let fake: FakeWechatPay
beforeAll(async () => {
  fake = await startFakeWechatPay({ stocks: STOCKS })
})
afterAll(() => fake.close())
beforeEach(() => {
  fake.clear()
  fake.slowMs = 0
})

const pay = (options: Partial<WechatPayOptions> = {}) =>
  new WechatPay({ ...fake.merchant, platformKeys: fake.platformKeys, baseUrl: fake.url, ...options })
const issuer = (options: Partial<FavorCouponsOptions> = {}) =>
  favorCoupons({ pay: pay(), appId: fake.appId, ...options })
const context = (signal = new AbortController().signal) => ({ attempt: 1, at: new Date(), signal })
let grants = 0
const grant = (changes: Partial<CouponGrant> = {}): CouponGrant => ({
  grantKey: `g-${++grants}`,
  issuer: 'wechat-pay',
  offer: { id: 'fruit', name: '水果满减券', value: 5 },
  stock: '9865000',
  to: { kind: 'user', id: 'u-1', traits: { openid: 'o-of-wang' } },
  source: { journey: 'j', run: 'r', step: 's' },
  ...changes,
})
const of = (openid: unknown) => ({ to: { kind: 'user', id: 'u', traits: { openid } } as const })

describe('coupons of WeChat Pay keep the contract of issuers', () => {
  const cases = issuerContract({
    create: () => issuer(),
    grant: grant({ grantKey: 'g' }),
    repeat: 'idempotent',
    provider: {
      accepted: () => fake.coupons.map((one) => one.outRequestNo),
      failNext: (when) => fake.next(when === 'before' ? 'reset' : 'take and reset'),
      refuseNext: () => fake.refuseNext('NOT_ENOUGH'),
      deferNext: () => fake.refuseNext('FREQUENCY_LIMITED'),
      hangNext: () => fake.next('take and hang'),
      hanging: () => fake.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('a coupon of WeChat Pay', () => {
  it('is asked for with the stock, the appid, and who created the stock', async () => {
    const result = await issuer({ stockCreatorMchId: '1900000200' }).issue(
      grant({ grantKey: 'run-1:step-2' }),
      context(),
    )
    expect(result).toEqual({ status: 'accepted', code: fake.coupons.at(-1)?.couponId })
    const { target, body, headers } = fake.requests.at(-1) ?? {}
    expect(target).toBe('/v3/marketing/favor/users/o-of-wang/coupons')
    expect(headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json' })
    expect(JSON.parse(body ?? '')).toEqual({
      stock_id: '9865000',
      out_request_no: outRequestNo('run-1:step-2'),
      appid: 'wx-fake',
      stock_creator_mchid: '1900000200',
    })
  })

  it('says how long it is good for where that is asked', async () => {
    const found = await issuer({ readsExpiry: true }).issue(grant(), context())
    expect(found).toMatchObject({ status: 'accepted', expiresAt: UNTIL })
  })

  it('is the person’s also when nobody says how long it is good for', async () => {
    fake.next({ status: 500 }, `/v3/marketing/favor/users/o-of-wang/coupons/${9_867_000_000 + fake.coupons.length}`)
    const found = await issuer({ readsExpiry: true }).issue(grant(), context())
    expect(found).toEqual({ status: 'accepted', code: expect.any(String) })
  })

  const outcomes: Readonly<Record<FakePayErrorName, string>> = {
    PARAM_ERROR: 'configuration',
    APPID_MCHID_NOT_MATCH: 'configuration',
    MCH_NOT_EXISTS: 'configuration',
    INVALID_REQUEST: 'other',
    'INVALID_REQUEST 暂时无法领取': 'limit',
    'INVALID_REQUEST 活动已结束或未激活': 'exhausted',
    'INVALID_REQUEST OpenID与AppID不匹配': 'recipient',
    'INVALID_REQUEST 非法的商户号': 'configuration',
    'INVALID_REQUEST 频率': 'deferred',
    SIGN_ERROR: 'configuration',
    REQUEST_BLOCKED: 'exhausted',
    RULE_LIMIT: 'limit',
    USER_AL_GET_COUPON: 'limit',
    USER_ACCOUNT_ABNORMAL: 'recipient',
    NOT_ENOUGH: 'exhausted',
    RESOURCE_NOT_EXISTS: 'configuration',
    FREQUENCY_LIMITED: 'deferred',
    FREQUENCY_LIMIT_EXCEED: 'deferred',
    SYSTEM_ERROR: 'unknown',
    '270079501': 'recipient',
    '270079507': 'configuration',
    '270079509': 'configuration',
  }
  const became = (issuing: CouponGrant, options?: Partial<FavorCouponsOptions>) =>
    issuer(options)
      .issue(issuing, context())
      .then(
        (result) => (result.status === 'refused' ? result.reason : result.status),
        (error: { code: string }) => error.code.replace('wechat-pay.outcome_unknown', 'unknown'),
      )
  const rows = Object.keys(FAKE_PAY_ERRORS) as FakePayErrorName[]
  it.each(rows.map((name) => [name, outcomes[name]] as const))('after %s is %s', async (name, expected) => {
    fake.refuseNext(name)
    expect(await became(grant())).toBe(expected)
  })

  it('is judged by the number where word and number differ, and by the word where the number says nothing', async () => {
    fake.refuseNext('REQUEST_BLOCKED', { number: 270079532 })
    expect(await became(grant())).toBe('limit')
    fake.refuseNext('RULE_LIMIT', { number: 1 })
    expect(await became(grant())).toBe('limit')
    fake.next({ status: 403, body: { code: 'toString' } })
    expect(await became(grant())).toBe('other')
    fake.next({ status: 429, body: '<html>' })
    expect(await became(grant())).toBe('deferred')
    fake.next({ status: 401 })
    expect(await became(grant())).toBe('configuration')
  })

  it('is judged by the host’s own meanings first', async () => {
    fake.refuseNext('REQUEST_BLOCKED')
    expect(await became(grant(), { meanings: { '270079533': 'again' } })).toBe('deferred')
    fake.refuseNext('INVALID_REQUEST')
    expect(await became(grant(), { meanings: { INVALID_REQUEST: 'recipient' } })).toBe('recipient')
  })

  it.each([
    ['limit', { stock: '9865001' }],
    ['exhausted', { stock: '9865002' }],
  ])('is refused by the stock itself: %s', async (expected, changes) => {
    expect(await became(grant(changes))).toBe('accepted')
    expect(await became(grant(changes))).toBe(expected)
  })

  it.each([
    ['exhausted', { stock: '9865003' }],
    ['configuration', { stock: '1' }],
    ['configuration', { stock: '1'.repeat(21) }],
    ['recipient', of(undefined)],
    ['recipient', of('')],
  ])('is refused: %s %o', async (expected, changes) => {
    expect(await became(grant(changes))).toBe(expected)
  })

  it('without a stock is refused, and nothing is asked for', async () => {
    const { stock: _, ...without } = grant()
    const before = fake.requests.length
    await expect(issuer().issue(without, context())).resolves.toMatchObject({ reason: 'configuration' })
    expect(fake.requests).toHaveLength(before)
  })

  it.each([
    ['forged', 'BAD_SIGNATURE'],
    ['unknown key', 'UNKNOWN_KEY'],
    ['old', 'OLD_SIGNATURE'],
    ['none', 'NOT_SIGNED'],
  ] as const)('is of unknown outcome where the answer’s signature is %s, and repeated safely', async (how, why) => {
    fake.signNext(how)
    const issuing = grant()
    await expect(issuer().issue(issuing, context())).rejects.toMatchObject({
      code: 'wechat-pay.outcome_unknown',
      message: expect.stringContaining(why),
    })
    await expect(issuer().issue(issuing, context())).resolves.toMatchObject({ status: 'accepted' })
    expect(fake.coupons.filter((one) => one.outRequestNo === issuing.grantKey)).toHaveLength(1)
  })

  it.each([
    ['take and babble', 'NOT_SIGNED'],
    [{ status: 502, body: '<html>' }, 'HTTP_502'],
    [{ status: 503, headers: { 'retry-after': '1' } }, 'HTTP_503'],
    [{ status: 302, headers: { location: '/' } }, 'HTTP_302'],
    [{ status: 408 }, 'HTTP_408'],
  ] as const)('is of unknown outcome after %o', async (fault, why) => {
    fake.next(fault)
    await expect(issuer().issue(grant(), context())).rejects.toThrow(why)
  })

  it('is of unknown outcome when no answer comes in time', async () => {
    fake.next('take and hang')
    const slow = issuer({ pay: pay({ timeoutMs: 1000 }) })
    await expect(slow.issue(grant(), context())).rejects.toThrow('TIMEOUT')
  })

  it('is certainly not issued where nobody listens', async () => {
    const away = issuer({ pay: pay({ baseUrl: 'http://127.0.0.1:9' }) })
    await expect(away.issue(grant(), context())).resolves.toMatchObject({ status: 'deferred' })
  })

  it('is still trusted after WeChat Pay has changed its key', async () => {
    const own = await startFakeWechatPay()
    try {
      const { merchant, appId, url: baseUrl, platformKeys: before } = own
      const old = favorCoupons({ appId, pay: new WechatPay({ ...merchant, baseUrl, platformKeys: [...before] }) })
      own.rotateKey()
      const both = favorCoupons({ appId, pay: new WechatPay({ ...merchant, baseUrl, platformKeys: own.platformKeys }) })
      await expect(old.issue(grant(), context())).rejects.toThrow('UNKNOWN_KEY')
      await expect(both.issue(grant(), context())).resolves.toMatchObject({ status: 'accepted' })
    } finally {
      await own.close()
    }
  })
})

describe('coupons for one person', () => {
  it('are asked for one after the other, those of others meanwhile', async () => {
    fake.slowMs = 30
    const one = issuer()
    const before = performance.now()
    const theirs = await Promise.all([1, 2, 3].map(() => one.issue(grant(of('o-of-li')), context())))
    const took = performance.now() - before
    expect(theirs.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted'])
    expect(took).toBeGreaterThan(85)
    const many = Array.from({ length: 6 }, (_, index) => one.issue(grant(of(`o-${index}`)), context()))
    expect((await Promise.all(many)).every(({ status }) => status === 'accepted')).toBe(true)
  })

  it('that two processes ask for at once meet a limit that nobody has reached', async () => {
    fake.slowMs = 500
    const both = await Promise.all([1, 2].map(() => issuer().issue(grant(of('o-of-zhao')), context())))
    expect(both.map(({ status }) => status).sort()).toEqual(['accepted', 'refused'])
  })

  it('are not asked for once nobody waits for them any more', async () => {
    fake.slowMs = 100
    const one = issuer()
    const [first, second, third] = [grant(of('o-of-sun')), grant(of('o-of-sun')), grant(of('o-of-sun'))]
    const waiting = [
      one.issue(first, context()),
      one.issue(second, context(AbortSignal.timeout(20))),
      one.issue(third, context()),
    ]
    const statuses = (await Promise.all(waiting)).map(({ status }) => status)
    expect(statuses).toEqual(['accepted', 'deferred', 'accepted'])
    expect(fake.coupons.some((coupon) => coupon.outRequestNo === second.grantKey)).toBe(false)
  })
})

describe('an engine whose calls break off after WeChat Pay has given the coupon', () => {
  const rules = definePack([
    { kind: 'offer', id: 'fruit', issuer: 'wechat-pay', stock: '9865001', total: 10 },
    {
      kind: 'journey',
      id: 'thanks',
      entry: { on: 'event', event: 'order_paid' },
      steps: [{ id: 'give', issue: { offer: 'fruit' } }],
    },
  ])

  it.each([['take and reset'], ['take and babble']] as const)(
    'asks again, and has the very coupon: %s',
    async (fault) => {
      const world = await createWorld({ rules, issuers: [issuer()], now: new Date() })
      const openid = `o-of-${fault.replaceAll(' ', '-')}`
      try {
        await world.ingest({ type: 'identify', messageId: 'm-0', userId: 'u', traits: { openid } })
        fake.next(fault)
        await world.ingest({ event: 'order_paid', messageId: 'm-1', userId: 'u' })
        await world.advanceTo(new Date(Date.now() + 60 * 60_000))
        const theirs = fake.coupons.filter((one) => one.openid === openid)
        expect(theirs).toHaveLength(1)
        await expect(world.engine.coupon(theirs[0]?.couponId ?? '')).resolves.toMatchObject({ offer: 'fruit' })
      } finally {
        await world.close()
      }
    },
  )
})

describe('what is told', () => {
  it('has no openid, no key and no sentence of WeChat Pay’s in it', async () => {
    const own = issuer()
    const said: unknown[] = [own, pay()]
    for (const name of Object.keys(FAKE_PAY_ERRORS) as FakePayErrorName[]) {
      fake.refuseNext(name, { message: 'openid o-of-wang 不可用' })
      said.push(await own.issue(grant(), context()).catch((error: unknown) => error))
    }
    for (const fault of ['reset', 'take and reset', 'take and babble'] as const) {
      fake.next(fault)
      said.push(await own.issue(grant(), context()).catch((error: unknown) => error))
    }
    const text = inspect(said, { depth: 9, showHidden: true, maxStringLength: null, maxArrayLength: null })
    expect(text).toContain('RULE_LIMIT')
    expect(text).not.toContain('o-of-wang')
    expect(text).not.toContain('不可用')
    expect(text).not.toContain(fake.merchant.privateKey.slice(40, 90))
    expect(JSON.stringify(said)).not.toContain('PRIVATE KEY')
  })
})

describe('the number of a request', () => {
  it.each([
    ['0190b5a8-6b1e-7c3e-8d5f-2f4f0a3c9e11', '0190b5a8-6b1e-7c3e-8d5f-2f4f0a3c9e11'],
    ['A_b|c*d-1', 'A_b|c*d-1'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ])('is the key of the grant: %s', (key, expected) => {
    expect(outRequestNo(key)).toBe(expected)
  })

  it.each(['', 'run:step', '礼', 'x'.repeat(129), 'a b'])(
    'is a hash of a key that WeChat Pay does not take: %s',
    (key) => {
      expect(outRequestNo(key)).toMatch(/^linli-[0-9a-f]{64}$/)
      expect(outRequestNo(key)).toBe(outRequestNo(key))
      expect(outRequestNo(key)).not.toBe(outRequestNo(`${key}!`))
    },
  )
})

describe('queries', () => {
  it('say what has become of a coupon and of a stock', async () => {
    const result = await issuer().issue(grant(), context())
    const couponId = result.status === 'accepted' ? result.code : ''
    const query = { appId: fake.appId, openid: 'o-of-wang', couponId }
    const unused = { stockId: '9865000', status: 'SENDED', availableUntil: UNTIL }
    await expect(queryFavorCoupon(pay(), query)).resolves.toEqual(unused)
    expect(fake.requests.at(-1)?.target).toBe(`/v3/marketing/favor/users/o-of-wang/coupons/${couponId}?appid=wx-fake`)
    fake.use(couponId, '4200000001', 'http://x/')
    const used = { ...unused, status: 'USED', transactionId: '4200000001', usedAt: expect.any(Date) }
    await expect(queryFavorCoupon(pay(), query)).resolves.toEqual(used)
    await expect(queryFavorStock(pay(), { stockId: '9865001' })).resolves.toMatchObject({
      name: '水果满减券',
      status: 'running',
      maxPerPerson: 1,
    })
    expect(fake.requests.at(-1)?.target).toBe('/v3/marketing/favor/stocks/9865001?stock_creator_mchid=1900000109')
  })

  it.each([
    ['404 RESOURCE_NOT_EXISTS', () => queryFavorStock(pay(), { stockId: 'none' })],
    ['404 RESOURCE_NOT_EXISTS', () => queryFavorCoupon(pay(), { appId: 'a', openid: 'o-of-wang', couponId: '1' })],
  ])('fail with %s, and tell nobody', async (said, query) => {
    await expect(query()).rejects.toMatchObject({
      code: 'wechat-pay.call_failed',
      message: expect.stringContaining(said),
      providerCode: 'RESOURCE_NOT_EXISTS',
    })
    await expect(query()).rejects.not.toThrow('o-of-wang')
  })
})

describe('options', () => {
  it.each([
    ['appId', () => issuer({ appId: '' })],
    ['name', () => issuer({ name: '' })],
    ['repeatWindowMs', () => issuer({ repeatWindowMs: 0 })],
    ['baseUrl', () => pay({ baseUrl: 'api.mch.weixin.qq.com' })],
    ['platformKeys', () => pay({ platformKeys: [] })],
  ])('%s is checked at the start', (option, make) => {
    expect(make).toThrow(option)
    expect(make).toThrow(expect.objectContaining({ code: 'wechat-pay.option_invalid' }))
  })
})
