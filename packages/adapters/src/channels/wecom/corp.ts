import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import type { TokenCache } from '../../wechat/access-tokens.js'
import { WechatApi } from '../../wechat/api.js'

export interface WecomCorpOptions {
  /** 企业ID, in the admin console under 我的企业. */
  readonly corpId: string
  /** The secret of a self-built application. To reach customers, it must be listed under 客户联系「可调用接口的应用」. */
  readonly secret: string | Secret
  /** Where processes share the access token. Left out: each fetches its own; WeCom gives all of them the same one. */
  readonly tokens?: TokenCache
  /** Default `https://qyapi.weixin.qq.com`. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

/** The token is invalid, or has expired. */
const STALE_TOKEN = new Set([40014, 42001])
/** A wrong secret, a wrong corp, an address that is not allowed. To ask again and again would block the whole corp. */
const FINAL_TOKEN = new Set([40001, 40013, 40056, 41002, 41004, 60020, 301002, 48002])

/**
 * One application of a company in WeCom (企业微信): what its channels call it by. Keeps one access token.
 *
 * @throws {AdapterError} `wecom.option_invalid`
 * @example
 * const corp = new WecomCorp({ corpId: 'ww…', secret: process.env['WECOM_SECRET'] ?? '' })
 */
export class WecomCorp {
  readonly corpId: string
  readonly api: WechatApi

  constructor(options: WecomCorpOptions) {
    const { corpId, baseUrl = 'https://qyapi.weixin.qq.com', tokens, timeoutMs } = options
    requireText('wecom', 'corpId', corpId, 'the 企业ID of the admin console')
    const secret = requireSecret('wecom', 'secret', options.secret, "the application's Secret")
    this.corpId = corpId
    this.api = new WechatApi({
      adapter: 'wecom',
      baseUrl,
      timeoutMs,
      token: {
        call: () => ({ path: '/cgi-bin/gettoken', query: { corpid: corpId, corpsecret: secret.reveal() } }),
        stale: STALE_TOKEN,
        final: FINAL_TOKEN,
        cache: tokens,
      },
    })
  }
}
