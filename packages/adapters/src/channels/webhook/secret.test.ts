import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { parseSecrets, SigningSecret, signatureHeaders } from './secret.js'

const newSecret = (bytes = 32) => `whsec_${randomBytes(bytes).toString('base64')}`

describe('SigningSecret', () => {
  // The example of the Standard Webhooks reference libraries.
  const example = {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }

  it('signs the published example as published', () => {
    const { secret, id, at, body, signature } = example
    expect(new SigningSecret(secret).sign(id, at, body)).toBe(signature)
  })

  it('signs as HMAC-SHA256 of node:crypto does, Chinese text included', () => {
    for (let size = 24; size <= 64; size++) {
      const key = randomBytes(size)
      const body = JSON.stringify({ 正文: '草莓到货了🍓', size })
      const hmac = createHmac('sha256', key).update(`d-1.1772323200.${body}`).digest('base64')
      const secret = new SigningSecret(`whsec_${key.toString('base64')}`)
      expect(secret.sign('d-1', new Date(1_772_323_200_999), body)).toBe(`v1,${hmac}`)
    }
  })

  it.each([
    ['no prefix', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['23 bytes', newSecret(23)],
    ['65 bytes', newSecret(65)],
    ['no base64', 'whsec_????'],
    ['base64url', `whsec_${'-_'.repeat(20)}`],
    ['the prefix of a private key', `whsk_${randomBytes(32).toString('base64')}`],
  ])('refuses a secret with %s, and does not show it', (_, text) => {
    const make = () => new SigningSecret(text)
    expect(make).toThrow(expect.objectContaining({ code: 'webhook.secret_invalid' }))
    expect(make).not.toThrow(text)
  })

  it('prints and serialises as [redacted]', () => {
    const text = newSecret()
    const secret = new SigningSecret(text)
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
      `${secret}`,
    ]
    for (const output of shown) {
      expect(output).toContain('[redacted]')
      expect(output).not.toContain(text.slice(6, 20))
    }
  })
})

describe('signatureHeaders', () => {
  it('signs with each secret while they are rotated, and each verifies alone', () => {
    const [current, old] = [newSecret(), newSecret()]
    const body = '{"type":"message"}'
    const headers = signatureHeaders(parseSecrets([current, old]), 'd-1', new Date(), body)

    expect(headers['webhook-signature'].split(' ')).toHaveLength(2)
    for (const secret of [current, old]) expect(new Webhook(secret).verify(body, headers)).toEqual({ type: 'message' })
    expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow('No matching signature')
  })

  it.each(['webhook-id', 'webhook-timestamp'] as const)('binds %s into the signature', (name) => {
    const secret = newSecret()
    const headers = signatureHeaders(parseSecrets(secret), '1', new Date(), '{}')
    const forged = { ...headers, [name]: String(Number(headers[name]) + 1) }
    expect(() => new Webhook(secret).verify('{}', forged)).toThrow('No matching signature')
  })

  it('refuses an empty list of secrets', () => {
    expect(() => parseSecrets([])).toThrow(expect.objectContaining({ code: 'webhook.secret_invalid' }))
  })
})
