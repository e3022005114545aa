import type { WecomCorp } from '../../channels/wecom/corp.js'
import { AdapterError } from '../../http/errors.js'
import { asObject, type JsonObject } from '../../http/json.js'
import type { ApiOutcome } from '../../wechat/api.js'
import { textOf } from '../../wechat/results.js'
import type { GroupMember, KnownGroup } from './group-members.js'

/** 1 and 2 are invitations, by a member or by a link; 3 is a QR code. */
const SCENES: ReadonlyMap<unknown, string> = new Map([
  [1, 'invited'],
  [2, 'link'],
  [3, 'code'],
])
/** `type` of a member who is none of the company's. */
const EXTERNAL = 2

/**
 * Who is in a group now.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/92122 (获取客户群详情)
 *
 * @throws {AdapterError} `wecom.group_unreadable`
 */
export async function readGroup({ api }: WecomCorp, chatId: string, signal: AbortSignal): Promise<KnownGroup> {
  const body = { chat_id: chatId, need_name: 0 }
  const json = answered(await api.call({ path: '/cgi-bin/externalcontact/groupchat/get', body, signal }))
  const group = asObject(json['group_chat'])
  const members = group?.['member_list']
  if (group === undefined || !Array.isArray(members)) throw unreadable('the answer has no member_list')
  const version = textOf(group['member_version'])
  return { ...(version !== undefined && { version }), members: members.flatMap(memberOf) }
}

/** All groups of the company that the application sees. @throws {AdapterError} `wecom.group_unreadable` */
export async function* listGroups({ api }: WecomCorp, signal: AbortSignal): AsyncGenerator<string> {
  let cursor: string | undefined = ''
  while (cursor !== undefined) {
    const body = { status_filter: 0, limit: 1000, ...(cursor !== '' && { cursor }) }
    const json = answered(await api.call({ path: '/cgi-bin/externalcontact/groupchat/list', body, signal }))
    const list = json['group_chat_list']
    for (const one of Array.isArray(list) ? list : []) {
      const chatId = textOf(asObject(one)?.['chat_id'])
      if (chatId !== undefined) yield chatId
    }
    cursor = textOf(json['next_cursor'])
  }
}

function answered(outcome: ApiOutcome): JsonObject {
  if (outcome.kind !== 'answered') throw unreadable(outcome.code)
  if (outcome.errcode !== 0) throw unreadable(`errcode ${outcome.errcode}`, outcome.errcode)
  return outcome.json
}

export function unreadable(why: string, providerCode?: number): AdapterError {
  return new AdapterError('wecom.group_unreadable', `The members of a group cannot be read: ${why}.`, providerCode)
}

function memberOf(one: unknown): readonly GroupMember[] {
  const { userid, type, unionid, join_time: seconds, join_scene: how } = asObject(one) ?? {}
  const [externalUserId, open, scene] = [textOf(userid), textOf(unionid), SCENES.get(how)]
  if (type !== EXTERNAL || externalUserId === undefined || typeof seconds !== 'number') return []
  return [
    {
      externalUserId,
      ...(open !== undefined && { unionid: open }),
      joinedAt: seconds * 1000,
      ...(scene !== undefined && { scene }),
    },
  ]
}
