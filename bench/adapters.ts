/**
 * Sources: events a second through each handler into an engine that keeps nothing, as a ratio to parsing their JSON alone.
 * Channels: sends a second, against a provider on this machine, as a ratio to plain requests to it. They take turns.
 *
 *     npm run bench:adapters [-- --rounds 5 --events 20000 --sends 500]
 */
import { createHmac } from 'node:crypto'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { aliyunSms, aliyunSmsCallbacks } from '@linli/adapters/aliyun-sms'
import { emailChannel } from '@linli/adapters/email'
import { httpChannel } from '@linli/adapters/http'
import { jsonSource } from '@linli/adapters/json'
import { segmentSource } from '@linli/adapters/segment'
import { sensorsSource } from '@linli/adapters/sensors'
import { tencentSms, tencentSmsCallbacks } from '@linli/adapters/tencent-sms'
import {
  callbackRequest,
  FakeServer,
  startFakeAliyunSms,
  startFakeSmtp,
  startFakeTencentSms,
  startFakeWechatPay,
  startFakeWecom,
} from '@linli/adapters/testing'
import { miniProgramSource } from '@linli/adapters/wechat-miniprogram-events'
import { favorCoupons, WechatPay } from '@linli/adapters/wechat-pay'
import { wechatPaySource } from '@linli/adapters/wechat-pay-notices'
import { WecomCorp, wecomAppChannel, wecomTagsChannel } from '@linli/adapters/wecom'
import { wecomSource } from '@linli/adapters/wecom-callbacks'
import type { Channel, IncomingEvent, IngestReport, Outbound } from '@linli/core'
import { number, seconds, spread } from './measure.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '20000' },
    sends: { type: 'string', default: '500' },
  },
})
const [rounds, events, sends] = [values.rounds, values.events, values.sends].map(Number) as [number, number, number]
const BATCH = 50

const engine = {
  ingest: async (given: readonly IncomingEvent[]): Promise<IngestReport> => ({
    accepted: given.length,
    duplicates: 0,
    rejected: 0,
    results: [],
  }),
}

const receive = async () => ({ accepted: BATCH, duplicates: 0, rejected: 0, results: [] })

function records(make: (index: number) => object): string {
  return JSON.stringify(Array.from({ length: BATCH }, (_, index) => make(index)))
}
const items = [{ sku: 'v-101', category: 'organic_vegetable', price: 8.9, quantity: 2 }]
const segmentBatch = `{"writeKey":"k","batch":${records((index) => ({
  type: 'track',
  event: 'Order Completed',
  userId: `u${index}`,
  messageId: `m${index}`,
  timestamp: '2026-03-01T08:00:00Z',
  properties: { order_id: `o${index}`, total: 12.5, products: items },
}))}}`
const sensorsBatch = records((index) => ({
  type: 'track',
  event: 'PayOrder',
  distinct_id: `u${index}`,
  login_id: `u${index}`,
  time: 1_700_000_000_000 + index,
  _track_id: index,
  lib: { $lib: 'MiniProgram' },
  properties: { orderId: `o${index}`, total: 12.5, items, $model: 'x', $os: 'y' },
}))
const packed = encodeURIComponent(gzipSync(sensorsBatch).toString('base64'))

const orders = records((index) => ({
  event: 'PayOrder',
  time: '2026-03-01 10:00:00',
  buyer: { id: `u${index}`, openid: `op${index}` },
  order: { no: `o${index}`, amount: '1250', items: [{ sku: 'v-101', price: 890, num: 2 }] },
}))
const order = jsonSource({
  engine,
  auth: { kind: 'hmac', header: 'x-signature', secret: 'k' },
  map: {
    name: '/event',
    id: '/order/no',
    user: '/buyer/id',
    identifiers: { openid: '/buyer/openid' },
    at: '/time',
    properties: {
      orderId: '/order/no',
      total: { from: '/order/amount', as: 'fen' },
      items: {
        each: '/order/items',
        properties: { sku: '/sku', price: { from: '/price', as: 'fen' }, quantity: '/num' },
      },
    },
  },
})
const signed = { 'x-signature': createHmac('sha256', 'k').update(orders).digest('hex') }

