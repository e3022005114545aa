import { inspect } from 'node:util'
import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeTencentSms, startFakeTencentSms } from '../../testing/fake-tencent-sms.js'
import { type TencentSmsOptions, tencentSms } from './channel.js'

const BLOCKED = '+8613800000009'
let tencent: FakeTencentSms
beforeAll(async () => {
  tencent = await startFakeTencentSms({ templates: { 449739: 2, 449740: 0 }, blocked: [BLOCKED] })
})
afterAll(() => tencent.close())
beforeEach(() => {
  tencent.messages.length = 0
  tencent.clear()
})

const channel = (options: Partial<TencentSmsOptions> = {}) =>
  tencentSms({ ...tencent.credentials, signName: '邻里生鲜', baseUrl: tencent.url, ...options })

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'tencent-sms',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { phone: '13800000001' } },
  content: {
    template: 'fruit-trial',
    body: '草莓到货了，今晚 8 点截单',
    data: { templateId: '449739', 1: '草莓（1 斤）', 2: '今晚 8 点' },
  },
  source: { journey: 'new-fruit-trial', run: 'r1', step: 'tell' },
}
const context = (at = new Date()) => ({ attempt: 1, at, signal: new AbortController().signal })
const to = (traits: Record<string, unknown>) => ({ ...message, to: { ...message.to, traits } })
const saying = (data: Record<string, string>) => ({ ...message, content: { ...message.content, data } })

