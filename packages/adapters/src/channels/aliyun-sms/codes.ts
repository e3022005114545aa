import { again, refuse } from '../../http/verdicts.js'
import { type SmsVerdict, type SmsVerdicts, UNKNOWN } from '../../sms/codes.js'

const SECOND_MS = 1000
const HOUR_MS = 60 * 60 * SECOND_MS

const CONFIGURATION = refuse('configuration')
const CONTENT = refuse('content')

/**
 * What Aliyun's codes mean for a message. An error of the platform's own (`isp.`) does not say whether the message went out.
 *
 * Sources: https://help.aliyun.com/document_detail/101346.html, document_detail/55284.html; of `Throttling`, and of the keys'
 * and the signature's codes, the error centre of the platform (not in the pages of the service).
 */
export const ALIYUN_VERDICTS: SmsVerdicts = new Map<string, SmsVerdict>([
  // The number has had its share: of a minute, an hour, or a rolling day.
  ['isv.BUSINESS_LIMIT_CONTROL', again(HOUR_MS)],
  ['Throttling', again(SECOND_MS)],
  ['ServiceUnavailable', again(SECOND_MS)],
  // The limits of a day or a month, and the balance, are the shop's own to raise.
  ['isv.DAY_LIMIT_CONTROL', CONFIGURATION],
  ['isv.MONTH_LIMIT_CONTROL', CONFIGURATION],
  ['isv.OUT_OF_SERVICE', CONFIGURATION],
  ['isv.AMOUNT_NOT_ENOUGH', CONFIGURATION],
  ['isv.SMS_SIGN_ILLEGAL', CONFIGURATION],
  ['isv.SMS_SIGNATURE_ILLEGAL', CONFIGURATION],
  ['isv.SMS_SIGNATURE_SCENE_ILLEGAL', CONFIGURATION],
  ['isv.SIGN_STATE_ILLEGAL', CONFIGURATION],
  ['isv.EXTEND_CODE_ERROR', CONFIGURATION],
  ['isv.DENY_IP_RANGE', CONFIGURATION],
  ['isp.RAM_PERMISSION_DENY', CONFIGURATION],
  ['isv.PRODUCT_UN_SUBSCRIPT', CONFIGURATION],
  ['isv.PRODUCT_UNSUBSCRIBE', CONFIGURATION],
  ['isv.ACCOUNT_NOT_EXISTS', CONFIGURATION],
  ['isv.ACCOUNT_ABNORMAL', CONFIGURATION],
  ['InvalidAccessKeyId', CONFIGURATION],
  ['SignatureDoesNotMatch', CONFIGURATION],
  ['IncompleteSignature', CONFIGURATION],
  // The clocks are more than 15 minutes apart.
  ['InvalidTimeStamp', CONFIGURATION],
  ['Forbidden', CONFIGURATION],
  ['NoPermission', CONFIGURATION],
  ['isv.SMS_CONTENT_ILLEGAL', CONTENT],
  ['isv.SMS_TEMPLATE_ILLEGAL', CONTENT],
  ['isv.DOMESTIC_NUMBER_NOT_SUPPORTED', CONTENT],
  ['isv.TEMPLATE_MISSING_PARAMETERS', CONTENT],
  ['isv.TEMPLATE_PARAMS_ILLEGAL', CONTENT],
  ['isv.INVALID_JSON_PARAM', CONTENT],
  ['isv.INVALID_PARAMETERS', CONTENT],
  ['isv.BLACK_KEY_CONTROL_LIMIT', CONTENT],
  ['isv.PARAM_LENGTH_LIMIT', CONTENT],
  ['isv.PARAM_NOT_SUPPORT_URL', CONTENT],
  ['isv.MOBILE_NUMBER_ILLEGAL', refuse('recipient')],
  // Somebody has handed this very request in before, and of that one nothing is known.
  ['SignatureNonceUsed', UNKNOWN],
  ['InternalError', UNKNOWN],
  ['isp', UNKNOWN],
  ['isv', refuse('other')],
])
