import type { Receipt } from '@linli/core'
import { AdapterError } from '../../http/errors.js'
import type { JsonObject } from '../../http/json.js'
import { textOf } from '../../wechat/results.js'
import type { WecomCorp } from './corp.js'
import { groupSendId } from './group-send-id.js'

/** A group message that was created in a stretch of time. */
export interface GroupSend {
  readonly msgid: string
  readonly createdAt: Date
  readonly creator: string | undefined
  readonly text: string
}

export interface GroupSendRange {
  readonly chat: 'customer' | 'group'
  readonly from: Date
  /** At most a month after `from`. */
  readonly until: Date
  readonly signal?: AbortSignal
}

const PAGE = 100

/**
 * Group messages that were created in a stretch of time: for whoever has to find out whether a call that broke off made
 * one. Gives all that WeCom lists, of this channel or of others.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/93338
 *
 * @throws {AdapterError} `wecom.call_failed`
 */
export async function* findGroupSends(corp: WecomCorp, range: GroupSendRange): AsyncGenerator<GroupSend> {
  const { chat, from, until, signal } = range
  const asked = {
    chat_type: chat === 'group' ? 'group' : 'single',
    start_time: Math.floor(from.getTime() / 1000),
    end_time: Math.floor(until.getTime() / 1000),
    filter_type: 2,
  }
  for await (const row of pages(corp, 'get_groupmsg_list_v2', asked, 'group_msg_list', signal)) {
    const { msgid, create_time: seconds, creator, text } = row
    const content = typeof text === 'object' && text !== null && 'content' in text ? text.content : ''
    yield {
      msgid: String(msgid),
      createdAt: new Date(Number(seconds) * 1000),
      creator: textOf(creator),
      text: String(content),
    }
  }
}

export interface GroupSendReceiptsOptions {
  readonly corp: WecomCorp
  /** The channel's name in rules. Default `wecom-group-send`. */
  readonly channel?: string
  /** The task: what stands before the `:` of a message's `providerId`. */
  readonly msgid: string
  readonly signal?: AbortSignal
}

/**
 * What became of one task, by recipient: `delivered`, or `failed` where the customer has left or had their share of group
 * messages. Whoever has not been sent to yet has no receipt. WeCom calls nobody back: ask now and then, and hand what
 * comes to `engine.receive`; what it knows already changes nothing.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/93338
 *
 * @throws {AdapterError} `wecom.call_failed`
 */
export async function* groupSendReceipts(options: GroupSendReceiptsOptions): AsyncGenerator<Receipt> {
  const { corp, msgid, channel = 'wecom-group-send', signal } = options
  for await (const { userid } of pages(corp, 'get_groupmsg_task', { msgid }, 'task_list', signal)) {
    const asked = { msgid, userid }
    for await (const row of pages(corp, 'get_groupmsg_send_result', asked, 'send_list', signal)) {
      const { external_userid: customer, chat_id: chat, status, send_time: seconds } = row
      const fate = FATES.get(status)
      const recipient = textOf(chat) ?? textOf(customer)
      if (fate === undefined || recipient === undefined) continue
      const at = typeof seconds === 'number' && seconds > 0 ? { at: new Date(seconds * 1000) } : {}
      yield { channel, providerId: groupSendId(msgid, recipient), ...fate, ...at }
    }
  }
}

/** 0 is: not sent yet. */
const FATES: ReadonlyMap<unknown, Pick<Receipt, 'says' | 'detail'>> = new Map([
  [1, { says: 'delivered' }],
  [2, { says: 'failed', detail: 'not a contact any more' }],
  [3, { says: 'failed', detail: 'the customer has had their share of group messages' }],
] as const)

/** Reminds the members who have yet to confirm a task: WeCom takes three reminders in 24 hours. @throws {AdapterError} `wecom.call_failed` */
export async function remindGroupSend(corp: WecomCorp, msgid: string, signal?: AbortSignal): Promise<void> {
  await ask(corp, 'remind_groupmsg_send', { msgid }, signal)
}

/** Takes a task back from members who have not confirmed it; what is sent stays sent. @throws {AdapterError} `wecom.call_failed` */
export async function cancelGroupSend(corp: WecomCorp, msgid: string, signal?: AbortSignal): Promise<void> {
  await ask(corp, 'cancel_groupmsg_send', { msgid }, signal)
}

async function* pages(
  corp: WecomCorp,
  method: string,
  asked: JsonObject,
  list: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<JsonObject> {
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const json = await ask(corp, method, { ...asked, limit: PAGE, ...(cursor !== undefined && { cursor }) }, signal)
    const rows = json[list]
    if (Array.isArray(rows)) yield* rows as JsonObject[]
    cursor = textOf(json['next_cursor'])
  }
}

async function ask(
  { api }: WecomCorp,
  method: string,
  body: JsonObject,
  signal: AbortSignal = new AbortController().signal,
): Promise<JsonObject> {
  const outcome = await api.call({ path: `/cgi-bin/externalcontact/${method}`, body, signal })
  if (outcome.kind === 'answered' && outcome.errcode === 0) return outcome.json
  const code = outcome.kind === 'answered' ? outcome.errcode : outcome.code
  throw new AdapterError('wecom.call_failed', `WeCom answered ${method} with ${code}.`, code)
}
