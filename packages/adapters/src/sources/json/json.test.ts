import { createHmac } from 'node:crypto'
import { createEngine, definePack, simulate } from '@linli/core'
import fc from 'fast-check'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { listeningEngine, serve } from '../../../testing/sources.js'
import { DeclarationError, fastifyRoute, type JsonSourceAuth, jsonMap, jsonSource } from './index.js'
import { instantOf, yuanOfFen } from './values.js'

const DECLARED = {
  source: 'youshop',
  records: '/data',
  name: '/type',
  id: '/no',
  user: '/buyer/id',
  identifiers: { openid: '/buyer/openid' },
  at: '/time',
  events: {
    PayOrder: {
      community: '/group/id',
      traits: { phone: '/buyer/mobile' },
      properties: {
        orderId: '/no',
        total: { from: '/amount', as: 'fen' },
        paidAt: { from: '/time', as: 'time' },
        shop: { value: '有商' },
        items: {
          each: '/lines',
          properties: { sku: '/sku', price: { from: '/price', as: 'yuan' }, quantity: { from: '/num', as: 'number' } },
        },
      },
    },
    RefundOrder: { id: ['/no', '/refundNo'] },
    Heartbeat: false,
    TuanZhangQianDao: { event: 'leader_signed_in' },
  },
}
const paid = {
  type: 'PayOrder',
  no: 'o-1',
  buyer: { id: 7, openid: 'op-1', mobile: '13800000000' },
  group: { id: 'g-3' },
  amount: '1990',
  time: '2026-03-01 10:00:00',
  lines: [{ sku: 'v-101', price: '9.95', num: '2' }],
}
const map = jsonMap(DECLARED)
const mapped = (record: unknown) => map.records({ data: record })[0]
const eventsIn = (record: unknown) => {
  const one = mapped(record)
  return one?.status === 'mapped' ? one.events : []
}

