import { createEngine, definePack } from '@linli/core'
import pg from 'pg'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { freshDatabase } from '../../../../core/testing/database.js'
import { listeningEngine, serve } from '../../../testing/sources.js'
import { memoryLedger, postgresLedger } from '../../channels/wechat-miniprogram/index.js'
import { startFakeMiniProgram } from '../../testing/fake-miniprogram.js'
import { type CallbackOptions, callbackRequest } from '../../testing/index.js'
import { signatureOf } from '../../wechat/crypt.js'
import { type MiniProgramSourceOptions, miniProgramSource } from './index.js'

const postgresUrl = inject('postgresUrl')
const TOKEN = 'QDG6eK'
const KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C'
const ENCRYPTED = { token: TOKEN, encodingAesKey: KEY, receiveId: 'wx-app' }
const URL = 'http://x/wechat'
const FORMATS = (['xml', 'json'] as const).flatMap((format) => [
  { format, token: TOKEN },
  { format, ...ENCRYPTED },
])

/** As the documentation of WeChat has them: in XML within an element of the event's name; in JSON one stands by itself. */
const EXAMPLES = {
  popup: { name: 'subscribe_msg_popup_event', holder: 'SubscribeMsgPopupEvent' },
  change: { name: 'subscribe_msg_change_event', holder: 'SubscribeMsgChangeEvent' },
  sent: { name: 'subscribe_msg_sent_event', holder: 'SubscribeMsgSentEvent' },
}
function said(
  kind: keyof typeof EXAMPLES,
  list: object | object[],
  format: CallbackOptions['format'] = 'xml',
  at = 1_610_969_440,
) {
  const { name, holder } = EXAMPLES[kind]
  const base = { ToUserName: 'gh_1', FromUserName: 'o-1', CreateTime: String(at), MsgType: 'event', Event: name }
  return { ...base, ...(format === 'json' ? { List: list } : { [holder]: { List: list } }) }
}
const accepted = (templateId: string) => ({ TemplateId: templateId, SubscribeStatusString: 'accept', PopupScene: '0' })
const rejected = (templateId: string) => ({ TemplateId: templateId, SubscribeStatusString: 'reject', PopupScene: '0' })
const sent = (errorCode: string) => ({
  TemplateId: 't-1',
  MsgID: '1700827132819554304',
  ErrorCode: errorCode,
  ErrorStatus: 'x',
})

