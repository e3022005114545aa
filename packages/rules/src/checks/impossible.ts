import type { Conditions } from '../conditions/tree.js'
import type { Place, Problems } from '../problems.js'
import { below, formulaOf, type Tree, type Understanding } from './expand.js'
import type { Formula, Literal } from './formula.js'
import { relationsAmong } from './relations.js'
import { Contradictions, conjuncts, literalsOf } from './solve.js'
import { askedAt, askedTogether, rangeText } from './words.js'

/** What conditions do, whatever happens; undefined: it depends. */
export type Outcome = 'never' | 'always' | undefined

/** Finds out whether conditions can hold, and can fail, and reports what cannot; also of their parts. */
export function checkConditions(tree: Tree, understanding: Understanding, problems: Problems): Outcome {
  return new TreeCheck(tree, understanding, problems).check()
}

class TreeCheck {
  private contradictions = new Contradictions([])

  constructor(
    private readonly tree: Tree,
    private readonly understanding: Understanding,
    private readonly problems: Problems,
  ) {}

  check(): Outcome {
    const [yes, no] = [this.formula(this.tree, true), this.formula(this.tree, false)]
    // Without any comparison it is meant: "all": [] is everybody.
    if (yes === undefined || no === undefined || literalsOf(yes).length === 0) return undefined
    this.contradictions = new Contradictions([yes, no])
    if (this.contradictions.among([yes])) {
      this.reportNever(yes)
      return 'never'
    }
    if (this.contradictions.among([no])) {
      this.reportAlways(no)
      return 'always'
    }
    this.checkParts(this.tree, [])
    return undefined
  }

  private formula(tree: Tree, holds: boolean): Formula | undefined {
    return formulaOf(tree, holds, this.understanding)
  }

  /** Looks into conditions that must hold together with those of the context. */
  private checkParts({ conditions, place }: Tree, context: readonly Formula[]): void {
    if ('not' in conditions) return this.checkParts({ conditions: conditions.not, place: below(place, 'not') }, [])
    const { key, parts } = partsOf(conditions, place)
    const formulas = parts.map((part) => this.formula(part, true))
    for (const [index, part] of parts.entries()) {
      const formula = formulas[index]
      if (formula === undefined || literalsOf(formula).length === 0) continue
      const others = key === 'any' ? [] : formulas.filter((one, other) => one !== undefined && other !== index)
      const around = [...context, ...others.filter((one) => one !== undefined)]
      if (!this.reportPart(part, key, formula, context)) this.checkParts(part, around)
    }
  }

  /** Whether a part that changes nothing was found. */
  private reportPart(part: Tree, key: 'all' | 'any', formula: Formula, context: readonly Formula[]): boolean {
    if (key === 'all') {
      const opposite = this.formula(part, false)
      if (opposite === undefined || !this.contradictions.among([opposite])) return false
      const message = `This part changes nothing, because it always holds: ${this.alwaysText(opposite, part.place)}`
      this.problems.warning(part.place, 'part.always', message, foundIn([opposite]))
      return true
    }
    if (this.contradictions.among([formula])) {
      const core = this.coreOf([formula])
      const message = `This part can never hold: ${this.neverText(core, part.place)}`
      this.problems.warning(part.place, 'part.never', message, foundIn(core))
      return true
    }
    if (context.length === 0 || !this.contradictions.among([...context, formula])) return false
    const core = this.coreOf([...context, formula])
    const message = `This part can never hold together with the conditions around it: ${this.neverText(core, part.place)}`
    this.problems.warning(part.place, 'part.never', message, foundIn(core))
    return true
  }

  private reportNever(formula: Formula): void {
    const core = this.coreOf([formula])
    const only = core.length === 1 && core[0]?.kind === 'literal' ? core[0] : undefined
    // Where the opposite of a comparison is asked for, it is not the comparison that never holds.
    const place = only?.holds ? only.place : this.tree.place
    const code = only?.leaf.fact === 'score' ? 'score.unreachable' : 'condition.never'
    this.problems.error(place, code, `This can never hold: ${this.neverText(core, place)}`, foundIn(core))
  }

  private reportAlways(opposite: Formula): void {
    const message = `This always holds, for everybody: ${this.alwaysText(opposite, this.tree.place)}`
    this.problems.warning(this.tree.place, 'condition.always', message, foundIn(this.coreOf([opposite])))
  }

  /** The fewest of some formulas that cannot hold at once: taking any one away, the others can. */
  private coreOf(formulas: readonly Formula[]): readonly Formula[] {
    let core = formulas.flatMap(conjuncts)
    for (const formula of core) {
      const others = core.filter((one) => one !== formula)
      if (this.contradictions.among(others)) core = others
    }
    return core
  }

  private neverText(core: readonly Formula[], from: Place): string {
    const [first, second] = core
    if (first === undefined) return 'it has no parts.'
    if (core.length === 1) {
      if (first.kind === 'literal') return `it asks ${askedAt(first, from)}.${rangeOf(first)}`
      const [part] = first.parts
      if (part === undefined) return 'it has no parts.'
      return `none of its ${first.parts.length} parts can. ${capital(this.neverText(this.coreOf([part]), from))}`
    }
    const advice = 'Change one of them, or put them under "any".'
    return `it asks ${askedTogether(core, from)}. ${core.length === 2 ? becauseOf(first, second) : ''}${advice}`
  }

  /** Why a formula's opposite always holds. */
  private alwaysText(opposite: Formula, from: Place): string {
    const core = this.coreOf([opposite])
    const [first] = core
    if (core.length === 1 && first?.kind === 'literal')
      return `it asks ${askedAt(turned(first), from)}.${rangeOf(first)}`
    const literals = core.filter((one) => one.kind === 'literal').map(turned)
    if (literals.length < core.length) return 'whatever is true, one of its parts holds.'
    return `whatever is true, one of these holds: ${literals.map((one) => askedAt(one, from)).join(', or ')}.`
  }
}

function partsOf(conditions: Conditions, place: Place): { key: 'all' | 'any'; parts: readonly Tree[] } {
  const list = (key: 'all' | 'any', trees: readonly Conditions[]) => ({
    key,
    parts: trees.map((tree, index) => ({ conditions: tree, place: below(place, `${key}/${index}`) })),
  })
  if ('all' in conditions) return list('all', conditions.all)
  return 'any' in conditions ? list('any', conditions.any) : { key: 'all', parts: [] }
}

function turned(literal: Literal): Literal {
  return { ...literal, holds: !literal.holds }
}

function rangeOf({ reading }: Literal): string {
  const text = rangeText(reading.variable.range)
  return text === undefined ? '' : ` ${text}`
}

function becauseOf(a: Formula | undefined, b: Formula | undefined): string {
  if (a?.kind !== 'literal' || b?.kind !== 'literal') return ''
  const [one, other] = [a.reading.variable, b.reading.variable]
  if (one.key === other.key) return 'No value is both. '
  const [relation] = relationsAmong([one, other])
  return relation === undefined ? '' : `${relation.because} `
}

function foundIn(core: readonly Formula[]): { found?: unknown } {
  const [only] = core
  return core.length === 1 && only?.kind === 'literal' ? { found: only.leaf.value } : {}
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
