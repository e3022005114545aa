import type { SubjectKind } from '@linli/rules'
import { type RawBuilder, sql } from 'kysely'
import type { SubjectKey } from '../../domain/subject.js'
import type { EventPlace, StoredEvent, StoreReads } from '../../ports/store.js'
import { type Int8, intArray, textArray, textLines } from './parameters.js'
import type { Session } from './session.js'

// In the order of their ids, so that two batches with the same events wait for one another instead of deadlocking.
export async function addEvents(session: Session, events: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
  const ids = new Set(events.map((event) => event.messageId))
  if (events.length === 0) return ids
  const dropped = await session.rows(sql<{ message_id: string }>`
    with input as materialized (
      select * from unnest(
        ${textArray(events.map((event) => event.messageId))}::text[],
        ${textArray(events.map((event) => event.userId))}::text[],
        ${intArray(events.map((event) => event.at))}::int8[],
        string_to_array(${textLines(events.map(encodeEvent))}, chr(10)),
        ${textArray(events.map((event) => event.community))}::text[],
        ${textArray(events.map((event) => event.leader))}::text[]
      ) as input (message_id, user_id, at, body, community, leader)
      order by message_id collate "C"
    ), added as (
      insert into ${session.tables.event} (message_id, user_id, at, body, community, leader)
      select * from input
      on conflict do nothing
      returning message_id
    )
    select message_id from input except select message_id from added
  `)
  for (const { message_id } of dropped) ids.delete(message_id)
  return ids
}

export async function readEvents(session: Session, userIds: readonly string[]): Promise<readonly StoredEvent[]> {
  const rows = await session.rows(sql<EventRow>`
    select message_id, user_id, at, body, community, leader from ${session.tables.event}
    where user_id = any(${textArray(userIds)}::text[]) order by at, message_id
  `)
  return rows.map(decodeEvent)
}

// The bounds on "at" stand by themselves: its index is of blocks, and knows only those.
export async function readLog(
  session: Session,
  { after, before = Number.MAX_SAFE_INTEGER, limit }: Parameters<StoreReads['readLog']>[0],
): Promise<readonly StoredEvent[]> {
  const { at, messageId } = after ?? { at: Number.MIN_SAFE_INTEGER, messageId: '' }
  const rows = await session.rows(sql<EventRow>`
    select message_id, user_id, at, body, community, leader from ${session.tables.event}
    where at >= ${at} and at < ${before} and (at, message_id) > (${at}::int8, ${messageId}::text)
    order by at, message_id limit ${limit}
  `)
  return rows.map(decodeEvent)
}

export async function eventsById(session: Session, messageIds: readonly string[]): Promise<readonly StoredEvent[]> {
  if (messageIds.length === 0) return []
  const rows = await session.rows(sql<EventRow>`
    select message_id, user_id, at, body, community, leader from ${session.tables.event}
    where message_id = any(${textArray(messageIds)}::text[]) order by message_id
  `)
  return rows.map(decodeEvent)
}

// Locked in the order of their ids, like those that are added.
export async function markContradicted(session: Session, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (messageIds.length === 0) return new Set()
  const rows = await session.rows(sql<{ message_id: string }>`
    with known as materialized (
      select message_id from ${session.tables.event}
      where message_id = any(${textArray(messageIds)}::text[]) and not contradicted
      order by message_id for no key update
    )
    update ${session.tables.event} as event set contradicted = true
    from known where event.message_id = known.message_id
    returning event.message_id
  `)
  return new Set(rows.map(({ message_id }) => message_id))
}

const OWNER: Readonly<Record<SubjectKind, RawBuilder<unknown>>> = {
  user: sql.id('user_id'),
  community: sql.id('community'),
  leader: sql.id('leader'),
}

export async function eventsFor(
  session: Session,
  { kind, id }: SubjectKey,
  after: EventPlace | undefined,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const { at, messageId } = after ?? { at: Number.MIN_SAFE_INTEGER, messageId: '' }
  const rows = await session.rows(sql<EventRow>`
    select message_id, user_id, at, body, community, leader from ${session.tables.event}
    where ${OWNER[kind]} = ${id} and at >= ${at} and (at, message_id) > (${at}::int8, ${messageId}::text)
    order by at, message_id limit ${limit}
  `)
  return rows.map(decodeEvent)
}

export function forgetEvents(session: Session, until: number, limit: number): Promise<number> {
  return session.write(sql`
    delete from ${session.tables.event} where message_id in (
      select message_id from ${session.tables.event} where at <= ${until} limit ${limit} for update skip locked
    )
  `)
}

interface EventRow {
  readonly message_id: string
  readonly user_id: string
  readonly at: Int8
  readonly body: string
  readonly community: string | null
  readonly leader: string | null
}

// Without what has a column of its own.
function encodeEvent(event: StoredEvent): string {
  const { messageId: _, userId: __, at: ___, ...rest } = event
  return JSON.stringify(rest)
}

function decodeEvent({ message_id, user_id, at, body, community, leader }: EventRow): StoredEvent {
  const rest = JSON.parse(body) as Omit<StoredEvent, 'messageId' | 'userId' | 'at' | 'community' | 'leader'>
  const countsFor = { ...(community !== null && { community }), ...(leader !== null && { leader }) }
  return { messageId: message_id, userId: user_id, at: Number(at), ...rest, ...countsFor }
}