function sourceOf(more: Partial<MiniProgramSourceOptions> = {}, isEncrypted = false) {
  const ledger = memoryLedger()
  const engine = { ...listeningEngine(), receive: () => Promise.reject(new Error('no receipts here')) }
  const encryption = { encodingAesKey: KEY, appId: 'wx-app' }
  const source = miniProgramSource({ engine, token: TOKEN, ledger, ...(isEncrypted && { encryption }), ...more })
  return { source, engine, ledger }
}
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.each(FORMATS)('what is pushed, as %j', (options) => {
  const isEncrypted = 'encodingAesKey' in options
  const request = (fields: object) => callbackRequest(URL, fields as Record<string, unknown>, options)

  it('says who allowed one message more: it is counted once, however often it comes', async () => {
    const { source, engine, ledger } = sourceOf({}, isEncrypted)
    const fields = said('popup', [accepted('t-1'), rejected('t-2')], options.format)
    for (let times = 0; times < 3; times++) {
      const response = await source(request(fields))
      expect([response.status, await response.text()]).toEqual([200, 'success'])
    }
    expect(engine.events.slice(0, 2)).toEqual([
      {
        messageId: expect.any(String),
        timestamp: new Date(1_610_969_440_000),
        context: { externalIds: [{ type: 'openid', id: 'o-1' }] },
        event: 'subscribe_accepted',
        properties: { templateId: 't-1', scene: 'popup' },
      },
      expect.objectContaining({ event: 'subscribe_rejected', properties: { templateId: 't-2', scene: 'popup' } }),
    ])
    expect(new Set(engine.events.map(({ messageId }) => messageId)).size).toBe(2)
    expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(true)
    expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(false)
    await source(request(said('popup', accepted('t-1'), options.format, 1_610_969_441)))
    expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(true)
  })

  it('says who wants no more: nothing is left in the ledger', async () => {
    const { source, engine, ledger } = sourceOf({}, isEncrypted)
    await ledger.add({ openid: 'o-1', templateId: 't-1' })
    await source(request(said('change', { TemplateId: 't-1', SubscribeStatusString: 'reject' }, options.format)))
    expect(engine.events).toMatchObject([
      { event: 'subscribe_rejected', properties: { templateId: 't-1', scene: 'settings' } },
    ])
    expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(false)
  })

  it.each([
    ['0', { says: 'delivered' }],
    ['20003', { says: 'failed', detail: 'errcode 20003' }],
  ])('says what became of a message: ErrorCode %s', async (code, receipt) => {
    const received: unknown[] = []
    const receive = async (receipts: readonly unknown[]) => {
      received.push(...receipts)
      return { accepted: 1, duplicates: 0, rejected: 0, results: [] }
    }
    const { source } = sourceOf({ engine: { ...listeningEngine(), receive } }, isEncrypted)
    expect((await source(request(said('sent', sent(code), options.format)))).status).toBe(200)
    const at = new Date(1_610_969_440_000)
    expect(received).toEqual([{ channel: 'wechat-miniprogram', providerId: '1700827132819554304', at, ...receipt }])
  })

  it('of other kinds is told to the host, and does nothing', async () => {
    const told: unknown[] = []
    const { source, engine } = sourceOf({ onMessage: (message) => told.push(message) }, isEncrypted)
    const text = { FromUserName: 'o-1', CreateTime: 1_610_969_440, MsgType: 'text', Content: '你好' }
    expect((await source(request(text))).status).toBe(200)
    expect(told).toMatchObject([{ event: undefined, openid: 'o-1', fields: { Content: '你好' } }])
    expect(engine.events).toEqual([])
  })
})

describe('the shapes that WeChat has been seen to send', () => {
  it.each([
    [{ Event: 'subscribe_msg_change_event', SubscribeMsgPopupEvent: { List: rejected('t-1') } }, 'subscribe_rejected'],
    [{ Event: 'subscribe_msg_change_event', SubscribeMsgChangeEvent: [rejected('t-1')] }, 'subscribe_rejected'],
    [{ Event: 'subscribe_msg_popup_event', SubscribeMsgPopupEvent: { List: [accepted('t-1')] } }, 'subscribe_accepted'],
  ])('are read, too: %j', async (fields, event) => {
    const { source, engine } = sourceOf()
    const message = { FromUserName: 'o-1', CreateTime: 1_688_953_684, ...fields }
    await source(callbackRequest(URL, message, { token: TOKEN, format: 'json' }))
    expect(engine.events).toMatchObject([{ event, properties: { templateId: 't-1' } }])
  })

  it.each(['', '{', '<xml>', 'null', '[]', '{"FromUserName":"o-1"}'])(
    '%j is answered, and does nothing',
    async (body) => {
      const { source, engine } = sourceOf()
      const query = new URLSearchParams({ timestamp: '1', nonce: '2', signature: signatureOf(TOKEN, '1', '2') })
      expect((await source(new Request(`${URL}?${query}`, { method: 'POST', body }))).status).toBe(200)
      expect(engine.events).toEqual([])
    },
  )
})

