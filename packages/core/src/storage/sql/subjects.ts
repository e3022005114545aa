import type { RelationName, SubjectKind } from '@linli/rules'
import { type RawBuilder, sql } from 'kysely'
import {
  decodeSubject,
  encodeSubject,
  type SubjectKey,
  type SubjectState,
  subjectName,
  UNBORN,
} from '../../domain/subject.js'
import type { LockedSubject, LockOptions, SavedSubject } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { type Marks, type Place, START } from './due-marks.js'
import { type Int8, intArray, textArray, textLines, toInstant } from './parameters.js'
import { DATABASE_NOW, type Session } from './session.js'

interface SubjectRow {
  readonly kind: SubjectKind
  readonly id: string
  readonly state: string
  readonly due_at: Int8 | null
  readonly version: number
}

// Rows are locked as the inner select finds them, one for each key and in the order of the keys: with a plain join the
// planner would be free to lock them as it meets them, or to read the whole table. They come back as one text, a line
// for each (place, due time, version, state): drivers spend more time on a thousand rows than the server does. The clock is
// asked with them: an aggregate's row is made when all of what it is made of has been locked.
export async function lockSubjects(
  session: Session,
  keys: readonly SubjectKey[],
  { passOver = false }: LockOptions,
): Promise<readonly LockedSubject[]> {
  if (keys.length === 0) return []
  const wanted = [...new Map(keys.map((key) => [subjectName(key), key])).values()]
  const [found] = await session.rows(sql<{ lines: string | null; now: Int8 }>`
    select string_agg(
      wanted.place || ' ' || coalesce(subject.due_at::text, '') || ' ' || subject.version || ' ' || subject.state, chr(10)
    ) as lines, ${DATABASE_NOW} as now
    from (
      select kind, id, place - 1 as place
      from unnest(${textArray(wanted.map((key) => key.kind))}::text[], ${textArray(wanted.map((key) => key.id))}::text[])
        with ordinality as wanted (kind, id, place)
      order by kind collate "C", id collate "C"
    ) as wanted cross join lateral (
      select due_at, version, state from ${session.tables.subject} as subject
      where subject.kind = wanted.kind and subject.id = wanted.id for no key update ${passOver ? sql`skip locked` : sql``}
    ) as subject
  `)
  session.tell(Number(found?.now))
  const locked = new Map<string, LockedSubject>()
  for (const line of found?.lines?.split('\n') ?? []) {
    const subject = readLine(line, wanted)
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
      where subject.kind = wanted.kind and subject.id = wanted.id limit 1
    ) as subject
  `)
  return new Set(rows.map(subjectName))
}

function readLine(line: string, wanted: readonly SubjectKey[]): LockedSubject {
  const placeEnd = line.indexOf(' ')
  const dueEnd = line.indexOf(' ', placeEnd + 1)
  const versionEnd = line.indexOf(' ', dueEnd + 1)
  const key = wanted[Number(line.slice(0, placeEnd))]
  if (key === undefined) throw new Error('The database gave a subject that was not asked for.')
  const dueAt = dueEnd === placeEnd + 1 ? undefined : Number(line.slice(placeEnd + 1, dueEnd))
  const version = Number(line.slice(dueEnd + 1, versionEnd))
  return { key, state: decodeSubject(line.slice(versionEnd + 1)), dueAt, isNew: false, version }
}

export async function takeDueSubjects(
  session: Session,
  until: number,
  limit: number,
): Promise<readonly LockedSubject[]> {
  const search = async (from: ReadonlyMap<string, Place>) => {
    const rows = await session.rows(sql<SubjectRow>`
      select kind, id, state, due_at, version from ${session.tables.subject}
      where due_at <= ${until} and ${after(from)} order by due_at, kind, id limit ${limit} for no key update skip locked
    `)
    return { rows, emptied: rows.length < limit ? [LINE] : [] }
  }
  const placeOf = ({ due_at, kind, id }: SubjectRow) => [LINE, { dueAt: Number(due_at), names: [kind, id] }] as const
  const { subjects: marks } = session.marks
  session.atEnd({ lost: () => marks.reset() })
  return (await marks.take(until, search, placeOf)).map(toLocked)
}

/** All subjects that are due wait in one line. */
const LINE = ''

/** Whether a subject is due after the mark. */
export function afterMark({ subjects }: Pick<Marks, 'subjects'>): RawBuilder<unknown> {
  return after(subjects.places)
}

function after(places: ReadonlyMap<string, Place>): RawBuilder<unknown> {
  const { dueAt, names } = places.get(LINE) ?? START
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
    select kind, id, state, due_at, version from ${session.tables.subject}
    where kind = ${kind} and version < ${version} limit ${limit} for no key update skip locked
  `)
  return rows.map(toLocked)
}

