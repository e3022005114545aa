import { gzipSync } from 'node:zlib'
import { createEngine, definePack } from '@linli/core'
import { Analytics } from '@segment/analytics-node'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { listeningEngine, serve } from '../../../testing/sources.js'
import { fastifyRoute, segmentSource } from './index.js'

const KEY = 'write-key-1'
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const basic = `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`
const record = {
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  messageId: 'm1',
  timestamp: '2026-03-01T08:00:00Z',
}

function source(options: Partial<Parameters<typeof segmentSource>[0]> = {}) {
  const engine = listeningEngine()
  const handler = segmentSource({ engine, writeKeys: [KEY], ...options })
  const post = async (path: string, body: unknown, headers: Record<string, string> = { authorization: basic }) => {
    const sent = body instanceof Uint8Array ? body : JSON.stringify(body)
    const response = await handler(new Request(`http://x${path}`, { method: 'POST', body: sent, headers }))
    return { status: response.status, body: await response.json() }
  }
  return { engine, handler, post }
}

describe('the library of Segment for Node', () => {
  it('posts to the source, and what arrives is what was tracked', async () => {
    const { engine, handler } = source()
    const server = await serve(handler)
    closing.push(server.close)
    const analytics = new Analytics({ writeKey: KEY, host: server.url, flushAt: 10 })
    const at = new Date('2026-03-01T08:00:00.000Z')
    analytics.track({
      userId: 'u1',
      event: 'Order Completed',
      messageId: 'm1',
      timestamp: at,
      properties: { order_id: 'o1', total: 12.5, products: [{ sku: 'v-101' }] },
    })
    analytics.identify({ userId: 'u1', messageId: 'm2', timestamp: at, traits: { phone: '13800000001' } })
    analytics.group({ userId: 'u1', groupId: 'c1', messageId: 'm3', timestamp: at, traits: { name: '阳光小区' } })
    analytics.alias({ userId: 'u1', previousId: 'a1', messageId: 'm4', timestamp: at })
    analytics.page({ userId: 'u1', name: 'fresh', messageId: 'm5', timestamp: at, properties: { path: '/fresh' } })
    analytics.track({ anonymousId: 'a2', event: '接龙', messageId: 'm6', timestamp: at })
    await analytics.closeAndFlush()

    expect(engine.events).toMatchObject([
      {
        type: 'track',
        event: 'order_paid',
        userId: 'u1',
        messageId: 'm1',
        properties: { orderId: 'o1', total: 12.5, items: [{ sku: 'v-101' }] },
      },
      { type: 'identify', userId: 'u1', messageId: 'm2', traits: { phone: '13800000001' } },
      { type: 'group', userId: 'u1', groupId: 'c1', messageId: 'm3', traits: { name: '阳光小区' } },
      { type: 'alias', userId: 'u1', previousId: 'a1', messageId: 'm4' },
      { type: 'track', event: 'page_viewed', userId: 'u1', messageId: 'm5', properties: { page: 'fresh' } },
      { type: 'track', event: '接龙', anonymousId: 'a2', messageId: 'm6' },
    ])
    for (const event of engine.events) expect(new Date(event.timestamp as string)).toEqual(at)
  })

  it('sends again what the engine could not take', async () => {
    const { engine, handler } = source()
    engine.fail(true)
    const server = await serve(async (request) => {
      const response = await handler(request)
      engine.fail(false)
      // It waits for as long as it is told.
      return new Response(await response.text(), { status: response.status })
    })
    closing.push(server.close)
    const analytics = new Analytics({ writeKey: KEY, host: server.url, flushAt: 1 })
    analytics.track({ userId: 'u1', event: 'Order Completed', messageId: 'm1' })
    await analytics.closeAndFlush()
    expect(engine.events).toMatchObject([{ messageId: 'm1' }])
  })
})

