import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { definePack, type Engine } from '@linli/core'
import { createWorld } from '@linli/core/testing'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInlet } from './inlet.js'

const secret = `whsec_${randomBytes(32).toString('base64')}`
let engine: Engine
let server: Server

beforeEach(async () => {
  engine = (await createWorld({ rules: definePack([]), now: new Date() })).engine
  server = createInlet(engine, secret).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  server.close()
  await engine.close()
})

async function post(body: string, { key = secret, at = new Date(), id = 'evt_1' } = {}): Promise<number> {
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(key).sign(id, at, body),
  }
  const { port } = server.address() as AddressInfo
  return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status
}

const named = JSON.stringify({ type: 'identify', userId: 'u1', traits: { name: '小王' } })

describe('an inlet for webhooks', () => {
  it('takes a signed event in, once, however often it comes', async () => {
    expect(await post(named)).toBe(204)
    expect((await engine.subject('user', 'u1'))?.traits).toEqual({ name: '小王' })

    const log = await engine.ingest([{ type: 'identify', userId: 'u1', traits: { name: '小王' }, messageId: 'evt_1' }])
    expect(log).toMatchObject({ accepted: 0, duplicates: 1 })
    expect(await post(named)).toBe(204)
  })

  it('answers 401 to another secret and to an old request, 400 to no JSON, 422 to no event, and takes nothing in', async () => {
    expect(await post(named, { key: `whsec_${randomBytes(32).toString('base64')}` })).toBe(401)
    expect(await post(named, { at: new Date(Date.now() - 3_600_000) })).toBe(401)
    expect(await post('{')).toBe(400)
    expect(await post('x'.repeat(100_000))).toBe(400)
    expect(await post('{"type":"identify"}')).toBe(422)
    expect(await engine.subject('user', 'u1')).toBeUndefined()
  })

  it('does not begin with a secret that is none', () => {
    expect(() => createInlet(engine, 'secret')).toThrow(expect.objectContaining({ code: 'webhook.secret_invalid' }))
  })

  it('answers 503 while nothing can be kept, so that it comes again', async () => {
    await engine.close()
    expect(await post(named)).toBe(503)
  })
})
