import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { freshDatabase } from '../../../../core/testing/database.js'
import { type FakeMiniProgram, startFakeMiniProgram } from '../../testing/fake-miniprogram.js'
import {
  type ConsentLedger,
  MiniProgram,
  memoryLedger,
  postgresLedger,
  recordConsents,
  subscribeMessageChannel,
  urlLink,
} from './index.js'

const postgresUrl = inject('postgresUrl')
const PATH = '/cgi-bin/message/subscribe/send'
const NAME = { openid: 'o-1', templateId: 'tpl-1' }
let wechat: FakeMiniProgram
beforeAll(async () => {
  wechat = await startFakeMiniProgram()
})
afterAll(() => wechat.close())
beforeEach(() => {
  wechat.messages.length = 0
  wechat.clear()
})

const app = () => new MiniProgram({ appId: wechat.appId, secret: wechat.secret, baseUrl: wechat.url })
const context = () => ({ attempt: 1, at: new Date(), signal: new AbortController().signal })
const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'wechat-miniprogram',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { openid: 'o-1' } },
  content: {
    template: 'fruit',
    body: '水果尝鲜',
    data: {
      templateId: 'tpl-1',
      page: 'pages/fruit',
      thing1: '赣南脐橙',
      amount2: '¥9.90',
      time3: '2026年3月1日 15:01',
    },
  },
  source: { journey: 'j', run: 'r', step: 's' },
}
const withData = (data: Record<string, string>) => ({
  ...message,
  content: { ...message.content, data: { templateId: 'tpl-1', ...data } },
})

async function allowed(count: number, ledger: ConsentLedger = memoryLedger()): Promise<ConsentLedger> {
  wechat.allow(NAME.openid, NAME.templateId, count)
  for (let index = 0; index < count; index++) await ledger.add(NAME)
  return ledger
}

describe('subscription messages keep the contract', () => {
  const cases = channelContract({
    create: async () => {
      const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(50) })
      await channel.send(message, context())
      return channel
    },
    message,
    repeat: 'none',
    provider: {
      failNext: (when) => wechat.next(when === 'before' ? 'reset' : 'take and reset', PATH),
      refuseNext: () => wechat.next(40037, PATH),
      deferNext: () => wechat.next(45009, PATH),
      hangNext: () => wechat.next('take and hang', PATH),
      hanging: () => wechat.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('subscription messages', () => {
  it('carry the values that WeChat knows, and the page', async () => {
    await subscribeMessageChannel({ app: app(), ledger: await allowed(1) }).send(message, context())
    expect(wechat.messages).toEqual([
      {
        openid: 'o-1',
        templateId: 'tpl-1',
        page: 'pages/fruit',
        data: { thing1: { value: '赣南脐橙' }, amount2: { value: '¥9.90' }, time3: { value: '2026年3月1日 15:01' } },
      },
    ])
  })

  it('are one for each that was allowed, however many are sent at once', async () => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(2) })
    const results = await Promise.all(Array.from({ length: 5 }, () => channel.send(message, context())))
    expect(results.filter(({ status }) => status === 'accepted')).toHaveLength(2)
    expect(results.filter(({ status }) => status === 'refused')).toHaveLength(3)
    expect(wechat.messages).toHaveLength(2)
  })

  it('are none any more once WeChat says so: the ledger is emptied', async () => {
    const ledger = memoryLedger()
    for (let index = 0; index < 3; index++) await ledger.add(NAME)
    const other = { ...message, to: { ...message.to, traits: { openid: 'o-9' } } }
    for (let index = 0; index < 3; index++) await ledger.add({ ...NAME, openid: 'o-9' })
    const channel = subscribeMessageChannel({ app: app(), ledger })
    await expect(channel.send(other, context())).resolves.toMatchObject({ status: 'refused', reason: 'recipient' })
    await expect(ledger.take({ ...NAME, openid: 'o-9' })).resolves.toBe(false)
    await expect(ledger.take(NAME)).resolves.toBe(true)
  })

  it('give back what was certainly not sent, and keep what may have been', async () => {
    const ledger = await allowed(1)
    const channel = subscribeMessageChannel({ app: app(), ledger })
    wechat.next(-1, PATH)
    await expect(channel.send(message, context())).resolves.toMatchObject({ status: 'deferred' })
    wechat.next('take and reset', PATH)
    await expect(channel.send(message, context())).rejects.toMatchObject({ code: 'wechat-miniprogram.outcome_unknown' })
    await expect(channel.send(message, context())).resolves.toMatchObject({ status: 'refused' })
    expect(wechat.messages).toHaveLength(1)
  })

  it.each([
    [-1, { status: 'deferred' }],
    [45009, { status: 'deferred' }],
    [40003, { reason: 'recipient' }],
    [40037, { reason: 'configuration' }],
    [41030, { reason: 'configuration' }],
    [43101, { reason: 'recipient' }],
    [47003, { reason: 'content' }],
    [99999, { reason: 'other' }],
  ])('errcode %i gives %o', async (errcode, expected) => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(1) })
    wechat.next(errcode, PATH)
    await expect(channel.send(message, context())).resolves.toMatchObject(expected)
  })

  it.each([40001, 42001])('fetch the token anew after errcode %i, and leave none of two', async (errcode) => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(2) })
    await channel.send(message, context())
    wechat.expireToken()
    wechat.next(errcode, PATH)
    await expect(channel.send(message, context())).resolves.toMatchObject({ status: 'accepted' })
  })

  it.each([
    ['a thing of 21 characters', { thing1: '菜'.repeat(21) }, 'thing1 should have at most 20 characters'],
    ['an empty thing', { thing1: '' }, 'thing1'],
    ['an amount in words', { amount2: '九块九' }, 'amount2'],
    ['letters with a digit', { letter1: 'a1' }, 'letter1'],
    ['a phrase of 6 characters', { phrase1: '一二三四五六' }, 'phrase1'],
    ['a name of 11 characters', { name1: '王'.repeat(11) }, 'name1'],
    ['a string that is not ASCII', { character_string1: '单号1' }, 'character_string1'],
    ['a time without digits', { time1: '明天' }, 'time1'],
    ['a number of 33 digits', { number1: '1'.repeat(33) }, 'number1'],
  ])('with %s are refused before they are sent, and the value is not told', async (_, data, detail) => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(1) })
    const result = await channel.send(withData(data), context())
    expect(result).toMatchObject({ status: 'refused', reason: 'content', detail: expect.stringContaining(detail) })
    expect(wechat.messages).toEqual([])
  })

  it('cut long texts where they may', async () => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(1), cut: true })
    await channel.send(withData({ thing1: '菜'.repeat(21) }), context())
    expect(wechat.messages[0]?.data['thing1']?.value).toBe(`${'菜'.repeat(19)}…`)
  })

  it.each([
    ['no openid', { ...message, to: { ...message.to, traits: {} } }, 'recipient'],
    ['no template', { ...message, content: { template: 't', body: 'b' } }, 'content'],
  ])('need an address and a template: %s', async (_, sent, reason) => {
    const channel = subscribeMessageChannel({ app: app(), ledger: await allowed(1) })
    await expect(channel.send(sent as Outbound, context())).resolves.toMatchObject({ status: 'refused', reason })
  })
})

