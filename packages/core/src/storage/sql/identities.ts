import { sql } from 'kysely'
import type { IdentityLink } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { textArray } from './parameters.js'
import type { Session } from './session.js'

export async function resolveIdentities(
  session: Session,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map()
  const rows = await session.rows(sql<{ name: string; user_id: string }>`
    select name, user_id from ${session.tables.identity} where name = any(${textArray(names)}::text[])
  `)
  return new Map(rows.map((row) => [row.name, row.user_id]))
}

// In the order of the names, so that two transactions with the same ones wait for one another instead of deadlocking.
export async function linkIdentities(session: Session, links: readonly IdentityLink[]): Promise<void> {
  if (links.length === 0) return
  const written = await session.write(sql`
    insert into ${session.tables.identity} (name, user_id)
    select * from unnest(
      ${textArray(links.map(({ name }) => name))}::text[], ${textArray(links.map(({ userId }) => userId))}::text[]
    ) as input (name, user_id)
    order by name collate "C"
    on conflict do nothing
  `)
  if (written < links.length) {
    throw conflict(`${links.length - written} of ${links.length} names belong to somebody already.`, {
      expected: links.length,
      found: written,
    })
  }
}

export async function namesOf(session: Session, userId: string): Promise<readonly string[]> {
  const rows = await session.rows(sql<{ name: string }>`
    select name from ${session.tables.identity} where user_id = ${userId} order by name
  `)
  return rows.map(({ name }) => name)
}

export async function relinkIdentities(session: Session, names: readonly string[], userId: string): Promise<void> {
  if (names.length === 0) return
  await session.write(sql`
    update ${session.tables.identity} set user_id = ${userId} where name = any(${textArray(names)}::text[])
  `)
}
