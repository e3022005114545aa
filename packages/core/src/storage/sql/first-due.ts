import { sql } from 'kysely'
import type { DueKind, FirstDue } from '../../ports/store.js'
import { channelsInUse } from './deliveries.js'
import type { Int8 } from './parameters.js'
import type { Session } from './session.js'

interface FirstDueRow {
  readonly kind: DueKind
  readonly channel: string
  readonly name: string
  readonly due_at: Int8
}

/** The first of each line of what is due, by the indexes that those who take it use. */
export async function readFirstDue(session: Session): Promise<readonly FirstDue[]> {
  const { inbox, subject, baseline, delivery } = session.tables
  const rows = await session.rows(sql<FirstDueRow>`
    with recursive ${channelsInUse(session)}
    (select 'inbox' as kind, '' as channel, id::text as name, 0::int8 as due_at from ${inbox} order by id limit 1)
    union all
    (select 'subject', '', kind || ':' || id, due_at from ${subject} where due_at is not null order by due_at, kind, id limit 1)
    union all
    (select 'baseline', '', kind || '@' || due_at, due_at from ${baseline} where due_at is not null order by due_at, kind limit 1)
    union all
    select 'delivery', lane.channel, due.key || '-' || due.claim, due.due_at from lane cross join lateral (
      select key, claim, due_at from ${delivery} as delivery
      where delivery.channel = lane.channel and due_at is not null order by due_at, key limit 1
    ) as due
  `)
  return rows.map(({ kind, channel, name, due_at }) => {
    return { kind, line: channel === '' ? kind : `${kind}:${channel}`, name, dueAt: Number(due_at) }
  })
}
