import { inspect } from 'node:util'
import type { Channel, Engine } from '@linli/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { Several } from '../../core/testing/several.js'
import { FakeProcess } from '../testing/fake-process.js'
import { aliyunSms } from './channels/aliyun-sms/index.js'
import { emailChannel } from './channels/email/index.js'
import { httpChannel } from './channels/http/index.js'
import { tencentSms } from './channels/tencent-sms/index.js'
import { webhookChannel } from './channels/webhook/index.js'
import { MiniProgram, memoryLedger, subscribeMessageChannel } from './channels/wechat-miniprogram/index.js'
import { favorCoupons, WechatPay } from './channels/wechat-pay/index.js'
import {
  WecomCorp,
  wecomAppChannel,
  wecomGroupSendChannel,
  wecomMomentsChannel,
  wecomRobotChannel,
  wecomTagsChannel,
} from './channels/wecom/index.js'
import { openaiCopywriter } from './copywriters/openai/index.js'
import { type FakeFault, FakeServer } from './testing/fake-server.js'

const [postgresUrl, redisUrl] = [inject('postgresUrl'), inject('redisUrl')]
const isThere = postgresUrl !== undefined && redisUrl !== undefined
if (!isThere) console.warn('SKIPPED: what adapters tell; there is no database or no Redis.')

/** What must be seen nowhere: a telephone number, ids at platforms, a text, a secret. */
const PERSON = {
  phone: '13912345678',
  openid: 'o-canary-openid',
  email: 'canary@example.net',
  externalUserId: 'wm-canary-external',
  wecomUserId: 'canary-member',
  wecomSender: 'canary-sender',
}
const TEXT = '金丝雀草莓到货'
const SECRETS = {
  http: 'canary-http-token',
  webhook: `whsec_${Buffer.from('canary-webhook-secret-32-bytes!!').toString('base64')}`,
  model: 'sk-canary-model',
}

interface Platform {
  readonly url: string
}
const fakes: FakeProcess<Platform>[] = []
async function fakeOf<About extends Platform>(provider: string): Promise<About> {
  const fake = await FakeProcess.start<About>(provider)
  fakes.push(fake)
  return fake.about
}

type Secret = Readonly<Record<string, string>>
let wecom: Platform & { readonly corpId: string; readonly secret: string; readonly robot: string }
let wechat: Platform & { readonly appId: string; readonly secret: string }
let pay: Platform & {
  readonly appId: string
  readonly merchant: { readonly mchId: string; readonly serialNo: string; readonly privateKey: string }
  readonly platformKeys: readonly { readonly id: string; readonly publicKey: string }[]
}
let aliyun: Platform & { readonly accessKeyId: string; readonly accessKeySecret: string }
let tencent: Platform & { readonly secretId: string; readonly secretKey: string; readonly sdkAppId: string }
let model: Platform
/** Takes whatever is posted. */
const sink = new FakeServer(() => ({ body: {} }))
let sinkUrl = ''
let smtp: FakeProcess<{ readonly host: string; readonly port: number }>

beforeAll(async () => {
  if (!isThere) return
  wecom = await fakeOf('wecom')
  wechat = await fakeOf('wechat-miniprogram')
  pay = await fakeOf('wechat-pay')
  aliyun = await fakeOf('aliyun-sms')
  tencent = await fakeOf('tencent-sms')
  model = await fakeOf('model')
  smtp = await FakeProcess.start('smtp')
  sinkUrl = await sink.listen()
}, 60_000)
afterAll(async () => {
  for (const fake of fakes) await fake.stop()
  if (!isThere) return
  await smtp.stop()
  await sink.close()
})

function channels(): readonly Channel[] {
  const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
  const app = new MiniProgram({ appId: wechat.appId, secret: wechat.secret, baseUrl: wechat.url })
  const ledger = memoryLedger()
  for (let count = 0; count < 20; count++) void ledger.add({ openid: PERSON.openid, templateId: 'tpl-1' })
  const local = { allowInsecureHttp: true, allowPrivateNetwork: true, ports: [Number(new URL(sinkUrl).port)] }
  const headers = { authorization: 'Bearer {{ secret.TOKEN }}' }
  const url = new URL('/send', sinkUrl).href
  const body = { to: '{{ to.traits.phone }}', text: '{{ content.body }}' }
  const signName = '邻里生鲜'
  return [
    wecomAppChannel({ corp, agentId: 1 }),
    wecomRobotChannel({ key: wecom.robot, baseUrl: wecom.url }),
    wecomGroupSendChannel({ corp, gatherMs: 1 }),
    wecomMomentsChannel({ corp }),
    wecomTagsChannel({ corp }),
    subscribeMessageChannel({ app, ledger }),
    aliyunSms({
      accessKeyId: aliyun.accessKeyId,
      accessKeySecret: aliyun.accessKeySecret,
      signName,
      baseUrl: aliyun.url,
    }),
    tencentSms({ ...tencent, signName, baseUrl: tencent.url }),
    emailChannel({ smtp: { ...smtp.about, tls: 'none' }, from: { address: 'shop@example.com' } }),
    httpChannel({ name: 'http', url, headers, body }, { ...local, secrets: { TOKEN: SECRETS.http } }),
    webhookChannel({ ...local, url, secrets: SECRETS.webhook }),
  ]
}

