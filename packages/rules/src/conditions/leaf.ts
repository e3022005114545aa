import { isObject } from '../json.js'
import { compileOperator, type Operator, ORDERINGS, parseOperator } from '../operators.js'
import { compilePath, PATH_FORMS, type Path } from '../path.js'
import type { Place, Problems } from '../problems.js'
import type { ConditionLeaf } from './tree.js'

/** A leaf whose operator, path and value have been looked at. */
export interface CheckedLeaf {
  readonly source: ConditionLeaf
  readonly place: Place
  readonly operatorName: string
  readonly decorators: readonly string[]
  readonly test: Operator
  readonly path: Path | undefined
  /** The constant to compare with, or undefined where `reference` is given. */
  readonly constant: unknown
  readonly reference: ReferenceValue | undefined
}

/** `{ "fact": … }` in place of a constant. */
export interface ReferenceValue {
  readonly fact: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly path?: string
}

const LISTS: ReadonlySet<string> = new Set(['in', 'notIn'])

/** Checks what is common to all leaves; undefined after an error has been reported. */
export function checkLeaf(source: ConditionLeaf, place: Place, problems: Problems): CheckedLeaf | undefined {
  const parsed = parseOperator(source.operator)
  if (!parsed.ok) {
    const kind = parsed.known.includes('equal') ? 'operator' : 'operator decorator'
    const message = `There is no ${kind} ${JSON.stringify(parsed.unknown)}. Known: ${parsed.known.join(', ')}.`
    const at = { file: place.file, pointer: `${place.pointer}/operator` }
    problems.error(at, 'operator.unknown', message, {
      found: source.operator,
      name: parsed.unknown,
      known: parsed.known,
    })
    return undefined
  }
  const path = source.path === undefined ? undefined : readPath(source.path, place, problems)
  const reference = isObject(source.value) ? (source.value as unknown as ReferenceValue) : undefined
  const { decorators, name } = parsed.operator
  if (reference === undefined && !checkConstant(source, decorators, name, place, problems)) return undefined
  return {
    source,
    place,
    operatorName: name,
    decorators,
    test: compileOperator(parsed.operator),
    path,
    constant: reference === undefined ? source.value : undefined,
    reference,
  }
}

export function readPath(text: string, place: Place, problems: Problems): Path | undefined {
  const path = compilePath(text)
  if (path === undefined) {
    const at = { file: place.file, pointer: `${place.pointer}/path` }
    problems.error(at, 'path.invalid', `A path looks like ${PATH_FORMS}.`, { found: text })
  }
  return path
}

/**
 * Refuses constants whose meaning json-rules-engine leaves to JavaScript: a numeric text or null in an ordering, a text
 * as a list. `swap` turns the sides and the quantifying decorators change what is compared, so those are left alone.
 */
function checkConstant(
  { value }: ConditionLeaf,
  decorators: readonly string[],
  operator: string,
  place: Place,
  problems: Problems,
): boolean {
  const at = { file: place.file, pointer: `${place.pointer}/value` }
  const plain = decorators.every((decorator) => decorator === 'not' || decorator.endsWith('Fact'))
  const quantified = decorators.some((decorator) => decorator.endsWith('Value'))
  if (quantified && !Array.isArray(value)) {
    problems.error(at, 'value.list', 'The decorators someValue and everyValue need a list as value.', { found: value })
    return false
  }
  if (!plain) return true
  if (LISTS.has(operator) && !Array.isArray(value)) {
    problems.error(at, 'value.list', `"${operator}" needs a list as value, such as ["A", "B"].`, { found: value })
    return false
  }
  if (ORDERINGS.has(operator) && !isOrderable(value)) {
    const hint = typeof value === 'string' && value.trim() !== '' ? ` Write ${value.trim()} without quotes.` : ''
    const message = `"${operator}" needs a number (or a date or a duration in text) as value.${hint}`
    problems.error(at, 'value.number', message, { found: value })
    return false
  }
  return true
}

/** Numbers, and texts that are no numbers: ISO dates order as text, durations are read by their facts. */
function isOrderable(value: unknown): boolean {
  if (typeof value === 'number') return true
  return typeof value === 'string' && value.trim() !== '' && Number.isNaN(Number(value))
}
