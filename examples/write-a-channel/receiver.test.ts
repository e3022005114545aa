import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebhookPayload, webhookChannel } from '@linli/adapters/webhook'
import type { Outbound } from '@linli/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createReceiver } from './receiver.js'

const secret = `whsec_${randomBytes(32).toString('base64')}`
const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'webhook',
  class: 'content',
  to: { kind: 'user', id: 'u1', traits: {} },
  content: { template: 'recipe', body: '草莓的三种吃法' },
  source: { journey: 'recipes', run: 'r1', step: 'send' },
}
const context = { attempt: 1, at: new Date(), signal: new AbortController().signal }

let close = async () => {}
afterEach(() => close())

async function start(handle: (payload: WebhookPayload) => Promise<void>) {
  const server = createReceiver(secret, handle)
  close = async () => void server.close()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const local = { url, ports: [port], allowInsecureHttp: true, allowPrivateNetwork: true }
  return { url, channel: webhookChannel({ ...local, secrets: secret }), local }
}

describe('a webhook receiver', () => {
  it('hands a message over once, however often it is sent', async () => {
    const handled: WebhookPayload[] = []
    const { channel } = await start(async (payload) => void handled.push(payload))
    await expect(channel.send(message, context)).resolves.toEqual({ status: 'accepted' })
    await expect(channel.send(message, { ...context, attempt: 2 })).resolves.toEqual({ status: 'accepted' })
    expect(handled.map(({ data }) => data)).toEqual([message])
  })

  it('takes a message again that it failed to handle', async () => {
    let attempts = 0
    const { channel } = await start(async () => {
      attempts++
      if (attempts === 1) throw new Error('database is down')
    })
    await expect(channel.send(message, context)).rejects.toMatchObject({ code: 'webhook.outcome_unknown', status: 500 })
    await expect(channel.send(message, { ...context, attempt: 2 })).resolves.toEqual({ status: 'accepted' })
    expect(attempts).toBe(2)
  })

  it('answers 401 to another secret, to an old request and to no signature', async () => {
    const handled: WebhookPayload[] = []
    const { url, channel, local } = await start(async (payload) => void handled.push(payload))
    const stranger = webhookChannel({ ...local, secrets: `whsec_${randomBytes(32).toString('base64')}` })
    const refused = { status: 'refused', reason: 'configuration' }

    await expect(stranger.send(message, context)).resolves.toMatchObject(refused)
    const hourAgo = new Date(Date.now() - 3_600_000)
    await expect(channel.send(message, { ...context, at: hourAgo })).resolves.toMatchObject(refused)
    await expect(fetch(url, { method: 'POST', body: '{}' })).resolves.toMatchObject({ status: 401 })
    expect(handled).toEqual([])
  })
})
