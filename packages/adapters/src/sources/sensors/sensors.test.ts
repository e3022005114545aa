import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createEngine, definePack } from '@linli/core'
import { afterEach, describe, expect, it } from 'vitest'
import { listeningEngine, serve } from '../../../testing/sources.js'
import { hashCode } from './body.js'
import { sensorsSource } from './index.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** What the mini-program's SDK makes of one tracked event. */
const record = {
  distinct_id: 'u1',
  identities: { $identity_mp_id: 'm1', $identity_login_id: 'u1' },
  login_id: 'u1',
  anonymous_id: 'm1',
  lib: { $lib: 'MiniProgram', $lib_method: 'code', $lib_version: '1.22.8' },
  properties: { product_id: 'p1' },
  type: 'track',
  event: 'ViewProduct',
  _track_id: 123456789,
  time: 1_700_000_000_000,
  _flush_time: 1_700_000_000_500,
}
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const packed = (value: unknown) => gzipSync(JSON.stringify(value)).toString('base64')
const form = (text: string) => encodeURIComponent(text)

function source(options: Partial<Parameters<typeof sensorsSource>[0]> = {}) {
  const engine = listeningEngine()
  const handler = sensorsSource({ engine, ...options })
  const post = async (body: string, query = '') => {
    const headers = { 'content-type': 'text/plain' }
    const response = await handler(new Request(`http://x/sa${query}`, { method: 'POST', body, headers }))
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
  }
  return { engine, handler, post }
}

const EVENT = {
  event: 'product_viewed',
  userId: 'u1',
  anonymousId: 'm1',
  timestamp: 1_700_000_000_000,
  sentAt: 1_700_000_000_500,
  properties: { sku: 'p1' },
}
const renamed = { properties: { product_id: 'sku' } }

describe('what SDKs of Sensors send', () => {
  it('is known by its published sample', () => {
    const sample = base64([record])
    expect(sample).toHaveLength(452)
    expect(hashCode(sample)).toBe(-1_837_344_313)
  })

  it.each([
    ['a batch of the mini-program', `data_list=${form(base64([record, record]))}`, 2],
    ['one record', `data=${form(base64(record))}`, 1],
    ['gzip', `data_list=${form(packed([record]))}&gzip=1`, 1],
    ['base64 with its + as it is', `data_list=${packed([record])}&gzip=1`, 1],
    ['a checksum', `data=${form(base64(record))}&ext=${form(`crc=${hashCode(base64(record))}`)}`, 1],
    ['a checksum beside it', `data=${form(base64(record))}&crc=${hashCode(base64(record))}`, 1],
  ])('arrives: %s', async (_, body, count) => {
    const { engine, post } = source(renamed)
    expect(await post(body)).toMatchObject({ status: 200, body: { accepted: count, dropped: 0 } })
    expect(engine.events).toHaveLength(count)
    expect(engine.events[0]).toMatchObject(EVENT)
  })

  it('arrives by the address of a picture', async () => {
    const { engine, handler } = source(renamed)
    const response = await handler(new Request(`http://x/sa.gif?data=${form(base64(record))}`))
    expect(response.status).toBe(200)
    expect(engine.events).toMatchObject([EVENT])
  })

  it.each([
    ['encrypted', JSON.stringify({ pkv: 1, ekey: 'k', payloads: 'p' }), 400, 'encryption'],
    ['nothing', 'x=1', 400, 'neither'],
    ['another checksum', `data=${form(base64(record))}&crc=1`, 400, 'crc'],
    ['no base64', 'data=%E8%8F%9C', 400, 'base64'],
    ['no gzip', `data=${form(base64(record))}&gzip=1`, 400, 'gzip'],
    ['no JSON', `data=${Buffer.from('{').toString('base64')}`, 400, 'JSON'],
    ['a bomb', `data=${form(gzipSync(Buffer.alloc(9_000_000)).toString('base64'))}&gzip=1`, 413, 'large'],
    ['too much', `data=${'A'.repeat(5_000_000)}`, 413, 'large'],
  ])('leaves a decision where it is %s, and is answered by what is wrong', async (_, body, status, says) => {
    const { engine, post } = source()
    const answer = await post(body)
    expect(answer).toMatchObject({ status })
    expect(answer.body['error']).toContain(says)
    expect(engine.events).toEqual([null])
  })

  it('breaks the connection off where events cannot be taken: any answer would have them forgotten', async () => {
    const { engine, handler } = source()
    engine.fail(true)
    const server = await serve(handler)
    closing.push(server.close)
    const post = () => fetch(server.url, { method: 'POST', body: `data=${form(base64(record))}` })
    await expect(post()).rejects.toThrow('fetch failed')
    engine.fail(false)
    expect((await post()).status).toBe(200)
  })

  it('needs a token where there are some', async () => {
    const { engine, post } = source({ tokens: ['t1'] })
    const body = `data=${form(base64(record))}`
    expect(await post(body)).toMatchObject({ status: 401 })
    expect(await post(body, '?project=shop&token=t1')).toMatchObject({ status: 200 })
    expect(engine.events).toHaveLength(1)
  })
})

