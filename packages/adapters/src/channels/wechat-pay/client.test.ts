import { createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Aes, Formatter, Hash, Rsa, Wechatpay } from 'wechatpay-axios-plugin'
import { SIGNED } from '../../../testing/wechat-pay-vectors.js'
import { type FakeWechatPay, startFakeWechatPay } from '../../testing/fake-wechat-pay.js'
import { PlatformKeys } from '../../wechat-pay/platform-keys.js'
import { ResourceCipher } from '../../wechat-pay/resource.js'
import { MerchantSigner } from '../../wechat-pay/signing.js'
import { merchantCouponParams } from './index.js'

/** What somebody else wrote by the same documentation says the same. */
describe('wechatpay-axios-plugin', () => {
  let fake: FakeWechatPay
  beforeAll(async () => {
    fake = await startFakeWechatPay()
  })
  afterAll(() => fake.close())

  it('signs requests in the same way, byte for byte', () => {
    const merchant = { mchId: '1900009191', serialNo: 'F5765756002FDD77' }
    const signer = new MerchantSigner({ ...merchant, privateKey: SIGNED.privateKey })
    const target = '/v3/marketing/favor/stocks/9856000?stock_creator_mchid=1900009191'
    for (const [method, body] of [
      ['GET', ''],
      ['POST', '{"备注":"水果券"}'],
    ] as const) {
      const request = { method, target, timestamp: 1_700_000_000, nonce: Formatter.nonce(), body }
      const text = Formatter.request(method, target, request.timestamp, request.nonce, body)
      const signature = Rsa.sign(text, SIGNED.privateKey)
      const theirs = Formatter.authorization(
        merchant.mchId,
        request.nonce,
        signature,
        request.timestamp,
        merchant.serialNo,
      )
      expect(fieldsOf(signer.authorization(request))).toEqual(fieldsOf(theirs))
    }
  })

  it('signs answers and notices in the same way', () => {
    const publicKey = createPublicKey(SIGNED.privateKey).export({ type: 'spki', format: 'pem' }).toString()
    const keys = new PlatformKeys([{ id: 'PUB_KEY_ID_1', publicKey }])
    const [timestamp, nonce, body] = [Formatter.timestamp(), Formatter.nonce(), '{"coupon_id":"9867041"}']
    const headers: Readonly<Record<string, string>> = {
      'wechatpay-serial': 'PUB_KEY_ID_1',
      'wechatpay-timestamp': String(timestamp),
      'wechatpay-nonce': nonce,
      'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, nonce, body), SIGNED.privateKey),
    }
    expect(keys.check((name) => headers[name], body, Date.now())).toBe('signed')
  })

  it('encrypts notices in the same way', () => {
    const [key, nonce] = ['0123456789abcdef0123456789abcdef', '0123456789ab']
    const ciphertext = Aes.AesGcm.encrypt('{"id":"订单"}', key, nonce, 'transaction')
    expect(new ResourceCipher(key).decrypt(ciphertext, nonce, 'transaction')).toBe('{"id":"订单"}')
  })

  it('signs parameters of merchant coupons in the same way', () => {
    const apiKey = 'exposed_your_key_here_have_risks'
    const coupons = [{ stockId: 's-1', outRequestNo: 'n-1', couponCode: 'c-1' }]
    const flat = { send_coupon_merchant: '1', stock_id0: 's-1', out_request_no0: 'n-1', coupon_code0: 'c-1' }
    expect(merchantCouponParams({ mchId: '1', apiKey }, coupons).sign).toBe(Hash.sign('HMAC-SHA256', flat, apiKey))
  })

  it('takes the fake WeChat Pay for a real one, and the other way round', async () => {
    const { mchId: mchid, serialNo: serial, privateKey } = fake.merchant
    const certs = Object.fromEntries(fake.platformKeys.map(({ id, publicKey }) => [id, publicKey]))
    const client = new Wechatpay({ mchid, serial, privateKey, certs })
    const body = { stock_id: '9865000', out_request_no: 'n-1', appid: fake.appId, stock_creator_mchid: mchid }
    const { data } = await client
      .chain('v3/marketing/favor/users/o-1/coupons')
      .post(body, { baseURL: fake.url, proxy: false })
    expect(data).toEqual({ coupon_id: fake.coupons[0]?.couponId })
  })
})

function fieldsOf(authorization: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}
