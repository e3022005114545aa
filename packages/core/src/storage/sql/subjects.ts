import type { RelationName, SubjectKind } from '@linli/rules'
import { type RawBuilder, sql } from 'kysely'
import { decodeSubject, type SubjectKey, type SubjectState, subjectName, UNBORN } from '../../domain/subject.js'
import type { LockedSubject, LockOptions } from '../../ports/store.js'
import { type Place, START } from './due-marks.js'
import { type Int8, textArray, toInstant } from './parameters.js'
import { DATABASE_NOW, type Session } from './session.js'

interface SubjectRow {
  readonly kind: SubjectKind
  readonly id: string
  readonly state: string
  readonly due_at: Int8 | null
  readonly version: number
  readonly revision: Int8
}

/**
 * Which row is a subject's. While somebody keeps a transaction open the index leads to all that the row has ever been, so it is
 * walked from the last revision on, to the first that counts. The id is said as a stretch of the index: for one kind and id the
 * planner expects one row, and would rather fetch what there is and sort it.
 */
export function rowOf(kind: RawBuilder<unknown>, id: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`subject.kind = ${kind}
    and (subject.id, subject.revision) between (${id}, 0) and (${id}, 9223372036854775807)
    order by subject.id desc, subject.revision desc limit 1`
}

const WANTED_ROW = rowOf(sql`wanted.kind`, sql`wanted.id`)

// Rows are locked as the inner select finds them, one for each key and in the order of the keys: with a plain join the
// planner would be free to lock them as it meets them, or to read the whole table. They come back as one text, a line
// for each (place, due time, version, revision, state): drivers spend more time on a thousand rows than the server does.
// The clock is asked with them: an aggregate's row is made when all of what it is made of has been locked.
export async function lockSubjects(
  session: Session,
  keys: readonly SubjectKey[],
  { passOver = false }: LockOptions,
): Promise<readonly LockedSubject[]> {
  if (keys.length === 0) return []
  const wanted = [...new Map(keys.map((key) => [subjectName(key), key])).values()]
  const [found] = await session.rows(sql<{ lines: string | null; now: Int8 }>`
    select string_agg(
      wanted.place || ' ' || coalesce(subject.due_at::text, '') || ' ' || subject.version || ' ' || subject.revision
        || ' ' || subject.state, chr(10)
    ) as lines, ${DATABASE_NOW} as now
    from (
      select kind, id, place - 1 as place
      from unnest(${textArray(wanted.map((key) => key.kind))}::text[], ${textArray(wanted.map((key) => key.id))}::text[])
        with ordinality as wanted (kind, id, place)
      order by kind collate "C", id collate "C"
    ) as wanted cross join lateral (
      select due_at, version, revision, state from ${session.tables.subject} as subject
      where ${WANTED_ROW} for no key update ${passOver ? sql`skip locked` : sql``}
    ) as subject
  `)
  session.tell(Number(found?.now))
  const locked = new Map<string, LockedSubject>()
  for (const line of found?.lines?.split('\n') ?? []) {
    const subject = readLine(session, line, wanted)
    locked.set(subjectName(subject.key), subject)
  }
  const held = passOver
    ? await existing(
        session,
        wanted.filter((key) => !locked.has(subjectName(key))),
      )
    : undefined
  return keys
    .filter((key) => held?.has(subjectName(key)) !== true)
    .map((key) => locked.get(subjectName(key)) ?? newSubject(key))
}

function newSubject(key: SubjectKey): LockedSubject {
  return { key, state: UNBORN, dueAt: undefined, isNew: true, version: 0 }
}

