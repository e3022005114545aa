import { type RawBuilder, sql } from 'kysely'
import type { SubjectKey } from '../../domain/subject.js'

// Many rows travel as a handful of parameters: one array for each column. The arrays are written out here, so that
// every driver hands them on as the plain text they are.

/** A `text[]` in PostgreSQL's own notation. */
export function textArray(values: readonly (string | undefined)[]): string {
  const parts = values.map((value) => (value === undefined ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`))
  return `{${parts.join(',')}}`
}

/** An `int8[]` in PostgreSQL's own notation. */
export function intArray(values: readonly (number | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/**
 * Documents, one a line, for `string_to_array($1, chr(10))`. Neither JSON.stringify nor encodeSubject ever writes a line
 * break, so that nothing needs to be escaped: for long documents this is the quickest way in.
 */
export function textLines(documents: readonly string[]): string {
  for (const document of documents) {
    // It would put all that follow into the rows of others.
    if (document.includes('\n'))
      throw new Error('A document to be stored has a line break outside of its JSON strings.')
  }
  return documents.join('\n')
}

/** An `int8` as drivers give it: node-postgres as text. */
export type Int8 = string | number | bigint

export function toInstant(value: Int8 | null): number | undefined {
  return value === null ? undefined : Number(value)
}

/** Whether a row is about one of these subjects. Those of one kind are looked up by their ids. */
export function isOneOf(subjects: readonly SubjectKey[]): RawBuilder<unknown> {
  const kinds = [...new Set(subjects.map(({ kind }) => kind))]
  const parts = kinds.map((kind) => {
    const ids = subjects.filter((subject) => subject.kind === kind).map(({ id }) => id)
    return sql`(subject = any(${textArray(ids)}::text[]) and subject_kind = ${kind})`
  })
  return parts.length === 0 ? sql`false` : sql`(${sql.join(parts, sql` or `)})`
}