// From one name to the next, so that it takes as long as there are communities and leaders, not events.
export async function addMissingRelated(session: Session): Promise<void> {
  for (const kind of ['community', 'leader'] as const) {
    const name = RELATION_COLUMNS[kind]
    await session.write(sql`
      with recursive known (id) as (
        (select ${name} from ${session.tables.event} where ${name} is not null order by ${name} limit 1)
        union all
        select (
          select ${name} from ${session.tables.event} where ${name} > known.id order by ${name} limit 1
        ) from known where known.id is not null
      )
      insert into ${session.tables.subject} (kind, id, state)
      select ${kind}::text, id, ${encodeSubject(UNBORN)}::text from known where id is not null
      on conflict do nothing
    `)
  }
}

export async function saveSubjects(
  session: Session,
  subjects: readonly SavedSubject[],
  version: number,
): Promise<void> {
  await updateSubjects(
    session,
    subjects.filter((subject) => !subject.isNew),
    version,
  )
  await insertSubjects(
    session,
    subjects.filter((subject) => subject.isNew),
    version,
  )
  const kept = () => {
    for (const { dueAt } of subjects) if (dueAt !== undefined) session.marks.subjects.add(dueAt, LINE)
  }
  session.atEnd({ kept })
}

// Columns that stay as they are cost no index entry, although they are set.
async function updateSubjects(session: Session, subjects: readonly SavedSubject[], version: number): Promise<void> {
  if (subjects.length === 0) return
  const written = await session.write(sql`
    update ${session.tables.subject} as subject
    set state = saved.state, due_at = saved.due_at, community = saved.community, leader = saved.leader,
      runs = saved.runs,
      version = ${version}
    from ${savedTable(subjects)}
    where subject.kind = saved.kind and subject.id = saved.id
  `)
  if (written < subjects.length) {
    throw conflict(`${subjects.length - written} of ${subjects.length} subjects were removed since they were locked.`, {
      expected: subjects.length,
      found: written,
    })
  }
}

async function insertSubjects(session: Session, subjects: readonly SavedSubject[], version: number): Promise<void> {
  if (subjects.length === 0) return
  const written = await session.write(sql`
    insert into ${session.tables.subject} (kind, id, state, due_at, community, leader, runs, version)
    select kind, id, state, due_at, community, leader, runs, ${version}::int4 from ${savedTable(subjects)}
    order by kind collate "C", id collate "C"
    on conflict do nothing
  `)
  if (written < subjects.length) {
    throw conflict(`${subjects.length - written} of ${subjects.length} subjects were created since they were locked.`, {
      expected: subjects.length,
      found: written,
    })
  }
}

export async function outdate(session: Session, keys: readonly SubjectKey[]): Promise<void> {
  if (keys.length === 0) return
  await session.write(sql`
    update ${session.tables.subject} as subject set version = -abs(version)
    from ${keyTable(keys)} where subject.kind = wanted.kind and subject.id = wanted.id
  `)
}

export async function removeSubject(session: Session, { kind, id }: SubjectKey): Promise<void> {
  await session.write(sql`delete from ${session.tables.subject} where kind = ${kind} and id = ${id}`)
}

export async function peekSubjects(
  session: Session,
  keys: readonly SubjectKey[],
): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
  if (keys.length === 0) return []
  const rows = await session.rows(sql<Pick<SubjectRow, 'kind' | 'id' | 'state'>>`
    select subject.* from ${keyTable(keys)} cross join lateral (
      select kind, id, state from ${session.tables.subject} as subject
      where subject.kind = wanted.kind and subject.id = wanted.id limit 1
    ) as subject
  `)
  return rows.map(({ kind, id, state }) => ({ key: { kind, id }, state: decodeSubject(state) }))
}

const RELATION_COLUMNS: Readonly<Record<RelationName, RawBuilder<unknown>>> = {
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

function keyTable(keys: readonly SubjectKey[]): RawBuilder<unknown> {
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

/** What a subject is found by: its journeys, each once, and its runs. Ids have no blank, and those of journeys no slash. */
function runNames({ runs }: SubjectState): string | undefined {
  if (runs.length === 0) return undefined
  return [...new Set(runs.map(({ journey }) => journey)), ...runs.map(({ id }) => runName(id))].join(' ')
}

function runName(id: string): string {
  return `run/${id}`
}

function savedTable(subjects: readonly SavedSubject[]): RawBuilder<unknown> {
  return sql`(select kind, id, state, due_at, community, leader, string_to_array(runs, ' ') as runs from unnest(
    ${textArray(subjects.map(({ key }) => key.kind))}::text[],
    ${textArray(subjects.map(({ key }) => key.id))}::text[],
    string_to_array(${textLines(subjects.map(({ state }) => encodeSubject(state)))}, chr(10)),
    ${intArray(subjects.map(({ dueAt }) => dueAt))}::int8[],
    ${textArray(subjects.map(({ state }) => state.relations.community?.[0]))}::text[],
    ${textArray(subjects.map(({ state }) => state.relations.leader?.[0]))}::text[],
    ${textArray(subjects.map(({ state }) => runNames(state)))}::text[]
  ) as saved (kind, id, state, due_at, community, leader, runs)) as saved`
}

function toLocked({ kind, id, state, due_at, version }: SubjectRow): LockedSubject {
  return { key: { kind, id }, state: decodeSubject(state), dueAt: toInstant(due_at), isNew: false, version }
}