describe('a record becomes events', () => {
  it('of the person, the community and what happened, as it is declared', () => {
    const [who, where, what] = eventsIn(paid)
    const base = { userId: '7', context: { externalIds: [{ type: 'openid', id: 'op-1' }] } }
    const timestamp = new Date('2026-03-01T02:00:00Z')
    expect(who).toEqual({
      ...base,
      timestamp,
      type: 'identify',
      messageId: `${what?.messageId}:who`,
      traits: { phone: '13800000000' },
    })
    expect(where).toMatchObject({ ...base, type: 'group', messageId: `${what?.messageId}:where`, groupId: 'g-3' })
    expect(what).toMatchObject({
      ...base,
      timestamp,
      event: 'order_paid',
      messageId: expect.stringMatching(/^youshop:/),
      properties: {
        orderId: 'o-1',
        total: 19.9,
        paidAt: '2026-03-01T02:00:00.000Z',
        shop: '有商',
        items: [{ sku: 'v-101', price: 9.95, quantity: 2 }],
      },
    })
  })

  it('with the same id however often it comes, and another one where it is another', () => {
    const id = (record: object) => eventsIn(record).at(-1)?.messageId
    expect(id({ ...paid, time: 1 })).toBe(id(paid))
    expect(id({ ...paid, no: 'o-2' })).not.toBe(id(paid))
    expect(id({ ...paid, type: 'CancelOrder' })).not.toBe(id(paid))
    const refund = { ...paid, type: 'RefundOrder', refundNo: 'r-1' }
    expect(id({ ...refund, refundNo: 'r-2' })).not.toBe(id(refund))
    const whole = jsonMap({ name: '/type' })
    expect(whole.events({ type: 'x', a: 1, b: 2 })).toEqual(whole.events({ b: 2, a: 1, type: 'x' }))
    expect(whole.events({ type: 'x', a: 1 })[0]?.messageId).not.toBe(whole.events({ type: 'x', a: 2 })[0]?.messageId)
  })

  it.each([
    ['PayOrder', 'order_paid'],
    ['pay_order', 'order_paid'],
    ['order.paid', 'order_paid'],
    ['ViewProduct', 'product_viewed'],
    ['AddToCart', 'cart_added'],
    ['SubmitOrder', 'order_placed'],
    ['CancelOrder', 'order_cancelled'],
    ['RefundOrder', 'order_refunded'],
    ['order_picked_up', 'order_picked_up'],
    ['TuanZhangQianDao', 'leader_signed_in'],
    ['Anything Else', 'Anything Else'],
    ['constructor', 'constructor'],
  ])('%s is called %s', (name, event) => {
    expect(eventsIn({ ...paid, type: name, refundNo: 'r' }).at(-1)).toMatchObject({ event })
  })

  it('or none, where the declaration drops it', () => {
    expect(mapped({ ...paid, type: 'Heartbeat' })).toEqual({ status: 'dropped' })
    expect(jsonMap({ name: '/t', others: 'drop', events: { a: {} } }).records([{ t: 'b' }, { t: 'a' }])).toMatchObject([
      { status: 'dropped' },
      { status: 'mapped' },
    ])
  })

  it('with what an object says as it is, and without what is not there', () => {
    const whole = jsonMap({
      name: { value: 'PayOrder' },
      id: '/id',
      user: '/u',
      anonymous: '/a',
      at: '/t',
      properties: '/data',
    })
    expect(whole.events({ id: 1, a: 'd-1', data: { x: [1] } })).toEqual([
      { anonymousId: 'd-1', messageId: expect.any(String), event: 'order_paid', properties: { x: [1] } },
    ])
    expect(eventsIn({ type: 'PayOrder', no: 'o', buyer: { id: 'u' } })).toEqual([
      { userId: 'u', messageId: expect.any(String), event: 'order_paid', properties: { orderId: 'o', shop: '有商' } },
    ])
  })

  it.each([
    [{ ...paid, amount: '19.90' }, 'json.money', '/amount'],
    [{ ...paid, amount: 19.5 }, 'json.money', '/amount'],
    [{ ...paid, lines: [{ price: 1 }, { price: '1,000' }] }, 'json.money', '/lines/1/price'],
    [{ ...paid, lines: [{ num: '两' }] }, 'json.number', '/lines/0/num'],
    [{ ...paid, lines: { sku: 'x' } }, 'json.list', '/lines'],
    [{ ...paid, time: '昨天' }, 'json.time', '/time'],
    [{ ...paid, no: undefined }, 'json.id', '/no'],
    [{ ...paid, buyer: { id: { a: 1 } } }, 'json.text', '/buyer/id'],
    [{ ...paid, type: undefined }, 'json.name', '/type'],
    ['rubbish', 'json.object', ''],
    [null, 'json.object', ''],
  ])('or is refused by its place: %j', (record, code, pointer) => {
    expect(mapped(record)).toEqual({ status: 'refused', code, pointer, message: expect.any(String) })
  })

  it('whatever comes: nothing throws, and no prototype is reached', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        expect(Array.isArray(map.records(payload))).toBe(true)
        expect(Array.isArray(map.records({ data: [payload, { ...paid, buyer: payload, lines: payload }] }))).toBe(true)
      }),
    )
    let deep: unknown = {}
    for (let depth = 0; depth < 50_000; depth++) deep = { deep }
    expect(jsonMap({ name: '/type' }).records({ type: 'x', deep })).toMatchObject([
      { status: 'refused', code: 'json.unreadable' },
    ])
  })
})

