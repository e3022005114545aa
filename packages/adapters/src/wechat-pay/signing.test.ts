import { verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SIGNED } from '../../testing/wechat-pay-vectors.js'
import { MerchantSigner, textToSign } from './signing.js'

const MERCHANT = { mchId: '1900009191', serialNo: '1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C' }
const signer = new MerchantSigner({ ...MERCHANT, privateKey: SIGNED.privateKey })

describe('the signature of a request', () => {
  it('is that of the published example, byte for byte', () => {
    expect(signer.sign(SIGNED.text)).toBe(SIGNED.signature)
  })

  it('is over five lines, each with its end', () => {
    // The example of the documentation: https://pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay4_0.shtml
    const nonce = '593BEC0C930BF1AFEB40B4A08C8FB242'
    const request = { method: 'GET', target: '/v3/certificates', timestamp: 1554208460, nonce, body: '' } as const
    const text = 'GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n'
    expect(textToSign(request)).toBe(text)
    const header = signer.authorization(request)
    const fields =
      /^WECHATPAY2-SHA256-RSA2048 mchid="(.*)",nonce_str="(.*)",signature="(.*)",timestamp="(.*)",serial_no="(.*)"$/
    const [, mchId, nonceStr, signature = '', timestamp, serialNo] = fields.exec(header) ?? []
    expect({ mchId, nonceStr, timestamp, serialNo }).toEqual({ ...MERCHANT, nonceStr: nonce, timestamp: '1554208460' })
    expect(verify('sha256', Buffer.from(text), SIGNED.privateKey, Buffer.from(signature, 'base64'))).toBe(true)
  })

  it.each([
    ['mchId', { mchId: ' ' }],
    ['serialNo', { serialNo: '' }],
    ['privateKey', { privateKey: '' }],
    ['privateKey', { privateKey: '-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBg\n-----END PRIVATE KEY-----' }],
  ])('needs a good %s, and an error does not tell it', (option, given) => {
    const make = () => new MerchantSigner({ ...MERCHANT, privateKey: SIGNED.privateKey, ...given })
    expect(make).toThrow(expect.objectContaining({ code: 'wechat-pay.option_invalid' }))
    expect(make).toThrow(option)
    expect(make).not.toThrow('MIIE')
  })
})
