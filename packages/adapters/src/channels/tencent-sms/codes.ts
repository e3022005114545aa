import { again, refuse } from '../../http/verdicts.js'
import { MORNING, type SmsVerdict, type SmsVerdicts, UNKNOWN } from '../../sms/codes.js'

const SECOND_MS = 1000
const HOUR_MS = 60 * 60 * SECOND_MS

const CONFIGURATION = refuse('configuration')
const CONTENT = refuse('content')
const RECIPIENT = refuse('recipient')

/**
 * What Tencent Cloud's codes mean for a message. An `InternalError` does not say whether the message went out, unless it says
 * what was wrong with the request.
 *
 * Sources: https://cloud.tencent.com/document/api/382/59177, api/382/38780, api/382/52075
 */
export const TENCENT_VERDICTS: SmsVerdicts = new Map<string, SmsVerdict>([
  // The number, or the shop, has had its share.
  ['LimitExceeded', again(HOUR_MS)],
  ['LimitExceeded.PhoneNumberThirtySecondLimit', again(30 * SECOND_MS)],
  ['LimitExceeded.AppCountryOrRegionInBlacklist', CONFIGURATION],
  ['RequestLimitExceeded', again(SECOND_MS)],
  ['FailedOperation.MarketingSendTimeConstraint', MORNING],
  // Who has opted out at the provider or at the carrier.
  ['FailedOperation.PhoneNumberInBlacklist', RECIPIENT],
  ['FailedOperation.PhoneNumberParseFail', RECIPIENT],
  ['InvalidParameterValue.IncorrectPhoneNumber', RECIPIENT],
  ['UnsupportedOperation.UnsuportedRegion', RECIPIENT],
  ['FailedOperation.TemplateIncorrectOrUnapproved', CONTENT],
  ['FailedOperation.TemplateUnapprovedOrNotExist', CONTENT],
  ['FailedOperation.TemplateParamSetNotMatchApprovedTemplate', CONTENT],
  ['FailedOperation.TemplateIdNotExist', CONTENT],
  ['FailedOperation.ContainSensitiveWord', CONTENT],
  ['InvalidParameterValue', CONTENT],
  ['InvalidParameter', CONTENT],
  ['InvalidParameterValue.SdkAppIdNotExist', CONFIGURATION],
  ['InvalidParameter.AppidAndBizId', CONFIGURATION],
  ['UnsupportedOperation', CONTENT],
  ['FailedOperation.SignatureIncorrectOrUnapproved', CONFIGURATION],
  ['FailedOperation.InsufficientBalanceInSmsPackage', CONFIGURATION],
  ['FailedOperation', refuse('other')],
  ['UnauthorizedOperation', CONFIGURATION],
  // Among them SignatureExpire: the clocks are more than five minutes apart.
  ['AuthFailure', CONFIGURATION],
  ['IpInBlacklist', CONFIGURATION],
  ['IpNotInWhitelist', CONFIGURATION],
  ['MissingParameter', CONFIGURATION],
  ['UnsupportedRegion', CONFIGURATION],
  ['InternalError.RequestTimeException', CONFIGURATION],
  ['InternalError.RestApiInterfaceNotExist', CONFIGURATION],
  ['InternalError.SigFieldMissing', CONFIGURATION],
  ['InternalError.SigVerificationFail', CONFIGURATION],
  ['InternalError.JsonParseFail', CONTENT],
  // Timeout (60008), OtherError, SendAndRecvFail …
  ['InternalError', UNKNOWN],
])
