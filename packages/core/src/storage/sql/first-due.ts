import { type RawBuilder, sql } from 'kysely'
import type { DueKind, FirstDue } from '../../ports/store.js'
import { AFTER_MARK, channelsInUse, deliveryMarks } from './claims.js'
import { type Int8, toInstant } from './parameters.js'
import { DATABASE_NOW, type Session } from './session.js'
import { afterMark } from './subjects.js'

interface FirstDueRow {
  readonly kind: DueKind
  readonly channel: string
  readonly name: string
  readonly due_at: Int8
  readonly held_until: Int8 | null
}

/** The first of each line of what is due, by the indexes that those who take it use. */
export async function readFirstDue(session: Session): Promise<readonly FirstDue[]> {
  const { inbox, subject, baseline, delivery, calls } = session.tables
  const rows = await session.rows(sql<FirstDueRow>`
    with recursive ${channelsInUse(session)}
    (select 'inbox' as kind, '' as channel, id::text as name, 0::int8 as due_at, 0::int8 as held_until
      from ${inbox} order by id limit 1)
    union all
    (select 'subject', '', kind || ':' || id, due_at, 0 from ${subject}
      where due_at is not null order by due_at, kind, id limit 1)
    union all
    (select 'baseline', '', kind || '@' || due_at, due_at, 0 from ${baseline}
      where due_at is not null order by due_at, kind limit 1)
    union all
    select 'delivery', lane.channel, due.key || '-' || due.claim, due.due_at, calls.free_at
    from lane left join ${calls} as calls on calls.channel = lane.channel cross join lateral (
      select key, claim, due_at from ${delivery} as delivery
      where delivery.channel = lane.channel and due_at is not null order by due_at, key limit 1
    ) as due
  `)
  return rows.map(({ kind, channel, name, due_at, held_until }) => {
    const line = channel === '' ? kind : `${kind}:${channel}`
    return { kind, line, name, dueAt: Number(due_at), heldUntil: Number(held_until ?? 0) }
  })
}

/** The earliest instant at which something of these kinds can be done. */
export async function readNextDue(session: Session, kinds: readonly DueKind[]): Promise<number | undefined> {
  return (await readNext(session, kinds, sql`${Number.MAX_SAFE_INTEGER}::int8`)).dueAt
}

/** How far ahead a look goes: what lies beyond may be a minute's worth of claims that have ended, all of them dead entries. */
const AHEAD_MS = 1_000

/** In how many milliseconds that is, by the database's clock or from `now` on; `Infinity` when it is too far ahead. */
export async function readDueIn(session: Session, kinds: readonly DueKind[], now: number | undefined): Promise<number> {
  const clock = now === undefined ? DATABASE_NOW : sql`${now}::int8`
  const { dueAt, askedAt } = await readNext(session, kinds, sql`(select ${clock} + ${AHEAD_MS}::int8)`)
  return (dueAt ?? Number.POSITIVE_INFINITY) - (now ?? askedAt)
}

async function readNext(session: Session, kinds: readonly DueKind[], until: RawBuilder<unknown>) {
  const { inbox, subject, delivery, baseline, calls } = session.tables
  const earliest = {
    inbox: sql`(select 0::bigint where exists (select from ${inbox}))`,
    subject: sql`(select min(due_at) from ${subject} where due_at <= ${until} and ${afterMark(session.marks)})`,
    baseline: sql`(select min(due_at) from ${baseline})`,
    delivery: sql`(
      select min(greatest(due.at, calls.free_at)) from lane left join ${calls} as calls on calls.channel = lane.channel
      left join ${deliveryMarks(session.marks.deliveries.places)} on mark.channel = lane.channel
      cross join lateral (
        select due_at as at from ${delivery} as delivery
        where delivery.channel = lane.channel and due_at <= ${until} and ${AFTER_MARK} order by due_at, key limit 1
      ) as due
    )`,
  }
  const lanes = kinds.includes('delivery') ? sql`with recursive ${channelsInUse(session)}` : sql``
  const asked = sql.join(kinds.map((kind) => earliest[kind]))
  const [row] = await session.rows(sql<{ next: Int8 | null; asked_at: Int8 }>`
    ${lanes} select least(${asked}) as next, ${DATABASE_NOW} as asked_at
  `)
  return { dueAt: toInstant(row?.next ?? null), askedAt: Number(row?.asked_at) }
}
