import { sql } from 'kysely'
import type { Spending } from '../../ports/store.js'
import { type Int8, textArray } from './parameters.js'
import type { Session } from './session.js'

// What is in pools beside numbers: the codes that a shop has loaded, and the money of budgets. Whoever takes any of it holds
// the pool's row, so that statements here see all that others have committed.

export async function addCodes(session: Session, offer: string, codes: readonly string[]): Promise<number> {
  const { pool, code, coupon } = session.tables
  await session.write(sql`
    insert into ${pool} as pool (offer, issued, total) values (${offer}, 0, 0)
    on conflict (offer) do update set total = pool.total
  `)
  const added = await session.write(sql`
    insert into ${code} (code, offer)
    select code, ${offer} from unnest(${textArray(codes)}::text[]) with ordinality as given (code, place)
    where not exists (select from ${coupon} as coupon where coupon.code = given.code)
    order by place
    on conflict do nothing
  `)
  await session.write(sql`
    update ${pool} set loaded = loaded + ${added}, total = greatest(issued, loaded + ${added}) where offer = ${offer}
  `)
  return added
}

export async function countLoaded(session: Session, offer: string): Promise<number> {
  const [row] = await session.rows(sql<{ loaded: Int8 }>`
    select loaded from ${session.tables.pool} where offer = ${offer}
  `)
  return Number(row?.loaded ?? 0)
}

export async function takeCode(session: Session, offer: string): Promise<string | undefined> {
  const { code } = session.tables
  const [row] = await session.rows(sql<{ code: string }>`
    update ${code} set given = true
    where code = (select code from ${code} where offer = ${offer} and not given order by id limit 1 for update)
    returning code
  `)
  return row?.code
}

export async function returnCode(session: Session, code: string): Promise<void> {
  await session.write(sql`update ${session.tables.code} set given = false where code = ${code}`)
}

export async function readSpent(session: Session, offer: string, from: number): Promise<number> {
  const [row] = await session.rows(sql<{ spent: Int8 | null }>`
    select sum(spent)::int8 as spent from ${session.tables.spending} where offer = ${offer} and slot >= ${from}
  `)
  return Number(row?.spent ?? 0)
}

export async function spend(
  session: Session,
  offer: string,
  { amount, slot, from, limit }: Spending,
): Promise<{ readonly granted: boolean; readonly spent: number }> {
  const { spending } = session.tables
  const spent = await readSpent(session, offer, from)
  if (spent + amount > limit) return { granted: false, spent }
  await session.write(sql`delete from ${spending} where offer = ${offer} and slot < ${from}`)
  await session.write(sql`
    insert into ${spending} as spending (offer, slot, spent) values (${offer}, ${slot}, ${amount})
    on conflict (offer, slot) do update set spent = spending.spent + excluded.spent
  `)
  return { granted: true, spent }
}

export async function unspend(
  session: Session,
  offer: string,
  { amount, slot }: Pick<Spending, 'amount' | 'slot'>,
): Promise<void> {
  await session.write(sql`
    update ${session.tables.spending} set spent = greatest(0, spent - ${amount}) where offer = ${offer} and slot = ${slot}
  `)
}
