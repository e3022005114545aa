import type { NamedConditions } from '../conditions/named.js'
import type { ConditionLeaf } from '../conditions/tree.js'
import { parseDuration } from '../duration.js'
import { canonicalJson, isObject } from '../json.js'
import type { Tier } from '../tiers.js'
import type { Range } from './cells.js'
import { answerOf, type Comparison, comparisonOf, constantsOf } from './comparison.js'
import type { Reading, ScoreSide, Variable } from './formula.js'
import { measureOf } from './measure.js'
import { outcomesOf } from './pairs.js'

type Params = Readonly<Record<string, unknown>>

/** What is known of what facts read, beyond the facts themselves. */
export interface Knowledge {
  readonly named: NamedConditions
  /** The values that a fact can have; undefined of a fact that is not known here. */
  rangeOf(fact: string, params: Params): Range | undefined
  /** The tiers of a score in the order of `from`. */
  tiersOf(params: Params): readonly Tier[]
}

/** A leaf about a subject as a statement about a variable. */
export function readLeaf(leaf: ConditionLeaf, knowledge: Knowledge): Reading {
  const { fact, params = {}, path } = leaf
  const comparison = comparisonIn(leaf)
  const range = knowledge.rangeOf(fact, params)
  if (isObject(leaf.value) && params['of'] === undefined) return opaque(leaf, [...outcomesOf(leaf, knowledge.named)])
  if (comparison === undefined || range === undefined) return opaque(leaf)
  const variable: Variable = {
    // A path on what is no object gives the value itself.
    key: canonicalJson({ fact, params, path: range.kind === 'anything' ? path : undefined }),
    range,
    measure: path === undefined ? measureOf(fact, params, knowledge.named) : undefined,
    score: fact === 'score' ? scoreSide(params, knowledge) : undefined,
  }
  const reading = about(variable, comparison, params['of'] !== undefined)
  const starts = variable.score?.tiers.map(({ from }) => from) ?? []
  return { ...reading, constants: [...reading.constants, ...starts] }
}

function scoreSide(params: Params, knowledge: Knowledge): ScoreSide {
  const { as, ...score } = params
  return { name: canonicalJson(score), as: as === 'tier' ? 'tier' : 'value', tiers: knowledge.tiersOf(params) }
}

/** A leaf about a property of one object. */
export function readProperty(leaf: ConditionLeaf): Reading {
  const comparison = comparisonOf(leaf)
  if (comparison === undefined) return opaque(leaf)
  const key = canonicalJson({ fact: leaf.fact, path: leaf.path })
  return about({ key, range: { kind: 'anything' } }, comparison, false)
}

/** How long ago something was is compared with durations: both are milliseconds here. */
function comparisonIn(leaf: ConditionLeaf): Comparison | undefined {
  const comparison = comparisonOf(leaf)
  if (comparison === undefined || !leaf.fact.startsWith('since')) return comparison
  return { ...comparison, constant: parseDuration(comparison.constant) }
}

function about(variable: Variable, comparison: Comparison, mayFail: boolean): Reading {
  return {
    variable,
    constants: constantsOf(comparison),
    answer: (cell) => answerOf(comparison, cell),
    mayFail,
  }
}

/** A leaf of which only is known that it holds or not (or which of both), and that its like does the same. */
export function opaque(leaf: ConditionLeaf, outcomes: readonly boolean[] = [true, false]): Reading {
  const { fact, operator, value, params, path } = leaf
  return {
    variable: {
      key: canonicalJson({ fact, operator, value, params, path }),
      range: { kind: 'values', values: outcomes },
    },
    constants: [],
    answer: ({ sample }) => (sample === true ? 'holds' : 'fails'),
    mayFail: isObject(params) && params['of'] !== undefined,
  }
}
