import type { ConditionLeaf, Conditions } from '../conditions/tree.js'
import type { Place } from '../problems.js'
import type { Formula, Literal, Reading } from './formula.js'
import { opaque } from './readings.js'

/** Conditions of more comparisons are not looked into. */
const MOST_LITERALS = 400

/** With more comparisons than this, or after so many tags that ask for one another, no more tags are looked into. */
const MOST_WITH_TAGS = 200
const MOST_TAGS_DEEP = 5

/** Conditions with their place. */
export interface Tree {
  readonly conditions: Conditions
  readonly place: Place
}

/** How leaves are understood where conditions stand. */
export interface Understanding {
  /** A named tree; undefined where nothing is known of it but that it holds or not. */
  find(name: string): Tree | undefined
  read(leaf: ConditionLeaf, place: Place): Reading
  /** What else a leaf says: the conditions of the tag that it asks for. */
  tagOf(leaf: ConditionLeaf): Tree | undefined
}

/** Conditions, or their opposite, as a formula; undefined where they are too large. */
export function formulaOf(tree: Tree, holds: boolean, understanding: Understanding): Formula | undefined {
  const expansion = new Expansion(understanding)
  const formula = expansion.formula(tree, holds)
  return expansion.literals > MOST_LITERALS ? undefined : formula
}

class Expansion {
  literals = 0
  private readonly tags = new Map<string, Formula>()
  private depth = 0

  constructor(private readonly understanding: Understanding) {}

  formula({ conditions: tree, place }: Tree, holds: boolean): Formula {
    const parts = (list: readonly Conditions[], key: 'all' | 'any') => ({
      kind: (key === 'all') === holds ? ('all' as const) : ('any' as const),
      parts: list.map((part, index) =>
        this.formula({ conditions: part, place: below(place, `${key}/${index}`) }, holds),
      ),
      place,
    })
    if ('all' in tree) return parts(tree.all, 'all')
    if ('any' in tree) return parts(tree.any, 'any')
    if ('not' in tree) return this.formula({ conditions: tree.not, place: below(place, 'not') }, !holds)
    if ('condition' in tree) {
      const target = this.understanding.find(tree.condition)
      if (target !== undefined) return this.formula(target, holds)
      const leaf = { fact: 'condition', params: { id: tree.condition }, operator: 'equal', value: true }
      return { kind: 'literal', reading: opaque(leaf), holds, leaf, place }
    }
    return this.leaf(tree, place, holds)
  }

  private leaf(leaf: ConditionLeaf, place: Place, holds: boolean): Formula {
    this.literals += 1
    const reading = this.understanding.read(leaf, place)
    const literal: Literal = { kind: 'literal', reading, holds, leaf, place }
    const deeper = this.literals <= MOST_WITH_TAGS && this.depth < MOST_TAGS_DEEP
    const target = deeper ? this.understanding.tagOf(leaf) : undefined
    if (target === undefined) return literal
    const present = valueAsked(literal)
    return present === undefined
      ? literal
      : { kind: 'all', parts: [literal, this.tagFormula(reading.variable.key, target, present)], place }
  }

  /** One formula for a tag however often it is asked for, so that many tags that ask for the same few stay small. */
  private tagFormula(key: string, target: Tree, present: boolean): Formula {
    const name = `${present} ${key}`
    const known = this.tags.get(name)
    if (known !== undefined) return known
    this.depth += 1
    const formula = this.formula(target, present)
    this.depth -= 1
    this.tags.set(name, formula)
    return formula
  }
}

/** Whether a literal asks for a tag to be there, or not to be there; undefined where both would do, or neither. */
function valueAsked({ reading, holds }: Literal): boolean | undefined {
  const wanted = holds ? 'holds' : 'fails'
  const [yes, no] = [true, false].map((sample) => {
    return reading.answer({ kind: 'value', sample, low: Number.NaN, high: Number.NaN, open: false }) === wanted
  })
  return yes === no ? undefined : yes
}

export function below(place: Place, tokens: string): Place {
  return { file: place.file, pointer: `${place.pointer}/${tokens}` }
}
