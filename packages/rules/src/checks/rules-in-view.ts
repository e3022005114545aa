import { NamedConditions, namedTrees } from '../conditions/named.js'
import type { ConditionLeaf, Conditions } from '../conditions/tree.js'
import { isObject } from '../json.js'
import type { Pack } from '../pack.js'
import { type Place, Problems, placeText } from '../problems.js'
import type { SubjectKind } from '../subject.js'
import type { Tier } from '../tiers.js'
import type { Range } from './cells.js'
import { below, formulaOf, type Tree, type Understanding } from './expand.js'
import type { Reading } from './formula.js'
import { checkConditions, type Outcome } from './impossible.js'
import { rangeOf } from './ranges.js'
import { opaque, readLeaf, readProperty } from './readings.js'
import { Contradictions } from './solve.js'

type Params = Readonly<Record<string, unknown>>

/** Where conditions look: at a subject, or at the properties of one object. */
type Sight = SubjectKind | 'properties'

/**
 * What is known of a pack's rules while they are checked. What was found once is not found again in the rules that read
 * it: they are checked as if it could hold and fail.
 */
export class RulesInView {
  private readonly named: NamedConditions
  private readonly outcomes = new Map<string, Outcome | 'being checked'>()
  private readonly tags = new Map<string, Tree>()
  private readonly scores = new Map<string, { readonly points: Range; readonly tiers: readonly Tier[] }>()
  private readonly readings = new Map<Sight, WeakMap<ConditionLeaf, Reading>>()

  constructor(
    pack: Pack,
    private readonly problems: Problems,
  ) {
    this.named = new NamedConditions(namedTrees(pack.conditions), new Problems())
  }

  /** From now on, what the tag says is known where it is asked for. */
  knowTag(subject: SubjectKind, id: string, tree: Tree): void {
    this.tags.set(`${subject} ${id}`, tree)
  }

  /** From now on, between which points the score lies is known, and its tiers in the order of `from`. */
  knowScore(subject: SubjectKind, id: string, points: Range, tiers: readonly Tier[]): void {
    this.scores.set(`${subject} ${id}`, { points, tiers })
  }

  /** Checks conditions, each tree once. */
  check(tree: Tree, sight: Sight): Outcome {
    const name = `${sight} ${placeText(tree.place)}`
    const known = this.outcomes.get(name)
    if (known === 'being checked') return undefined
    if (known !== undefined || this.outcomes.has(name)) return known
    this.outcomes.set(name, 'being checked')
    const outcome = checkConditions(tree, this.understanding(sight), this.problems)
    this.outcomes.set(name, outcome)
    return outcome
  }

  /** Whether it never happens that of these trees each holds, or does not, as wanted. */
  exclude(wanted: readonly { readonly tree: Tree; readonly holds: boolean }[], sight: Sight): boolean {
    const understanding = this.understanding(sight)
    const formulas = wanted.map(({ tree, holds }) => formulaOf(tree, holds, understanding))
    const known = formulas.filter((formula) => formula !== undefined)
    return known.length === formulas.length && new Contradictions(known).among(known)
  }

  /** Checks what a fact's params say of events; whether one of it can never match. */
  matchesNothing({ params = {} }: { readonly params?: Params | undefined }, place: Place): boolean {
    return this.filterMatchesNothing(params, below(place, 'params'))
  }

  filterMatchesNothing(filter: Params, place: Place): boolean {
    const trees = ['where', 'item'].flatMap((key) => {
      const conditions = filter[key]
      return isObject(conditions) ? [{ conditions: conditions as unknown as Conditions, place: below(place, key) }] : []
    })
    const outcomes = trees.map((tree) => this.check(tree, 'properties'))
    const { among, by } = filter
    const ofOthers = [
      isObject(among) && this.filterMatchesNothing(among, below(place, 'among')),
      isObject(by) && isObject(by['params']) && this.filterMatchesNothing(by['params'], below(place, 'by/params')),
    ]
    const steps = Array.isArray(filter['steps']) ? filter['steps'].filter(isObject) : []
    const inSteps = steps.flatMap((step, index) => {
      const at = below(place, `steps/${index}`)
      const inner = ['unless', 'no'].flatMap((key) => {
        const other = step[key]
        return isObject(other) ? [this.filterMatchesNothing(other, below(at, key))] : []
      })
      return [this.filterMatchesNothing(step, at), ...inner]
    })
    return outcomes.includes('never') || [...ofOthers, ...inSteps].includes(true)
  }

  /** The values that a fact can have; undefined of a fact that is not known here. */
  rangeOf(subject: SubjectKind, fact: string, params: Params): Range | undefined {
    if (fact !== 'score') return rangeOf(fact, params, this.named)
    const score = this.score(subject, params)
    if (params['as'] !== 'tier' || score === undefined) return score?.points
    return { kind: 'values', values: [...score.tiers.map(({ id }) => id), undefined] }
  }

  private score(subject: SubjectKind, { of = subject, id }: Params) {
    return this.scores.get(`${String(of)} ${String(id)}`)
  }

  private understanding(sight: Sight): Understanding {
    const find = (name: string) => {
      const target = this.named.find(name)
      return target === undefined || this.check(target, sight) !== undefined ? undefined : target
    }
    const read = (leaf: ConditionLeaf, place: Place) => this.reading(leaf, place, sight)
    if (sight === 'properties') return { find, read, tagOf: () => undefined }
    return {
      find,
      read,
      tagOf: ({ fact, params = {} }) => {
        return fact === 'tag' && params['of'] === undefined
          ? this.tags.get(`${sight} ${String(params['id'])}`)
          : undefined
      },
    }
  }

  /** Each leaf is read once, however many conditions it is looked at in. */
  private reading(leaf: ConditionLeaf, place: Place, sight: Sight): Reading {
    const readings = this.readings.get(sight) ?? new WeakMap<ConditionLeaf, Reading>()
    this.readings.set(sight, readings)
    const reading = readings.get(leaf) ?? (sight === 'properties' ? readProperty(leaf) : this.read(leaf, place, sight))
    readings.set(leaf, reading)
    return reading
  }

  private read(leaf: ConditionLeaf, place: Place, subject: SubjectKind): Reading {
    const silent = [
      this.matchesNothing(leaf, place),
      isObject(leaf.value) && this.matchesNothing(leaf.value, below(place, 'value')),
    ]
    if (silent.includes(true)) return opaque(leaf)
    return readLeaf(leaf, {
      named: this.named,
      rangeOf: (fact, params) => this.rangeOf(subject, fact, params),
      tiersOf: (params) => this.score(subject, params)?.tiers ?? [],
    })
  }
}
