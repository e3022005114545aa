import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Channel, definePack, type Engine } from '@linli/core'
import { createWorld } from '@linli/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aliyunSmsCallbacks } from '../channels/aliyun-sms/callbacks.js'
import { aliyunSms } from '../channels/aliyun-sms/channel.js'
import { tencentSmsCallbacks } from '../channels/tencent-sms/callbacks.js'
import { tencentSms } from '../channels/tencent-sms/channel.js'
import { nodeListener, type WebHandler } from '../sources/http/handler.js'
import { type FakeAliyunSms, startFakeAliyunSms } from '../testing/fake-aliyun-sms.js'
import { type FakeTencentSms, startFakeTencentSms } from '../testing/fake-tencent-sms.js'
import { refusalTest } from './opt-out.js'

const SECRET = 'a-random-secret-of-the-address'
const PHONE = '+8613800000001'
const now = () => new Date('2026-03-01T12:10:00+08:00')
const pack = (channel: string) =>
  definePack([
    { kind: 'template', id: 'fruit', body: '草莓到货了', data: { templateCode: 'SMS_1', templateId: '449740' } },
    {
      kind: 'journey',
      id: 'tell',
      entry: { on: 'event', event: 'ordered' },
      reentry: 'always',
      steps: [{ id: 'sms', send: { template: 'fruit', channel, class: 'promotion' } }],
    },
  ])

interface Provider {
  readonly fake: FakeAliyunSms | FakeTencentSms
  readonly channel: string
  readonly callbacks: (options: Partial<Parameters<typeof aliyunSmsCallbacks>[0]>) => WebHandler
  report(url: string, index: number, code?: string): Promise<number>
  reply(url: string, text: string): Promise<number>
}

let world: Awaited<ReturnType<typeof createWorld>>
let engine: Engine
let server: Server | undefined
let provider: Provider

async function open(channel: Channel): Promise<void> {
  world = await createWorld({ rules: pack(channel.name), channels: [channel], now: '2026-03-01T12:30:00+08:00' })
  engine = world.engine
}

async function aliyun(): Promise<Provider> {
  const fake = await startFakeAliyunSms({ now })
  const channel = aliyunSms({ ...fake.credentials, signName: '邻里生鲜', baseUrl: fake.url, timeoutMs: 500 })
  await open(channel)
  const at = (index: number) => fake.messages.at(index) ?? expect.fail('no message')
  return {
    fake,
    channel: 'aliyun-sms',
    callbacks: (options) => aliyunSmsCallbacks({ engine, secret: SECRET, ...options }),
    report: (url, index, code) => fake.report(url, at(index), code),
    reply: (url, text) => fake.reply(url, PHONE.slice(3), text),
  }
}

async function tencent(): Promise<Provider> {
  const fake = await startFakeTencentSms({ now })
  const channel = tencentSms({ ...fake.credentials, signName: '邻里生鲜', baseUrl: fake.url, timeoutMs: 500 })
  await open(channel)
  const at = (index: number) => fake.messages.at(index) ?? expect.fail('no message')
  return {
    fake,
    channel: 'tencent-sms',
    callbacks: (options) => tencentSmsCallbacks({ engine, secret: SECRET, ...options }),
    report: (url, index, code) => fake.report(url, at(index), code),
    reply: (url, text) => fake.reply(url, PHONE.slice(3), text),
  }
}

