import type { Channel, MessageContent, Recipient, SendResult } from '@linli/core'
import { optionInvalid } from '../../http/errors.js'
import type { JsonObject } from '../../http/json.js'
import { type Content, resultOf, textOf, tooLong, unfit } from '../../wechat/results.js'
import type { WecomCorp } from './corp.js'
import { WECOM_VERDICTS } from './errcodes.js'

export interface WecomAppOptions {
  readonly corp: WecomCorp
  /** The application's AgentId. */
  readonly agentId: number
  /** The channel's name in rules. Default `wecom-app`. */
  readonly name?: string
  /** The member's userid. Default: the trait `wecomUserId`. */
  readonly address?: (to: Recipient) => unknown
  /**
   * For how many seconds WeCom drops a request that says exactly what one before it said: 1 to 14,400. Within it a call of
   * unknown outcome is repeated by itself; but two messages of the same words to one member then arrive as one. Left out:
   * such a call is parked for a person to decide.
   */
  readonly duplicateCheckSeconds?: number
}

const LONGEST_TEXT = 2048

/**
 * Messages of an application to a company's own members (应用消息): how a leader who is a member is reached. `data.format`
 * of a template chooses between `text` (default), `markdown` and `card`; a card has a `title` and leads to `data.url`, or to
 * `data.page` of the mini-program `data.appid`.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/90236
 *
 * @throws {AdapterError} `wecom.option_invalid`
 */
export function wecomAppChannel(options: WecomAppOptions): Channel {
  const { corp, agentId, name = 'wecom-app' } = options
  const address = options.address ?? ((to: Recipient) => to.traits['wecomUserId'])
  const check = duplicateCheck(options)
  return {
    name,
    repeat:
      check === undefined ? { kind: 'none' } : { kind: 'idempotent', windowMs: check.duplicate_check_interval * 1000 },
    async send(message, context) {
      const userId = address(message.to)
      if (typeof userId !== 'string' || userId === '') {
        return { status: 'refused', reason: 'recipient', detail: 'wecom.no_address: the recipient has no userid' }
      }
      const content = contentOf(message.content)
      if ('refused' in content) return content.refused
      // No time and no key stands in it: a repeat must say the same, byte for byte.
      const body = { touser: userId, agentid: agentId, ...content.body, ...check }
      const outcome = await corp.api.call({ path: '/cgi-bin/message/send', body, signal: context.signal })
      return resultOf('wecom', outcome, context, WECOM_VERDICTS, (json) => taken(json, userId))
    },
  }
}

function duplicateCheck({ duplicateCheckSeconds: seconds }: WecomAppOptions) {
  if (seconds === undefined) return undefined
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 14_400) {
    throw optionInvalid('wecom', 'duplicateCheckSeconds', String(seconds), 'a whole number from 1 to 14,400')
  }
  return { enable_duplicate_check: 1, duplicate_check_interval: seconds }
}

/** It took the call; whom it knows no way to stands beside. Userids come back in lower case. */
function taken(json: JsonObject, userId: string): SendResult {
  const lists = (name: string) =>
    textOf(json[name])
      ?.split('|')
      .some((one) => one.toLowerCase() === userId.toLowerCase()) ?? false
  if (lists('invaliduser')) return { status: 'refused', reason: 'recipient', detail: 'wecom.invaliduser' }
  if (lists('unlicenseduser')) return { status: 'refused', reason: 'configuration', detail: 'wecom.unlicenseduser' }
  const providerId = textOf(json['msgid'])
  return { status: 'accepted', ...(providerId !== undefined && { providerId }) }
}

function contentOf({ title, body, data = {} }: MessageContent): Content {
  const { format = 'text', url, appid, page } = data
  const text = title === undefined || format === 'card' ? body : `${title}\n${body}`
  const refused = tooLong('wecom', text, LONGEST_TEXT)
  if (refused !== undefined) return refused
  if (format === 'text') return { body: { msgtype: 'text', text: { content: text } } }
  if (format === 'markdown') return { body: { msgtype: 'markdown', markdown: { content: text } } }
  if (format === 'card') return cardOf(title, body, { url, appid, page })
  return unfit('wecom.format: not one of text, markdown, card')
}

function cardOf(
  title: string | undefined,
  body: string,
  { url, appid, page }: Readonly<Partial<Record<'url' | 'appid' | 'page', string | undefined>>>,
): Content {
  if (title === undefined || (appid === undefined && url === undefined)) {
    return unfit('wecom.card: a card needs a title, and data.url or data.appid')
  }
  const action =
    appid !== undefined ? { type: 2, appid, ...(page !== undefined && { pagepath: page }) } : { type: 1, url }
  const card = { card_type: 'text_notice', main_title: { title }, sub_title_text: body, card_action: action }
  return { body: { msgtype: 'template_card', template_card: card } }
}
