import { parseObject } from '../http/json.js'
import { type CallbackOptions, callbackRequest } from './fake-callbacks.js'
import { FakePlatform } from './fake-platform.js'
import type { FakeAnswer, FakeRequest } from './fake-server.js'

export interface FakeMiniProgramOptions {
  readonly appId?: string
  readonly secret?: string
  /** How many messages of each template everybody allows at first. Default 0. */
  readonly allowed?: number
  readonly port?: number
}

/** A message that WeChat took. */
export interface FakeSubscribeMessage {
  readonly openid: string
  readonly templateId: string
  readonly page: string | undefined
  readonly data: Readonly<Record<string, { readonly value: string }>>
}

/** A WeChat on this machine, for the messages of a mini-program: one consent, one message. */
export async function startFakeMiniProgram(options: FakeMiniProgramOptions = {}): Promise<FakeMiniProgram> {
  const wechat = new FakeMiniProgram(options)
  await wechat.listen(options.port)
  return wechat
}

export class FakeMiniProgram extends FakePlatform {
  readonly appId: string
  readonly secret: string
  readonly messages: FakeSubscribeMessage[] = []
  tokensGiven = 0
  readonly #consents = new Map<string, number>()
  readonly #allowed: number
  #token: string | undefined

  constructor({ appId = 'wx-fake', secret = 'fake-app-secret', allowed = 0 }: FakeMiniProgramOptions) {
    super()
    this.appId = appId
    this.secret = secret
    this.#allowed = allowed
  }

  /** Somebody allows so many messages of a template. */
  allow(openid: string, templateId: string, count = 1): void {
    const key = `${openid} ${templateId}`
    this.#consents.set(key, (this.#consents.get(key) ?? this.#allowed) + count)
  }

  /** Its token is not good any more. */
  expireToken(): void {
    this.#token = undefined
  }

  /** Pushes a message to your server, as the console's 消息推送 does. `fields`: what it says, such as `Event` and `List`. */
  push(url: string, fields: Readonly<Record<string, unknown>>, options: CallbackOptions): Promise<Response> {
    return fetch(callbackRequest(url, fields, options))
  }

  protected answer({ path, query, body: text }: FakeRequest): FakeAnswer {
    const body = parseObject(text) ?? {}
    if (path === '/cgi-bin/stable_token') return { body: this.#giveToken(body) }
    if (this.#token === undefined || query['access_token'] !== this.#token) return { body: { errcode: 40001 } }
    if (path === '/cgi-bin/message/subscribe/send') return { body: this.#send(body) }
    if (path === '/wxa/generate_urllink') return { body: { errcode: 0, url_link: 'https://wxaurl.cn/fake' } }
    return { status: 404, body: 'no such path' }
  }

  #giveToken(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    if (body['appid'] !== this.appId) return { errcode: 40013 }
    if (body['secret'] !== this.secret) return { errcode: 40125 }
    if (this.#token === undefined || body['force_refresh'] === true) {
      this.tokensGiven += 1
      this.#token = `fake-token-${this.tokensGiven}`
    }
    return { access_token: this.#token, expires_in: 7200 }
  }

  #send(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const {
      touser,
      template_id: templateId,
      page,
      data,
    } = body as Readonly<Record<string, string>> & {
      readonly data: FakeSubscribeMessage['data']
    }
    const key = `${touser} ${templateId}`
    const left = this.#consents.get(key) ?? this.#allowed
    if (left === 0) return { errcode: 43101 }
    this.#consents.set(key, left - 1)
    this.messages.push({ openid: String(touser), templateId: String(templateId), page, data })
    return { errcode: 0, errmsg: 'ok', msgid: this.messages.length }
  }
}
