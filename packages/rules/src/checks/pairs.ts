import type { NamedConditions } from '../conditions/named.js'
import type { ConditionLeaf } from '../conditions/tree.js'
import { canonicalJson, isObject } from '../json.js'
import { compileOperator, parseOperator } from '../operators.js'
import { type Measure, measureOf } from './measure.js'
import { rangeOf } from './ranges.js'
import { COUNTS } from './relations.js'
import { liesIn } from './stretch.js'

type Sample = number | undefined

/**
 * What a comparison of two facts can come to, whatever happens: true, false or both. Known of a number compared with
 * itself, and of a count compared with the same count of more time.
 */
export function outcomesOf(leaf: ConditionLeaf, named: NamedConditions): ReadonlySet<boolean> {
  const parsed = parseOperator(leaf.operator)
  const samples = samplesOf(leaf, named)
  if (!parsed.ok || samples === undefined || parsed.operator.decorators.some((one) => one !== 'not')) return EITHER
  if (!ORDERS.has(parsed.operator.name)) return EITHER
  const test = compileOperator(parsed.operator)
  return new Set(samples.map(([left, right]) => test(left, right)))
}

const EITHER: ReadonlySet<boolean> = new Set([true, false])

const ORDERS: ReadonlySet<string> = new Set([
  'equal',
  'notEqual',
  'lessThan',
  'lessThanInclusive',
  'greaterThan',
  'greaterThanInclusive',
])

/** One pair of values for each way in which the two can stand to each other; undefined where nothing is known. */
function samplesOf(leaf: ConditionLeaf, named: NamedConditions): readonly (readonly [Sample, Sample])[] | undefined {
  const { fact, params = {}, path, value } = leaf
  if (!isObject(value) || path !== undefined || value['path'] !== undefined || typeof value['fact'] !== 'string') {
    return undefined
  }
  const range = rangeOf(fact, params, named)
  if (range?.kind !== 'numbers') return undefined
  const otherParams = isObject(value['params']) ? value['params'] : {}
  if (canonicalJson([fact, params]) === canonicalJson([value['fact'], otherParams])) {
    return range.absent ? [SAME, [undefined, undefined]] : [SAME]
  }
  const [one, other] = [measureOf(fact, params, named), measureOf(value['fact'], otherParams, named)]
  if (one === undefined || other === undefined) return undefined
  if (isNeverMore(one, other)) return [SAME, [0, 1]]
  return isNeverMore(other, one) ? [SAME, [1, 0]] : undefined
}

const SAME = [1, 1] as const

/** Both are read from the same entries, so that rounding, where there are too many, is the same too. */
function isNeverMore(a: Measure, b: Measure): boolean {
  return a.text === b.text && COUNTS.has(a.fact) && liesIn(a.stretch, b.stretch)
}
