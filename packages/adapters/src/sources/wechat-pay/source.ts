import type { Engine } from '@linli/core'
import { thrownCode } from '../../http/errors.js'
import type { Secret } from '../../http/secret.js'
import { type PlatformKey, PlatformKeys } from '../../wechat-pay/platform-keys.js'
import { ResourceCipher } from '../../wechat-pay/resource.js'
import { BodyTooLarge, readBody, type WebHandler } from '../http/handler.js'
import type { EventNames } from '../http/names.js'
import { reply } from '../http/replies.js'
import { eventOf, noticeOf, type PayNotice, type PayPerson, payerOf, usedCoupon } from './notices.js'

/** What became of a notice. `code`: why it became nothing. */
export type PayNoticeOutcome =
  | { readonly became: 'event'; readonly event: string }
  /** A coupon of linli's is marked as used, which is the event `coupon_redeemed`. */
  | { readonly became: 'redeemed' }
  | { readonly became: 'nothing'; readonly code: string }

export interface WechatPaySourceOptions {
  readonly engine: Pick<Engine, 'ingest' | 'redeem'>
  /** What WeChat Pay signs notices with. List the old and the new one while they change. */
  readonly platformKeys: readonly PlatformKey[]
  /** The APIv3 key (APIv3密钥) of the merchant: 32 characters. */
  readonly apiV3Key: string | Secret
  /**
   * What notices are called here, by their types; `false` drops one, for which your own program tells already. Default:
   * `TRANSACTION.SUCCESS` is `order_paid`, `REFUND.SUCCESS` is `order_refunded`, `COUPON.USE` is `coupon_redeemed`.
   */
  readonly names?: EventNames
  /**
   * Whom a notice is about. Default: whoever has the openid that paid. A refund names nobody: find the order
   * (`resource.out_trade_no`), and say whose it is.
   */
  readonly person?: (notice: PayNotice) => PayPerson | undefined | Promise<PayPerson | undefined>
  /** Whether coupons that linli has issued through WeChat Pay are marked as used. Default true. */
  readonly redeems?: boolean
  /** Told of every notice that is WeChat Pay's, after it was taken in. What it fails by is told to `onError`. */
  readonly onNotice?: (notice: PayNotice, outcome: PayNoticeOutcome) => unknown
  /** Default: nothing. */
  readonly onError?: (error: unknown) => void
}

const MOST_BYTES = 256 * 1024
const COUPON_USED = 'COUPON.USE'
const USUAL: EventNames = {
  'TRANSACTION.SUCCESS': 'order_paid',
  'REFUND.SUCCESS': 'order_refunded',
  [COUPON_USED]: 'coupon_redeemed',
}
/** What the engine says of coupons that cannot be redeemed, now or later. */
const NOT_REDEEMED = new Set<unknown>(['coupon.unknown', 'coupon.redeemed', 'coupon.expired'])

/**
 * Takes the notices of WeChat Pay (回调通知): payments, refunds, used coupons. List `openid` in the engine's `identifiers`. A
 * notice that comes again changes nothing.
 *
 * Answers 200 when what it says is durable, also where it is of no use here; 401 to what is not signed by WeChat Pay, or
 * more than 5 minutes ago; 503 where it cannot be taken in: WeChat Pay sends again, for about a day.
 *
 * Wire format: https://pay.weixin.qq.com/doc/v3/merchant/4012071382
 *
 * @throws {AdapterError} `wechat-pay.option_invalid`
 * @example
 * app.post('/wechat-pay', (c) => notices(c.req.raw)) // Hono
 */
export function wechatPaySource(options: WechatPaySourceOptions): WebHandler {
  const { onNotice, onError = () => undefined } = options
  const keys = new PlatformKeys(options.platformKeys)
  const cipher = new ResourceCipher(options.apiV3Key)
  return async (request) => {
    if (request.method !== 'POST') return fail(405, 'Use POST.', { allow: 'POST' })
    try {
      const text = (await readBody(request, MOST_BYTES)).toString('utf8')
      const found = keys.check((name) => request.headers.get(name), text, Date.now())
      if (found !== 'signed') return fail(401, found)
      const notice = noticeOf(text, cipher)
      if (notice === undefined) return fail(400, 'This is no notice.')
      const outcome = await taken(notice, options)
      await Promise.resolve(notice)
        .then((one) => onNotice?.(one, outcome))
        .catch(onError)
      return new Response(null)
    } catch (error) {
      if (error instanceof BodyTooLarge) return fail(413, error.message)
      onError(error)
      return fail(503, 'It cannot be taken in now.')
    }
  }
}

async function taken(notice: PayNotice, options: WechatPaySourceOptions): Promise<PayNoticeOutcome> {
  const { engine, names = {}, redeems = true, person = payerOf } = options
  const { type } = notice
  const event = Object.hasOwn(names, type) ? names[type] : Object.hasOwn(USUAL, type) && USUAL[type]
  if (event === undefined || event === false) return nothing('notice.unused')
  const why = type === COUPON_USED && redeems ? await redeemed(notice, engine) : undefined
  if (why === 'redeemed') return { became: 'redeemed' }
  // A coupon of linli's tells its own event, once.
  if (why !== undefined && why !== 'coupon.unknown') return nothing(why)
  const about = await person(notice)
  if (about === undefined) return nothing(why ?? 'notice.nobody')
  const incoming = eventOf(notice, event, about)
  if (incoming === undefined) return nothing('notice.not_done')
  const { results } = await engine.ingest([incoming])
  const [result] = results
  return result?.status === 'rejected' ? nothing(result.code) : { became: 'event', event }
}

/** Undefined where the notice names no coupon; else `redeemed`, or why it is not. */
async function redeemed(notice: PayNotice, engine: Pick<Engine, 'redeem'>): Promise<string | undefined> {
  const used = usedCoupon(notice)
  if (used === undefined) return undefined
  try {
    await engine.redeem(used.code, { by: used.by, at: used.at })
    return 'redeemed'
  } catch (error) {
    const code = thrownCode(error)
    if (NOT_REDEEMED.has(code)) return String(code)
    throw error
  }
}

function nothing(code: string): PayNoticeOutcome {
  return { became: 'nothing', code }
}

/** As WeChat Pay wants to be told of a failure. */
function fail(status: number, message: string, headers?: Readonly<Record<string, string>>): Response {
  return reply(status, { code: 'FAIL', message }, headers)
}
