import { inspect } from 'node:util'
import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeAliyunSms, startFakeAliyunSms } from '../../testing/fake-aliyun-sms.js'
import { type AliyunSmsOptions, aliyunSms } from './channel.js'

let aliyun: FakeAliyunSms
beforeAll(async () => {
  aliyun = await startFakeAliyunSms({ templates: { SMS_154950909: ['goods', 'time'], SMS_1: [] } })
})
afterAll(() => aliyun.close())
beforeEach(() => {
  aliyun.messages.length = 0
  aliyun.clear()
})

const channel = (options: Partial<AliyunSmsOptions> = {}) =>
  aliyunSms({ ...aliyun.credentials, signName: '邻里生鲜', baseUrl: aliyun.url, ...options })

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'aliyun-sms',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { phone: '13800000001' } },
  content: {
    template: 'fruit-trial',
    body: '草莓到货了，今晚 8 点截单',
    data: { templateCode: 'SMS_154950909', goods: '草莓 (1 斤)*', time: '今晚 8 点' },
  },
  source: { journey: 'new-fruit-trial', run: 'r1', step: 'tell' },
}
const context = (at = new Date()) => ({ attempt: 1, at, signal: new AbortController().signal })
const to = (traits: Record<string, unknown>) => ({ ...message, to: { ...message.to, traits } })
const saying = (data: Record<string, string>) => ({ ...message, content: { ...message.content, data } })