describe('the source of Segment events', () => {
  it('is taken in by a real engine, once', async () => {
    const engine = await createEngine({ rules: definePack([]), channels: [], database: 'memory' })
    closing.push(() => engine.close())
    const handler = segmentSource({ engine, writeKeys: [KEY] })
    const post = async () => {
      const body = JSON.stringify({ batch: [record, { type: 'track' }, 7], writeKey: KEY })
      return (await handler(new Request('http://x/v1/batch', { method: 'POST', body }))).json()
    }
    expect(await post()).toMatchObject({
      success: true,
      accepted: 1,
      duplicates: 0,
      rejected: 2,
      errors: [{ index: 1 }, { index: 2 }],
    })
    expect(await post()).toMatchObject({ accepted: 0, duplicates: 1, rejected: 2 })
  })

  it('names events as you say, drops those you do not want, and knows the rest', async () => {
    const { engine, post } = source({ names: { 'Order Completed': 'order_settled', Noise: false } })
    const batch = ['Order Completed', 'Noise', 'Product Added', 'constructor'].map((event, index) => ({
      ...record,
      event,
      messageId: `m${index}`,
    }))
    await post('/v1/batch', { batch })
    expect(engine.events.map(({ event }) => event)).toEqual(['order_settled', 'cart_added', 'constructor'])
  })

  it('takes one record by the path that names its kind', async () => {
    const { engine, post } = source()
    expect(await post('/v1/identify', { userId: 'u1', messageId: 'm', traits: { a: 1 } })).toMatchObject({
      status: 200,
    })
    expect(await post('/v1/screen', { userId: 'u1', messageId: 'n', name: '首页' })).toMatchObject({ status: 200 })
    expect(engine.events).toMatchObject([{ type: 'identify' }, { event: 'page_viewed', properties: { page: '首页' } }])
  })

  it('unpacks gzip, and no bomb', async () => {
    const { engine, post } = source({ mostBytes: 100_000 })
    const headers = { authorization: basic, 'content-encoding': 'gzip' }
    expect(await post('/v1/batch', gzipSync(JSON.stringify({ batch: [record] })), headers)).toMatchObject({
      status: 200,
    })
    expect(await post('/v1/batch', gzipSync(Buffer.alloc(10_000_000)), headers)).toMatchObject({ status: 413 })
    expect(await post('/v1/batch', new TextEncoder().encode('no gzip'), headers)).toMatchObject({ status: 400 })
    expect(engine.events).toHaveLength(1)
  })

  it('gives a record without an id one that its repetition has as well', async () => {
    const { engine, post } = source()
    const { messageId: _, ...nameless } = record
    await post('/v1/track', nameless)
    await post('/v1/track', nameless)
    await post('/v1/track', { ...nameless, userId: 'u2' })
    const [first, second, third] = engine.events.map(({ messageId }) => messageId)
    expect(first).toBe(second)
    expect(third).not.toBe(first)
  })

  it.each([
    ['another key', '/v1/track', record, { authorization: `Basic ${Buffer.from('no:').toString('base64')}` }, 401],
    ['no key', '/v1/track', record, {}, 401],
    ['another path', '/v2/things', record, { authorization: basic }, 404],
    ['a batch that is no list', '/v1/batch', { batch: 'x' }, { authorization: basic }, 400],
    ['no object', '/v1/track', [record], { authorization: basic }, 400],
    ['too much', '/v1/track', { ...record, more: 'x'.repeat(5_000_000) }, { authorization: basic }, 413],
  ])('refuses %s', async (_, path, body, headers, status) => {
    const { engine, post } = source()
    expect(await post(path, body, headers as Record<string, string>)).toMatchObject({ status })
    expect(engine.events).toEqual([])
  })
})

describe('the source of Segment events is mounted', () => {
  const body = JSON.stringify({ ...record, writeKey: KEY })

  it('in Hono', async () => {
    const { engine, handler } = source()
    const app = new Hono().post('/v1/*', (c) => handler(c.req.raw))
    const response = await app.request('/v1/track', { method: 'POST', body })
    expect(response.status).toBe(200)
    expect(engine.events).toHaveLength(1)
  })

  it('in Fastify, beside routes that read JSON as ever', async () => {
    const { engine, handler } = source()
    const app = Fastify()
    closing.push(() => app.close())
    app.post('/other', async (request) => ({ got: request.body }))
    await app.register((routes, _options, done) => {
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
      routes.post('/v1/*', fastifyRoute(handler))
      done()
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/v1/track`, { method: 'POST', body, headers })
    expect(await response.json()).toMatchObject({ success: true, accepted: 1 })
    expect(engine.events).toHaveLength(1)
    const other = await fetch(`${url}/other`, { method: 'POST', body: '{"a":1}', headers })
    expect(await other.json()).toEqual({ got: { a: 1 } })
  })
})
