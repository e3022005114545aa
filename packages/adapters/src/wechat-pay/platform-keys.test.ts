import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { selfSigned } from '../../../../test/self-signed.js'
import { NOTICE, SIGNED } from '../../testing/wechat-pay-vectors.js'
import { FakePayKeys } from '../testing/fake-pay-keys.js'
import { PlatformKeys } from './platform-keys.js'

const { certificate, headers, body } = NOTICE
const signedAt = Number(headers['wechatpay-timestamp']) * 1000
const certified = new PlatformKeys([{ certificate }])
const from = (given: Readonly<Record<string, string>>) => (name: string) => given[name]

describe('the published notice', () => {
  it('is known by the platform certificate whose serial number it names', () => {
    expect(certified.check(from(headers), body, signedAt)).toBe('signed')
    const lower = { ...headers, 'wechatpay-serial': 'd7ce59d1f522d701' }
    expect(certified.check(from(lower), body, signedAt)).toBe('signed')
  })

  it('is refused with any of it changed', () => {
    expect(certified.check(from(headers), body.replace('签约', '解约'), signedAt)).toBe('BAD_SIGNATURE')
    for (const name of Object.keys(headers)) {
      const others = { ...headers, [name]: `1${headers[name]}` }
      expect(certified.check(from(others), body, signedAt)).not.toBe('signed')
      expect(certified.check(from({ ...headers, [name]: '' }), body, signedAt)).toBe('NOT_SIGNED')
    }
  })

  it.each([
    [-300, 'signed'],
    [-301, 'OLD_SIGNATURE'],
    [300, 'signed'],
    [301, 'OLD_SIGNATURE'],
  ])('%i seconds away from its time is %s', (seconds, found) => {
    expect(certified.check(from(headers), body, signedAt + seconds * 1000)).toBe(found)
  })

  it.each(['0x60d44606', '1624523846.0', '١٦٢٤٥٢٣٨٤٦', 'NaN'])('is refused at the time %s', (timestamp) => {
    expect(certified.check(from({ ...headers, 'wechatpay-timestamp': timestamp }), body, signedAt)).toBe(
      'OLD_SIGNATURE',
    )
  })
})

describe('several keys', () => {
  it('are good at once, each for what names it', () => {
    const keys = new FakePayKeys()
    const before = keys.headers('{}')
    keys.rotate()
    const platformKeys = new PlatformKeys([{ certificate }, ...keys.platformKeys])
    for (const given of [before, keys.headers('{}')]) {
      expect(platformKeys.check(from(given), '{}', Date.now())).toBe('signed')
      expect(certified.check(from(given), '{}', Date.now())).toBe('UNKNOWN_KEY')
      const swapped = { ...given, 'wechatpay-serial': 'D7CE59D1F522D701' }
      expect(platformKeys.check(from(swapped), '{}', Date.now())).toBe('BAD_SIGNATURE')
    }
  })
})

describe('keys of WeChat Pay', () => {
  const publicKey = createPublicKey(SIGNED.privateKey).export({ type: 'spki', format: 'pem' }).toString()
  it.each([
    ['none', []],
    ['no PEM', [{ id: 'PUB_KEY_ID_1', publicKey: 'x' }]],
    ['no id', [{ id: ' ', publicKey }]],
    ['no certificate', [{ certificate: publicKey }]],
    ['a key that is not RSA', [{ certificate: selfSigned('pay.test').cert }]],
    [
      'two of one id',
      [
        { id: 'PUB_KEY_ID_1', publicKey },
        { id: 'pub_key_id_1', publicKey },
      ],
    ],
  ])('are refused where they are %s', (_, keys) => {
    expect(() => new PlatformKeys(keys)).toThrow(expect.objectContaining({ code: 'wechat-pay.option_invalid' }))
  })
})
