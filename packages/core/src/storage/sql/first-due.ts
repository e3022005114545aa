import { sql } from 'kysely'
import type { DueKind, FirstDue } from '../../ports/store.js'
import { channelsInUse } from './claims.js'
import type { Int8 } from './parameters.js'
import type { Session } from './session.js'

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
