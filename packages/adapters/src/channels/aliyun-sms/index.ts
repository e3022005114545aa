// Send text messages

export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
// Take reports and refusals in
export type { SmsCallbackOptions } from '../../sms/callbacks.js'
export type { CodeMeaning } from '../../sms/codes.js'
export { OPT_OUT_WORDS, type OptOutOptions, type Person } from '../../sms/opt-out.js'
export { fastifyRoute, nodeListener, type WebHandler } from '../../sources/http/handler.js'
export { aliyunSmsCallbacks } from './callbacks.js'
export { type AliyunSmsOptions, aliyunSms } from './channel.js'
