import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { inspect } from 'node:util'
import type { Outbound, SendContext } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWebhookReceiver, type WebhookReceiver } from '../../../../../test/webhook-receiver.js'
import { webhookChannel } from './channel.js'
import type { WebhookOptions } from './options.js'

const secret = `whsec_${randomBytes(32).toString('base64')}`
const message: Outbound = {
  deliveryKey: 'd-4f1c',
  channel: 'webhook',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { phone: '+8613800000000', nickname: '王小明' } },
  content: {
    template: 'fruit-trial',
    title: '草莓到货了',
    body: '小明，今晚 8 点截单',
    data: { page: '/pages/item?id=42' },
  },
  source: { journey: 'new-fruit-trial', run: 'r1', step: 'push' },
}

let receiver: WebhookReceiver
beforeAll(async () => {
  receiver = await startWebhookReceiver()
})
afterAll(() => receiver.close())

const local = (options: Partial<WebhookOptions> = {}) =>
  webhookChannel({
    url: `http://127.0.0.1:${receiver.port}/hooks/linli?shop=1`,
    secrets: secret,
    allowInsecureHttp: true,
    allowPrivateNetwork: true,
    ports: [receiver.port],
    ...options,
  })
const now = (context: Partial<SendContext> = {}): SendContext => ({
  attempt: 1,
  at: new Date(),
  signal: new AbortController().signal,
  ...context,
})

describe('the webhook channel keeps the contract', () => {
  const options = {
    create: () => local(),
    message,
    repeat: 'idempotent',
    provider: {
      accepted: () => receiver.accepted(),
      failNext: (when: 'before' | 'after') => receiver.failNext(when),
      refuseNext: () => receiver.refuseNext(),
      deferNext: () => receiver.deferNext(),
      hangNext: () => receiver.hangNext(),
      hanging: () => receiver.hanging(),
    },
  } as const
  for (const { title, run } of channelContract(options)) it(title, run)
})

describe('the request', () => {
  it('is a POST of the message as JSON, signed over exactly those bytes', async () => {
    const context = now()
    await expect(local().send(message, context)).resolves.toEqual({ status: 'accepted' })

    const request = receiver.requests.at(-1)!
    expect(request).toMatchObject({ method: 'POST', path: '/hooks/linli?shop=1' })
    expect(request.headers['content-type']).toBe('application/json')
    expect(request.headers['webhook-id']).toBe(message.deliveryKey)
    expect(request.headers['webhook-timestamp']).toBe(String(Math.floor(context.at.getTime() / 1000)))
    const headers = request.headers as Record<string, string>
    expect(new Webhook(secret).verify(request.body, headers)).toEqual({
      type: 'message',
      timestamp: context.at.toISOString(),
      data: message,
    })
    expect(() => new Webhook(secret).verify(request.body.replace('8', '9'), headers)).toThrow()
  })

  it('keeps the id and renews the timestamp on another attempt', async () => {
    const channel = local()
    await channel.send(message, now({ attempt: 1, at: new Date('2026-03-01T10:00:00Z') }))
    await channel.send(message, now({ attempt: 2, at: new Date('2026-03-01T10:01:00Z') }))
    const [first, second] = receiver.requests.slice(-2).map(({ headers }) => headers)
    expect(second?.['webhook-id']).toBe(first?.['webhook-id'])
    expect(Number(second?.['webhook-timestamp'])).toBe(Number(first?.['webhook-timestamp']) + 60)
  })

  it('carries only the traits that are named', async () => {
    await local({ traits: ['phone', 'unknown'] }).send(message, now())
    const body = JSON.parse(receiver.requests.at(-1)!.body)
    expect(body.data.to).toEqual({ kind: 'user', id: 'u1', traits: { phone: '+8613800000000' } })
  })

  it("is signed with each recipient's own secret where there is one", async () => {
    const own = `whsec_${randomBytes(24).toString('base64')}`
    await local({ secrets: ({ to }) => (to.id === 'u1' ? own : secret) }).send(message, now())
    const { body, headers } = receiver.requests.at(-1)!
    expect(new Webhook(own).verify(body, headers as Record<string, string>)).toMatchObject({ type: 'message' })
  })
})

