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
 * Takes what Tencent Cloud posts: what became of messages (状态回执), as receipts by their SerialNo, and what people answer
 * (短信回复); who answers `TD` or another word of refusal is sent no more promotions. One address serves both.
 *
 * Answers 200 when all is durable, 401 without the secret, and 503 where it cannot be taken in now.
 *
 * Wire format: https://cloud.tencent.com/document/api/382/5807, api/382/5809
 *
 * @throws {AdapterError} `tencent-sms.option_invalid`
 * @example
 * app.post('/tencent/:secret', (c) => callbacks(c.req.raw)) // Hono
 */
export function tencentSmsCallbacks(options: SmsCallbackOptions): WebHandler {
  const answer = (isTaken: boolean) => ({ result: isTaken ? 0 : 1, errmsg: isTaken ? 'OK' : 'not taken' })
  return smsCallbacks({ adapter: ADAPTER, hear, answer }, options)
}

/** Reports come in lists, replies alone; either way is taken. */
function hear(body: unknown, channel: string): Heard | undefined {
  const records = [body]
    .flat()
    .map(asObject)
    .filter((record) => record !== undefined)
  if (records.length === 0 && !Array.isArray(body)) return undefined
  return {
    receipts: records.flatMap((record) => receiptOf(record, channel) ?? []),
    replies: records.flatMap((record) => replyOf(record) ?? []),
  }
}

function receiptOf(record: JsonObject, channel: string): Receipt | undefined {
  const { report_status: status, user_receive_time: time, errmsg } = record
  const providerId = textOf(record['sid'])
  if ((status !== 'SUCCESS' && status !== 'FAIL') || providerId === undefined) return undefined
  const at = beijingTime(time)
  const detail = textOf(errmsg)
  return {
    channel,
    providerId,
    says: status === 'SUCCESS' ? 'delivered' : 'failed',
    ...(at !== undefined && { at }),
    ...(status === 'FAIL' && detail !== undefined && { detail }),
  }
}

function replyOf({ mobile, nationcode, text, time }: JsonObject): SmsReply | undefined {
  const phone = phoneOf(`+${textOf(nationcode) ?? '86'}${textOf(mobile) ?? ''}`)
  if (phone === undefined || typeof text !== 'string') return undefined
  const at = typeof time === 'number' && Number.isSafeInteger(time) && time > 0 ? new Date(time * 1000) : undefined
  return { phone, text, at, id: JSON.stringify([time, text]) }
}