const secret = 'a-secret-of-the-address'
const reported = { send_time: '2026-03-01 12:00:00', report_time: '2026-03-01 12:00:05', success: true }
const reports = records((index) => ({
  ...reported,
  phone_number: '13800000001',
  out_id: `d-${index}`,
  biz_id: `b-${index}`,
}))
const receipts = records((index) => ({ report_status: 'SUCCESS', sid: `s-${index}`, errmsg: 'DELIVRD' }))
const aliyunReports = aliyunSmsCallbacks({ engine: { ...engine, receive }, secret })
const tencentReports = tencentSmsCallbacks({ engine: { ...engine, receive }, secret })

const segment = segmentSource({ engine, writeKeys: ['k'] })
const sensors = sensorsSource({ engine })
const post = (url: string, body: string, headers = {}) => new Request(url, { method: 'POST', body, headers })
const pushed = {
  FromUserName: 'o-1',
  CreateTime: 1_700_000_000,
  Event: 'subscribe_msg_popup_event',
  List: Array.from({ length: BATCH }, (_, index) => ({ TemplateId: `t${index}`, SubscribeStatusString: 'accept' })),
}
const pushKeys = { token: 't', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', receiveId: 'wx' }
const pushes = miniProgramSource({
  engine: { ...engine, receive: () => Promise.reject(new Error('no receipts here')) },
  token: pushKeys.token,
  encryption: { encodingAesKey: pushKeys.encodingAesKey, appId: pushKeys.receiveId },
})
const push = (format: 'json' | 'xml') => pushes(callbackRequest('http://x/wechat', pushed, { ...pushKeys, format }))
const wechatPay = await startFakeWechatPay()
const { platformKeys, apiV3Key } = wechatPay
const notices = wechatPaySource({
  engine: { ...engine, redeem: () => Promise.reject(new Error('no coupons here')) },
  platformKeys,
  apiV3Key,
})
const payment = { transaction_id: '42', trade_state: 'SUCCESS', payer: { openid: 'o-1' }, amount: { total: 1250 } }
const notice = wechatPay.notice('TRANSACTION.SUCCESS', payment, 'http://x/pay')
const notified = JSON.stringify(Array.from({ length: BATCH }, () => payment))
/** Each notice is a request of its own. */
async function paid(): Promise<Response> {
  for (let index = 1; index < BATCH; index++) await notices(notice.clone())
  return notices(notice.clone())
}
const callbackKeys = { ...pushKeys, receiveId: 'ww-1' }
const contact = {
  Event: 'change_external_contact',
  ChangeType: 'add_external_contact',
  UserID: 'wang',
  ExternalUserID: 'wm-1',
}
const callback = { ...contact, CreateTime: 1_700_000_000 }
const callbacks = wecomSource({ engine, keys: callbackKeys })
/** A callback is of one customer: as many of them as a batch has events. */
const callBack = async () => {
  let response = new Response(null, { status: 500 })
  for (let times = 0; times < BATCH; times++) {
    response = await callbacks(callbackRequest('http://x/wecom', callback, callbackKeys))
  }
  return response
}
const SOURCES: readonly (readonly [string, string, () => Promise<Response>])[] = [
  ['segment', segmentBatch, () => segment(post('http://x/v1/batch', segmentBatch))],
  ['json, signed', orders, () => order(post('http://x/orders', orders, signed))],
  ['mini-program, sealed JSON', JSON.stringify(pushed), () => push('json')],
  ['mini-program, sealed XML', JSON.stringify(pushed), () => push('xml')],
  ['WeChat Pay, one a notice', notified, paid],
  ['aliyun reports', reports, () => aliyunReports(post(`http://x/sms/${secret}`, reports))],
  ['tencent reports', receipts, () => tencentReports(post(`http://x/sms/${secret}`, receipts))],
  ['wecom callbacks', records(() => callback), callBack],
  ['sensors, gzip', sensorsBatch, () => sensors(post('http://x/sa', `data_list=${packed}&gzip=1`))],
]
console.log(`Sources: ${number(events)} events in batches of ${BATCH}, ${rounds} rounds. Node ${process.version}.`)
for (const [name, json, handle] of SOURCES) {
  const [rates, ratios]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const times = events / BATCH
    const plain = await seconds(async () => {
      for (let time = 0; time < times; time++) JSON.parse(json)
    })
    const own = await seconds(async () => {
      for (let time = 0; time < times; time++) if ((await handle()).status !== 200) throw new Error(name)
    })
    rates.push(events / own)
    ratios.push(plain / own)
  }
  console.log(`${name}: ${spread(rates, 0)} events/s, ${spread(ratios)} of parsing alone`)
}

