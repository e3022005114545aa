import { type RawBuilder, sql } from 'kysely'
import { encodeSubject, type SubjectKey, type SubjectState, subjectName, UNBORN } from '../../domain/subject.js'
import type { SavedSubject } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { intArray, textArray, textLines } from './parameters.js'
import type { Session } from './session.js'
import { keyTable, RELATION_COLUMNS, runName, SUBJECTS } from './subjects.js'

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
    for (const { dueAt } of subjects) if (dueAt !== undefined) session.marks.subjects.add(dueAt, SUBJECTS)
  }
  session.atEnd({ kept })
}

// Columns that stay as they are cost no index entry, although they are set; with any other, the row is found by a new revision.
async function updateSubjects(session: Session, subjects: readonly SavedSubject[], version: number): Promise<void> {
  if (subjects.length === 0) return
  const written = await session.write(sql`
    update ${session.tables.subject} as subject
    set state = saved.state, due_at = saved.due_at, community = saved.community, leader = saved.leader,
      runs = saved.runs, version = ${version},
      revision = subject.revision + (
        (subject.due_at, subject.community, subject.leader, subject.runs, subject.version)
        is distinct from (saved.due_at, saved.community, saved.leader, saved.runs, ${version}::int4)
      )::int
    from ${savedTable(session, subjects)}
    where subject.kind = saved.kind and subject.id = saved.id and subject.revision >= saved.revision
  `)
  if (written < subjects.length) {
    throw conflict(`${subjects.length - written} of ${subjects.length} subjects were removed since they were locked.`, {
      expected: subjects.length,
      found: written,
    })
  }
}

// That there is one row for each subject is kept by its key, which has a table of its own and never changes: an index of rows that
// are rewritten all the time would be asked about each of their dead versions.
async function insertSubjects(session: Session, subjects: readonly SavedSubject[], version: number): Promise<void> {
  if (subjects.length === 0) return
  const { subject, subjectKey } = session.tables
  const written = await session.write(sql`
    with saved as materialized (select * from ${savedTable(session, subjects)}), born as (
      insert into ${subjectKey} (kind, id) select kind, id from saved order by kind collate "C", id collate "C"
      on conflict do nothing returning kind, id
    )
    insert into ${subject} (kind, id, state, due_at, community, leader, runs, version)
    select kind, id, state, due_at, community, leader, runs, ${version}::int4 from saved join born using (kind, id)
  `)
  if (written < subjects.length) {
    throw conflict(`${subjects.length - written} of ${subjects.length} subjects were created since they were locked.`, {
      expected: subjects.length,
      found: written,
    })
  }
}

// From one name to the next, so that it takes as long as there are communities and leaders, not events.
export async function addMissingRelated(session: Session): Promise<void> {
  const { event, subject, subjectKey } = session.tables
  for (const kind of ['community', 'leader'] as const) {
    const name = RELATION_COLUMNS[kind]
    await session.write(sql`
      with recursive known (id) as (
        (select ${name} from ${event} where ${name} is not null order by ${name} limit 1)
        union all
        select (select ${name} from ${event} where ${name} > known.id order by ${name} limit 1)
        from known where known.id is not null
      ), born as (
        insert into ${subjectKey} (kind, id) select ${kind}::text, id from known where id is not null
        on conflict do nothing returning kind, id
      )
      insert into ${subject} (kind, id, state) select kind, id, ${encodeSubject(UNBORN)}::text from born
    `)
  }
}

export async function outdate(session: Session, keys: readonly SubjectKey[]): Promise<void> {
  if (keys.length === 0) return
  await session.write(sql`
    update ${session.tables.subject} as subject set version = -abs(version), revision = revision + 1
    from ${keyTable(keys)} where subject.kind = wanted.kind and subject.id = wanted.id
  `)
}

export async function removeSubjects(session: Session, keys: readonly SubjectKey[]): Promise<void> {
  const { subject, subjectKey } = session.tables
  // Whoever is created anew begins anew.
  for (const key of keys) session.revisions.delete(subjectName(key))
  // By one statement, which sees both tables at one time: whoever is created meanwhile keeps both or neither.
  await session.write(sql`
    with wanted as (select * from ${keyTable(keys)}), gone as (
      delete from ${subject} as subject using wanted where subject.kind = wanted.kind and subject.id = wanted.id
    )
    delete from ${subjectKey} as key using wanted where key.kind = wanted.kind and key.id = wanted.id
  `)
}

/** What a subject is found by: its journeys, each once, and its runs. Ids have no blank, and those of journeys no slash. */
function runNames({ runs }: SubjectState): string | undefined {
  if (runs.length === 0) return undefined
  return [...new Set(runs.map(({ journey }) => journey)), ...runs.map(({ id }) => runName(id))].join(' ')
}

function savedTable({ revisions }: Session, subjects: readonly SavedSubject[]): RawBuilder<unknown> {
  return sql`(select kind, id, state, due_at, community, leader, string_to_array(runs, ' ') as runs, revision from unnest(
    ${textArray(subjects.map(({ key }) => key.kind))}::text[],
    ${textArray(subjects.map(({ key }) => key.id))}::text[],
    string_to_array(${textLines(subjects.map(({ state }) => encodeSubject(state)))}, chr(10)),
    ${intArray(subjects.map(({ dueAt }) => dueAt))}::int8[],
    ${textArray(subjects.map(({ state }) => state.relations.community?.[0]))}::text[],
    ${textArray(subjects.map(({ state }) => state.relations.leader?.[0]))}::text[],
    ${textArray(subjects.map(({ state }) => runNames(state)))}::text[],
    ${intArray(subjects.map(({ key }) => revisions.get(subjectName(key)) ?? 0))}::int8[]
  ) as saved (kind, id, state, due_at, community, leader, runs, revision)) as saved`
}
