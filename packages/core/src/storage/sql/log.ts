import type { SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import { type Decision, type DecisionKind, type Input, messageIdsOf } from '../../domain/decision.js'
import type { SubjectKey } from '../../domain/subject.js'
import type { DecisionCount, InboxEntry, StoreReads } from '../../ports/store.js'
import { type Int8, intArray, textArray, textLines } from './parameters.js'
import type { Session } from './session.js'

export async function addDecisions(session: Session, decisions: readonly Decision[]): Promise<void> {
  if (decisions.length === 0) return
  await session.write(sql`
    insert into ${session.tables.decision} (subject, at, body)
    select * from unnest(
      ${textArray(decisions.map((decision) => decision.subject))}::text[],
      ${intArray(decisions.map(({ at }) => at))}::int8[],
      string_to_array(${textLines(decisions.map((decision) => JSON.stringify(decision)))}, chr(10))
    )
  `)
}

// Rows stand in about the order in which they were made; what somebody else holds is left for the next time.
export async function forgetDecisions(session: Session, until: number, limit: number): Promise<number> {
  const { decision } = session.tables
  return session.write(sql`
    delete from ${decision} where (subject, id) in (
      select subject, id from ${decision} where at <= ${until} limit ${limit} for update skip locked
    )
  `)
}

export async function readDecisions(
  session: Session,
  { subjects, limit, order }: Parameters<StoreReads['readDecisions']>[0],
): Promise<readonly Decision[]> {
  const rows = await session.rows(sql<{ body: string }>`
    select body from ${session.tables.decision}
    where ${subjects === undefined ? sql`true` : sql`subject = any(${textArray(subjects)}::text[])`}
    order by id ${order === 'latest' ? sql`desc` : sql`asc`} ${limit === undefined ? sql`` : sql`limit ${limit}`}
  `)
  return rows.map(({ body }) => JSON.parse(body) as Decision)
}

export async function countDecisions(
  session: Session,
  { journey, since = 0, until = Number.MAX_SAFE_INTEGER }: Parameters<StoreReads['countDecisions']>[0],
): Promise<readonly DecisionCount[]> {
  // Only bodies that have the name anywhere are parsed.
  const rows = await session.rows(sql<CountRow>`
    with named as materialized (
      select body::json as body from ${session.tables.decision} where strpos(body, ${JSON.stringify(journey)}) > 0
    )
    select body ->> 'decision' as decision, body ->> 'reason' as reason, body ->> 'step' as step,
      count(*) as decisions, count(distinct body ->> 'run') as runs
    from named
    where ${journey} in (body ->> 'rule', body ->> 'journey')
      and (body ->> 'at')::int8 >= ${since} and (body ->> 'at')::int8 < ${until}
    group by 1, 2, 3 order by 1, 2, 3
  `)
  return rows.map(({ decision, reason, step, decisions, runs }) => ({
    decision,
    ...(reason !== null && { reason }),
    ...(step !== null && { step }),
    decisions: Number(decisions),
    runs: Number(runs),
  }))
}

interface CountRow {
  readonly decision: DecisionKind
  readonly reason: string | null
  readonly step: string | null
  readonly decisions: Int8
  readonly runs: Int8
}

export async function addInbox(session: Session, entries: readonly InboxEntry[]): Promise<void> {
  if (entries.length === 0) return
  await session.write(sql`
    insert into ${session.tables.inbox} (kind, subject, body)
    select * from unnest(
      ${textArray(entries.map(({ key }) => key.kind))}::text[],
      ${textArray(entries.map(({ key }) => key.id))}::text[],
      string_to_array(${textLines(entries.map(({ input }) => JSON.stringify(input)))}, chr(10))
    )
  `)
}

export async function waitingFor(session: Session, { kind, id }: SubjectKey): Promise<ReadonlySet<string>> {
  const rows = await session.rows(sql<{ body: string }>`
    select body from ${session.tables.inbox} where kind = ${kind} and subject = ${id}
  `)
  return new Set(rows.flatMap(({ body }) => messageIdsOf(JSON.parse(body) as Input)))
}

interface InboxRow {
  readonly kind: SubjectKind
  readonly subject: string
  readonly body: string
}

export async function holdInbox(session: Session): Promise<void> {
  await session.rows(sql`select pg_advisory_xact_lock(hashtextextended(${inboxLock(session)}::text, 0))`)
}

function inboxLock({ tables }: Session): string {
  return `linli.inbox/${tables.schema}`
}

// One taker at a time keeps the entries in order. The lock ends with the transaction: one that belonged to the session
// would outlive it behind a connection pooler.
export async function takeInbox(session: Session, limit: number): Promise<readonly InboxEntry[]> {
  const [lock] = await session.rows(sql<{ is_mine: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${inboxLock(session)}::text, 0)) as is_mine
  `)
  if (lock?.is_mine !== true) return []
  const rows = await session.rows(sql<InboxRow>`
    with taken as (
      delete from ${session.tables.inbox}
      where id in (select id from ${session.tables.inbox} order by id limit ${limit})
      returning id, kind, subject, body
    )
    select kind, subject, body from taken order by id
  `)
  return rows.map(({ kind, subject, body }) => ({ key: { kind, id: subject }, input: JSON.parse(body) as Input }))
}