describe('money and time', () => {
  it('in fen is exactly what one writes in yuan', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (fen) => {
        const yuan = yuanOfFen(fen)
        expect(yuan).toBe(yuanOfFen(String(fen)))
        expect(yuan.toFixed(2)).toBe((fen / 100).toFixed(2))
        expect(Math.round(yuan * 100) - fen).toBe(0)
        expect(Object.is(yuan, -0)).toBe(false)
      }),
    )
  })

  it.each([
    [1_772_359_200, '2026-03-01T10:00:00.000Z'],
    [1_772_359_200_123, '2026-03-01T10:00:00.123Z'],
    ['1772359200', '2026-03-01T10:00:00.000Z'],
    ['1772359200123', '2026-03-01T10:00:00.123Z'],
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000Z'],
    ['2026-03-01T10:00:00.5+08:00', '2026-03-01T02:00:00.500Z'],
    ['2026-03-01 10:00:00 +0800', '2026-03-01T02:00:00.000Z'],
    ['2026-03-01 10:00:00', '2026-03-01T02:00:00.000Z'],
    ['2026-03-01T10:00', '2026-03-01T02:00:00.000Z'],
    ['2026/3/1 9:05:00', '2026-03-01T01:05:00.000Z'],
    ['20260301100000', '2026-03-01T02:00:00.000Z'],
  ])('%j is %s, in Shanghai where it names no zone', (said, iso) => {
    expect(new Date(instantOf(said, 'Asia/Shanghai')).toISOString()).toBe(iso)
  })

  it.each([
    '2026-02-30 10:00:00',
    '2026-13-01 10:00:00',
    '2026-03-01 24:00:00',
    '2026-03-01 10:61:00',
    '2026-03-01',
    '',
    -1,
    0,
    true,
    {},
  ])('%j is no time', (said) => {
    expect(() => instantOf(said, 'Asia/Shanghai')).toThrow()
  })

  it('of clocks that are changed: of a time that comes twice the first; a leap is leapt over', () => {
    const at = (said: string) => new Date(instantOf(said, 'America/New_York')).toISOString()
    expect(at('2026-11-01 01:30:00')).toBe('2026-11-01T05:30:00.000Z')
    expect(at('2026-03-08 02:30:00')).toBe('2026-03-08T07:30:00.000Z')
    expect(at('2026-03-08 03:30:00')).toBe('2026-03-08T07:30:00.000Z')
    expect(at('2026-07-01 12:00:00')).toBe('2026-07-01T16:00:00.000Z')
  })
})

describe('a declaration', () => {
  it.each([
    ['no name', {}, 'key.missing', ''],
    ['a key that is not known', { name: '/t', usr: '/u' }, 'key.unknown', '/usr'],
    ['a pointer that is none', { name: 'type' }, 'value.invalid', '/name'],
    ['a pointer into a prototype', { name: '/__proto__/x' }, 'value.invalid', '/name'],
    [
      'money of no kind',
      { name: '/t', properties: { a: { from: '/a', as: 'jiao' } } },
      'value.unknown',
      '/properties/a/as',
    ],
    ['a zone that there is not', { name: '/t', zone: 'Asia/Hangzhou' }, 'value.invalid', '/zone'],
    ['a mapping that is none', { name: '/t', events: { a: true } }, 'value.unknown', '/events/a'],
  ])('tells of %s by its place', (_, declared, code, pointer) => {
    try {
      jsonMap(declared)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DeclarationError)
      expect(error).toMatchObject({ code: 'json.declaration_invalid', problems: [{ code, pointer }] })
    }
  })
})

