import type { Channel, MessageContent, Recipient, SendContext, SendResult } from '@linli/core'
import { beforeAbort } from '../../http/deadline.js'
import { outcomeUnknown } from '../../http/errors.js'
import type { JsonObject } from '../../http/json.js'
import type { ApiOutcome } from '../../wechat/api.js'
import { type Content, resultOf, textOf, tooLong } from '../../wechat/results.js'
import type { WecomCorp } from './corp.js'
import { WECOM_VERDICTS } from './errcodes.js'
import { Gathered } from './gathered.js'
import { groupSendId } from './group-send-id.js'

/** Whom a group message goes to: one customer, or one customer group (客户群). */
export interface GroupSendAddress {
  readonly kind: 'customer' | 'group'
  /** A customer's external_userid, or a group's chat_id. */
  readonly id: string
  /** The userid of the member who is to confirm it. A group needs one: its owner. */
  readonly sender?: string
}

export interface WecomGroupSendOptions {
  readonly corp: WecomCorp
  /** The channel's name in rules. Default `wecom-group-send`. */
  readonly name?: string
  /**
   * Default: of a user the traits `externalUserId` and `wecomSender`; of a community `wecomChatId` and `wecomSender`.
   * Undefined: there is none.
   */
  readonly address?: (to: Recipient) => GroupSendAddress | undefined
  /**
   * Messages of the same words by the same sender that come within so many milliseconds are one task, so that the member
   * confirms once for all. Default 1,000.
   */
  readonly gatherMs?: number
}

interface Task {
  readonly to: GroupSendAddress
  readonly content: JsonObject
}

/** 4,000 bytes is what WeCom takes as the text of a group message. */
const LONGEST_TEXT = 4000
/** So many groups may be in one task; of customers, five times as many. */
const MOST = 2000

/**
 * Group messages to customers and to customer groups (企业群发). WeCom sends nothing by itself: it asks a member, who
 * confirms; so a message that it took is `awaiting_person`. What became of it is asked by `groupSendReceipts`.
 * The provider's id of a message is `msgid:recipient`.
 *
 * `data.link` of a template adds a link (with `data.linkTitle`), `data.appid` with `data.page` and `data.cover` a card of
 * a mini-program.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/92135
 */
export function wecomGroupSendChannel(options: WecomGroupSendOptions): Channel {
  const { corp, name = 'wecom-group-send', address = addressOf, gatherMs = 1000 } = options
  const gathered = new Gathered<Task, ApiOutcome>({
    gatherMs,
    most: MOST,
    call: (tasks) => createTask(corp, tasks),
  })
  return {
    name,
    // A task has no key. The other half of a call that broke off can be looked for by `findGroupSends`, by a person.
    repeat: { kind: 'none' },
    async send(message, context) {
      const to = address(message.to)
      if (to === undefined) {
        return { status: 'refused', reason: 'recipient', detail: 'wecom.no_address: neither customer nor group' }
      }
      const prepared = contentOf(message.content)
      if ('refused' in prepared) return prepared.refused
      const batch = JSON.stringify([to.kind, to.sender, prepared.body])
      const task = { to, content: prepared.body }
      const outcome = await waitFor(gathered.add(batch, to.id, task, context.signal), context)
      return resultOf('wecom', outcome, context, WECOM_VERDICTS, (json) => taken(json, to.id))
    },
    close: async () => gathered.flushAll(),
  }
}

/** The task goes on without whoever does not wait for it. */
async function waitFor(outcome: Promise<ApiOutcome | undefined>, { signal }: SendContext): Promise<ApiOutcome> {
  const known = await beforeAbort(outcome, signal).catch(() => {
    throw outcomeUnknown('wecom', 'nobody waited for the answer')
  })
  return known ?? { kind: 'not_sent', code: 'ABORTED', isFinal: false }
}

function createTask({ api }: WecomCorp, tasks: readonly Task[]): Promise<ApiOutcome> {
  const [first] = tasks
  const ids = tasks.map(({ to }) => to.id)
  const { kind, sender } = first?.to ?? { kind: 'customer', sender: undefined }
  const recipients =
    kind === 'group' ? { chat_type: 'group', chat_id_list: ids } : { chat_type: 'single', external_userid: ids }
  const body = { ...recipients, ...(sender !== undefined && { sender }), ...first?.content }
  return api.call({ path: '/cgi-bin/externalcontact/add_msg_template', body, signal: new AbortController().signal })
}

function taken(json: JsonObject, id: string): SendResult {
  const { fail_list: failed, msgid } = json
  if (Array.isArray(failed) && failed.includes(id)) {
    return { status: 'refused', reason: 'recipient', detail: 'wecom.fail_list' }
  }
  const task = textOf(msgid)
  return { status: 'awaiting_person', ...(task !== undefined && { providerId: groupSendId(task, id) }) }
}

function addressOf({ kind, traits }: Recipient): GroupSendAddress | undefined {
  const { wecomSender, externalUserId, wecomChatId } = traits
  const sender = textOf(wecomSender)
  const id = textOf(kind === 'community' ? wecomChatId : externalUserId)
  if (id === undefined || (kind === 'community' && sender === undefined)) return undefined
  return { kind: kind === 'community' ? 'group' : 'customer', id, ...(sender !== undefined && { sender }) }
}

function contentOf({ title, body, data = {} }: MessageContent): Content {
  const content = title === undefined ? body : `${title}\n${body}`
  return (
    tooLong('wecom', content, LONGEST_TEXT) ?? {
      body: { text: { content }, attachments: [...linkOf(data, title), ...cardOf(data, title)] },
    }
  )
}

type Data = NonNullable<MessageContent['data']>

function linkOf({ link, linkTitle }: Data, title: string | undefined): readonly JsonObject[] {
  if (link === undefined) return []
  return [{ msgtype: 'link', link: { title: linkTitle ?? title ?? link, url: link } }]
}

function cardOf({ appid, page, cover }: Data, title = ''): readonly JsonObject[] {
  if (appid === undefined || page === undefined || cover === undefined) return []
  return [{ msgtype: 'miniprogram', miniprogram: { title, pic_media_id: cover, appid, page } }]
}
