import type { Receipt } from '@linli/core'
import { asObject, type JsonObject } from '../../http/json.js'
import { textOf } from '../../http/verdicts.js'
import { type Heard, type SmsCallbackOptions, smsCallbacks } from '../../sms/callbacks.js'
import type { SmsReply } from '../../sms/opt-out.js'
import { phoneOf } from '../../sms/phone.js'
import { beijingTime } from '../../sms/times.js'
import type { WebHandler } from '../../sources/http/handler.js'
import { ADAPTER } from './channel.js'

/**
 * Takes what Aliyun posts (HTTP批量推送模式): what became of messages (SmsReport), as receipts, and what people answer (SmsUp);
 * who answers `R` or another word of refusal is sent no more promotions. One address serves both.
 *
 * Answers 200 when all is durable, 401 without the secret, and 503 where it cannot be taken in now: Aliyun posts again after 1,
 * 5 and 10 minutes.
 *
 * Wire format: https://help.aliyun.com/document_detail/101867.html, document_detail/60127.html
 *
 * @throws {AdapterError} `aliyun-sms.option_invalid`
 * @example
 * app.post('/aliyun/:secret', (c) => callbacks(c.req.raw)) // Hono
 */
export function aliyunSmsCallbacks(options: SmsCallbackOptions): WebHandler {
  const answer = (isTaken: boolean) => ({ code: isTaken ? 0 : 1, msg: isTaken ? '成功' : '失败' })
  return smsCallbacks({ adapter: ADAPTER, hear, answer }, options)
}

function hear(body: unknown, channel: string): Heard | undefined {
  if (!Array.isArray(body)) return undefined
  const records = body.map(asObject).filter((record) => record !== undefined)
  return {
    receipts: records.flatMap((record) => receiptOf(record, channel) ?? []),
    replies: records.flatMap((record) => replyOf(record) ?? []),
  }
}

function receiptOf(record: JsonObject, channel: string): Receipt | undefined {
  const { success, report_time: time, err_code: code, out_id: outId, biz_id: bizId } = record
  if (success === undefined) return undefined
  const deliveryKey = textOf(outId)
  const providerId = textOf(bizId)
  if (deliveryKey === undefined && providerId === undefined) return undefined
  const at = beijingTime(time)
  const isDelivered = success === true || success === 'true'
  const detail = textOf(code)
  return {
    ...(deliveryKey !== undefined ? { deliveryKey } : { channel, providerId: providerId ?? '' }),
    says: isDelivered ? 'delivered' : 'failed',
    ...(at !== undefined && { at }),
    ...(!isDelivered && detail !== undefined && { detail }),
  }
}

function replyOf(record: JsonObject): SmsReply | undefined {
  const phone = phoneOf(record['phone_number'])
  const text = record['content']
  if (phone === undefined || typeof text !== 'string') return undefined
  const id = JSON.stringify([record['sequence_id'], record['send_time'], text])
  return { phone, text, at: beijingTime(record['send_time']), id }
}
