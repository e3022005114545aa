import { createHash, createHmac } from 'node:crypto'
import { parseObject } from '../http/json.js'
import { beijingText } from '../sms/times.js'
import { FakePlatform } from './fake-platform.js'
import type { FakeAnswer, FakeRequest } from './fake-server.js'
import { postTo } from './post-to.js'

export interface FakeAliyunSmsOptions {
  readonly accessKeyId?: string
  readonly accessKeySecret?: string
  /** Approved signatures. Default `邻里生鲜`. */
  readonly signs?: readonly string[]
  /** Approved templates, with their variables. Default: any, with any. */
  readonly templates?: Readonly<Record<string, readonly string[]>>
  /** The time there, which reports and answers name. Default: the machine's. */
  readonly now?: () => Date
  readonly port?: number
}

/** A message that Aliyun took. */
export interface FakeAliyunMessage {
  readonly bizId: string
  readonly phone: string
  readonly sign: string
  readonly template: string
  readonly params: Readonly<Record<string, unknown>>
  readonly outId: string | undefined
}

/**
 * An Aliyun on this machine, for text messages: it checks signatures, and tells a callback what became of messages and what
 * people answer. Nothing of it reaches Aliyun.
 *
 * @example
 * const aliyun = await startFakeAliyunSms()
 * const sms = aliyunSms({ ...aliyun.credentials, signName: '邻里生鲜', baseUrl: aliyun.url })
 */
export async function startFakeAliyunSms(options: FakeAliyunSmsOptions = {}): Promise<FakeAliyunSms> {
  const aliyun = new FakeAliyunSms(options)
  await aliyun.listen(options.port)
  return aliyun
}

export class FakeAliyunSms extends FakePlatform {
  readonly credentials: { readonly accessKeyId: string; readonly accessKeySecret: string }
  /** Everything it took, in order. It knows no repeats: who sends twice has sent twice. */
  readonly messages: FakeAliyunMessage[] = []
  readonly #signs: readonly string[]
  readonly #now: () => Date
  readonly #templates: FakeAliyunSmsOptions['templates']
  readonly #nonces = new Set<string>()
  #uplinks = 0

  constructor(options: FakeAliyunSmsOptions) {
    super()
    const { accessKeyId = 'LTAI-fake', accessKeySecret = 'fake-aliyun-secret', signs = ['邻里生鲜'] } = options
    this.credentials = { accessKeyId, accessKeySecret }
    this.#signs = signs
    this.#templates = options.templates
    this.#now = options.now ?? (() => new Date())
  }

  /** The next request is answered with this code, and not done. Errors of the gateway have a status other than 200. */
  refuse(code: string, status = 200): void {
    this.next({ status, body: { Code: code, Message: 'fake', RequestId: 'fake' } })
  }

  /** Posts a delivery report (SmsReport) of one message. Gives the status of the answer. */
  report(callback: string, { bizId, phone, outId }: FakeAliyunMessage, errCode = 'DELIVERED'): Promise<number> {
    const at = beijingText(this.#now())
    const success = errCode === 'DELIVERED'
    const base = { phone_number: phone, send_time: at, report_time: at, success, err_code: errCode, err_msg: '' }
    return postTo(callback, [{ ...base, sms_size: '1', biz_id: bizId, ...(outId !== undefined && { out_id: outId }) }])
  }

  /** Posts what somebody answered (SmsUp). Gives the status of the answer. */
  reply(callback: string, phone: string, content: string): Promise<number> {
    this.#uplinks += 1
    const base = { phone_number: phone, send_time: beijingText(this.#now()), content, sign_name: this.#signs[0] }
    return postTo(callback, [{ ...base, dest_code: '1234', sequence_id: this.#uplinks }])
  }

  protected answer(request: FakeRequest): FakeAnswer {
    const problem = this.#problemOf(request)
    if (problem !== undefined) return { status: 400, body: { Code: problem, Message: 'fake', RequestId: 'fake' } }
    return { body: { Message: 'fake', RequestId: 'fake', ...this.#send(request.query) } }
  }

  #problemOf(request: FakeRequest): string | undefined {
    const { headers, body } = request
    const authorization = String(headers['authorization'])
    const found = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
    if (found === null) return 'IncompleteSignature'
    const [, id, signed = '', signature] = found
    if (id !== this.credentials.accessKeyId) return 'InvalidAccessKeyId.NotFound'
    if (headers['x-acs-content-sha256'] !== createHash('sha256').update(body).digest('hex'))
      return 'SignatureDoesNotMatch'
    if (signature !== signatureOf(request, signed, this.credentials.accessKeySecret)) return 'SignatureDoesNotMatch'
    if (headers['x-acs-action'] !== 'SendSms' || headers['x-acs-version'] !== '2017-05-25')
      return 'InvalidAction.NotFound'
    const nonce = String(headers['x-acs-signature-nonce'])
    if (this.#nonces.has(nonce)) return 'SignatureNonceUsed'
    this.#nonces.add(nonce)
    return undefined
  }

  #send({ PhoneNumbers: phone = '', SignName: sign = '', TemplateCode: template = '', ...rest }: FakeRequest['query']) {
    if (!/^(1\d{10}|[2-9]\d{6,14})$/.test(phone)) return { Code: 'isv.MOBILE_NUMBER_ILLEGAL' }
    if (!this.#signs.includes(sign)) return { Code: 'isv.SMS_SIGNATURE_ILLEGAL' }
    const variables = this.#templates === undefined ? [] : this.#templates[template]
    if (variables === undefined || !template.startsWith('SMS_')) return { Code: 'isv.SMS_TEMPLATE_ILLEGAL' }
    const params = parseObject(rest['TemplateParam'] ?? '{}')
    if (params === undefined) return { Code: 'isv.INVALID_JSON_PARAM' }
    if (variables.some((name) => !(name in params))) return { Code: 'isv.TEMPLATE_MISSING_PARAMETERS' }
    const bizId = `9006${this.messages.length + 1}^0`
    this.messages.push({ bizId, phone, sign, template, params, outId: rest['OutId'] })
    return { Code: 'OK', BizId: bizId }
  }
}

/** What should stand in the request, worked out from what came. */
function signatureOf({ method, path, query, headers, body }: FakeRequest, signed: string, secret: string): string {
  const strict = (text: string) =>
    [...Buffer.from(text)]
      .map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percent(byte)))
      .join('')
  const pairs = Object.entries(query).map(([name, value]) => `${strict(name)}=${strict(value)}`)
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name])}\n`)
  const hash = createHash('sha256').update(body).digest('hex')
  const canonical = `${method}\n${path}\n${pairs.sort().join('&')}\n${lines.join('')}\n${signed}\n${hash}`
  const digest = createHash('sha256').update(canonical).digest('hex')
  return createHmac('sha256', secret).update(`ACS3-HMAC-SHA256\n${digest}`).digest('hex')
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}