const auth: JsonSourceAuth = { kind: 'token', header: 'x-key', secret: 's3cret' }
const request = (body: unknown, headers: Record<string, string> = { 'x-key': 's3cret' }, method = 'POST') =>
  new Request('http://x/orders', {
    method,
    headers,
    ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe('a source', () => {
  it('takes records in, tells of each that is refused, and loses no other', async () => {
    const engine = await createEngine({
      rules: definePack([]),
      channels: [],
      database: 'memory',
      identifiers: ['openid'],
    })
    closing.push(() => engine.close())
    const source = jsonSource({ engine, map: DECLARED, auth })
    const records = [
      paid,
      { ...paid, amount: 'x', no: 'o-2' },
      { ...paid, buyer: {}, no: 'o-3' },
      { ...paid, type: 'Heartbeat' },
    ]
    const first = await source(request({ data: records }))
    expect(first.status).toBe(200)
    expect(await first.json()).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: 2,
      dropped: 1,
      errors: [
        { index: 1, code: 'json.money', pointer: '/amount', message: expect.any(String) },
        { index: 2, code: 'event.subject', message: expect.any(String) },
      ],
    })
    expect(await (await source(request({ data: [paid] }))).json()).toMatchObject({ accepted: 0, duplicates: 1 })
    const subject = await engine.subject('user', '7')
    expect(subject?.traits).toMatchObject({ phone: '13800000000' })
    expect((await engine.decisions()).filter(({ decision }) => decision === 'event.rejected')).toHaveLength(3)
  })

  it('answers with the word that the system wants', async () => {
    const source = jsonSource({ engine: listeningEngine(), map: jsonMap(DECLARED), auth, success: { code: 0 } })
    expect(await (await source(request({ data: [] }))).json()).toEqual({ code: 0 })
  })

  it.each([
    [request({ data: [] }, {}), 401],
    [request({ data: [] }, { 'x-key': 's3cre7' }), 401],
    [request('{'), 400],
    [request(`"${'x'.repeat(3000)}"`), 413],
    [request('', {}, 'GET'), 405],
    [request('{}', { 'x-key': 's3cret', 'content-encoding': 'gzip' }), 400],
  ])('refuses what it cannot take: %#', async (asked, status) => {
    const engine = listeningEngine()
    expect((await jsonSource({ engine, map: DECLARED, auth, mostBytes: 2000 })(asked)).status).toBe(status)
    expect(engine.events).toEqual([])
  })

  it('asks to be sent again where events cannot be taken in', async () => {
    const engine = listeningEngine()
    engine.fail(true)
    expect((await jsonSource({ engine, map: DECLARED, auth })(request({ data: [paid] }))).status).toBe(503)
  })

  it('checks an HMAC over the bytes, and when it was signed', async () => {
    const body = JSON.stringify({ data: [paid] })
    const sign = (text: string, encoding: 'hex' | 'base64') => createHmac('sha256', 'key').update(text).digest(encoding)
    const status = async (auth: JsonSourceAuth, headers: Record<string, string>) =>
      (await jsonSource({ engine: listeningEngine(), map: DECLARED, auth })(request(body, headers))).status
    const plain = { kind: 'hmac', header: 'x-sign', secret: 'key', prefix: 'sha256=' } as const
    expect(await status(plain, { 'x-sign': `sha256=${sign(body, 'hex')}` })).toBe(200)
    expect(await status(plain, { 'x-sign': `SHA256=${sign(body, 'hex').toUpperCase()}` })).toBe(200)
    expect(await status(plain, { 'x-sign': sign(body, 'hex') })).toBe(401)
    expect(await status(plain, { 'x-sign': `sha256=${sign(`${body} `, 'hex')}` })).toBe(401)
    const timed = {
      kind: 'hmac',
      header: 'x-sign',
      secret: 'key',
      encoding: 'base64',
      timestamp: { header: 'x-time' },
    } as const
    const at = (ms: number) => {
      const time = String(Math.floor(ms / 1000))
      return { 'x-time': time, 'x-sign': sign(`${time}.${body}`, 'base64') }
    }
    expect(await status(timed, at(Date.now()))).toBe(200)
    expect(await status(timed, at(Date.now() - 600_000))).toBe(401)
    expect(await status(timed, { ...at(Date.now()), 'x-time': '1' })).toBe(401)
    expect(await status(({ headers }) => headers.get('x-own') === 'yes', { 'x-own': 'yes' })).toBe(200)
  })

  it('needs a secret', () => {
    const empty = { kind: 'token', header: 'x-key', secret: '' } as const
    expect(() => jsonSource({ engine: listeningEngine(), map: DECLARED, auth: empty })).toThrow(
      expect.objectContaining({ code: 'json.option_invalid' }),
    )
  })

  it('is mounted by node:http, Fastify and Hono', async () => {
    const engine = listeningEngine()
    const source = jsonSource({ engine, map: DECLARED, auth })
    const init = {
      method: 'POST',
      headers: { 'x-key': 's3cret', 'content-type': 'application/json' },
      body: JSON.stringify({ data: [paid] }),
    }
    const node = await serve(source)
    closing.push(() => node.close())
    expect((await fetch(node.url, init)).status).toBe(200)

    const fastify = Fastify()
    closing.push(() => fastify.close())
    fastify.register((routes, _options, done) => {
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
      routes.post('/orders', fastifyRoute(source))
      done()
    })
    expect((await fetch(`${await fastify.listen()}/orders`, init)).status).toBe(200)

    const hono = new Hono().post('/orders', (c) => source(c.req.raw))
    expect((await hono.request('/orders', init)).status).toBe(200)
    expect(engine.events.filter(({ event }) => event === 'order_paid')).toHaveLength(3)
  })
})

it('an export of orders is played by a simulation', async () => {
  const conditions = { fact: 'eventCount', operator: 'equal', value: 2, params: { event: 'order_paid' } }
  const rules = definePack([{ kind: 'tag', id: 'buys', conditions }])
  const lines = [paid, { ...paid, no: 'o-2', time: '2026-03-02 10:00:00' }]
  const told: string[] = []
  const events = lines.flatMap((line) => map.events({ data: line }))
  await simulate({ rules, events, onDecision: ({ decision }) => told.push(decision) })
  expect(told).toContain('tag.added')
})
