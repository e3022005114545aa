import type { SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import type { Coupon, SubjectKey } from '../../domain/subject.js'
import type { IssuedCoupon } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { type Int8, isOneOf, textArray } from './parameters.js'
import type { Session } from './session.js'

interface CouponRow {
  readonly grant_key: string
  readonly subject_kind: SubjectKind
  readonly subject: string
  readonly issued_at: Int8
  readonly body: string
}

export async function readCoupons(session: Session, grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]> {
  if (grantKeys.length === 0) return []
  const rows = await session.rows(sql<CouponRow>`
    select grant_key, subject_kind, subject, issued_at, body from ${session.tables.coupon}
    where grant_key = any(${textArray(grantKeys)}::text[])
  `)
  return rows.map(toCoupon)
}

export async function couponsOf(session: Session, subjects: readonly SubjectKey[]): Promise<readonly IssuedCoupon[]> {
  const rows = await session.rows(sql<CouponRow>`
    select grant_key, subject_kind, subject, issued_at, body from ${session.tables.coupon}
    where ${isOneOf(subjects)} order by issued_at, grant_key
  `)
  return rows.map(toCoupon)
}

function toCoupon(row: CouponRow): IssuedCoupon {
  return {
    grantKey: row.grant_key,
    subject: { kind: row.subject_kind, id: row.subject },
    issuedAt: Number(row.issued_at),
    coupon: JSON.parse(row.body) as Coupon,
  }
}

export async function countCoupons(session: Session, subjects: readonly SubjectKey[], offer: string): Promise<number> {
  const [row] = await session.rows(sql<{ count: Int8 }>`
    select count(*) as count from ${session.tables.coupon} where ${isOneOf(subjects)} and offer = ${offer}
  `)
  return Number(row?.count ?? 0)
}

// The conflict clause locks the pool's row even where its condition then fails.
export async function takeFromPool(session: Session, offer: string, total: number): Promise<boolean> {
  const written = await session.write(sql`
    insert into ${session.tables.pool} as pool (offer, total, issued)
    select ${offer}::text, ${total}::int8, 1 where ${total}::int8 > 0
    on conflict (offer) do update set issued = pool.issued + 1, total = excluded.total
    where pool.issued < excluded.total
  `)
  return written === 1
}

export async function dropPools(session: Session, from: string, before: string): Promise<void> {
  await session.write(sql`delete from ${session.tables.pool} where offer >= ${from} and offer < ${before}`)
}

export async function addCoupon(session: Session, issued: IssuedCoupon): Promise<void> {
  const { grantKey, subject, issuedAt, coupon } = issued
  const written = await session.write(sql`
    insert into ${session.tables.coupon} (grant_key, code, offer, subject_kind, subject, issued_at, body)
    values (${grantKey}, ${coupon.code}, ${coupon.offer}, ${subject.kind}, ${subject.id}, ${issuedAt},
      ${JSON.stringify(coupon)})
    on conflict do nothing
  `)
  if (written === 0) {
    throw conflict(`Grant "${grantKey}" has a coupon already, or another grant has its code.`, { grantKey })
  }
}

export async function readPools(
  session: Session,
): Promise<ReadonlyMap<string, { readonly issued: number; readonly total: number }>> {
  const rows = await session.rows(sql<{ offer: string; issued: Int8; total: Int8 }>`
    select offer, issued, total from ${session.tables.pool} order by offer
  `)
  return new Map(rows.map(({ offer, issued, total }) => [offer, { issued: Number(issued), total: Number(total) }]))
}
