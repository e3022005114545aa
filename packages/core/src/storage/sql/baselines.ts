import type { SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import type { Baseline } from '../../domain/baseline.js'
import { textArray } from './parameters.js'
import type { Session } from './session.js'

export async function readBaselines(session: Session, kinds: readonly SubjectKind[]): Promise<readonly Baseline[]> {
  const rows = await session.rows(sql<{ body: string }>`
    select body from ${session.tables.baseline} where kind = any(${textArray(kinds)}::text[]) and body is not null
  `)
  return rows.map(({ body }) => JSON.parse(body) as Baseline)
}

// The row is locked even where it stays as it is: whoever has taken it may not have seen what this transaction brings, and
// must not be the last to say when it is due.
export async function scheduleBaseline(session: Session, kind: SubjectKind, at: number): Promise<void> {
  await session.write(sql`
    insert into ${session.tables.baseline} as baseline (kind, due_at) values (${kind}, ${at})
    on conflict (kind) do update set due_at = excluded.due_at
    where baseline.due_at is null or baseline.due_at > excluded.due_at
  `)
}

export async function takeDueBaseline(session: Session, until: number): Promise<SubjectKind | undefined> {
  const [row] = await session.rows(sql<{ kind: SubjectKind }>`
    select kind from ${session.tables.baseline}
    where due_at <= ${until} order by due_at, kind limit 1 for no key update skip locked
  `)
  return row?.kind
}

export async function saveBaseline(session: Session, baseline: Baseline, dueAt: number | undefined): Promise<void> {
  await session.write(sql`
    insert into ${session.tables.baseline} (kind, due_at, body)
    values (${baseline.kind}, ${dueAt ?? null}, ${JSON.stringify(baseline)})
    on conflict (kind) do update set due_at = excluded.due_at, body = excluded.body
  `)
}
