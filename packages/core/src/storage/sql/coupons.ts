import { timingSafeEqual } from 'node:crypto'
import type { SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import type { Coupon, SubjectKey } from '../../domain/subject.js'
import type { IssuedCoupon, PoolCount, Redeemed } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { type Int8, isOneOf, textArray } from './parameters.js'
import type { Session } from './session.js'

interface CouponRow {
  readonly grant_key: string
  readonly subject_kind: SubjectKind
  readonly subject: string
  readonly issued_at: Int8
  readonly body: string
  readonly redeemed_at: Int8 | null
  readonly redeemed_by: string | null
}

const COLUMNS = sql`grant_key, subject_kind, subject, issued_at, body, redeemed_at, redeemed_by`

export async function readCoupons(session: Session, grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]> {
  if (grantKeys.length === 0) return []
  const rows = await session.rows(sql<CouponRow>`
    select ${COLUMNS} from ${session.tables.coupon}
    where grant_key = any(${textArray(grantKeys)}::text[])
  `)
  return rows.map(toCoupon)
}

export async function couponsOf(session: Session, subjects: readonly SubjectKey[]): Promise<readonly IssuedCoupon[]> {
  const rows = await session.rows(sql<CouponRow>`
    select ${COLUMNS} from ${session.tables.coupon}
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
    ...(row.redeemed_at !== null && { redeemed: redeemedOf(Number(row.redeemed_at), row.redeemed_by) }),
  }
}

function redeemedOf(at: number, by: string | null): Redeemed {
  return { at, ...(by !== null && { by }) }
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

export async function returnToPool(session: Session, offer: string): Promise<void> {
  await session.write(sql`update ${session.tables.pool} set issued = issued - 1 where offer = ${offer} and issued > 0`)
}

export async function dropPools(session: Session, from: string, before: string): Promise<void> {
  await session.write(sql`delete from ${session.tables.pool} where offer >= ${from} and offer < ${before}`)
}

export async function addCoupon(session: Session, issued: IssuedCoupon): Promise<void> {
  const { grantKey, subject, issuedAt, coupon } = issued
  const written = await session.write(sql`
    insert into ${session.tables.coupon} (grant_key, code, offer, subject_kind, subject, issued_at, body)
    values (${grantKey}, nullif(${coupon.code}, ''), ${coupon.offer}, ${subject.kind}, ${subject.id}, ${issuedAt},
      ${JSON.stringify(coupon)})
    on conflict do nothing
  `)
  if (written === 0) {
    throw conflict(`Grant "${grantKey}" has a coupon already, or another grant has its code.`, { grantKey })
  }
}

export async function completeCoupon(session: Session, grantKey: string, coupon: Coupon): Promise<void> {
  const written = await session.write(sql`
    update ${session.tables.coupon} as coupon set code = ${coupon.code}, body = ${JSON.stringify(coupon)}
    where grant_key = ${grantKey} and code is null
      and not exists (select from ${session.tables.coupon} as other where other.code = ${coupon.code})
  `)
  if (written === 0)
    throw conflict(`Grant "${grantKey}" waits for no code, or another grant has this one.`, { grantKey })
}

export async function removeCoupon(session: Session, grantKey: string): Promise<boolean> {
  const written = await session.write(sql`
    delete from ${session.tables.coupon} where grant_key = ${grantKey} and redeemed_at is null
  `)
  return written === 1
}

export async function couponByCode(session: Session, code: string): Promise<IssuedCoupon | undefined> {
  const rows = await session.rows(sql<CouponRow>`
    select ${COLUMNS} from ${session.tables.coupon} where hashtextextended(code, 0) = hashtextextended(${code}::text, 0)
  `)
  return rows.map(toCoupon).find(({ coupon }) => isSame(coupon.code, code))
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

export async function redeemCoupon(session: Session, grantKey: string, { at, by }: Redeemed): Promise<boolean> {
  const written = await session.write(sql`
    update ${session.tables.coupon} set redeemed_at = ${at}, redeemed_by = ${by ?? null}::text
    where grant_key = ${grantKey} and redeemed_at is null
  `)
  return written === 1
}

export async function readPools(session: Session): Promise<ReadonlyMap<string, PoolCount>> {
  const { pool, code } = session.tables
  const rows = await session.rows(sql<{ offer: string; issued: Int8; total: Int8; loaded: Int8; left: Int8 }>`
    select offer, issued, total, loaded, case when loaded = 0 then 0 else (
      select count(*) from ${code} as code where code.offer = pool.offer and not given
    ) end as left from ${pool} as pool order by offer
  `)
  return new Map(
    rows.map(({ offer, issued, total, loaded, left }) => {
      const codes = Number(loaded) === 0 ? {} : { codes: { loaded: Number(loaded), left: Number(left) } }
      return [offer, { issued: Number(issued), total: Number(total), ...codes }]
    }),
  )
}
