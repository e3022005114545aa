import { sql } from 'kysely'
import type { Tombstone } from '../../ports/store.js'
import { type Int8, intArray, textArray } from './parameters.js'
import type { Session } from './session.js'

export async function tombstoneKey(session: Session, fresh: string | undefined): Promise<string | undefined> {
  const { tombstoneKey: table } = session.tables
  if (fresh !== undefined) {
    await session.write(sql`insert into ${table} (key) values (${fresh}) on conflict do nothing`)
  }
  const [row] = await session.rows(sql<{ key: string }>`select key from ${table}`)
  return row?.key
}

export async function readTombstones(session: Session, hashes: readonly string[]): Promise<readonly Tombstone[]> {
  if (hashes.length === 0) return []
  const rows = await session.rows(sql<{ hash: string; person: string; at: Int8 }>`
    select hash, person, at from ${session.tables.tombstone} where hash = any(${textArray(hashes)}::text[])
  `)
  return rows.map(({ hash, person, at }) => ({ hash, person, at: Number(at) }))
}

// In the order of the hashes, so that two transactions with the same ones wait for one another instead of deadlocking.
export async function addTombstones(session: Session, tombstones: readonly Tombstone[]): Promise<void> {
  if (tombstones.length === 0) return
  await session.write(sql`
    insert into ${session.tables.tombstone} (hash, person, at)
    select * from unnest(
      ${textArray(tombstones.map(({ hash }) => hash))}::text[],
      ${textArray(tombstones.map(({ person }) => person))}::text[],
      ${intArray(tombstones.map(({ at }) => at))}::int8[]
    ) as added (hash, person, at)
    order by hash collate "C"
    on conflict do nothing
  `)
}

export async function removeTombstones(session: Session, person: string): Promise<void> {
  await session.write(sql`delete from ${session.tables.tombstone} where person = ${person}`)
}
