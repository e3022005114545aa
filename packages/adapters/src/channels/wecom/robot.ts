import type { Channel, MessageContent, Recipient } from '@linli/core'
import { requireSecret, type Secret } from '../../http/secret.js'
import { WechatApi } from '../../wechat/api.js'
import { type Content, resultOf, tooLong, unfit } from '../../wechat/results.js'
import { WECOM_VERDICTS } from './errcodes.js'

export interface WecomRobotOptions {
  /** The `key` of the robot's webhook address; or where each recipient's stands, undefined where it has none. It is a secret. */
  readonly key: string | Secret | ((to: Recipient) => string | undefined)
  /** The channel's name in rules. Default `wecom-robot`. */
  readonly name?: string
  /** Default `https://qyapi.weixin.qq.com`. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

const LONGEST: ReadonlyMap<string, number> = new Map([
  ['text', 2048],
  ['markdown', 4096],
])

/**
 * A robot in an internal group (消息推送, formerly 群机器人): for those who run the shop, not for customers. WeCom takes 20
 * messages a minute from each; whether that is any minute or one of the clock it does not say, so one leaves every 3 seconds.
 * `data.format` of a template is `text` (default) or `markdown`.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/91770
 *
 * @throws {AdapterError} `wecom.option_invalid`
 */
export function wecomRobotChannel(options: WecomRobotOptions): Channel {
  const { name = 'wecom-robot', baseUrl = 'https://qyapi.weixin.qq.com', timeoutMs } = options
  const keyOf = readKey(options.key)
  const api = new WechatApi({ adapter: 'wecom', baseUrl, timeoutMs })
  return {
    name,
    // It takes no key that would make a repeat harmless, and cannot be asked.
    repeat: { kind: 'none' },
    rate: { max: 1, perMs: 3000 },
    async send({ to, content }, context) {
      const key = keyOf(to)
      if (key === undefined) return { status: 'refused', reason: 'recipient', detail: 'wecom.no_address: no robot' }
      const prepared = contentOf(content)
      if ('refused' in prepared) return prepared.refused
      const call = { path: '/cgi-bin/webhook/send', query: { key }, ...prepared, signal: context.signal }
      return resultOf('wecom', await api.call(call), context, WECOM_VERDICTS, () => ({ status: 'accepted' }))
    },
  }
}

function readKey(key: WecomRobotOptions['key']): (to: Recipient) => string | undefined {
  if (typeof key === 'function') return key
  const secret = requireSecret('wecom', 'key', key, "the key of the robot's address")
  return () => secret.reveal()
}

function contentOf({ title, body, data = {} }: MessageContent): Content {
  const { format = 'text' } = data
  const most = LONGEST.get(format)
  if (most === undefined) return unfit('wecom.format: not one of text, markdown')
  const content = title === undefined ? body : `${title}\n${body}`
  return tooLong('wecom', content, most) ?? { body: { msgtype: format, [format]: { content } } }
}