describe('who sends', () => {
  it('is checked when the console checks the address', async () => {
    const { source } = sourceOf({}, true)
    const query = (signature: string) => new URLSearchParams({ timestamp: '1', nonce: '2', echostr: '8231', signature })
    const right = await source(new Request(`${URL}?${query(signatureOf(TOKEN, '1', '2'))}`))
    expect([right.status, await right.text()]).toEqual([200, '8231'])
    expect((await source(new Request(`${URL}?${query('0'.repeat(40))}`))).status).toBe(401)
  })

  it('is told by SHA-1 over the sorted texts: the example of FIPS 180', () => {
    expect(signatureOf('b', 'a', 'c')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
  })

  it.each([
    ['another token', { token: 'other' }, false],
    ['no encryption, where there should be some', { token: TOKEN }, true],
    ['another mini-program', { ...ENCRYPTED, receiveId: 'wx-other' }, true],
  ])('is refused with %s', async (_, options, isEncrypted) => {
    const { source, engine } = sourceOf({}, isEncrypted)
    const response = await source(callbackRequest(URL, said('popup', accepted('t-1')), options))
    expect(response.status).toBe(401)
    expect(engine.events).toEqual([])
  })

  it('needs a token, a key and an AppID that can be', () => {
    const encryption = { encodingAesKey: 'short', appId: 'wx' }
    for (const wrong of [
      { token: '' },
      { encryption },
      { encryption: { ...encryption, encodingAesKey: KEY, appId: '' } },
    ]) {
      expect(() => sourceOf(wrong)).toThrow(expect.objectContaining({ code: 'wechat-miniprogram.option_invalid' }))
    }
  })
})

it('what cannot be taken in is asked for again, and so is a receipt that is faster than the send', async () => {
  const { source, engine } = sourceOf()
  engine.fail(true)
  const request = () => callbackRequest(URL, said('popup', accepted('t-1')), { token: TOKEN })
  expect((await source(request())).status).toBe(503)
  const early = { status: 'rejected', code: 'receipt.early', message: '' } as const
  const receive = async () => ({ accepted: 0, duplicates: 0, rejected: 1, results: [early] })
  const other = sourceOf({ engine: { ...listeningEngine(), receive } })
  expect((await other.source(callbackRequest(URL, said('sent', sent('0')), { token: TOKEN }))).status).toBe(503)
  expect((await source(new Request(URL, { method: 'PUT', body: '' }))).status).toBe(405)
  expect((await source(new Request(URL, { method: 'POST', body: 'x'.repeat(300_000) }))).status).toBe(413)
})

it('an engine takes it in over real HTTP', async () => {
  const identifiers = ['openid']
  const engine = await createEngine({ rules: definePack([]), channels: [], database: 'memory', identifiers })
  const wechat = await startFakeMiniProgram()
  const server = await serve(
    miniProgramSource({ engine, token: TOKEN, encryption: { encodingAesKey: KEY, appId: 'wx-app' } }),
  )
  closing.push(
    () => engine.close(),
    () => wechat.close(),
    () => server.close(),
  )
  const push = () => wechat.push(server.url, said('popup', accepted('t-1')), ENCRYPTED)
  expect((await push()).status).toBe(200)
  expect((await push()).status).toBe(200)
  expect(await engine.subject('user', 'id:openid:o-1')).toBeDefined()
  expect(await engine.decisions()).toEqual([])
})

it.skipIf(postgresUrl === undefined)(
  'the ledger in PostgreSQL counts what is told once, also by several processes',
  async () => {
    const database = await freshDatabase(postgresUrl)
    const pool = new pg.Pool({ connectionString: database.address, max: 6 })
    try {
      const name = { openid: 'o-1', templateId: 't-1' }
      const ledgers = [1, 2, 3].map(() => postgresLedger(pool))
      await Promise.all(ledgers.flatMap((ledger) => [ledger.add(name, 'x'), ledger.add(name, 'x'), ledger.add(name)]))
      const takes = await Promise.all(Array.from({ length: 6 }, () => ledgers[0]?.take(name)))
      expect(takes.filter(Boolean)).toHaveLength(4)
    } finally {
      await pool.end()
      await database.drop()
    }
  },
)
