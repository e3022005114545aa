import type { IncomingEvent, Receipt } from '@linli/core'
import { asObject, type JsonObject, parseObject } from '../../http/json.js'
import { textOf } from '../../wechat/results.js'
import { readXmlTree } from '../../wechat/xml.js'
import { idFor } from '../http/ids.js'

/** What a mini-program's server pushes (消息推送): an event or a message of somebody. */
export interface MiniProgramMessage {
  /** `subscribe_msg_popup_event` …; a message of the customer service has none. */
  readonly event: string | undefined
  /** Of whom. */
  readonly openid: string
  readonly at: Date
  /** All that it says. */
  readonly fields: JsonObject
}

/** A body in XML or JSON, whichever the console says; undefined where it is neither. */
export function readBodyText(text: string): JsonObject | undefined {
  return text.trimStart().startsWith('<') ? readXmlTree(text) : parseObject(text)
}

export function messageOf(fields: JsonObject): MiniProgramMessage | undefined {
  const openid = textOf(fields['FromUserName'])
  const seconds = Number(fields['CreateTime'])
  if (openid === undefined || !Number.isSafeInteger(seconds) || seconds <= 0) return undefined
  return { event: textOf(fields['Event']), openid, at: new Date(seconds * 1000), fields }
}

/** What happened to one template: somebody answered about it, or a message of it was sent. */
export interface Subscription {
  readonly templateId: string
  /** The same for a message that comes again, and for no other. */
  readonly once: string
  readonly says:
    | { readonly what: 'accepted' | 'rejected'; readonly scene: 'popup' | 'settings' }
    | { readonly what: 'sent'; readonly providerId: string; readonly errorCode: string }
}

/**
 * What a message says of subscriptions. One template stands there by itself, several in a list; in XML within an element of the
 * event's name.
 *
 * Wire format: https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/subscribe-message.html
 */
export function subscriptionsOf({ event, openid, at, fields }: MiniProgramMessage): readonly Subscription[] {
  return itemsIn(fields).flatMap((item) => {
    const templateId = textOf(item['TemplateId'])
    const says = templateId === undefined ? undefined : saysOf(event, item)
    if (templateId === undefined || says === undefined) return []
    const id = says.what === 'sent' ? [says.providerId] : [says.what, textOf(item['PopupScene'])]
    const once = idFor('wechat-miniprogram', JSON.stringify([openid, event, at.getTime(), templateId, ...id]))
    return [{ templateId, once, says }]
  })
}

const HOLDERS = ['SubscribeMsgPopupEvent', 'SubscribeMsgChangeEvent', 'SubscribeMsgSentEvent']

function itemsIn(fields: JsonObject): readonly JsonObject[] {
  const holder = HOLDERS.map((name) => fields[name]).find((one) => one !== undefined)
  const found = fields['List'] ?? asObject(holder)?.['List'] ?? holder
  const list: readonly unknown[] = Array.isArray(found) ? found : [found]
  return list.map(asObject).filter((one) => one !== undefined)
}

function saysOf(event: string | undefined, item: JsonObject): Subscription['says'] | undefined {
  if (event === 'subscribe_msg_sent_event') {
    const [providerId, errorCode] = [textOf(item['MsgID'] ?? item['MsgId']), textOf(item['ErrorCode'])]
    return providerId === undefined || errorCode === undefined ? undefined : { what: 'sent', providerId, errorCode }
  }
  const answer = textOf(item['SubscribeStatusString'])
  const what = answer === 'accept' ? 'accepted' : answer === 'reject' ? 'rejected' : undefined
  if (what === undefined) return undefined
  if (event === 'subscribe_msg_popup_event') return { what, scene: 'popup' }
  return event === 'subscribe_msg_change_event' ? { what, scene: 'settings' } : undefined
}

export function eventOf({ openid, at }: MiniProgramMessage, { templateId, once, says }: Subscription): IncomingEvent[] {
  if (says.what === 'sent') return []
  return [
    {
      messageId: once,
      timestamp: at,
      context: { externalIds: [{ type: 'openid', id: openid }] },
      event: `subscribe_${says.what}`,
      properties: { templateId, scene: says.scene },
    },
  ]
}

export function receiptOf({ at }: MiniProgramMessage, { says }: Subscription, channel: string): Receipt[] {
  if (says.what !== 'sent') return []
  const { providerId, errorCode } = says
  const name = { channel, providerId, at }
  return [
    errorCode === '0' ? { ...name, says: 'delivered' } : { ...name, says: 'failed', detail: `errcode ${errorCode}` },
  ]
}