const wecom = await startFakeWecom()
const [aliyun, tencent, smtp] = [await startFakeAliyunSms(), await startFakeTencentSms(), await startFakeSmtp()]
const raw = new FakeServer(() => ({ body: { errcode: 0 } }))
const rawUrl = await raw.listen()
const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
const traits = {
  wecomUserId: 'wang',
  wecomSender: 'wang',
  externalUserId: 'wm-1',
  phone: '13800000001',
  email: 'a@example.net',
}
const message = (index: number): Outbound => ({
  deliveryKey: `d-${index}`,
  channel: 'x',
  class: 'service',
  to: { kind: 'user', id: 'u', traits },
  content: {
    template: 't',
    title: '今日蔬菜',
    body: `第 ${index} 条`,
    data: { add: '常买蔬菜', templateCode: 'SMS_1', templateId: '1', 1: '蔬菜' },
  },
  source: { journey: 'j', run: 'r', step: 's' },
})
const signName = '邻里生鲜'
const declared = {
  name: 'declared http',
  url: `${rawUrl}/send`,
  body: { to: '{{ to.id }}', text: '{{ content.body }}', key: '{{ deliveryKey }}' },
  answers: [{ at: '/errcode', is: [0], then: 'accepted' }],
}
const local = { ports: [Number(new URL(rawUrl).port)], allowInsecureHttp: true, allowPrivateNetwork: true }
const { merchant, appId, url: baseUrl } = wechatPay
const issuer = favorCoupons({ pay: new WechatPay({ ...merchant, platformKeys, baseUrl }), appId })
/** An issuer in the shape of a channel. Each coupon is for another person: those of one are given one after the other. */
const coupons: Channel = {
  name: 'WeChat Pay coupons',
  repeat: issuer.repeat,
  async send({ deliveryKey: grantKey, to, source }, context) {
    const grant = { grantKey, issuer: issuer.name, offer: { id: 'o', name: '水果券' }, stock: '9865000', source }
    const { status } = await issuer.issue({ ...grant, to: { ...to, traits: { openid: grantKey } } }, context)
    return status === 'accepted' ? { status } : { status: 'refused', reason: 'other' }
  },
}
const CHANNELS: readonly Channel[] = [
  wecomAppChannel({ corp, agentId: 1 }),
  wecomTagsChannel({ corp }),
  httpChannel(declared, local),
  aliyunSms({ ...aliyun.credentials, signName, baseUrl: aliyun.url }),
  tencentSms({ ...tencent.credentials, signName, baseUrl: tencent.url }),
  emailChannel({
    smtp: { host: smtp.host, port: smtp.port, tls: 'none' },
    from: { address: 'shop@example.com' },
  }),
  coupons,
]
console.log(
  `Channels: ${number(sends)} sends, 20 at a time, ${rounds} rounds; a plain request has a connection of its own, too.`,
)
const inTurns = (work: (index: number) => Promise<unknown>) =>
  seconds(() =>
    Promise.all(
      Array.from({ length: 20 }, async (_, lane) => {
        for (let index = lane; index < sends; index += 20) await work(index)
      }),
    ),
  )
for (const channel of CHANNELS) {
  const [rates, ratios]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const plain = await inTurns(async (index) => {
      const headers = { connection: 'close' }
      await (await fetch(rawUrl, { method: 'POST', body: JSON.stringify(message(index)), headers })).json()
    })
    const own = await inTurns((index) =>
      channel.send(message(index), { attempt: 1, at: new Date(), signal: new AbortController().signal }),
    )
    rates.push(sends / own)
    ratios.push(plain / own)
  }
  console.log(`${channel.name}: ${spread(rates, 0)} sends/s, ${spread(ratios)} of plain requests`)
}
await Promise.all([wecom, aliyun, tencent, smtp, wechatPay].map((one) => one.close()))
await raw.close()
