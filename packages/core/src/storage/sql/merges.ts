import { sql } from 'kysely'
import { decodeSubject, encodeSubject } from '../../domain/subject.js'
import type { MergeRecord } from '../../ports/store.js'
import { type Int8, textArray } from './parameters.js'
import type { Session } from './session.js'

interface MergeRow {
  readonly id: string
  readonly at: Int8
  readonly into_user: string
  readonly from_user: string
  readonly body: string
  readonly into_state: string
  readonly from_state: string
  readonly undone_at: Int8 | null
}

export async function addMerge(session: Session, merge: MergeRecord): Promise<void> {
  const { id, at, into, from, by, messageId, names, before } = merge
  await session.write(sql`
    insert into ${session.tables.merge} (id, at, into_user, from_user, body, into_state, from_state)
    values (${id}, ${at}, ${into}, ${from}, ${JSON.stringify({ by, messageId, names })},
      ${encodeSubject(before.into)}, ${encodeSubject(before.from)})
  `)
}

export async function undoMerge(session: Session, id: string, at: number): Promise<MergeRecord | undefined> {
  const [row] = await session.rows(sql<MergeRow>`
    update ${session.tables.merge} set undone_at = ${at} where id = ${id} and undone_at is null returning *
  `)
  return row && toMerge(row)
}

export async function readMerges(
  session: Session,
  userIds: readonly string[] | undefined,
): Promise<readonly MergeRecord[]> {
  const ids = textArray(userIds ?? [])
  const isTheirs = sql`into_user = any(${ids}::text[]) or from_user = any(${ids}::text[])`
  const rows = await session.rows(sql<MergeRow>`
    select * from ${session.tables.merge} where ${userIds === undefined ? sql`true` : isTheirs} order by number
  `)
  return rows.map(toMerge)
}

function toMerge(row: MergeRow): MergeRecord {
  const body = JSON.parse(row.body) as Pick<MergeRecord, 'by' | 'messageId' | 'names'>
  return {
    id: row.id,
    at: Number(row.at),
    into: row.into_user,
    from: row.from_user,
    ...body,
    before: { into: decodeSubject(row.into_state), from: decodeSubject(row.from_state) },
    ...(row.undone_at !== null && { undoneAt: Number(row.undone_at) }),
  }
}
