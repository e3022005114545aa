export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
export type { CodeMeaning } from '../../sms/codes.js'
export { type AliyunSmsOptions, aliyunSms } from './channel.js'
