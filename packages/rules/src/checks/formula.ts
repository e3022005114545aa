import type { ConditionLeaf } from '../conditions/tree.js'
import type { Place } from '../problems.js'
import type { Tier } from '../tiers.js'
import type { Cell, Range } from './cells.js'
import type { Answer } from './comparison.js'
import type { Measure } from './measure.js'

/** What a leaf compares: the same for all leaves that compare the same thing. */
export interface Variable {
  readonly key: string
  readonly range: Range
  /** For facts over events, which stand in relations to each other. */
  readonly measure?: Measure | undefined
  /** For a score's points, and for its tier. */
  readonly score?: ScoreSide | undefined
}

/** One of the two things that a score is asked for; the other follows from it. */
export interface ScoreSide {
  readonly name: string
  readonly as: 'value' | 'tier'
  /** In the order of `from`. */
  readonly tiers: readonly Tier[]
}

/** A leaf as a statement about a variable. */
export interface Reading {
  readonly variable: Variable
  readonly constants: readonly unknown[]
  answer(cell: Cell): Answer
  /** Whether it may fail whatever the variable is: where the subject that it is about is missing. */
  readonly mayFail: boolean
}

/** A leaf that must hold, or must not. */
export interface Literal {
  readonly kind: 'literal'
  readonly reading: Reading
  readonly holds: boolean
  readonly leaf: ConditionLeaf
  readonly place: Place
}

/** Formulas of which all must hold, or one. */
export interface Several<Kind extends 'all' | 'any'> {
  readonly kind: Kind
  readonly parts: readonly Formula[]
  readonly place: Place
}

/** Conditions without names and negations: those stand at the leaves. */
export type Formula = Literal | Several<'all'> | Several<'any'>
