import { randomBytes } from 'node:crypto'
import type { Channel, MessageContent, Recipient } from '@linli/core'
import { startDeadline } from '../../http/deadline.js'
import { exchangeJson, type JsonObject } from '../../http/json.js'
import { requireUrl } from '../../http/options.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import { type Refused, textOf, unfit } from '../../http/verdicts.js'
import { type CodeMeaning, noPhone, resultOf, type SmsAnswers } from '../../sms/codes.js'
import { sha256 } from '../../sms/digest.js'
import { mainlandDigits, phoneOf } from '../../sms/phone.js'
import { ALIYUN_VERDICTS } from './codes.js'
import { type AccessKey, acs3Authorization, queryOf } from './sign.js'

/** Begins the codes of errors and details, and is the channel's usual name. */
export const ADAPTER = 'aliyun-sms'

export interface AliyunSmsOptions {
  /** AccessKey ID of a RAM user that may call SendSms and nothing else. */
  readonly accessKeyId: string
  /** Its AccessKey Secret. */
  readonly accessKeySecret: string | Secret
  /** The approved signature (签名), without brackets. `data.signName` of a template names another. */
  readonly signName: string
  /** The channel's name in rules. Default `aliyun-sms`. */
  readonly name?: string
  /** The phone number, in E.164 or as eleven digits of the mainland. Default: the trait `phone`. */
  readonly address?: (to: Recipient) => unknown
  /** What codes of Aliyun's are taken for, where you know better than the table. */
  readonly codes?: Readonly<Record<string, CodeMeaning>>
  /** Default `https://dysmsapi.aliyuncs.com`. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

/** Names of `data` that are no variables of a template, here or in another channel of text messages. */
const RESERVED: ReadonlySet<string> = new Set(['templateCode', 'templateId', 'signName'])
const VARIABLE = /^[A-Za-z_]\w*$/

/**
 * Text messages by Aliyun (阿里云短信服务). It sends approved templates only: `data.templateCode` of a template names Aliyun's
 * (`SMS_…`), and its other fields are the template's variables. The `body` is not sent.
 *
 * A message of unknown outcome is never repeated: Aliyun knows no key that would make it harmless, and cannot be asked by one.
 *
 * Wire format: https://help.aliyun.com/document_detail/419273.html (SendSms, 2017-05-25)
 *
 * @throws {AdapterError} `aliyun-sms.option_invalid`
 */
export function aliyunSms(options: AliyunSmsOptions): Channel {
  const { signName, name = ADAPTER, codes = {}, timeoutMs = 10_000 } = options
  const address = options.address ?? ((to: Recipient) => to.traits['phone'])
  requireText(ADAPTER, 'name', name, 'the name that rules use')
  requireText(ADAPTER, 'accessKeyId', options.accessKeyId, 'the AccessKey ID')
  requireText(ADAPTER, 'signName', signName, 'the approved signature')
  const secret = requireSecret(ADAPTER, 'accessKeySecret', options.accessKeySecret, 'the AccessKey Secret')
  const key = { id: options.accessKeyId, secret }
  const base = requireUrl(ADAPTER, 'baseUrl', options.baseUrl ?? 'https://dysmsapi.aliyuncs.com')
  const answers: SmsAnswers = { adapter: ADAPTER, taken: 'OK', verdicts: ALIYUN_VERDICTS, own: codes, read: answerOf }
  return {
    name,
    repeat: { kind: 'none' },
    async send({ deliveryKey, to, content }, context) {
      const phone = phoneOf(address(to))
      if (phone === undefined) return noPhone(ADAPTER)
      const template = templateOf(content, signName)
      if ('refused' in template) return template.refused
      const query = { PhoneNumbers: mainlandDigits(phone) ?? phone.slice(1), ...template, OutId: deliveryKey }
      const deadline = startDeadline(context.signal, timeoutMs)
      const request = requestOf(base, query, key, context.at)
      const outcome = await exchangeJson({ ...request, signal: deadline.signal }).finally(deadline.clear)
      return resultOf(answers, outcome, context)
    },
  }
}

type Template = Readonly<Record<'SignName' | 'TemplateCode', string>> & { readonly TemplateParam?: string }

function templateOf({ data = {} }: MessageContent, usual: string): Template | { readonly refused: Refused } {
  const { templateCode, signName = usual } = data
  if (templateCode === undefined) return unfit(`${ADAPTER}.template: data.templateCode`)
  const variables = Object.entries(data).filter(([field]) => !RESERVED.has(field) && VARIABLE.test(field))
  return {
    SignName: signName,
    TemplateCode: templateCode,
    ...(variables.length > 0 && { TemplateParam: JSON.stringify(Object.fromEntries(variables)) }),
  }
}

function requestOf(base: URL, query: Readonly<Record<string, string>>, key: AccessKey, at: Date) {
  const headers = {
    host: base.host,
    'x-acs-action': 'SendSms',
    'x-acs-version': '2017-05-25',
    'x-acs-date': `${at.toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': randomBytes(16).toString('hex'),
    'x-acs-content-sha256': sha256(''),
  }
  const authorization = acs3Authorization({ method: 'POST', path: '/', query, headers, body: '' }, key)
  return {
    url: new URL(`/?${queryOf(query)}`, base),
    headers: { ...headers, authorization, accept: 'application/json' },
    body: '',
  }
}

function answerOf(json: JsonObject) {
  const code = textOf(json['Code'])
  return code === undefined ? undefined : { code, id: textOf(json['BizId']) }
}
