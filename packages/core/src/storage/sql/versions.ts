import type { JourneyDefinition, SubjectKind } from '@linli/rules'
import { type RawBuilder, sql } from 'kysely'
import type { SubjectKey } from '../../domain/subject.js'
import type { KnownJourney, Operation, Version } from '../../ports/store.js'
import { type Int8, intArray, textArray } from './parameters.js'
import { DATABASE_NOW, type Session } from './session.js'
import { rowOf } from './subjects.js'

/** How long `lockVersions` keeps others from beginning while it waits; then it gives way and is tried again. */
const LOCK_TIMEOUT_MS = 1000

// The number is read by a statement of its own: one that waited for the lock would still see what was before.
export async function holdVersion(session: Session): Promise<number> {
  const lock = sql`select pg_advisory_xact_lock_shared(hashtextextended(${sql.lit(lockName(session))}::text, 0))`
  return told(session, await session.rowsAfter(lock, newest(session)))
}

export async function lockVersions(session: Session): Promise<number> {
  await session.rows(sql`select set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}ms`}, true)`)
  await session.rows(sql`select pg_advisory_xact_lock(hashtextextended(${lockName(session)}::text, 0))`)
  await session.rows(sql`select set_config('lock_timeout', '0', true)`)
  return told(session, await session.rows(newest(session)))
}

function lockName({ tables }: Session): string {
  return `linli.version/${tables.schema}`
}

interface NewestRow {
  readonly newest: number | null
  readonly now: Int8
}

function newest({ tables }: Session): RawBuilder<NewestRow> {
  return sql<NewestRow>`select max(number) as newest, ${DATABASE_NOW} as now from ${tables.version}`
}

/** The newest version; 0 where there is none. What time it is was asked with it. */
function told(session: Session, [row]: readonly NewestRow[]): number {
  session.tell(Number(row?.now))
  return row?.newest ?? 0
}

interface VersionRow {
  readonly hash: string
  readonly definitions: string
  readonly kept: string
  readonly good_since: string
  readonly published_at: Int8
  readonly greet: boolean
  readonly fates: string
  readonly halts: string
  readonly operation: string | null
}

export async function readVersion(session: Session, number: number): Promise<Version | undefined> {
  const [row] = await session.rows(sql<VersionRow>`
    select hash, definitions, kept, good_since, published_at, greet, fates, halts, operation from ${session.tables.version}
    where number = ${number}
  `)
  return (
    row && {
      number,
      hash: row.hash,
      definitions: JSON.parse(row.definitions) as Version['definitions'],
      kept: JSON.parse(row.kept) as Version['kept'],
      goodSince: JSON.parse(row.good_since) as Version['goodSince'],
      publishedAt: Number(row.published_at),
      greet: row.greet,
      fates: JSON.parse(row.fates) as Version['fates'],
      halts: JSON.parse(row.halts) as Version['halts'],
      ...(row.operation !== null && { operation: JSON.parse(row.operation) as Operation }),
    }
  )
}

export async function addVersion(session: Session, version: Version): Promise<void> {
  const { number, hash, definitions, kept, goodSince, publishedAt, greet, fates, halts, operation } = version
  await session.write(sql`
    insert into ${session.tables.version} (number, hash, definitions, kept, good_since, published_at, greet, fates, halts, operation)
    values (
      ${number}, ${hash}, ${JSON.stringify(definitions)}, ${JSON.stringify(kept)}, ${JSON.stringify(goodSince)},
      ${publishedAt}, ${greet}, ${JSON.stringify(fates)},
      ${JSON.stringify(halts)}, ${operation === undefined ? null : JSON.stringify(operation)}
    )
  `)
}

export async function readJourneys(session: Session, until: number): Promise<readonly KnownJourney[]> {
  const rows = await session.rows(sql<{ hash: string; definition: string; since: number }>`
    select hash, definition, since from ${session.tables.journey} where since <= ${until} order by hash
  `)
  return rows.map(({ hash, definition, since }) => {
    return { hash, definition: JSON.parse(definition) as JourneyDefinition, since }
  })
}

export async function rememberJourneys(session: Session, journeys: readonly KnownJourney[]): Promise<void> {
  if (journeys.length === 0) return
  await session.write(sql`
    insert into ${session.tables.journey} (hash, definition, since)
    select * from unnest(
      ${textArray(journeys.map(({ hash }) => hash))}::text[],
      ${textArray(journeys.map(({ definition }) => JSON.stringify(definition)))}::text[],
      ${intArray(journeys.map(({ since }) => since))}::int4[]
    ) as input (hash, definition, since)
    order by hash collate "C"
    on conflict do nothing
  `)
}

export async function readVersions(
  session: Session,
  { kind, id }: SubjectKey,
): Promise<{ readonly ofSubject: number; readonly newest: number }> {
  const [row] = await session.rows(sql<{ of_subject: number | null; newest: number | null }>`
    select (
        select version from ${session.tables.subject} as subject where ${rowOf(sql`${kind}`, sql`${id}`)}
      ) as of_subject,
      (select max(number) from ${session.tables.version}) as newest
  `)
  return { ofSubject: row?.of_subject ?? 0, newest: row?.newest ?? 0 }
}

export async function readOperations(
  session: Session,
  limit: number,
): Promise<readonly { readonly version: number; readonly at: number; readonly operation: Operation }[]> {
  const rows = await session.rows(sql<{ number: number; published_at: Int8; operation: string }>`
    select number, published_at, operation from ${session.tables.version}
    where operation is not null order by number desc limit ${limit}
  `)
  return rows.map(({ number: version, published_at, operation }) => {
    return { version, at: Number(published_at), operation: JSON.parse(operation) as Operation }
  })
}

export async function countSubjects(session: Session): Promise<number> {
  const [row] = await session.rows(sql<{ count: Int8 }>`select count(*) as count from ${session.tables.subject}`)
  return Number(row?.count ?? 0)
}

export async function countOutdated(session: Session, kind: SubjectKind, version: number): Promise<number> {
  const [row] = await session.rows(sql<{ count: Int8 }>`
    select count(*) as count from ${session.tables.subject} where kind = ${kind} and version < ${version}
  `)
  return Number(row?.count ?? 0)
}
