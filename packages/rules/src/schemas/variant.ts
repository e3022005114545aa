import * as z from 'zod'
import { isObject } from '../json.js'

/**
 * One form of a value that can have several, told apart by a key: a step with `send`, conditions with `all`. Only the
 * form whose key is there is looked into. A plain union would look into all of them at every level, which takes time
 * exponential in the depth of a nested journey, and would blame the author for the forms that were not meant.
 */
export function variant<S extends z.ZodType>(key: string, schema: S) {
  return z
    .custom<z.input<S>>((value) => isObject(value) && Object.hasOwn(value, key), { params: { variant: key } })
    .pipe(schema as z.ZodType<z.output<S>, z.input<S>>)
}

/** The key of the form that an issue says was not meant; undefined for all other issues. */
export function variantOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'custom' || issue.path.length > 0) return undefined
  const key: unknown = issue.params?.['variant']
  return typeof key === 'string' ? key : undefined
}