describe('records of Sensors become events', () => {
  const eventOf = async (given: object, options = {}) => {
    const { engine, post } = source(options)
    await post(`data=${form(base64({ ...record, ...given }))}`)
    return engine.events[0]
  }

  it('by the names of the catalogue, or yours', async () => {
    expect(
      await eventOf({ event: '$MPViewScreen', properties: { $url_path: 'pages/fresh', $model: 'x' } }),
    ).toMatchObject({
      event: 'page_viewed',
      properties: { page: 'pages/fresh' },
    })
    expect(await eventOf({ event: 'JieLong' }, { names: { JieLong: 'group_buy_joined' } })).toMatchObject({
      event: 'group_buy_joined',
    })
    expect(await eventOf({ event: 'Noise' }, { names: { Noise: false } })).toBeUndefined()
    expect(await eventOf({ event: '晒单' })).toMatchObject({ event: '晒单' })
  })

  it('of a device until somebody logs in, and of whom else it names', async () => {
    const { login_id: _, ...anonymous } = record
    const { engine, post } = source()
    const identities = {
      $identity_mp_id: 'm1',
      $identity_mp_wx123_openid: 'o-1',
      $identity_mp_unionid: 'un-1',
      $identity_mobile: '13800000001',
    }
    await post(`data=${form(base64({ ...anonymous, distinct_id: 'm1', identities }))}`)
    expect(engine.events).toMatchObject([
      {
        anonymousId: 'm1',
        context: {
          externalIds: [
            { type: 'openid', id: 'o-1' },
            { type: 'unionid', id: 'un-1' },
            { type: 'phone', id: '13800000001' },
          ],
        },
      },
    ])
    expect(engine.events[0]).not.toHaveProperty('userId')
  })

  it('that say who somebody is, and was', async () => {
    expect(await eventOf({ type: 'profile_set', event: undefined, properties: { city: '杭州' } })).toMatchObject({
      type: 'identify',
      traits: { city: '杭州' },
    })
    expect(await eventOf({ type: 'track_signup', event: '$SignUp', original_id: 'm1' })).toMatchObject({
      type: 'alias',
      userId: 'u1',
      previousId: 'm1',
    })
    expect(
      await eventOf({ type: 'track_id_bind', event: '$BindID', identities: { $identity_mobile: '138' } }),
    ).toMatchObject({
      type: 'identify',
      context: { externalIds: [{ type: 'phone', id: '138' }] },
    })
    expect(await eventOf({ type: 'profile_increment', event: undefined, properties: { points: 3 } })).toMatchObject({
      event: 'profile_incremented',
      properties: { points: 3 },
    })
  })

  it('and what is of a product is dropped, and counted', async () => {
    const { post } = source()
    expect(
      await post(`data=${form(base64({ type: 'item_set', item_type: 'p', item_id: '1', properties: {} }))}`),
    ).toMatchObject({ body: { dropped: 1 } })
  })

  it('each its own, however often it is sent: five digits and a clock are no id', async () => {
    const { engine, post } = source()
    const body = `data_list=${form(base64([record, record, { ...record, distinct_id: 'u2' }, { ...record, time: 1 }]))}`
    await post(body)
    expect(new Set(engine.events.map(({ messageId }) => messageId)).size).toBe(3)
  })

  it('at the time of $time where it is given', async () => {
    expect(await eventOf({ properties: { $time: 1_600_000_000_000 } })).toMatchObject({ timestamp: 1_600_000_000_000 })
  })

  it('and a real engine takes them in once, and refuses what is none', async () => {
    const engine = await createEngine({ rules: definePack([]), channels: [], database: 'memory' })
    closing.push(() => engine.close())
    const handler = sensorsSource({ engine })
    const body = `data_list=${form(base64([record, record, { type: 'what' }, 7]))}`
    const response = await handler(new Request('http://x/sa', { method: 'POST', body }))
    expect(await response.json()).toMatchObject({ accepted: 1, duplicates: 1, rejected: 2 })
  })
})

describe('the SDK of Sensors for Node', () => {
  // In a process of its own, which ends when all is sent: a second SDK in one process sends nothing.
  const script = `
    const Sensors = require('sa-sdk-node')
    const [url, gzip] = process.argv.slice(1)
    const sdk = new Sensors()
    sdk.submitTo({ url, gzip: gzip === 'true', mode: 'track', timeout: 5000 })
    sdk.track('u1', 'PayOrder', { orderId: 'o1', total: 12.5, note: '多送葱 + 姜' })
    sdk.trackSignup('u1', 'm1')
    sdk.profileSet('u1', { city: '杭州' })`

  it.each(['true', 'false'])('posts to the source, and what arrives is what was tracked (gzip: %s)', async (gzip) => {
    const { engine, handler } = source(renamed)
    const server = await serve(handler)
    closing.push(server.close)
    await promisify(execFile)(process.execPath, ['-e', script, server.url, gzip])
    expect(engine.events).toMatchObject([
      { event: 'order_paid', userId: 'u1', properties: { orderId: 'o1', total: 12.5, note: '多送葱 + 姜' } },
      { type: 'alias', userId: 'u1', previousId: 'm1' },
      { type: 'identify', userId: 'u1', traits: { city: '杭州' } },
    ])
  })
})
