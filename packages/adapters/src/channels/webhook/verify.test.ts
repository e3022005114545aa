import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { type IncomingWebhook, verifyWebhook } from './verify.js'

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`
const notVerified = expect.objectContaining({ name: 'WebhookError', code: 'webhook.not_verified' })

// The example of the Standard Webhooks reference libraries.
const example = {
  secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  at: new Date(1_614_265_330_000),
  body: '{"test": 2432232314}',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
}
const verify = (changes: Partial<IncomingWebhook> = {}, options: { secrets?: string | string[]; at?: Date } = {}) => {
  const { secrets, at, ...request } = example
  return verifyWebhook({ ...request, ...changes }, { secrets, at, ...options })
}

describe('a webhook that came in', () => {
  it('is the published example, and tells its id, its time and its body', () => {
    const { at, body, headers } = example
    expect(verify()).toEqual({ id: headers['webhook-id'], sentAt: at, body })
  })

  it('may come as bytes and with headers of any kind', () => {
    const { at, headers } = example
    const shouting = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    const body = Buffer.from(example.body)
    for (const kind of [headers, shouting, new Headers(headers)]) {
      expect(verify({ headers: kind, body })).toMatchObject({ sentAt: at })
    }
  })

  it('is taken as the reference library signs it, whatever it says', () => {
    const check = (text: string, id: string, secret: string) => {
      const at = new Date(1_772_323_200_000)
      const signature = new Webhook(secret).sign(id, at, text)
      const headers = { 'webhook-id': id, 'webhook-timestamp': '1772323200', 'webhook-signature': signature }
      expect(verifyWebhook({ headers, body: text }, { secrets: secret, at }).body).toBe(text)
    }
    const id = fc.stringMatching(/^[\w-]{1,40}$/)
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), id, (text, name) => check(text, name, newSecret())))
  })

  it.each([-300_000, 0, 300_000])('may be %i milliseconds off', (off) => {
    expect(verify({}, { at: new Date(example.at.getTime() + off) })).toMatchObject({ sentAt: example.at })
  })

  it.each([-300_001, 300_001, Number.NaN])('may not be %i milliseconds off: old requests do not come again', (off) => {
    expect(() => verify({}, { at: new Date(example.at.getTime() + off) })).toThrow(notVerified)
  })

  it('is refused when one bit of it is another', () => {
    const { headers, body } = example
    const flip = (text: string, bit: number) => {
      const bytes = Buffer.from(text)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return bytes
    }
    for (let bit = 0; bit < body.length * 8; bit++) {
      expect(() => verify({ body: flip(body, bit) })).toThrow(notVerified)
    }
    for (const name of ['webhook-id', 'webhook-timestamp'] as const) {
      for (let bit = 0; bit < headers[name].length * 8; bit++) {
        const changed = { ...headers, [name]: flip(headers[name], bit).toString('latin1') }
        expect(() => verify({ headers: changed })).toThrow(notVerified)
      }
    }
    const signature = Buffer.from(headers['webhook-signature'].slice(3), 'base64').toString('latin1')
    for (let bit = 0; bit < 256; bit++) {
      const bytes = Buffer.from(signature, 'latin1')
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const changed = { ...headers, 'webhook-signature': `v1,${bytes.toString('base64')}` }
      expect(() => verify({ headers: changed })).toThrow(notVerified)
    }
  })

  it('is compared byte by byte: bytes that are no text are told apart', () => {
    const secret = newSecret()
    const at = new Date(1_772_323_200_000)
    const signature = new Webhook(secret).sign('m1', at, '\ufffd')
    const headers = { 'webhook-id': 'm1', 'webhook-timestamp': '1772323200', 'webhook-signature': signature }
    const options = { secrets: secret, at }
    expect(verifyWebhook({ headers, body: '\ufffd' }, options)).toMatchObject({ id: 'm1' })
    expect(() => verifyWebhook({ headers, body: Buffer.from([0xff]) }, options)).toThrow(notVerified)
  })

  it.each([
    ['no id', { 'webhook-id': undefined }],
    ['an id with a dot', { 'webhook-id': 'a.b' }],
    ['two ids', { 'webhook-id': 'a', 'Webhook-Id': 'b' }],
    ['a list of ids', { 'webhook-id': ['a', 'b'] }],
    ['no time', { 'webhook-timestamp': '' }],
    ['a time with something after it', { 'webhook-timestamp': '1614265330x' }],
    ['no signature', { 'webhook-signature': undefined }],
    ['an empty signature', { 'webhook-signature': 'v1,' }],
    ['a signature of another version', { 'webhook-signature': 'v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }],
    ['half a signature', { 'webhook-signature': 'v1,g0hM9SsE' }],
    ['far too many signatures', { 'webhook-signature': 'v1,AAAA '.repeat(100_000) }],
  ])('is refused with %s', (_, changes) => {
    const headers: IncomingWebhook['headers'] = { ...example.headers, ...changes }
    expect(() => verify({ headers })).toThrow(notVerified)
  })

  it('is taken with the new and the old secret while they are changed, and with the new one alone', () => {
    const { secrets: current, headers } = example
    expect(verify({}, { secrets: [newSecret(), current] })).toMatchObject({ id: headers['webhook-id'] })
    const two = `v1,${randomBytes(32).toString('base64')} ${headers['webhook-signature']}`
    expect(verify({ headers: { ...headers, 'webhook-signature': two } })).toMatchObject({ id: headers['webhook-id'] })
    expect(() => verify({}, { secrets: newSecret() })).toThrow(notVerified)
  })

  it('is never taken without a secret, and what is refused is not quoted', () => {
    expect(() => verify({}, { secrets: [] })).toThrow(expect.objectContaining({ code: 'webhook.secret_invalid' }))
    expect(() => verify({ body: 'canary' })).not.toThrow('canary')
    expect(() => verify({ headers: { ...example.headers, 'webhook-timestamp': 'canary' } })).not.toThrow('canary')
  })
})
