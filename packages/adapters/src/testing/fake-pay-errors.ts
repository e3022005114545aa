/** An error of WeChat Pay, as it stands in an answer. */
export interface FakePayError {
  readonly status: number
  readonly code: string
  readonly message: string
  /** At the end of `Request-ID`. */
  readonly number?: number
}

/** Errors of coupons by the names that they have in WeChat Pay's documentation; numbers where a word says too little. */
export const FAKE_PAY_ERRORS = {
  PARAM_ERROR: { status: 400, code: 'PARAM_ERROR', message: '参数错误' },
  APPID_MCHID_NOT_MATCH: { status: 400, code: 'APPID_MCHID_NOT_MATCH', message: '商户号与AppID不匹配' },
  MCH_NOT_EXISTS: { status: 400, code: 'MCH_NOT_EXISTS', message: '商户号不合法' },
  INVALID_REQUEST: { status: 400, code: 'INVALID_REQUEST', message: 'HTTP 请求不符合微信支付 APIv3 接口规则' },
  'INVALID_REQUEST 暂时无法领取': { status: 400, code: 'INVALID_REQUEST', message: '暂时无法领取，请联系商家处理。' },
  'INVALID_REQUEST 活动已结束或未激活': { status: 400, code: 'INVALID_REQUEST', message: '活动已结束或未激活' },
  'INVALID_REQUEST OpenID与AppID不匹配': { status: 400, code: 'INVALID_REQUEST', message: 'OpenID与AppID不匹配' },
  'INVALID_REQUEST 非法的商户号': { status: 400, code: 'INVALID_REQUEST', message: '非法的商户号' },
  'INVALID_REQUEST 频率': { status: 400, code: 'INVALID_REQUEST', message: '超过频率限制，请稍后再试' },
  SIGN_ERROR: { status: 401, code: 'SIGN_ERROR', message: '验证不通过' },
  REQUEST_BLOCKED: { status: 403, code: 'REQUEST_BLOCKED', message: '活动未开始或已结束', number: 270079533 },
  RULE_LIMIT: { status: 403, code: 'RULE_LIMIT', message: '用户已达最大领券次数', number: 270079532 },
  USER_AL_GET_COUPON: { status: 403, code: 'USER_AL_GET_COUPON', message: '超过自然人最大限领数' },
  USER_ACCOUNT_ABNORMAL: { status: 403, code: 'USER_ACCOUNT_ABNORMAL', message: '用户非法' },
  NOT_ENOUGH: { status: 403, code: 'NOT_ENOUGH', message: '批次预算不足', number: 270079534 },
  RESOURCE_NOT_EXISTS: { status: 404, code: 'RESOURCE_NOT_EXISTS', message: '批次不存在' },
  FREQUENCY_LIMITED: { status: 429, code: 'FREQUENCY_LIMITED', message: '频率限制', number: 268461336 },
  FREQUENCY_LIMIT_EXCEED: { status: 429, code: 'FREQUENCY_LIMIT_EXCEED', message: '频率超限' },
  SYSTEM_ERROR: { status: 500, code: 'SYSTEM_ERROR', message: '系统繁忙，请稍后重试', number: 272888874 },
  '270079501': { status: 400, code: 'INVALID_REQUEST', message: '参数错误', number: 270079501 },
  '270079507': { status: 400, code: 'INVALID_REQUEST', message: '参数错误', number: 270079507 },
  '270079509': { status: 403, code: 'REQUEST_BLOCKED', message: '无权发放', number: 270079509 },
} as const satisfies Readonly<Record<string, FakePayError>>

export type FakePayErrorName = keyof typeof FAKE_PAY_ERRORS