describe('the answer', () => {
  it('never follows a redirect', async () => {
    const requests = receiver.requests.length
    receiver.statusNext(302, { location: `http://127.0.0.1:${receiver.port}/elsewhere` })
    await expect(local().send(message, now())).resolves.toMatchObject({ status: 'refused', reason: 'configuration' })
    expect(receiver.requests).toHaveLength(requests + 1)
  })

  it('waits as Retry-After says', async () => {
    receiver.statusNext(503, { 'retry-after': '30' })
    const context = now()
    const retryAt = new Date(context.at.getTime() + 30_000)
    await expect(local().send(message, context)).resolves.toMatchObject({ status: 'deferred', retryAt })
  })

  it.each([200, 302, 400, 404, 429, 500, 503])(
    'of status %i gives nothing of its body or headers away',
    async (status) => {
      receiver.statusNext(status, { 'x-internal': 'canary-header' }, 'canary-body')
      const said = await local()
        .send(message, now())
        .catch((error: unknown) => error)
      expect(inspect(said, { depth: 9, showHidden: true })).not.toMatch(/canary/)
    },
  )

  it('is cut when it grows beyond 64 KiB, and its status stands', async () => {
    receiver.statusNext(200, {}, 'x'.repeat(10 * 1024 * 1024))
    await expect(local().send(message, now())).resolves.toEqual({ status: 'accepted' })
  })

  it('that does not come within timeoutMs is unknown', async () => {
    await receiver.hangNext()
    const started = performance.now()
    await expect(local({ timeoutMs: 100 }).send(message, now())).rejects.toMatchObject({
      code: 'webhook.outcome_unknown',
      message: expect.stringContaining('TIMEOUT'),
    })
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  it('leaves no listener on the signal and no timer', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    await local().send(message, now({ signal }))
    expect(listeners).toBe(0)
  })
})

describe('a message that cannot be sent is refused before any connection', () => {
  it.each<[string, Partial<WebhookOptions>, Partial<Outbound>, object]>([
    ['the recipient has no URL', { url: () => undefined }, {}, { reason: 'recipient' }],
    ['the URL of the recipient is not allowed', { url: () => 'http://10.0.0.1:22/' }, {}, { reason: 'recipient' }],
    ['the URL function throws', { url: () => JSON.parse('{') }, {}, { reason: 'configuration' }],
    ['the secret function answers no secret', { secrets: () => 'plain' }, {}, { reason: 'configuration' }],
    ['the delivery key has a dot', {}, { deliveryKey: 'a.1772323200' }, { reason: 'other' }],
    ['the delivery key has a line end', {}, { deliveryKey: 'a\r\nx-admin: 1' }, { reason: 'other' }],
    ['a trait is not JSON', {}, { to: { kind: 'user', id: 'u1', traits: { n: 1n } } }, { reason: 'configuration' }],
  ])('because %s', async (_, options, change, expected) => {
    const requests = receiver.requests.length
    const result = await local(options).send({ ...message, ...change }, now())
    expect(result).toMatchObject({ status: 'refused', ...expected })
    expect(receiver.requests).toHaveLength(requests)
  })
})

describe('options', () => {
  it.each<[string, Partial<WebhookOptions>]>([
    ['webhook.option_invalid', { timeoutMs: 20_001 }],
    ['webhook.option_invalid', { timeoutMs: 0 }],
    ['webhook.option_invalid', { receiverRemembersMs: -1 }],
    ['webhook.option_invalid', { receiverRemembersMs: Number.POSITIVE_INFINITY }],
    ['webhook.option_invalid', { ports: [70_000] }],
    ['webhook.option_invalid', { name: ' ' }],
    ['webhook.secret_invalid', { secrets: 'plain' }],
    ['webhook.url_scheme', { url: 'ftp://crm.example.com/' }],
    ['webhook.url_port', { url: 'http://127.0.0.1:1/' }],
  ])('that can never work throw %s at once', (code, options) => {
    expect(() => local(options)).toThrow(expect.objectContaining({ name: 'WebhookError', code }))
  })

  it('are safe by default: https, port 443, public addresses', () => {
    const make = (url: string) => () => webhookChannel({ url, secrets: secret })
    expect(make('http://crm.example.com/')).toThrow(expect.objectContaining({ code: 'webhook.url_scheme' }))
    expect(make('https://crm.example.com:444/')).toThrow(expect.objectContaining({ code: 'webhook.url_port' }))
    expect(make('https://192.168.1.1/')).toThrow(expect.objectContaining({ code: 'webhook.address_forbidden' }))
    expect(make('https://crm.example.com/')()).toMatchObject({
      name: 'webhook',
      repeat: { kind: 'idempotent', windowMs: 300_000 },
    })
  })

  it('show no secret through the channel', () => {
    expect(inspect(local(), { depth: 9, showHidden: true })).not.toContain(secret.slice(6))
    expect(JSON.stringify(local())).not.toContain(secret.slice(6))
  })
})

describe('the network', () => {
  it.each(['ENOTFOUND', 'EAI_AGAIN'])('that cannot resolve the name (%s) defers', async (code) => {
    const lookup = () => Promise.reject(Object.assign(new Error(`getaddrinfo ${code} crm.example.com`), { code }))
    const result = await local({ url: `http://crm.example.com:${receiver.port}/`, lookup }).send(message, now())
    expect(result).toMatchObject({ status: 'deferred', detail: `webhook.not_sent: ${code}` })
  })

  it('whose resolver never answers defers after timeoutMs', async () => {
    const lookup = () => new Promise<never>(() => {})
    const url = `http://crm.example.com:${receiver.port}/`
    const result = await local({ url, lookup, timeoutMs: 50 }).send(message, now())
    expect(result).toMatchObject({ status: 'deferred', detail: 'webhook.not_sent: TIMEOUT' })
  })

  it('is not left to a proxy of the environment, which Node attaches to its global agent', async () => {
    const before = http.globalAgent
    const createConnection = () => expect.unreachable('The global agent was used.')
    http.globalAgent = Object.assign(new http.Agent(), { createConnection })
    try {
      await expect(local().send(message, now())).resolves.toEqual({ status: 'accepted' })
    } finally {
      http.globalAgent = before
    }
  })
})
