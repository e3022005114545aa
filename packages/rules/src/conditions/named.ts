import type { Place, Problems } from '../problems.js'
import { type Conditions, LIMITS } from './tree.js'

/** A named tree and where it stands. */
export interface NamedTree {
  readonly conditions: Conditions
  readonly place: Place
}

/** Named trees by their names, as definitions have them. */
export function namedTrees(
  definitions: readonly {
    readonly definition: { readonly id: string; readonly conditions: Conditions }
    readonly place: Place
  }[],
): ReadonlyMap<string, NamedTree> {
  return new Map(
    definitions.map(({ definition: { id, conditions }, place }) => {
      return [id, { conditions, place: below(place, 'conditions') }] as const
    }),
  )
}

/**
 * The named conditions of a pack. Circles are refused, and so is what grows too large when the names are written out:
 * twenty conditions of two references each would be a million comparisons.
 */
export class NamedConditions {
  private readonly counted = new Map<string, number | 'counting' | 'refused'>()
  /** The names being counted, outermost first. */
  private readonly trail: string[] = []

  constructor(
    private readonly trees: ReadonlyMap<string, NamedTree>,
    private readonly problems: Problems,
  ) {}

  find(name: string): NamedTree | undefined {
    return this.trees.get(name)
  }

  /** Whether a tree can be compiled: its names are known, without circles, and it is not too large with them. */
  check(tree: Conditions, place: Place): boolean {
    const parts = this.count(tree, place, 1)
    if (parts === undefined || parts <= LIMITS.nodes) return parts !== undefined
    this.refuseSize(place, parts)
    return false
  }

  /** The number of parts with all names written out; undefined after an error has been reported. */
  private count(tree: Conditions, place: Place, level: number): number | undefined {
    if (level > LIMITS.nodes) return this.refuseSize(place, level)
    if ('all' in tree) return this.countList(tree.all, 'all', place, level)
    if ('any' in tree) return this.countList(tree.any, 'any', place, level)
    if ('not' in tree) return plus(1, this.count(tree.not, below(place, 'not'), level + 1))
    if ('condition' in tree) return plus(1, this.countNamed(tree.condition, below(place, 'condition'), level + 1))
    return 1
  }

  private countList(list: readonly Conditions[], key: string, place: Place, level: number): number | undefined {
    return list
      .map((part, index) => this.count(part, below(place, `${key}/${index}`), level + 1))
      .reduce((sum, count) => plus(sum, count), 1)
  }

  private countNamed(name: string, place: Place, level: number): number | undefined {
    const target = this.trees.get(name)
    if (target === undefined) {
      const message = `The pack has no condition ${JSON.stringify(name)}.`
      this.problems.unknown(place, 'condition', name, this.trees.keys(), message)
      return undefined
    }
    const known = this.counted.get(name)
    if (typeof known === 'number') return known
    if (known === 'refused') return undefined
    if (known === 'counting') return this.refuseCircle(name, place)
    this.counted.set(name, 'counting')
    this.trail.push(name)
    const parts = this.count(target.conditions, target.place, level)
    this.trail.pop()
    this.counted.set(name, parts ?? 'refused')
    return parts
  }

  private refuseCircle(name: string, place: Place): undefined {
    const circle = [...this.trail.slice(this.trail.indexOf(name)), name].join(' -> ')
    const message = `Named conditions refer to each other in a circle: ${circle}.`
    this.problems.error(place, 'condition.cycle', message, { found: name })
  }

  private refuseSize(place: Place, parts: number): undefined {
    const message = `Conditions have at most ${LIMITS.nodes} parts, those of named conditions included.`
    this.problems.error(place, 'conditions.size', message, { found: `${parts} parts` })
  }
}

/** No named conditions: for trees that stand by themselves. */
export function noNamedConditions(problems: Problems): NamedConditions {
  return new NamedConditions(new Map(), problems)
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

function below(place: Place, tokens: string): Place {
  return { file: place.file, pointer: `${place.pointer}/${tokens}` }
}
