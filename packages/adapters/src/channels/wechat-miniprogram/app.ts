import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import type { TokenCache } from '../../wechat/access-tokens.js'
import { WechatApi } from '../../wechat/api.js'

export interface MiniProgramOptions {
  /** AppID, in the console under 开发管理. */
  readonly appId: string
  /** AppSecret. */
  readonly secret: string | Secret
  /** Where processes share the access token. Left out: each fetches its own; WeChat gives all of them the same one. */
  readonly tokens?: TokenCache
  /** Default `https://api.weixin.qq.com`. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

/** The token is not, or no longer, good. 40001 may mean a wrong secret as well: asked anew, that is told for certain. */
const STALE_TOKEN = new Set([40001, 40014, 42001])
/** A wrong appid or secret, an address that is not allowed, an account that is frozen. */
const FINAL_TOKEN = new Set([40001, 40013, 40125, 40164, 41002, 41004, 50004, 50007])

/**
 * A WeChat mini-program: what its channel calls it by. Keeps one access token, the stable one: to fetch it again leaves the one
 * before it good.
 *
 * Wire format: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
 *
 * @throws {AdapterError} `wechat-miniprogram.option_invalid`
 */
export class MiniProgram {
  readonly appId: string
  readonly api: WechatApi

  constructor(options: MiniProgramOptions) {
    const { appId, baseUrl = 'https://api.weixin.qq.com', tokens, timeoutMs } = options
    requireText(ADAPTER, 'appId', appId, 'the AppID of the console')
    const secret = requireSecret(ADAPTER, 'secret', options.secret, 'the AppSecret')
    const credentials = () => ({ grant_type: 'client_credential', appid: appId, secret: secret.reveal() })
    this.appId = appId
    this.api = new WechatApi({
      adapter: ADAPTER,
      baseUrl,
      timeoutMs,
      token: {
        call: (isForced) => ({ path: '/cgi-bin/stable_token', body: { ...credentials(), force_refresh: isForced } }),
        stale: STALE_TOKEN,
        final: FINAL_TOKEN,
        cache: tokens,
      },
    })
  }
}

/** Begins the codes of errors and details. */
export const ADAPTER = 'wechat-miniprogram'
