import { createHash, createHmac } from 'node:crypto'
import { parseObject } from '../http/json.js'
import { beijingText } from '../sms/times.js'
import { FakePlatform } from './fake-platform.js'
import type { FakeAnswer, FakeRequest } from './fake-server.js'
import { postTo } from './post-to.js'

export interface FakeTencentSmsOptions {
  readonly secretId?: string
  readonly secretKey?: string
  readonly sdkAppId?: string
  /** Approved signatures. Default `邻里生鲜`. */
  readonly signs?: readonly string[]
  /** Approved templates, and how many values each has. Default: any, with any. */
  readonly templates?: Readonly<Record<string, number>>
  /** Numbers that have opted out. */
  readonly blocked?: readonly string[]
  /** The time there, which reports and answers name. Default: the machine's. */
  readonly now?: () => Date
  readonly port?: number
}

/** A message that Tencent Cloud took. */
export interface FakeTencentMessage {
  readonly serialNo: string
  readonly phone: string
  readonly sign: string
  readonly template: string
  readonly params: readonly string[]
  readonly sessionContext: string | undefined
}

/**
 * A Tencent Cloud on this machine, for text messages: it checks signatures, and tells a callback what became of messages and
 * what people answer. Nothing of it reaches Tencent.
 *
 * @example
 * const tencent = await startFakeTencentSms()
 * const sms = tencentSms({ ...tencent.credentials, signName: '邻里生鲜', baseUrl: tencent.url })
 */
export async function startFakeTencentSms(options: FakeTencentSmsOptions = {}): Promise<FakeTencentSms> {
  const tencent = new FakeTencentSms(options)
  await tencent.listen(options.port)
  return tencent
}

type Sent = Readonly<Record<string, unknown>>

export class FakeTencentSms extends FakePlatform {
  readonly credentials: { readonly secretId: string; readonly secretKey: string; readonly sdkAppId: string }
  /** Everything it took, in order. It knows no repeats: who sends twice has sent twice. */
  readonly messages: FakeTencentMessage[] = []
  readonly #signs: readonly string[]
  readonly #now: () => Date
  readonly #templates: FakeTencentSmsOptions['templates']
  readonly #blocked: ReadonlySet<string>

  constructor(options: FakeTencentSmsOptions) {
    super()
    const { secretId = 'AKID-fake', secretKey = 'fake-tencent-secret', sdkAppId = '1400006666' } = options
    this.credentials = { secretId, secretKey, sdkAppId }
    this.#signs = options.signs ?? ['邻里生鲜']
    this.#templates = options.templates
    this.#now = options.now ?? (() => new Date())
    this.#blocked = new Set(options.blocked)
  }

  /** The next request is not done: all of it is answered with this code. */
  refuse(code: string): void {
    this.next({ body: { Response: { Error: { Code: code, Message: 'fake' }, RequestId: 'fake' } } })
  }

  /** The next message is not sent: its number has this code, in an answer that is well. */
  refuseNumber(code: string): void {
    const entry = {
      SerialNo: '',
      PhoneNumber: '',
      Fee: 0,
      SessionContext: '',
      Code: code,
      Message: 'fake',
      IsoCode: '',
    }
    this.next({ body: { Response: { SendStatusSet: [entry], RequestId: 'fake' } } })
  }

