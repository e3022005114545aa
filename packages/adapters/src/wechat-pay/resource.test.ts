import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { SEALED } from '../../testing/wechat-pay-vectors.js'
import { sealed } from '../testing/fake-pay-keys.js'
import { NotDecrypted, ResourceCipher } from './resource.js'

const { apiV3Key, ciphertext, nonce, associated, plain } = SEALED
const cipher = new ResourceCipher(apiV3Key)

describe('the resource of a notice', () => {
  it('is opened as the published example is', () => {
    expect(cipher.decrypt(ciphertext, nonce, associated)).toBe(plain)
  })

  it('comes back as it was sealed', () => {
    expect(cipher.open(sealed({ out_trade_no: '订单-1' }, apiV3Key, ''))).toEqual({ out_trade_no: '订单-1' })
    const { associated_data: _, ...bare } = sealed({ id: 1 }, apiV3Key, '')
    expect(cipher.open(bare)).toEqual({ id: 1 })
  })

  const good = sealed({ id: 1 }, apiV3Key, 'coupon')
  it.each([
    ['nothing', undefined],
    ['another algorithm', { ...good, algorithm: 'AEAD_SM4_GCM' }],
    ['no ciphertext', { ...good, ciphertext: 5 }],
    ['a ciphertext without its tag', { ...good, ciphertext: 'AAAA' }],
    ['another nonce', { ...good, nonce: '000000000000' }],
    ['a nonce that is too long', { ...good, nonce: `${good.nonce}0` }],
    ['other associated data', { ...good, associated_data: 'transaction' }],
    ['another key', sealed({ id: 1 }, 'x'.repeat(32), 'coupon')],
    ['a list in it', sealed([1], apiV3Key, 'coupon')],
  ])('is not opened with %s', (_, resource) => {
    expect(() => cipher.open(resource)).toThrow(NotDecrypted)
  })

  it('with any bit of it flipped is not opened', () => {
    const bytes = Buffer.from(ciphertext, 'base64')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => cipher.decrypt(flipped.toString('base64'), nonce, associated)).toThrow(NotDecrypted)
    }
  })

  it('needs a key of 32 bytes, and does not tell it', () => {
    expect(() => new ResourceCipher('too-short-a-key')).toThrow(
      expect.objectContaining({ code: 'wechat-pay.option_invalid', message: expect.not.stringContaining('too-short') }),
    )
    expect(inspect(cipher, { depth: 9, showHidden: true })).not.toContain(apiV3Key)
  })
})