describe('text messages by Tencent Cloud keep the contract', () => {
  const cases = channelContract({
    create: () => channel(),
    message,
    repeat: 'none',
    provider: {
      accepted: () => tencent.messages.flatMap(({ sessionContext }) => sessionContext ?? []),
      failNext: (when) => tencent.next(when === 'before' ? 'reset' : 'take and reset'),
      refuseNext: () => tencent.refuseNumber('FailedOperation.ContainSensitiveWord'),
      deferNext: () => tencent.refuseNumber('LimitExceeded.PhoneNumberDailyLimit'),
      hangNext: () => tencent.next('take and hang'),
      hanging: () => tencent.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('a text message by Tencent Cloud', () => {
  it('carries the template, its values, the signature and the delivery key', async () => {
    await expect(channel().send(message, context())).resolves.toEqual({ status: 'accepted', providerId: '5000:1' })
    expect(tencent.messages).toEqual([
      {
        serialNo: '5000:1',
        phone: '+8613800000001',
        sign: '邻里生鲜',
        template: '449739',
        params: ['草莓（1 斤）', '今晚 8 点'],
        sessionContext: 'd-1',
      },
    ])
  })

  it('needs no values, and has no use for those of another provider', async () => {
    await channel().send(saying({ templateId: '449740', templateCode: 'SMS_1', goods: '草莓' }), context())
    expect(tencent.messages).toMatchObject([{ template: '449740', params: [] }])
  })

  it('is refused before the call where a value is missing, or all of the template', async () => {
    const before = tencent.requests.length
    const refused = { status: 'refused', reason: 'content' }
    const free = { ...message, content: { template: 'free', body: '今天的有机青菜到了' } }
    await expect(channel().send(free, context())).resolves.toEqual({
      ...refused,
      detail: 'tencent-sms.template: data.templateId',
    })
    await expect(channel().send(saying({ templateId: '449739', 2: '今晚' }), context())).resolves.toEqual({
      ...refused,
      detail: 'tencent-sms.value: data.1 is missing',
    })
    expect(tencent.requests).toHaveLength(before)
  })

  it.each([[{}], [{ phone: '12345' }]])('is refused before the call where the number is %j', async (traits) => {
    const before = tencent.requests.length
    await expect(channel().send(to(traits), context())).resolves.toMatchObject({
      status: 'refused',
      reason: 'recipient',
    })
    expect(tencent.requests).toHaveLength(before)
  })

  it('to somebody who has opted out at Tencent is refused, although the answer is well', async () => {
    await expect(channel().send(to({ phone: BLOCKED }), context())).resolves.toEqual({
      status: 'refused',
      reason: 'recipient',
      detail: 'tencent-sms.code: FailedOperation.PhoneNumberInBlacklist',
    })
  })

  it('is refused where the keys are wrong, and the secret stands nowhere', async () => {
    const wrong = channel({ secretKey: 'wrong-secret-canary' })
    const result = await wrong.send(message, context())
    expect(result).toEqual({
      status: 'refused',
      reason: 'configuration',
      detail: 'tencent-sms.code: AuthFailure.SignatureFailure',
    })
    expect(inspect([wrong, result, tencent.requests.at(-1)], { depth: 9 })).not.toContain('wrong-secret-canary')
  })
})

const DEFERRED = { status: 'deferred' }
const refused = (reason: string) => ({ status: 'refused', reason })

describe('codes of Tencent Cloud', () => {
  const CODES = [
    ['LimitExceeded.DeliveryFrequencyLimit', DEFERRED],
    ['LimitExceeded.PhoneNumberDailyLimit', DEFERRED],
    ['LimitExceeded.PhoneNumberThirtySecondLimit', DEFERRED],
    ['LimitExceeded.PhoneNumberOneHourLimit', DEFERRED],
    ['LimitExceeded.PhoneNumberSameContentDailyLimit', DEFERRED],
    ['LimitExceeded.AppDailyLimit', DEFERRED],
    ['LimitExceeded.AppMainlandChinaDailyLimit', DEFERRED],
    ['FailedOperation.MarketingSendTimeConstraint', DEFERRED],
    ['RequestLimitExceeded', DEFERRED],
    ['RequestLimitExceeded.UinLimitExceeded', DEFERRED],
    ['FailedOperation.PhoneNumberInBlacklist', refused('recipient')],
    ['InvalidParameterValue.IncorrectPhoneNumber', refused('recipient')],
    ['FailedOperation.TemplateIncorrectOrUnapproved', refused('content')],
    ['FailedOperation.ContainSensitiveWord', refused('content')],
    ['InvalidParameterValue.TemplateParameterLengthLimit', refused('content')],
    ['FailedOperation.SignatureIncorrectOrUnapproved', refused('configuration')],
    ['FailedOperation.InsufficientBalanceInSmsPackage', refused('configuration')],
    ['UnauthorizedOperation.SerivceSuspendDueToArrears', refused('configuration')],
    ['AuthFailure.SignatureExpire', refused('configuration')],
    ['InvalidParameterValue.SdkAppIdNotExist', refused('configuration')],
    ['FailedOperation.SomethingNew', refused('other')],
    ['SomethingNew', refused('other')],
  ] as const
  const UNSAID = ['InternalError.Timeout', 'InternalError.OtherError', 'InternalError.SendAndRecvFail', 'InternalError']

  describe.each(['refuse', 'refuseNumber'] as const)('in an answer to %s', (how) => {
    it.each(CODES)('%s is %j', async (code, outcome) => {
      tencent[how](code)
      const result = await channel().send(message, context())
      expect(result).toMatchObject({ ...outcome, detail: `tencent-sms.code: ${code}` })
    })

    it.each(UNSAID)('%s says nothing of what became of the message', async (code) => {
      tencent[how](code)
      await expect(channel().send(message, context())).rejects.toMatchObject({
        code: 'tencent-sms.outcome_unknown',
        providerCode: code,
      })
    })
  })

  it.each([
    ['2026-03-01T23:10:00+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-02T01:10:00+08:00', '2026-03-02T08:00:00+08:00'],
  ])('have an advertisement of %s wait until %s', async (at, morning) => {
    tencent.refuseNumber('FailedOperation.MarketingSendTimeConstraint')
    await expect(channel().send(message, context(new Date(at)))).resolves.toMatchObject({ retryAt: new Date(morning) })
  })

  it('wait as long as their limit lasts', async () => {
    const at = new Date('2026-03-01T12:00:00+08:00')
    const waits = async (code: string) => {
      tencent.refuseNumber(code)
      const result = await channel().send(message, context(at))
      return result.status === 'deferred' ? (result.retryAt.getTime() - at.getTime()) / 1000 : undefined
    }
    expect(await waits('LimitExceeded.PhoneNumberThirtySecondLimit')).toBe(30)
    expect(await waits('LimitExceeded.PhoneNumberOneHourLimit')).toBe(3600)
  })

  it('mean what the host says they do', async () => {
    const own = channel({ codes: { 'InternalError.Timeout': 'again', 'LimitExceeded.AppDailyLimit': 'configuration' } })
    tencent.refuse('InternalError.Timeout')
    await expect(own.send(message, context())).resolves.toMatchObject(DEFERRED)
    tencent.refuseNumber('LimitExceeded.AppDailyLimit')
    await expect(own.send(message, context())).resolves.toMatchObject(refused('configuration'))
  })
})

describe('an answer of Tencent Cloud that says nothing', () => {
  const entry = { SerialNo: '1', PhoneNumber: '+8613800000001', Code: 'Ok' }
  it.each([
    ['is no JSON', 'take and babble' as const],
    ['has no response', { body: {} }],
    ['has no entries', { body: { Response: { SendStatusSet: [] } } }],
    ['has entries of several numbers', { body: { Response: { SendStatusSet: [entry, entry] } } }],
    ['is an error of the server', { status: 502, body: { message: 'Bad gateway' } }],
  ])('leaves the outcome unknown when it %s', async (_, fault) => {
    tencent.next(fault)
    await expect(channel().send(message, context())).rejects.toMatchObject({ code: 'tencent-sms.outcome_unknown' })
  })

  it.each([429, 503])('but has HTTP %i is a message for later', async (status) => {
    tencent.next({ status, body: 'busy' })
    await expect(channel().send(message, context())).resolves.toMatchObject({ status: 'deferred' })
  })

  it('within the time that one call may take leaves the outcome unknown', async () => {
    tencent.next('take and hang')
    await expect(channel({ timeoutMs: 50 }).send(message, context())).rejects.toMatchObject({
      code: 'tencent-sms.outcome_unknown',
    })
    expect(tencent.messages).toHaveLength(1)
  })
})

describe('options of tencentSms', () => {
  it.each([
    ['secretId', { secretId: '' }],
    ['secretKey', { secretKey: ' ' }],
    ['sdkAppId', { sdkAppId: '' }],
    ['signName', { signName: '' }],
    ['region', { region: '' }],
    ['name', { name: ' ' }],
    ['baseUrl', { baseUrl: 'sms' }],
  ])('refuse a %s that can never work', (option, given) => {
    expect(() => channel(given)).toThrowError(
      expect.objectContaining({ code: 'tencent-sms.option_invalid', message: expect.stringContaining(option) }),
    )
  })
})
