import { AdapterError } from '../../http/errors.js'
import { ADAPTER, type MiniProgram } from './app.js'

export interface UrlLinkOptions {
  /** A page of the released mini-program, such as `pages/offer`. */
  readonly path: string
  /** What the page is given, such as `id=fruit-trial`; at most 1,024 characters. */
  readonly query?: string
  /** For how many days it leads there, 1 to 30. Default 30. */
  readonly days?: number
}

/**
 * A link that opens the mini-program from outside WeChat: from an SMS, from a web page. One link serves many people.
 *
 * Wire format: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-link/generateUrlLink.html
 *
 * @throws {AdapterError} `wechat-miniprogram.call_failed`
 */
export async function urlLink(app: MiniProgram, { path, query = '', days = 30 }: UrlLinkOptions): Promise<string> {
  const body = { path, query, expire_type: 1, expire_interval: days }
  const outcome = await app.api.call({ path: '/wxa/generate_urllink', body, signal: new AbortController().signal })
  const link = outcome.kind === 'answered' && outcome.errcode === 0 ? outcome.json['url_link'] : undefined
  if (typeof link === 'string') return link
  const code = outcome.kind === 'answered' ? outcome.errcode : outcome.code
  throw new AdapterError(`${ADAPTER}.call_failed`, `WeChat answered generate_urllink with ${code}.`, code)
}
