export {
  type FakeAliyunMessage,
  type FakeAliyunSms,
  type FakeAliyunSmsOptions,
  startFakeAliyunSms,
} from './fake-aliyun-sms.js'
export { type CallbackOptions, callbackRequest } from './fake-callbacks.js'
export type { FakeFavorCoupon, FakeFavorStock } from './fake-favor.js'
export {
  type FakeMiniProgram,
  type FakeMiniProgramOptions,
  type FakeSubscribeMessage,
  startFakeMiniProgram,
} from './fake-miniprogram.js'
export { type FakeModel, type FakeModelOptions, startFakeModel } from './fake-model.js'
export { FAKE_PAY_ERRORS, type FakePayError, type FakePayErrorName } from './fake-pay-errors.js'
export type { FakePaySignature } from './fake-pay-keys.js'
export { FakePlatform } from './fake-platform.js'
export { type FakeAnswer, type FakeFault, type FakeHandler, type FakeRequest, FakeServer } from './fake-server.js'
export {
  type FakeMail,
  type FakeSmtp,
  type FakeSmtpFault,
  type FakeSmtpOptions,
  type FakeSmtpPoint,
  startFakeSmtp,
} from './fake-smtp.js'
export {
  type FakeTencentMessage,
  type FakeTencentSms,
  type FakeTencentSmsOptions,
  startFakeTencentSms,
} from './fake-tencent-sms.js'
export {
  type FakeNoticeOptions,
  type FakeWechatPay,
  type FakeWechatPayOptions,
  startFakeWechatPay,
} from './fake-wechat-pay.js'
export {
  type FakeGroupMember,
  type FakeWecom,
  type FakeWecomOptions,
  type FakeWecomTaken,
  startFakeWecom,
} from './fake-wecom.js'
