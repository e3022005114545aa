import type { IncomingEvent } from '@linli/core'
import { fieldOf } from '../../wechat/xml.js'
import { idFor } from '../http/ids.js'
import type { WecomCallback } from './callbacks.js'
import type { GroupMember, KnownGroup } from './group-members.js'

/** What callbacks of one group say, taken together. */
export interface GroupChange {
  /** When the latest of them was; of none: now. */
  readonly at: Date
  /** Whether there is any callback at all. */
  readonly isTold: boolean
  readonly isNew: boolean
  readonly isOver: boolean
  /** What WeCom calls the list of members before and after the latest of them. */
  readonly before: string | undefined
  readonly after: string | undefined
  /** Who left, by id, where callbacks say so; and how. */
  readonly gone: ReadonlyMap<string, 'self' | 'removed' | undefined>
}

/** Whoever joined so long before the first look at a group has been there already, and is no news. */
const NEWS_MS = 10 * 60_000

export function changeOf(callbacks: readonly WecomCallback[], now: Date): GroupChange {
  const latest = callbacks.reduce<WecomCallback | undefined>(
    (a, b) => (a !== undefined && a.at > b.at ? a : b),
    undefined,
  )
  const leaving = callbacks.filter(({ fields }) => fieldOf(fields, 'UpdateDetail') === 'del_member')
  return {
    at: latest?.at ?? now,
    isTold: callbacks.length > 0,
    isNew: callbacks.some(({ change }) => change === 'create'),
    isOver: callbacks.some(({ change }) => change === 'dismiss'),
    before: latest && fieldOf(latest.fields, 'LastMemVer'),
    after: latest && fieldOf(latest.fields, 'CurMemVer'),
    gone: new Map(leaving.flatMap((one) => one.members.map((id) => [id, quitOf(one)] as const))),
  }
}

/** Whether a callback may be of who is in the group; names, notices and owners are not. */
export function isOfMembers({ change, fields }: WecomCallback): boolean {
  const detail = fieldOf(fields, 'UpdateDetail')
  return change !== 'update' || detail === undefined || detail === 'add_member' || detail === 'del_member'
}

function quitOf({ fields }: WecomCallback): 'self' | 'removed' | undefined {
  const scene = fieldOf(fields, 'QuitScene')
  return scene === '0' ? 'self' : scene === '1' ? 'removed' : undefined
}

/** Who joined and who left since the group was last looked at. */
export function eventsBetween(
  place: GroupPlace,
  known: KnownGroup | undefined,
  now: readonly GroupMember[],
  change: GroupChange,
): readonly IncomingEvent[] {
  const [was, is] = [keysOf(known?.members ?? []), keysOf(now)]
  const isNews = ({ joinedAt }: GroupMember) =>
    known !== undefined || change.isNew || (change.isTold && joinedAt >= change.at.getTime() - NEWS_MS)
  const joined = now.filter((one) => !was.has(keyOf(one)) && isNews(one))
  const left = (known?.members ?? []).filter((one) => !is.has(keyOf(one)))
  const here = new Set(now.map(({ externalUserId }) => externalUserId))
  // Of a group that was never looked at, only the callbacks know who has left it.
  const unseen = known === undefined ? [...change.gone.keys()].filter((id) => CUSTOMER.test(id) && !here.has(id)) : []
  return [
    ...left.map((one) => leftEvent(place, one, change.at, change.gone.get(one.externalUserId))),
    ...unseen.map((id) => {
      const stay = { externalUserId: id, joinedAt: 0 }
      return leftEvent(place, stay, change.at, change.gone.get(id), change.after ?? String(change.at.getTime()))
    }),
    ...joined.flatMap((one) => joinedEvents(place, one)),
  ]
}

/** The group is dismissed: all leave it. */
export function eventsOfEnd(place: GroupPlace, known: KnownGroup | undefined, at: Date): readonly IncomingEvent[] {
  return (known?.members ?? []).map((one) => leftEvent(place, one, at, 'dismissed'))
}

/** external_userids begin so; userids of the company's own members are whatever it likes. */
const CUSTOMER = /^w[mo][\w-]/

/** A group, and the community that it is here. */
export interface GroupPlace {
  readonly chatId: string
  readonly communityId: string
  /** Whether whoever joins belongs to the community from then on. */
  readonly isRelated: boolean
}

function keyOf({ externalUserId, joinedAt }: GroupMember): string {
  return `${externalUserId} ${joinedAt}`
}

function keysOf(members: readonly GroupMember[]): ReadonlySet<string> {
  return new Set(members.map(keyOf))
}

function joinedEvents({ chatId, communityId, isRelated }: GroupPlace, member: GroupMember): readonly IncomingEvent[] {
  const { externalUserId, joinedAt, scene } = member
  const base = {
    messageId: idFor('wecom', JSON.stringify(['joined', chatId, externalUserId, joinedAt])),
    timestamp: new Date(joinedAt),
    context: whoIs(member),
  }
  const properties = { communityId, ...(scene !== undefined && { scene }) }
  const related = { ...base, messageId: `${base.messageId}:where`, type: 'group' as const, groupId: communityId }
  return [...(isRelated ? [{ ...related, traits: {} }] : []), { ...base, event: 'member_joined', properties }]
}

function leftEvent(
  { chatId, communityId }: GroupPlace,
  member: GroupMember,
  at: Date,
  by: string | undefined,
  unseen?: string,
): IncomingEvent {
  const { externalUserId, joinedAt } = member
  return {
    // The same stay ends once, whatever tells of it.
    messageId: idFor('wecom', JSON.stringify(['left', chatId, externalUserId, unseen ?? joinedAt])),
    timestamp: at,
    context: whoIs(member),
    event: 'member_left',
    properties: { communityId, ...(by !== undefined && { by }) },
  }
}

function whoIs({ externalUserId, unionid }: GroupMember) {
  const own = { type: 'externalUserId', id: externalUserId }
  return { externalIds: unionid === undefined ? [own] : [own, { type: 'unionid', id: unionid }] }
}
