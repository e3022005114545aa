import { type RawBuilder, sql } from 'kysely'
import type { DueKind, FirstDue } from '../../ports/store.js'
import { AFTER_MARK, channelsInUse, deliveryMarks } from './claims.js'
import type { Place } from './due-marks.js'
import { type Int8, toInstant } from './parameters.js'
import { DATABASE_NOW, type Session } from './session.js'
import { afterMark, SUBJECTS } from './subjects.js'

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
  const { subjects, deliveries } = session.marks
  const next = await readNext(session, kinds, sql`${Number.MAX_SAFE_INTEGER}::int8`, {
    subjects: subjects.places,
    deliveries: deliveries.places,
  })
  return next.dueAt
}

/** How far ahead a look goes: what lies beyond may be a minute's worth of claims that have ended, all of them dead entries. */
const AHEAD_MS = 1_000

/** In how many milliseconds that is, by the database's clock or from `now` on; `Infinity` when it is too far ahead. */
export async function readDueIn(session: Session, kinds: readonly DueKind[], now: number | undefined): Promise<number> {
  const clock = now === undefined ? DATABASE_NOW : sql`${now}::int8`
  const until = sql`(select ${clock} + ${AHEAD_MS}::int8)`
  const { subjects, deliveries } = session.marks
  const lines = {
    subjects: kinds.includes('subject') ? [SUBJECTS] : undefined,
    deliveries: kinds.includes('delivery') ? [...deliveries.places.keys()] : undefined,
  }
  const next = await subjects.look(lines.subjects, 'firstSubject', (ofSubjects) =>
    deliveries.look(lines.deliveries, 'firstDelivery', async (ofDeliveries) => {
      const found = await readNext(session, kinds, until, { subjects: ofSubjects, deliveries: ofDeliveries })
      return { ...found, now: now ?? found.now }
    }),
  )
  return (next.dueAt ?? Number.POSITIVE_INFINITY) - next.now
}

interface From {
  readonly subjects: ReadonlyMap<string, Place>
  readonly deliveries: ReadonlyMap<string, Place>
}

interface Next {
  readonly dueAt: number | undefined
  readonly now: number
  readonly firstSubject: number | undefined
  /** Whether or not its channel has room. */
  readonly firstDelivery: number | undefined
}

async function readNext(
  session: Session,
  kinds: readonly DueKind[],
  until: RawBuilder<unknown>,
  from: From,
): Promise<Next> {
  const { inbox, subject, delivery, baseline, calls } = session.tables
  const nothing = sql`select null::int8 as first, null::int8 as next`
  const ofSubjects = sql`select min(due_at) as first
    from ${subject} where due_at <= ${until} and ${afterMark(from.subjects)}`
  const ofDeliveries = sql`
    select min(due.at) as first, min(greatest(due.at, calls.free_at)) as next
    from lane left join ${calls} as calls on calls.channel = lane.channel
    left join ${deliveryMarks(from.deliveries)} on mark.channel = lane.channel
    cross join lateral (
      select due_at as at from ${delivery} as delivery
      where delivery.channel = lane.channel and due_at <= ${until} and ${AFTER_MARK} order by due_at, key limit 1
    ) as due`
  const earliest = {
    inbox: sql`(select 0::bigint where exists (select from ${inbox}))`,
    subject: sql`subjects.first`,
    baseline: sql`(select min(due_at) from ${baseline})`,
    delivery: sql`deliveries.next`,
  }
  const lanes = kinds.includes('delivery') ? sql`with recursive ${channelsInUse(session)}` : sql``
  const asked = sql.join(kinds.map((kind) => earliest[kind]))
  const [row] = await session.rows(sql<NextRow>`
    ${lanes} select least(${asked}) as next, subjects.first as first_subject, deliveries.first as first_delivery,
      ${DATABASE_NOW} as asked_at
    from (${kinds.includes('subject') ? ofSubjects : nothing}) as subjects,
      (${kinds.includes('delivery') ? ofDeliveries : nothing}) as deliveries
  `)
  return {
    dueAt: toInstant(row?.next ?? null),
    now: Number(row?.asked_at),
    firstSubject: toInstant(row?.first_subject ?? null),
    firstDelivery: toInstant(row?.first_delivery ?? null),
  }
}

interface NextRow {
  readonly next: Int8 | null
  readonly first_subject: Int8 | null
  readonly first_delivery: Int8 | null
  readonly asked_at: Int8
}