const DATA = {
  add: '常买蔬菜',
  templateId: 'tpl-1',
  templateCode: 'SMS_1',
  thing1: '{{ traits.secretText }}',
  goods: '{{ traits.secretText }}',
  1: '{{ traits.secretText }}',
}
/** A journey for each channel, begun by an event of its name, and one for coupons. */
function rules(names: readonly string[]): readonly unknown[] {
  const copy = {
    instructions: '为{{ traits.secretText }}写一句',
    fallback: '来尝尝{{ traits.secretText }}',
    maxLength: 60,
  }
  return [
    { kind: 'template', id: 't', title: '{{ traits.secretText }}', body: '{{ copy }}', data: DATA, copy },
    { kind: 'offer', id: 'fruit', issuer: 'wechat-pay', stock: '9865000', perPerson: 1000 },
    ...names.map((channel) => ({
      kind: 'journey',
      id: channel,
      reentry: 'always',
      entry: { on: 'event', event: `go ${channel}` },
      steps: [{ id: 'push', send: { template: 't', channel, class: 'service' } }],
    })),
    {
      kind: 'journey',
      id: 'coupon',
      reentry: 'always',
      entry: { on: 'event', event: 'go coupon' },
      steps: [{ id: 'give', issue: { offer: 'fruit' } }],
    },
  ]
}

const FAULTS: readonly (FakeFault | undefined)[] = [
  undefined,
  'reset',
  'take and reset',
  'take and hang',
  'take and babble',
  { status: 401, body: { code: 'SIGN_ERROR', message: `${PERSON.openid} ${TEXT} ${PERSON.phone}` } },
  { status: 400, body: { errcode: 40003, errmsg: `${PERSON.openid} ${TEXT}`, Code: PERSON.phone, Message: TEXT } },
  { status: 429, body: `${PERSON.openid} ${TEXT}` },
  { status: 500, body: `${PERSON.openid} ${TEXT}` },
]

const several = new Several(postgresUrl ?? '')
const said: string[] = []

beforeEach(() => {
  said.length = 0
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      said.push(words.map((word) => inspect(word, { depth: 9, showHidden: true })).join(' '))
    })
  }
})
afterEach(() => vi.restoreAllMocks())

/** Has every provider answer each message so, and sends one by each of them. */
async function sendAll(engine: Engine, names: readonly string[], fault: FakeFault | undefined, round: number) {
  if (fault !== undefined) {
    for (const fake of fakes) for (let n = 0; n < 3; n++) await fake.next(fake.about.url, fault)
    for (let n = 0; n < 2; n++) sink.next(fault)
  }
  const events = [...names, 'coupon'].map((name) => ({
    messageId: `${name}-${round}`,
    userId: 'u1',
    event: `go ${name}`,
  }))
  await engine.ingest(events)
}

function around(text: string, found: string): string {
  const at = text.indexOf(found)
  return text.slice(Math.max(0, at - 200), at + found.length + 100)
}

async function isQuiet(engine: Engine): Promise<boolean> {
  const busy = new Set(['planned', 'reserved', 'calling'])
  return (await engine.deliveries()).every(({ state }) => !busy.has(state))
}

describe.skipIf(!isThere)('whatever providers answer, or do not', () => {
  it('no secret, address or text is seen in logs, errors, decisions or Redis', { timeout: 180_000 }, async () => {
    several.begin(redisUrl)
    const all = channels()
    const names = all.map(({ name }) => name)
    const issuer = favorCoupons({
      pay: new WechatPay({ ...pay.merchant, platformKeys: [...pay.platformKeys], baseUrl: pay.url }),
      appId: pay.appId,
    })
    const copywriter = openaiCopywriter({ baseUrl: model.url, model: 'm', apiKey: SECRETS.model })
    const engine = await several.open(rules(names), all, { issuers: [issuer], copywriter, callTimeoutMs: 1_000 })
    await engine.ingest([{ type: 'identify', messageId: 'm0', userId: 'u1', traits: { ...PERSON, secretText: TEXT } }])
    engine.start()
    for (const [round, fault] of FAULTS.entries()) {
      await sendAll(engine, names, fault, round)
      await vi.waitFor(async () => expect((await engine.decisions()).length).toBeGreaterThan(names.length * round))
      said.push(await several.inRedis())
      await expect.poll(() => isQuiet(engine), { timeout: 30_000 }).toBe(true)
      said.push(await several.inRedis())
    }
    const decisions = await engine.decisions()
    said.push(JSON.stringify(decisions), JSON.stringify([await engine.health(), await engine.parked()]))
    said.push(...several.errors.map((error) => inspect(error, { depth: 9, showHidden: true })))
    said.push(
      inspect([all, issuer, copywriter], { depth: 9, showHidden: true }),
      JSON.stringify([all, issuer, copywriter]),
    )

    // What is looked at must have something to see.
    const accepted = new Set(
      decisions.filter(({ decision }) => decision === 'message.accepted').map((one) => one['channel']),
    )
    expect([...accepted].sort()).toEqual([...names].sort())
    expect([...new Set(decisions.map(({ decision }) => decision))]).toEqual(
      expect.arrayContaining([
        'coupon.issued',
        'copy.written',
        'message.parked',
        'message.rejected',
        'message.deferred',
      ]),
    )
    const everything = said.join('\n')
    const hidden: Secret = {
      ...PERSON,
      ...SECRETS,
      TEXT,
      wecomSecret: wecom.secret,
      robot: wecom.robot,
      wechatSecret: wechat.secret,
      aliyunSecret: aliyun.accessKeySecret,
      tencentSecret: tencent.secretKey,
      privateKey: pay.merchant.privateKey.slice(60, 100),
    }
    const seen = Object.entries(hidden).filter(([, text]) => everything.includes(text))
    expect(seen.map(([name, text]) => `${name}: ${around(everything, text)}`)).toEqual([])
  })
})
