import type { Channel, MessageContent, Recipient } from '@linli/core'
import { startDeadline } from '../../http/deadline.js'
import { asObject, exchangeJson, type JsonObject } from '../../http/json.js'
import { requireUrl } from '../../http/options.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import { type Refused, textOf, unfit } from '../../http/verdicts.js'
import { type CodeMeaning, noPhone, resultOf, type SmsAnswers } from '../../sms/codes.js'
import { phoneOf } from '../../sms/phone.js'
import { TENCENT_VERDICTS } from './codes.js'
import { type SecretKey, secondsOf, tc3Authorization } from './sign.js'

/** Begins the codes of errors and details, and is the channel's usual name. */
export const ADAPTER = 'tencent-sms'

export interface TencentSmsOptions {
  /** SecretId of a sub-user that may call SendSms and nothing else. */
  readonly secretId: string
  /** Its SecretKey. */
  readonly secretKey: string | Secret
  /** SmsSdkAppId, in the console under 应用管理. */
  readonly sdkAppId: string
  /** The approved signature (签名), without brackets. `data.signName` of a template names another. */
  readonly signName: string
  /** The channel's name in rules. Default `tencent-sms`. */
  readonly name?: string
  /** The phone number, in E.164 or as eleven digits of the mainland. Default: the trait `phone`. */
  readonly address?: (to: Recipient) => unknown
  /** What codes of Tencent's are taken for, where you know better than the table. */
  readonly codes?: Readonly<Record<string, CodeMeaning>>
  /** Default `ap-guangzhou`. */
  readonly region?: string
  /** Default `https://sms.tencentcloudapi.com`. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

const CONTENT_TYPE = 'application/json'

/**
 * Text messages by Tencent Cloud (腾讯云短信). It sends approved templates only: `data.templateId` of a template names Tencent's,
 * and its fields `1`, `2` … are what stands at `{1}`, `{2}` …. The `body` is not sent.
 *
 * A message of unknown outcome is never repeated: Tencent knows no key that would make it harmless, and cannot be asked by one.
 *
 * Wire format: https://cloud.tencent.com/document/api/382/55981 (SendSms, 2021-01-11)
 *
 * @throws {AdapterError} `tencent-sms.option_invalid`
 */
export function tencentSms(options: TencentSmsOptions): Channel {
  const { name = ADAPTER, region = 'ap-guangzhou', codes = {}, timeoutMs = 10_000 } = options
  const address = options.address ?? ((to: Recipient) => to.traits['phone'])
  requireText(ADAPTER, 'name', name, 'the name that rules use')
  requireText(ADAPTER, 'secretId', options.secretId, 'the SecretId')
  requireText(ADAPTER, 'sdkAppId', options.sdkAppId, 'the SmsSdkAppId')
  requireText(ADAPTER, 'signName', options.signName, 'the approved signature')
  requireText(ADAPTER, 'region', region, 'a region such as ap-guangzhou')
  const key = requireSecret(ADAPTER, 'secretKey', options.secretKey, 'the SecretKey')
  const secret = { id: options.secretId, key }
  const base = requireUrl(ADAPTER, 'baseUrl', options.baseUrl ?? 'https://sms.tencentcloudapi.com')
  const answers: SmsAnswers = { adapter: ADAPTER, taken: 'Ok', verdicts: TENCENT_VERDICTS, own: codes, read: answerOf }
  return {
    name,
    repeat: { kind: 'none' },
    async send({ deliveryKey, to, content }, context) {
      const phone = phoneOf(address(to))
      if (phone === undefined) return noPhone(ADAPTER)
      const template = templateOf(content, options.signName)
      if ('refused' in template) return template.refused
      const body = JSON.stringify({
        PhoneNumberSet: [phone],
        SmsSdkAppId: options.sdkAppId,
        ...template,
        SessionContext: deliveryKey,
      })
      const headers = headersOf(base, region, body, secret, context.at)
      const deadline = startDeadline(context.signal, timeoutMs)
      const request = { url: new URL('/', base), headers, body, signal: deadline.signal }
      const outcome = await exchangeJson(request).finally(deadline.clear)
      return resultOf(answers, outcome, context)
    },
  }
}

interface Template {
  readonly TemplateId: string
  readonly SignName: string
  readonly TemplateParamSet?: readonly string[]
}

function templateOf({ data = {} }: MessageContent, usual: string): Template | { readonly refused: Refused } {
  const { templateId, signName = usual } = data
  if (templateId === undefined) return unfit(`${ADAPTER}.template: data.templateId`)
  const count = Math.max(0, ...Object.keys(data).map((field) => (/^[1-9]\d?$/.test(field) ? Number(field) : 0)))
  const values: string[] = []
  for (let place = 1; place <= count; place++) {
    const value = data[place]
    if (value === undefined) return unfit(`${ADAPTER}.value: data.${place} is missing`)
    values.push(value)
  }
  return { TemplateId: templateId, SignName: signName, ...(count > 0 && { TemplateParamSet: values }) }
}

function headersOf({ host, hostname }: URL, region: string, body: string, secret: SecretKey, at: Date) {
  const service = hostname.split('.')[0] ?? ''
  return {
    host,
    'content-type': CONTENT_TYPE,
    'x-tc-action': 'SendSms',
    'x-tc-version': '2021-01-11',
    'x-tc-region': region,
    'x-tc-timestamp': secondsOf(at),
    authorization: tc3Authorization({ service, host, contentType: CONTENT_TYPE, body, at }, secret),
  }
}

/** It answers 200 to everything: what became of the one number stands in its own entry. */
function answerOf({ Response: response }: JsonObject) {
  const answer = asObject(response)
  const said = answer && (asObject(answer['Error']) ?? entryOf(answer))
  return answer && { code: textOf(said?.['Code']), id: textOf(said?.['SerialNo']) }
}

/** The entry of the number; undefined where there is not exactly one. */
function entryOf({ SendStatusSet: entries }: JsonObject): JsonObject | undefined {
  return Array.isArray(entries) && entries.length === 1 ? asObject(entries[0]) : undefined
}
