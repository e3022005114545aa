import { formatProblem, type Place, type Problem, Problems, readShape } from '@linli/rules'
import type * as z from 'zod'
import { AdapterError } from '../http/errors.js'

/** What somebody declared in JSON can never work. `problems` says what is wrong, each with its place, and what would be right. */
export class DeclarationError extends AdapterError {
  constructor(
    adapter: string,
    /** Codes are stable, such as `key.unknown`. `pointer` is a JSON Pointer (RFC 6901) into the file. */
    readonly problems: readonly Problem[],
  ) {
    const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
    super(`${adapter}.declaration_invalid`, `The declaration has ${count}.\n${problems.map(formatProblem).join('\n')}`)
    this.name = 'DeclarationError'
  }
}

export interface DeclarationFile {
  /** Begins the codes of errors. */
  readonly adapter: string
  /** What problems call the file. */
  readonly file: string
}

/**
 * Reads what somebody declared. `check` looks at what a shape cannot say; it is asked only where the shape is right.
 *
 * @throws {DeclarationError} `….declaration_invalid`
 */
export function readDeclaration<T>(
  schema: z.ZodType<T>,
  given: unknown,
  { adapter, file }: DeclarationFile,
  check: (declared: T, place: Place, problems: Problems) => void,
): T {
  const problems = new Problems()
  const place = { file, pointer: '' }
  const shape = readShape(schema, given, place, problems)
  if (shape.ok) check(shape.value, place, problems)
  if (!shape.ok || problems.list.length > 0) throw new DeclarationError(adapter, problems.list)
  return shape.value
}