async function listen(options: Partial<Parameters<typeof aliyunSmsCallbacks>[0]> = {}): Promise<string> {
  const own = createServer(nodeListener(provider.callbacks(options)))
  server = own
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`
}

let number = 0
async function order(): Promise<void> {
  number += 1
  const identify = { type: 'identify' as const, messageId: 'who', userId: 'u1', traits: { phone: PHONE } }
  await engine.ingest([
    { ...identify, context: { externalIds: [{ type: 'phone', id: PHONE }] } },
    { event: 'ordered', messageId: `o-${number}`, userId: 'u1' },
  ])
  await engine.settle()
}
const consent = async () => (await engine.subject('user', 'u1'))?.consent
const states = async () => (await engine.deliveries()).map(({ state }) => state)

describe.each([
  ['Aliyun', aliyun],
  ['Tencent Cloud', tencent],
])('callbacks of %s', (_, create) => {
  beforeEach(async () => {
    provider = await create()
  })
  afterEach(async () => {
    server?.closeAllConnections()
    server?.close()
    await world.close()
    await provider.fake.close()
  })

  it('become receipts of the messages they name', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    expect(await provider.report(url, 0)).toBe(200)
    const decisions = (await engine.decisions()).map(({ decision }) => decision)
    expect(decisions).toContain('message.delivered')
    expect(await states()).toEqual(['accepted'])
  })

  it('tell that a message did not arrive, and by which code', async () => {
    const url = `${await listen()}/sms?key=${SECRET}`
    await order()
    expect(await provider.report(url, 0, 'UNDELIV')).toBe(200)
    expect(await engine.deliveries()).toMatchObject([{ state: 'failed', reason: 'UNDELIV' }])
  })

  it('change nothing when they come again', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    for (let time = 0; time < 2; time++) {
      expect(await provider.report(url, 0)).toBe(200)
      expect(await provider.reply(url, 'TD')).toBe(200)
    }
    const events = (await engine.decisions()).map(({ decision }) => decision)
    expect(events.filter((one) => one === 'message.delivered')).toHaveLength(1)
  })

  it.each(['TD', 'td', ' Ｒ ', '“R”', 'T', 'n', '退订', '退订。', '拒收'])(
    'withdraw consent by the answer %s',
    async (text) => {
      const url = `${await listen()}/sms/${SECRET}`
      await order()
      expect(await provider.reply(url, text)).toBe(200)
      expect(await consent()).toEqual({
        [`${provider.channel}|promotion`]: false,
        [`${provider.channel}|content`]: false,
      })
      const before = provider.fake.messages.length
      await order()
      expect(provider.fake.messages).toHaveLength(before)
    },
  )

  it.each(['好的', 'TD 是什么？', 'R2', '不退订', '', '？'])('withdraw nothing by the answer %s', async (text) => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    expect(await provider.reply(url, text)).toBe(200)
    expect(await consent()).toEqual({})
  })

  it('withdraw what they are told to, of whom they are told', async () => {
    const optOut = {
      words: ['不要'],
      channels: ['sms', 'mail'],
      classes: ['promotion'] as const,
      who: async (phone: string) => (phone === PHONE ? { userId: 'u1' } : undefined),
    }
    const url = `${await listen({ optOut })}/sms/${SECRET}`
    await order()
    await provider.reply(url, 'TD')
    expect(await consent()).toEqual({})
    await provider.reply(url, '不要')
    expect(await consent()).toEqual({ 'sms|promotion': false, 'mail|promotion': false })
  })

  it('withdraw nothing where that is another system’s affair', async () => {
    const url = `${await listen({ optOut: false })}/sms/${SECRET}`
    await order()
    expect(await provider.reply(url, 'TD')).toBe(200)
    expect(await consent()).toEqual({})
  })

  it('are refused without the secret of their address', async () => {
    const base = await listen()
    await order()
    for (const path of ['', '/sms', `/sms/${SECRET}x`, `/sms/${SECRET.slice(1)}`, '/sms?key=', '/sms/%E0%A4%A']) {
      expect(await provider.report(base + path, 0)).toBe(401)
      expect(await provider.reply(base + path, 'TD')).toBe(401)
    }
    expect(await consent()).toEqual({})
  })

  it('that are none are refused, and hold up nothing', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    const post = async (body: string) => (await fetch(url, { method: 'POST', body })).status
    expect(await post('no JSON')).toBe(400)
    expect(await post('"text"')).toBe(400)
    const large = new Request(url, { method: 'POST', body: `[${'1,'.repeat(600_000)}1]` })
    expect((await provider.callbacks({})(large)).status).toBe(413)
    expect(await post('[]')).toBe(200)
    expect(await post('[null, 1, {"success":true}, {"report_status":"FAIL"}, {"content":"TD"}, {"text":"TD"}]')).toBe(
      200,
    )
    expect((await fetch(url)).status).toBe(405)
  })

  it('are posted again where the database is away', async () => {
    const errors: unknown[] = []
    const away = async () => Promise.reject(new Error('away'))
    const onError = (error: unknown) => void errors.push(error)
    const url = `${await listen({ engine: { receive: away, ingest: away }, onError })}/sms/${SECRET}`
    await order()
    expect(await provider.report(url, 0)).toBe(503)
    expect(await provider.reply(url, 'TD')).toBe(503)
    expect(errors).toHaveLength(2)
  })

  it('tell of a message whose answer was lost, where they name it by its key', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    provider.fake.next('take and hang')
    const held = provider.fake.hanging()
    await engine.ingest([{ event: 'ordered', messageId: 'lost', userId: 'u1' }])
    const settled = engine.settle()
    await held
    // Aliyun's has the key; Tencent's has a number that the lost answer would have told.
    const hasKey = provider.channel === 'aliyun-sms'
    expect(await provider.report(url, -1)).toBe(hasKey ? 200 : 503)
    await settled
    expect((await states()).sort()).toEqual(['accepted', hasKey ? 'accepted' : 'parked'])
    expect(await provider.report(url, -1)).toBe(200)
  })

  it('are posted again where the report is faster than the answer', async () => {
    const early = { status: 'rejected', code: 'receipt.early', message: '' } as const
    const receive = async () => ({ accepted: 0, duplicates: 0, rejected: 1, results: [early] })
    const url = `${await listen({ engine: { receive, ingest: engine.ingest.bind(engine) } })}/sms/${SECRET}`
    await order()
    expect(await provider.report(url, 0)).toBe(503)
  })

  it('hold however wrong the provider’s clock is', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    const body = JSON.stringify([
      { phone_number: '13800000001', content: 'TD', send_time: '2199-01-01 00:00:00', sequence_id: 9 },
      { mobile: '13800000001', nationcode: '86', text: 'TD', time: 7_226_582_400 },
    ])
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200)
    expect(await consent()).toMatchObject({ [`${provider.channel}|promotion`]: false })
  })

  it('withdraw what was granted in the same second: the provider writes whole ones', async () => {
    const url = `${await listen()}/sms/${SECRET}`
    await order()
    const properties = { channel: provider.channel, class: 'promotion' }
    const granted = {
      event: 'consent_granted',
      messageId: 'g',
      userId: 'u1',
      timestamp: '2026-03-01T12:29:59.700+08:00',
    }
    await engine.ingest([{ ...granted, properties }])
    const body = JSON.stringify([
      { phone_number: '13800000001', content: 'TD', send_time: '2026-03-01 12:29:59', sequence_id: 9 },
      { mobile: '13800000001', nationcode: '86', text: 'TD', time: Date.parse('2026-03-01T12:29:59+08:00') / 1000 },
    ])
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200)
    expect(await consent()).toMatchObject({ [`${provider.channel}|promotion`]: false })
  })

  it('need a secret that nobody guesses', () => {
    for (const secret of ['', 'short']) {
      expect(() => provider.callbacks({ secret })).toThrowError(
        expect.objectContaining({ code: `${provider.channel}.option_invalid` }),
      )
    }
  })
})

it('words of refusal of one’s own are compared as the usual ones are', () => {
  const isRefusal = refusalTest(['Stop', '不要了'])
  expect(['STOP', 'ｓｔｏｐ!', ' 不要了～ '].map(isRefusal)).toEqual([true, true, true])
  expect(['TD', 'do not stop'].map(isRefusal)).toEqual([false, false])
})