describe('the ledger of consents', () => {
  it('has what people answer when the mini-program asks', async () => {
    const ledger = memoryLedger()
    const results = {
      'tpl-1': 'accept',
      'tpl-2': 'reject',
      'tpl-3': 'acceptWithAudio',
      'tpl-4': 'ban',
      errMsg: 'requestSubscribeMessage:ok',
    }
    await expect(recordConsents(ledger, 'o-1', results)).resolves.toBe(2)
    const left = await Promise.all(
      ['tpl-1', 'tpl-2', 'tpl-3', 'tpl-4'].map((templateId) => ledger.take({ openid: 'o-1', templateId })),
    )
    expect(left).toEqual([true, false, true, false])
  })

  it.skipIf(postgresUrl === undefined)(
    'in PostgreSQL gives each consent once, however many ask for it at once',
    async () => {
      const database = await freshDatabase(postgresUrl)
      const pool = new pg.Pool({ connectionString: database.address, max: 8 })
      try {
        const ledgers = [1, 2, 3].map(() => postgresLedger(pool))
        await Promise.all(ledgers.map((ledger) => ledger.add(NAME)))
        const takes = Array.from({ length: 12 }, (_, index) => ledgers[index % 3]?.take(NAME))
        const taken = await Promise.all(takes)
        expect(taken.filter(Boolean)).toHaveLength(3)
        await ledgers[0]?.add(NAME)
        await ledgers[0]?.clear(NAME)
        await expect(ledgers[1]?.take(NAME)).resolves.toBe(false)
      } finally {
        await pool.end()
        await database.drop()
      }
      expect(() => postgresLedger(pool, 'x; drop table y')).toThrow(RangeError)
    },
  )
})

describe('a link', () => {
  it('leads into the mini-program, or the error says what WeChat answered', async () => {
    await expect(urlLink(app(), { path: 'pages/fruit', query: 'id=1', days: 7 })).resolves.toBe(
      'https://wxaurl.cn/fake',
    )
    expect(JSON.parse(wechat.requests.at(-1)?.body ?? '')).toMatchObject({ expire_type: 1, expire_interval: 7 })
    wechat.next(40165, '/wxa/generate_urllink')
    await expect(urlLink(app(), { path: 'nowhere' })).rejects.toMatchObject({
      code: 'wechat-miniprogram.call_failed',
      providerCode: 40165,
    })
  })
})

it('a mini-program without an AppID or a secret is refused', () => {
  expect(() => new MiniProgram({ appId: '', secret: 's' })).toThrow('appId')
  expect(() => new MiniProgram({ appId: 'wx', secret: '' })).toThrow('secret')
})