describe('text messages by Aliyun keep the contract', () => {
  const cases = channelContract({
    create: () => channel(),
    message,
    repeat: 'none',
    provider: {
      accepted: () => aliyun.messages.flatMap(({ outId }) => outId ?? []),
      failNext: (when) => aliyun.next(when === 'before' ? 'reset' : 'take and reset'),
      refuseNext: () => aliyun.refuse('isv.SMS_CONTENT_ILLEGAL'),
      deferNext: () => aliyun.refuse('isv.BUSINESS_LIMIT_CONTROL'),
      hangNext: () => aliyun.next('take and hang'),
      hanging: () => aliyun.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('a text message by Aliyun', () => {
  it('carries the template, its variables, the signature and the delivery key', async () => {
    await expect(channel().send(message, context())).resolves.toEqual({ status: 'accepted', providerId: '90061^0' })
    expect(aliyun.messages).toEqual([
      {
        bizId: '90061^0',
        phone: '13800000001',
        sign: '邻里生鲜',
        template: 'SMS_154950909',
        params: { goods: '草莓 (1 斤)*', time: '今晚 8 点' },
        outId: 'd-1',
      },
    ])
  })

  it('needs no variables, and has no use for those of another provider', async () => {
    await channel().send(saying({ templateCode: 'SMS_1', templateId: '449739', 1: '草莓' }), context())
    expect(aliyun.messages).toMatchObject([{ template: 'SMS_1', params: {} }])
    expect(aliyun.requests.at(-1)?.query).not.toHaveProperty('TemplateParam')
  })

  it('goes abroad without a plus', async () => {
    await channel().send(to({ phone: '+852 5123 4567' }), context())
    expect(aliyun.messages).toMatchObject([{ phone: '85251234567' }])
  })

  it('finds the number where it is told to', async () => {
    const other = channel({ address: ({ traits }) => traits['mobile'] })
    await other.send(to({ mobile: '+86 138 0000 0002' }), context())
    expect(aliyun.messages).toMatchObject([{ phone: '13800000002' }])
  })

  it.each([[{}], [{ phone: '' }], [{ phone: '12345' }], [{ phone: '13800000001,13800000002' }]])(
    'is refused before the call where the number is %j',
    async (traits) => {
      const before = aliyun.requests.length
      await expect(channel().send(to(traits), context())).resolves.toMatchObject({
        status: 'refused',
        reason: 'recipient',
      })
      expect(aliyun.requests).toHaveLength(before)
    },
  )

  it('of free text is refused before the call', async () => {
    const before = aliyun.requests.length
    const free = { ...message, content: { template: 'free', body: '今天的有机青菜到了' } }
    await expect(channel().send(free, context())).resolves.toEqual({
      status: 'refused',
      reason: 'content',
      detail: 'aliyun-sms.template: data.templateCode',
    })
    expect(aliyun.requests).toHaveLength(before)
  })

  it('is refused where the keys are wrong, and the secret stands nowhere', async () => {
    const wrong = channel({ accessKeySecret: 'wrong-secret-canary' })
    const result = await wrong.send(message, context())
    expect(result).toEqual({
      status: 'refused',
      reason: 'configuration',
      detail: 'aliyun-sms.code: SignatureDoesNotMatch',
    })
    expect(inspect([wrong, result, aliyun.requests.at(-1)], { depth: 9 })).not.toContain('wrong-secret-canary')
  })

  it('that nobody could be called for is deferred', async () => {
    const away = channel({ baseUrl: 'http://127.0.0.1:1' })
    await expect(away.send(message, context())).resolves.toMatchObject({
      status: 'deferred',
      detail: 'aliyun-sms.not_sent: ECONNREFUSED',
    })
  })
})

const DEFERRED = { status: 'deferred' }
const refused = (reason: string) => ({ status: 'refused', reason })

describe('codes of Aliyun', () => {
  it.each([
    ['isv.BUSINESS_LIMIT_CONTROL', 200, DEFERRED],
    ['isv.DAY_LIMIT_CONTROL', 200, refused('configuration')],
    ['isv.MONTH_LIMIT_CONTROL', 200, refused('configuration')],
    ['isv.OUT_OF_SERVICE', 200, refused('configuration')],
    ['isv.AMOUNT_NOT_ENOUGH', 200, refused('configuration')],
    ['isv.SMS_SIGN_ILLEGAL', 200, refused('configuration')],
    ['isv.SMS_SIGNATURE_ILLEGAL', 200, refused('configuration')],
    ['isv.SMS_SIGNATURE_SCENE_ILLEGAL', 200, refused('configuration')],
    ['isv.SMS_CONTENT_ILLEGAL', 200, refused('content')],
    ['isv.SMS_TEMPLATE_ILLEGAL', 200, refused('content')],
    ['isv.TEMPLATE_MISSING_PARAMETERS', 200, refused('content')],
    ['isp.RAM_PERMISSION_DENY', 200, refused('configuration')],
    ['isv.PRODUCT_UNSUBSCRIBE', 200, refused('configuration')],
    ['isv.ACCOUNT_ABNORMAL', 200, refused('configuration')],
    ['isv.MOBILE_NUMBER_ILLEGAL', 200, refused('recipient')],
    ['Throttling.User', 400, DEFERRED],
    ['ServiceUnavailable', 503, DEFERRED],
    ['InvalidAccessKeyId.NotFound', 404, refused('configuration')],
    ['InvalidTimeStamp.Expired', 400, refused('configuration')],
    ['Forbidden.RAM', 403, refused('configuration')],
    ['isv.SOMETHING_NEW', 200, refused('other')],
    ['SomethingNew', 400, refused('other')],
  ])('%s is %j', async (code, status, outcome) => {
    aliyun.refuse(code, status)
    await expect(channel().send(message, context())).resolves.toMatchObject({
      ...outcome,
      detail: `aliyun-sms.code: ${code}`,
    })
  })

  it.each([
    ['isp.SYSTEM_ERROR', 200],
    ['isp.GATEWAY_ERROR', 200],
    ['InternalError', 500],
    ['SomethingNew', 500],
    ['SignatureNonceUsed', 400],
  ])('%s says nothing of what became of the message', async (code, status) => {
    aliyun.refuse(code, status)
    await expect(channel().send(message, context())).rejects.toMatchObject({
      code: 'aliyun-sms.outcome_unknown',
      providerCode: code,
    })
  })

  it('wait an hour where the number has had its share', async () => {
    const at = new Date('2026-03-01T12:00:00+08:00')
    aliyun.refuse('isv.BUSINESS_LIMIT_CONTROL')
    await expect(channel().send(message, context(at))).resolves.toMatchObject({
      retryAt: new Date('2026-03-01T13:00:00+08:00'),
    })
  })

  it('mean what the host says they do', async () => {
    const own = channel({ codes: { 'isp.SYSTEM_ERROR': 'again', 'isv.BUSINESS_LIMIT_CONTROL': 'recipient' } })
    aliyun.refuse('isp.SYSTEM_ERROR')
    await expect(own.send(message, context())).resolves.toMatchObject(DEFERRED)
    aliyun.refuse('isv.BUSINESS_LIMIT_CONTROL')
    await expect(own.send(message, context())).resolves.toMatchObject(refused('recipient'))
  })

  it('that are no codes are not repeated in details', async () => {
    aliyun.refuse('13800000001 <script>')
    await expect(channel().send(message, context())).resolves.toMatchObject({ detail: 'aliyun-sms.code: unreadable' })
  })
})

describe('an answer of Aliyun that says nothing', () => {
  it.each([
    ['is no JSON', 'take and babble' as const],
    ['has no code', { body: { RequestId: 'r' } }],
    ['is an error of the server', { status: 502, body: { message: 'Bad gateway' } }],
  ])('leaves the outcome unknown when it %s', async (_, fault) => {
    aliyun.next(fault)
    await expect(channel().send(message, context())).rejects.toMatchObject({ code: 'aliyun-sms.outcome_unknown' })
  })

  it.each([429, 503])('but has HTTP %i is a message for later', async (status) => {
    aliyun.next({ status, headers: { 'retry-after': '120' }, body: 'busy' })
    const at = new Date('2026-03-01T12:00:00+08:00')
    await expect(channel().send(message, context(at))).resolves.toMatchObject({
      status: 'deferred',
      retryAt: new Date('2026-03-01T12:02:00+08:00'),
    })
  })

  it('within the time that one call may take leaves the outcome unknown', async () => {
    aliyun.next('take and hang')
    await expect(channel({ timeoutMs: 50 }).send(message, context())).rejects.toMatchObject({
      code: 'aliyun-sms.outcome_unknown',
    })
    expect(aliyun.messages).toHaveLength(1)
  })
})

describe('options of aliyunSms', () => {
  it.each([
    ['accessKeyId', { accessKeyId: '' }],
    ['accessKeySecret', { accessKeySecret: ' ' }],
    ['signName', { signName: '' }],
    ['name', { name: ' ' }],
    ['baseUrl', { baseUrl: 'dysmsapi' }],
  ])('refuse a %s that can never work', (option, given) => {
    expect(() => channel(given)).toThrowError(
      expect.objectContaining({ code: 'aliyun-sms.option_invalid', message: expect.stringContaining(option) }),
    )
  })
})