/** The names of those that have a row. */
async function existing(session: Session, keys: readonly SubjectKey[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const rows = await session.rows(sql<SubjectKey>`
    select subject.kind, subject.id from ${keyTable(keys)} cross join lateral (
      select kind, id from ${session.tables.subject} as subject
      where ${WANTED_ROW}
    ) as subject
  `)
  return new Set(rows.map(subjectName))
}

function readLine(session: Session, line: string, wanted: readonly SubjectKey[]): LockedSubject {
  const placeEnd = line.indexOf(' ')
  const dueEnd = line.indexOf(' ', placeEnd + 1)
  const versionEnd = line.indexOf(' ', dueEnd + 1)
  const revisionEnd = line.indexOf(' ', versionEnd + 1)
  const key = wanted[Number(line.slice(0, placeEnd))]
  if (key === undefined) throw new Error('The database gave a subject that was not asked for.')
  const dueAt = dueEnd === placeEnd + 1 ? undefined : Number(line.slice(placeEnd + 1, dueEnd))
  const version = Number(line.slice(dueEnd + 1, versionEnd))
  session.revisions.set(subjectName(key), Number(line.slice(versionEnd + 1, revisionEnd)))
  return { key, state: decodeSubject(line.slice(revisionEnd + 1)), dueAt, isNew: false, version }
}

export async function takeDueSubjects(
  session: Session,
  until: number,
  limit: number,
): Promise<readonly LockedSubject[]> {
  const search = async (from: ReadonlyMap<string, Place>) => {
    const rows = await session.rows(sql<SubjectRow>`
      select kind, id, state, due_at, version, revision from ${session.tables.subject}
      where due_at <= ${until} and ${afterMark(from)} order by due_at, kind, id limit ${limit} for no key update skip locked
    `)
    return { rows, emptied: rows.length < limit ? [SUBJECTS] : [] }
  }
  const placeOf = ({ due_at, kind, id }: SubjectRow) =>
    [SUBJECTS, { dueAt: Number(due_at), names: [kind, id] }] as const
  const { subjects: marks } = session.marks
  session.atEnd({ lost: () => marks.reset() })
  return (await marks.take(until, search, placeOf)).map((row) => toLocked(session, row))
}

/** All subjects that are due wait in one line. */
export const SUBJECTS = ''

/** Whether a subject is due after the mark. */
export function afterMark(places: ReadonlyMap<string, Place>): RawBuilder<unknown> {
  const { dueAt, names } = places.get(SUBJECTS) ?? START
  const [kind = '', id = ''] = names
  return sql`(due_at, kind, id) > (${dueAt}::int8, ${kind}, ${id})`
}

export async function takeOutdatedSubjects(
  session: Session,
  kind: SubjectKind,
  version: number,
  limit: number,
): Promise<readonly LockedSubject[]> {
  const rows = await session.rows(sql<SubjectRow>`
    select kind, id, state, due_at, version, revision from ${session.tables.subject}
    where kind = ${kind} and version < ${version} limit ${limit} for no key update skip locked
  `)
  return rows.map((row) => toLocked(session, row))
}

export async function peekSubjects(
  session: Session,
  keys: readonly SubjectKey[],
): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
  if (keys.length === 0) return []
  const rows = await session.rows(sql<Pick<SubjectRow, 'kind' | 'id' | 'state'>>`
    select subject.* from ${keyTable(keys)} cross join lateral (
      select kind, id, state from ${session.tables.subject} as subject
      where ${WANTED_ROW}
    ) as subject
  `)
  return rows.map(({ kind, id, state }) => ({ key: { kind, id }, state: decodeSubject(state) }))
}

export const RELATION_COLUMNS: Readonly<Record<RelationName, RawBuilder<unknown>>> = {
  community: sql.id('community'),
  leader: sql.id('leader'),
}

export async function relatedTo(
  session: Session,
  kind: SubjectKind,
  relation: RelationName,
  id: string,
): Promise<readonly SubjectKey[]> {
  return session.rows(sql<{ kind: SubjectKind; id: string }>`
    select kind, id from ${session.tables.subject}
    where ${RELATION_COLUMNS[relation]} = ${id} and kind = ${kind} order by id
  `)
}

export async function listSubjects(
  session: Session,
  kind: SubjectKind,
  after: string | undefined,
  limit: number,
): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
  const rows = await session.rows(sql<Pick<SubjectRow, 'id' | 'state'>>`
    select id, state from ${session.tables.subject}
    where kind = ${kind} and ${after === undefined ? sql`true` : sql`id > ${after}`} order by id limit ${limit}
  `)
  return rows.map(({ id, state }) => ({ key: { kind, id }, state: decodeSubject(state) }))
}

export function keyTable(keys: readonly SubjectKey[]): RawBuilder<unknown> {
  const kinds = textArray(keys.map((key) => key.kind))
  return sql`unnest(${kinds}::text[], ${textArray(keys.map((key) => key.id))}::text[]) as wanted (kind, id)`
}

export async function readSubjectsInRuns(
  session: Session,
  of: { readonly journey: string } | { readonly run: string },
  after: SubjectKey | undefined,
  limit: number,
): Promise<readonly { readonly key: SubjectKey; readonly state: SubjectState }[]> {
  const name = 'journey' in of ? of.journey : runName(of.run)
  const rows = await session.rows(sql<Pick<SubjectRow, 'kind' | 'id' | 'state'>>`
    select kind, id, state from ${session.tables.subject}
    where runs @> ${textArray([name])}::text[]
      and ${after === undefined ? sql`true` : sql`(kind, id) > (${after.kind}, ${after.id})`}
    order by kind, id limit ${limit}
  `)
  return rows.map(({ kind, id, state }) => ({ key: { kind, id }, state: decodeSubject(state) }))
}

export function runName(id: string): string {
  return `run/${id}`
}

function toLocked(session: Session, { kind, id, state, due_at, version, revision }: SubjectRow): LockedSubject {
  const key = { kind, id }
  session.revisions.set(subjectName(key), Number(revision))
  return { key, state: decodeSubject(state), dueAt: toInstant(due_at), isNew: false, version }
}
