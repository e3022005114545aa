import type { ConditionLeaf } from '../conditions/tree.js'
import { isObject } from '../json.js'
import { compileOperator, type Operator, ORDERINGS, type ParsedOperator, parseOperator } from '../operators.js'
import type { Cell } from './cells.js'

/** Whether a comparison holds for the values of a cell: for all, for none, or for some perhaps. */
export type Answer = 'holds' | 'fails' | 'either'

/** A comparison with a constant. */
export interface Comparison {
  readonly operator: ParsedOperator
  readonly test: Operator
  readonly constant: unknown
}

/** The comparison of a leaf that compares with a constant; undefined for all others. */
export function comparisonOf({ operator: text, value }: ConditionLeaf): Comparison | undefined {
  const parsed = parseOperator(text)
  if (!parsed.ok || isObject(value)) return undefined
  return { operator: parsed.operator, test: compileOperator(parsed.operator), constant: value }
}

/** What a comparison tells values apart by. */
export function constantsOf({ constant }: Comparison): readonly unknown[] {
  return [constant].flat()
}

const IDENTITIES: ReadonlySet<string> = new Set(['equal', 'notEqual', 'in', 'notIn'])

export function answerOf({ operator, test, constant }: Comparison, cell: Cell): Answer {
  return isAlike(cell, operator, constant) ? (test(cell.sample, constant) ? 'holds' : 'fails') : 'either'
}

/** Whether an operator answers the same for all values of a cell. */
function isAlike({ kind }: Cell, { decorators, name }: ParsedOperator, constant: unknown): boolean {
  if (kind === 'value') return true
  if (decorators.some((decorator) => decorator !== 'not')) return false
  if (IDENTITIES.has(name)) return true
  if (kind === 'list') return false
  return kind === 'object' || !ORDERINGS.has(name) || typeof constant === 'number'
}