  /** Posts what became of one message (状态回执). Gives the status of the answer. */
  report(callback: string, { serialNo, phone }: FakeTencentMessage, errmsg = 'DELIVRD'): Promise<number> {
    const status = errmsg === 'DELIVRD' ? 'SUCCESS' : 'FAIL'
    const base = { user_receive_time: beijingText(this.#now()), nationcode: '86', mobile: phone.slice(3) }
    return postTo(callback, [{ ...base, report_status: status, errmsg, description: '', sid: serialNo }])
  }

  /** Posts what somebody of the mainland answered (短信回复). Gives the status of the answer. */
  reply(callback: string, mobile: string, text: string): Promise<number> {
    const seconds = Math.floor(this.#now().getTime() / 1000)
    return postTo(callback, { extend: '', mobile, nationcode: '86', sign: this.#signs[0], text, time: seconds })
  }

  protected answer(request: FakeRequest): FakeAnswer {
    const problem = this.#problemOf(request)
    const body = parseObject(request.body)
    const answer =
      problem === undefined && body !== undefined ? this.#send(body) : { Error: { Code: problem, Message: 'fake' } }
    return { body: { Response: { ...answer, RequestId: 'fake' } } }
  }

  #problemOf(request: FakeRequest): string | undefined {
    const { headers } = request
    const { secretId, secretKey } = this.credentials
    const form =
      /^TC3-HMAC-SHA256 Credential=([^/]+)\/([^/]+)\/([^/]+)\/tc3_request, SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/
    const found = form.exec(String(headers['authorization']))
    if (found === null) return 'AuthFailure.InvalidAuthorization'
    const [, id, date = '', service = '', signed = '', signature] = found
    if (id !== secretId) return 'AuthFailure.SecretIdNotFound'
    // The official SDK signs the host without its port.
    const hosts = [String(headers['host']), String(headers['host']).replace(/:\d+$/, '')]
    const isSigned = hosts.some((host) => {
      const said = { ...request, headers: { ...headers, host } }
      return signature === signatureOf(said, { date, service, signed, secretKey })
    })
    if (!isSigned) return 'AuthFailure.SignatureFailure'
    if (headers['x-tc-region'] === undefined) return 'MissingParameter'
    return headers['x-tc-action'] === 'SendSms' && headers['x-tc-version'] === '2021-01-11'
      ? undefined
      : 'InvalidAction'
  }

  #send(body: Sent): Sent {
    if (body['SmsSdkAppId'] !== this.credentials.sdkAppId) {
      return { Error: { Code: 'UnauthorizedOperation.SmsSdkAppIdVerifyFail', Message: 'fake' } }
    }
    const phones = body['PhoneNumberSet'] as readonly string[]
    return { SendStatusSet: phones.map((phone) => this.#sendTo(phone, body)) }
  }

  #sendTo(phone: string, body: Sent): Sent {
    const params = (body['TemplateParamSet'] ?? []) as readonly string[]
    const session = body['SessionContext']
    const base = { PhoneNumber: phone, SessionContext: session ?? '', Message: 'fake', IsoCode: 'CN' }
    const problem = this.#problemWith(phone, body, params.length)
    if (problem !== undefined) return { ...base, SerialNo: '', Fee: 0, Code: problem }
    const serialNo = `5000:${this.messages.length + 1}`
    const sign = String(body['SignName'])
    const sessionContext = typeof session === 'string' ? session : undefined
    this.messages.push({ serialNo, phone, sign, template: String(body['TemplateId']), params, sessionContext })
    return { ...base, SerialNo: serialNo, Fee: 1, Code: 'Ok' }
  }

  #problemWith(phone: string, body: Sent, values: number): string | undefined {
    if (!/^\+\d{7,15}$/.test(phone)) return 'InvalidParameterValue.IncorrectPhoneNumber'
    if (this.#blocked.has(phone)) return 'FailedOperation.PhoneNumberInBlacklist'
    if (!this.#signs.includes(String(body['SignName']))) return 'FailedOperation.SignatureIncorrectOrUnapproved'
    const wanted = this.#templates === undefined ? values : this.#templates[String(body['TemplateId'])]
    return wanted === values ? undefined : 'FailedOperation.TemplateIncorrectOrUnapproved'
  }
}

/** What should stand in the request, worked out from what came. */
function signatureOf(
  { method, path, headers, body }: FakeRequest,
  { date, service, signed, secretKey }: Readonly<Record<'date' | 'service' | 'signed' | 'secretKey', string>>,
): string {
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name]).toLowerCase()}\n`)
  const hash = createHash('sha256').update(body).digest('hex')
  const canonical = [method, path, '', lines.join(''), signed, hash].join('\n')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const scope = `${date}/${service}/tc3_request`
  const key = [date, service, 'tc3_request'].reduce<string | Buffer>(
    (last, text) => createHmac('sha256', last).update(text).digest(),
    `TC3${secretKey}`,
  )
  const toSign = `TC3-HMAC-SHA256\n${String(headers['x-tc-timestamp'])}\n${scope}\n${digest}`
  return createHmac('sha256', key).update(toSign).digest('hex')
}
