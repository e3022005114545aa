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
 * JSON documents, one a line, for `string_to_array($1, chr(10))`. JSON.stringify never writes a line break, so that
 * nothing needs to be escaped: for long documents this is the quickest way in.
 */
export function jsonLines(documents: readonly string[]): string {
  return documents.join('\n')
}

/** An `int8` as drivers give it: node-postgres as text. */
export type Int8 = string | number | bigint

export function toInstant(value: Int8 | null): number | undefined {
  return value === null ? undefined : Number(value)
}
