import { describe, expect, it } from 'vitest'
import { merchantCouponParams, merchantCouponUrl } from './index.js'

/** The key of the published example. */
const OPTIONS = { mchId: '10016226', apiKey: 'exposed_your_key_here_have_risks' }

describe('parameters of the plugin that gives merchant coupons', () => {
  it('are signed as in the published example', () => {
    // https://developers.weixin.qq.com/community/develop/article/doc/000cae6e244d38bbeeaa32dd25bc13
    const coupons = [
      { stockId: 'abc123', outRequestNo: '1234567' },
      { stockId: '321cba', outRequestNo: '7654321' },
    ]
    expect(merchantCouponParams(OPTIONS, coupons)).toEqual({
      send_coupon_params: [
        { stock_id: 'abc123', out_request_no: '1234567' },
        { stock_id: '321cba', out_request_no: '7654321' },
      ],
      send_coupon_merchant: '10016226',
      sign: '20FB971D442A119C85CA1A49DBDEA61A14944D98AFC1D2B040030C5C8792A83A',
    })
  })

  it('sign a code where there is one', () => {
    const one = { stockId: '1234567', outRequestNo: 'abc123' }
    const [without, coded, other] = [one, { ...one, couponCode: 'c-1' }, { ...one, couponCode: 'c-2' }].map((coupon) =>
      merchantCouponParams(OPTIONS, [coupon]),
    )
    expect(coded?.send_coupon_params).toEqual([{ stock_id: '1234567', out_request_no: 'abc123', coupon_code: 'c-1' }])
    expect(new Set([without?.sign, coded?.sign, other?.sign]).size).toBe(3)
  })

  it.each([
    ['none', []],
    ['eleven', Array.from({ length: 11 }, (_, index) => ({ stockId: 's', outRequestNo: `${index}` }))],
    ['one without a stock', [{ stockId: '', outRequestNo: '1' }]],
    ['one without a number', [{ stockId: 's', outRequestNo: '' }]],
  ])('are not for %s', (_, coupons) => {
    expect(() => merchantCouponParams(OPTIONS, coupons)).toThrow(
      expect.objectContaining({ code: 'wechat-pay.option_invalid' }),
    )
  })

  it('need a key, and hold none', () => {
    const coupons = [{ stockId: 's', outRequestNo: '1' }]
    expect(() => merchantCouponParams({ ...OPTIONS, apiKey: '' }, coupons)).toThrow('apiKey')
    expect(JSON.stringify(merchantCouponParams(OPTIONS, coupons))).not.toContain(OPTIONS.apiKey)
  })
})

it('a page that gives a merchant coupon is signed over what stands in its address', () => {
  const coupon = { stockId: '1222080000000002', outRequestNo: '1619168471834', openid: 'o0NRE5' }
  const url = new URL(merchantCouponUrl(OPTIONS, coupon))
  expect(`${url.origin}${url.pathname}${url.hash}`).toBe(
    'https://action.weixin.qq.com/busifavor/getcouponinfo#wechat_redirect',
  )
  const { sign, ...fields } = Object.fromEntries(url.searchParams)
  expect(fields).toEqual({
    stock_id: '1222080000000002',
    out_request_no: '1619168471834',
    send_coupon_merchant: '10016226',
    open_id: 'o0NRE5',
  })
  expect(sign).toMatch(/^[0-9A-F]{64}$/)
  expect(() => merchantCouponUrl(OPTIONS, { ...coupon, openid: '' })).toThrow('openid')
})
