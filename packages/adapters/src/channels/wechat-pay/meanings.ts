import type { IssueRefusal, IssueResult, SendContext } from '@linli/core'
import { deferred } from '../../http/deferral.js'
import { outcomeUnknown } from '../../http/errors.js'
import type { PayOutcome, PayRefusal } from '../../wechat-pay/merchant.js'
import { ADAPTER } from '../../wechat-pay/names.js'

/**
 * What an error of WeChat Pay means for a coupon: why there is none, now or later; `again`, that it was not issued and may be
 * tried again; `unknown`, that it may have been issued.
 */
export type PayMeaning = IssueRefusal | 'again' | 'unknown'

/** Meanings by WeChat Pay's words (`RULE_LIMIT`), and by the numbers at the end of `Request-ID` (`270079534`). */
export type PayMeanings = Readonly<Record<string, PayMeaning>>

/**
 * By number and by word. A number counts before a word: words are coarse.
 *
 * Words: https://pay.weixin.qq.com/doc/v3/merchant/4012463767. Numbers: https://pay.weixin.qq.com/doc/v3/partner/4020807413
 */
export const FAVOR_MEANINGS: PayMeanings = {
  // The openid is of another appid.
  270079501: 'recipient',
  // This merchant and this appid do not belong together; this merchant may not give coupons of this stock.
  270079507: 'configuration',
  270079509: 'configuration',
  // The person has their share.
  270079532: 'limit',
  // The activity has not begun, or is over; its budget is used up.
  270079533: 'exhausted',
  270079534: 'exhausted',
  // Too many calls.
  268461336: 'again',
  // Something broke in there.
  272888874: 'unknown',

  PARAM_ERROR: 'configuration',
  APPID_MCHID_NOT_MATCH: 'configuration',
  MCH_NOT_EXISTS: 'configuration',
  SIGN_ERROR: 'configuration',
  NO_AUTH: 'configuration',
  RESOURCE_NOT_EXISTS: 'configuration',
  REQUEST_BLOCKED: 'exhausted',
  NOT_ENOUGH: 'exhausted',
  RULE_LIMIT: 'limit',
  USER_AL_GET_COUPON: 'limit',
  USER_ACCOUNT_ABNORMAL: 'recipient',
  FREQUENCY_LIMITED: 'again',
  FREQUENCY_LIMIT_EXCEED: 'again',
  RATELIMIT_EXCEEDED: 'again',
  SYSTEM_ERROR: 'unknown',
}

/** What a word without a meaning of its own says, which is `INVALID_REQUEST`: by what stands in its sentence. */
const BY_SENTENCE: readonly (readonly [string, PayMeaning])[] = [
  // More than 5,000 yuan of coupons of one merchant in one month: a rule against money laundering.
  ['暂时无法领取', 'limit'],
  ['活动已结束或未激活', 'exhausted'],
  ['OpenID与AppID不匹配', 'recipient'],
  ['非法的商户号', 'configuration'],
  ['频率', 'again'],
]

/** Not before a second: WeChat Pay's own advice for what is too much, or broken. */
const LEAST_MS = 1000

/** The result of a call that gives a coupon; `codeOf` reads what it is called. @throws {AdapterError} `wechat-pay.outcome_unknown` */
export function issued(
  outcome: PayOutcome,
  context: SendContext,
  own: PayMeanings,
  codeOf: (json: Extract<PayOutcome, { kind: 'done' }>['json']) => string | undefined,
): IssueResult {
  if (outcome.kind === 'unknown') throw outcomeUnknown(ADAPTER, outcome.code)
  if (outcome.kind === 'not_sent') return deferred(context, `${ADAPTER}.not_sent: ${outcome.code}`)
  if (outcome.kind === 'done') {
    const code = codeOf(outcome.json)
    if (code === undefined) throw outcomeUnknown(ADAPTER, 'the answer names no coupon')
    return { status: 'accepted', code }
  }
  const { retryAfter } = outcome
  const said = saidIn(outcome)
  const meaning = meaningOf(outcome, own)
  if (meaning === 'unknown') throw outcomeUnknown(ADAPTER, said, outcome.code)
  const detail = `${ADAPTER}.error: ${said}`
  if (meaning === 'again') return deferred(context, detail, { retryAfter, leastMs: LEAST_MS })
  return { status: 'refused', reason: meaning, detail }
}

/** An error as it may be logged: status, word and number, but not the sentence. */
export function saidIn({ status, code, number }: PayRefusal): string {
  return [status, code, number].filter((part) => part !== undefined && part !== '').join(' ')
}

export function meaningOf({ status, code, number, message }: PayRefusal, own: PayMeanings): PayMeaning {
  const meanings = [own, FAVOR_MEANINGS]
  const keys = [number === undefined ? '' : String(number), code]
  for (const key of keys) {
    const found = meanings.find((one) => Object.hasOwn(one, key))?.[key]
    if (found !== undefined) return found
  }
  if (status === 429) return 'again'
  if (status === 401) return 'configuration'
  return BY_SENTENCE.find(([part]) => message.includes(part))?.[1] ?? 'other'
}
