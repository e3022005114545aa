import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Engine, EngineError, type IngestReport } from '@linli/core'
import { createWorld, type World } from '@linli/core/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createService } from './service.js'

let world: World
let server: Server
let url: string

beforeEach(async () => {
  world = await createWorld({ rules: `${import.meta.dirname}/rules`, now: '2026-03-02T12:00:00+08:00' })
  await listen(world.engine)
})

afterEach(async () => {
  vi.restoreAllMocks()
  await new Promise((closed) => server.close(closed))
  await world.close()
})

async function listen(engine: Engine): Promise<void> {
  server = createService(engine)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const post = (body: string) => fetch(`${url}/events`, { method: 'POST', body })
const send = async (...events: unknown[]) => (await (await post(JSON.stringify(events))).json()) as IngestReport
const get = async (path: string) => {
  const response = await fetch(url + path)
  return { status: response.status, body: await response.json() }
}

describe('the example service', () => {
  it('answers for each event by itself', async () => {
    const joined = { event: 'member_joined', messageId: 'm1', userId: 'u1' }
    expect(await send(joined, { messageId: 'm2', userId: 'u1' }, joined, null)).toEqual({
      accepted: 1,
      duplicates: 1,
      rejected: 2,
      results: [
        { status: 'accepted', messageId: 'm1' },
        {
          status: 'rejected',
          messageId: 'm2',
          code: 'event.name',
          message: '"event" should be the name of the event, 1 to 255 characters.',
        },
        { status: 'duplicate', messageId: 'm1' },
        { status: 'rejected', code: 'event.shape', message: 'An event is a JSON object.' },
      ],
    })
  })

  it('answers 400 to what is no list of events, and to too much at once', async () => {
    expect((await post('{"event":"order_paid"')).status).toBe(400)
    expect((await post('{"event":"order_paid"}')).status).toBe(400)
    expect((await post(`["${'x'.repeat(1024 * 1024)}"]`)).status).toBe(400)
  })

  it('tells what is known of somebody, and why', async () => {
    await send({ type: 'identify', messageId: 'm1', userId: '张/三', traits: { name: '张三' } })
    const user = `/users/${encodeURIComponent('张/三')}`
    expect(await get(user)).toMatchObject({ status: 200, body: { traits: { name: '张三' }, tags: [] } })
    expect(await get(`${user}/why/regular`)).toMatchObject({ status: 200, body: { holds: false, kind: 'tag' } })
    expect(await get(`${user}/why/regulr`)).toEqual({ status: 404, body: { error: 'rule.unknown' } })
    expect(await get('/users/nobody')).toMatchObject({ status: 404 })
    expect(await get('/users/%zz')).toMatchObject({ status: 404 })
    expect(await get('/')).toMatchObject({ status: 404 })
  })

  it('shows a leader the suggestions that wait', async () => {
    await send(
      { type: 'identify', messageId: 'm1', userId: 'u1', traits: { name: '周慧芳' } },
      { type: 'group', messageId: 'm2', userId: 'u1', groupId: 'c1', traits: { leaderId: 'l1' } },
      { event: 'member_joined', messageId: 'm3', userId: 'u1' },
    )
    await world.engine.settle()
    expect(await get('/leaders/l1')).toMatchObject({
      status: 200,
      body: [{ about: 'user:u1', journey: 'welcome', text: '周慧芳刚加入，打个招呼吧。' }],
    })
    expect(world.sent).toMatchObject([{ content: { body: '周慧芳，欢迎！见面券 TEST-000001，第一单减 5.00 元。' } }])
  })

  it('answers 503 when events could not be kept', async () => {
    await new Promise((closed) => server.close(closed))
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const down = { ...world.engine, ingest: () => Promise.reject(new EngineError('database.conflict', 'Down.')) }
    await listen(down)
    expect((await post('[]')).status).toBe(503)
  })
})
