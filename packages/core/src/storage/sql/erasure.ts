import type { SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import type { Decision, Input } from '../../domain/decision.js'
import { decodeSubject, encodeSubject } from '../../domain/subject.js'
import type { InboxEntry, Removed, StoreTransaction } from '../../ports/store.js'
import { intArray, textArray, textLines } from './parameters.js'
import { removeSubjects } from './saved-subjects.js'
import type { Session } from './session.js'

// Events go first: who marks one as contradicted holds its row, and is waited for before decisions are looked at.
export async function removeUsers(session: Session, ids: readonly string[]): Promise<Removed> {
  const { event, identity, merge, inbox, decision, delivery, coupon } = session.tables
  const wanted = textArray(ids)
  const names = textArray(ids.map((id) => `user:${id}`))
  const isTheirs = sql`subject_kind = 'user' and subject = any(${wanted}::text[])`
  const events = await session.write(sql`delete from ${event} where user_id = any(${wanted}::text[])`)
  const deliveries = await session.write(sql`delete from ${delivery} where ${isTheirs}`)
  const coupons = await session.write(sql`delete from ${coupon} where ${isTheirs}`)
  const decisions = await session.write(sql`delete from ${decision} where subject = any(${names}::text[])`)
  await session.write(sql`delete from ${inbox} where kind = 'user' and subject = any(${wanted}::text[])`)
  await session.write(
    sql`delete from ${merge} where into_user = any(${wanted}::text[]) or from_user = any(${wanted}::text[])`,
  )
  await session.write(
    sql`delete from ${identity} where name = any(${wanted}::text[]) or user_id = any(${wanted}::text[])`,
  )
  await removeSubjects(
    session,
    ids.map((id) => ({ kind: 'user', id })),
  )
  return { events, decisions, deliveries, coupons }
}

export async function reviseInbox(
  session: Session,
  texts: readonly string[],
  revise: (entry: InboxEntry) => InboxEntry | undefined,
): Promise<void> {
  const { inbox } = session.tables
  const rows = await session.rows(sql<{ id: string; kind: SubjectKind; subject: string; body: string }>`
    select id::text as id, kind, subject, body from ${inbox} as inbox
    where exists (select from unnest(${textArray(texts)}::text[]) as text where strpos(inbox.body, text) > 0)
  `)
  const revised = rows.map(({ id, kind, subject, body }) => {
    const entry = { key: { kind, id: subject }, input: JSON.parse(body) as Input }
    return { id, entry, now: revise(entry) }
  })
  const removed = revised.flatMap(({ id, now }) => (now === undefined ? [Number(id)] : []))
  const changed = revised.flatMap(({ id, entry, now }) =>
    now === undefined || now === entry ? [] : [{ id: Number(id), body: JSON.stringify(now.input) }],
  )
  if (removed.length > 0) {
    await session.write(sql`delete from ${inbox} where id = any(${intArray(removed)}::int8[])`)
  }
  if (changed.length > 0) {
    await session.write(sql`
      update ${inbox} as inbox set body = changed.body from unnest(
        ${intArray(changed.map(({ id }) => id))}::int8[],
        string_to_array(${textLines(changed.map(({ body }) => body))}, chr(10))
      ) as changed (id, body) where inbox.id = changed.id
    `)
  }
}

export async function reviseDecisions(
  session: Session,
  { subjects, messageIds, users }: Parameters<StoreTransaction['reviseDecisions']>[0],
  revise: (decision: Decision) => Decision | undefined,
): Promise<void> {
  const { decision } = session.tables
  const rows = await session.rows(sql<{ id: string; body: string }>`
    with theirs as materialized (
      select id, body, body::json as parsed from ${decision} where subject = any(${textArray(subjects)}::text[])
    )
    select id::text as id, body from theirs
    where parsed ->> 'messageId' = any(${textArray(messageIds)}::text[])
      or parsed ->> 'into' = any(${textArray(users)}::text[]) or parsed ->> 'from' = any(${textArray(users)}::text[])
  `)
  const revised = rows.map(({ id, body }) => ({ id: Number(id), now: revise(JSON.parse(body) as Decision) }))
  const removed = revised.filter(({ now }) => now === undefined).map(({ id }) => id)
  const changed = revised.flatMap(({ id, now }) => (now === undefined ? [] : [{ id, body: JSON.stringify(now) }]))
  if (removed.length > 0) {
    await session.write(sql`
      delete from ${decision}
      where subject = any(${textArray(subjects)}::text[]) and id = any(${intArray(removed)}::int8[])
    `)
  }
  if (changed.length > 0) {
    await session.write(sql`
      update ${decision} as decision set body = changed.body from unnest(
        ${intArray(changed.map(({ id }) => id))}::int8[],
        string_to_array(${textLines(changed.map(({ body }) => body))}, chr(10))
      ) as changed (id, body)
      where decision.subject = any(${textArray(subjects)}::text[]) and decision.id = changed.id
    `)
  }
}

export async function reviseMerges(
  session: Session,
  userIds: readonly string[],
  revise: Parameters<StoreTransaction['reviseMerges']>[1],
): Promise<void> {
  const { merge } = session.tables
  if (userIds.length === 0) return
  const ids = textArray(userIds)
  const rows = await session.rows(sql<{ id: string; into_state: string; from_state: string }>`
    select id, into_state, from_state from ${merge}
    where into_user = any(${ids}::text[]) or from_user = any(${ids}::text[]) order by id for update
  `)
  for (const { id, into_state, from_state } of rows) {
    const { into, from } = revise({ into: decodeSubject(into_state), from: decodeSubject(from_state) })
    await session.write(sql`
      update ${merge} set into_state = ${encodeSubject(into)}, from_state = ${encodeSubject(from)} where id = ${id}
    `)
  }
}
