import { type Cell, cellsOf } from './cells.js'
import type { Formula, Literal, Several, Variable } from './formula.js'
import { type Relation, relationsAmong } from './relations.js'

/** So many choices are tried before something counts as possible. */
const MOST_CHOICES = 500

/** Relations are looked for among so many variables at most, each cut into so many cells at most. */
const MOST_RELATED = 80
const MOST_CELLS_RELATED = 100

/** The values that a variable can still have: one truth value a cell. */
type Left = readonly boolean[]

/**
 * Whether formulas cannot hold at once, whatever the variables are. Errs towards "they can": where there are too many
 * choices, and where values are not told apart finely enough.
 */
export class Contradictions {
  private readonly cells = new Map<string, readonly Cell[]>()
  private readonly relations: readonly Relation[]
  private readonly allowed = new Map<Literal, Left>()
  private choices = 0

  /** For these formulas and parts of them. */
  constructor(formulas: readonly Formula[]) {
    const literals = formulas.flatMap(literalsOf)
    const variables = new Map<string, Variable>()
    const constants = new Map<string, unknown[]>()
    for (const { reading } of literals) {
      const { variable } = reading
      variables.set(variable.key, variable)
      const known = constants.get(variable.key) ?? []
      known.push(...reading.constants)
      constants.set(variable.key, known)
    }
    for (const { key, range } of variables.values()) this.cells.set(key, cellsOf(range, constants.get(key) ?? []))
    const related = [...variables.values()].filter(
      ({ key }) => (this.cells.get(key)?.length ?? 0) <= MOST_CELLS_RELATED,
    )
    this.relations = related.length > MOST_RELATED ? [] : relationsAmong(related)
  }

  /** Whether they cannot hold at once. */
  among(formulas: readonly Formula[]): boolean {
    this.choices = 0
    return !this.possible(formulas, new Map(), new Set())
  }

  /** `asserted` are formulas that are among those which led here: several rules may ask for the same tag. */
  private possible(
    formulas: readonly Formula[],
    known: ReadonlyMap<string, Left>,
    asserted: ReadonlySet<Formula>,
  ): boolean {
    const left = new Map(known)
    const seen = new Set(asserted)
    const open: Several<'any'>[] = []
    const pending = [...formulas]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      if (next.kind === 'all') pending.push(...next.parts)
      else if (next.kind === 'any') open.push(next)
      else if (!this.narrow(left, next.reading.variable.key, this.allowedBy(next))) return false
    }
    if (!this.relate(left)) return false
    const choice = fewestParts(open.map((one) => ({ one, parts: one.parts.filter((part) => this.fits(part, left)) })))
    if (choice === undefined) return true
    const others = open.filter((one) => one !== choice.one)
    for (const other of others) seen.delete(other)
    for (const part of choice.parts) {
      this.choices += 1
      if (this.choices > MOST_CHOICES || this.possible([...others, part], left, seen)) return true
    }
    return false
  }

  /** Whether what a formula asks for in any case leaves a value to each variable. */
  private fits(formula: Formula, left: ReadonlyMap<string, Left>): boolean {
    const own = new Map<string, Left>()
    return conjuncts(formula).every((part) => {
      if (part.kind === 'any') return part.parts.length > 0
      if (part.kind === 'all') return true
      const { key } = part.reading.variable
      const before = own.get(key) ?? left.get(key)
      if (before !== undefined) own.set(key, before)
      return this.narrow(own, key, this.allowedBy(part))
    })
  }

  /** Takes values away; false when none is left. */
  private narrow(left: Map<string, Left>, key: string, allowed: Left): boolean {
    const before = left.get(key)
    const after = before === undefined ? allowed : before.map((one, index) => one && allowed[index] === true)
    left.set(key, after)
    return after.includes(true)
  }

  private allowedBy(literal: Literal): Left {
    const known = this.allowed.get(literal)
    if (known !== undefined) return known
    const { reading, holds } = literal
    const refusing = holds ? 'fails' : 'holds'
    const cells = this.cells.get(reading.variable.key) ?? []
    const allowed = cells.map((cell) => (!holds && reading.mayFail) || reading.answer(cell) !== refusing)
    this.allowed.set(literal, allowed)
    return allowed
  }

  /** Takes away what has no partner in a related variable, until nothing changes; false when nothing is left. */
  private relate(left: Map<string, Left>): boolean {
    const between = this.relations.filter(({ a, b }) => left.has(a.key) && left.has(b.key))
    for (let changed = true; changed; ) {
      changed = false
      for (const { a, b, fits } of between) {
        const [as, bs] = [this.cellsLeft(left, a), this.cellsLeft(left, b)]
        const ofA = as.filter((x) => bs.some((y) => fits(x, y)))
        const ofB = bs.filter((y) => ofA.some((x) => fits(x, y)))
        if (ofA.length === 0 || ofB.length === 0) return false
        if (ofA.length === as.length && ofB.length === bs.length) continue
        changed = true
        this.keep(left, a, ofA)
        this.keep(left, b, ofB)
      }
    }
    return true
  }

  private cellsLeft(left: ReadonlyMap<string, Left>, { key }: Variable): readonly Cell[] {
    const still = left.get(key) ?? []
    return (this.cells.get(key) ?? []).filter((_, index) => still[index])
  }

  private keep(left: Map<string, Left>, { key }: Variable, kept: readonly Cell[]): void {
    const set = new Set(kept)
    left.set(
      key,
      (this.cells.get(key) ?? []).map((cell) => set.has(cell)),
    )
  }
}

/** A choice with those of its parts that may hold. */
interface Choice {
  readonly one: Several<'any'>
  readonly parts: readonly Formula[]
}

function fewestParts(choices: readonly Choice[]): Choice | undefined {
  return choices.reduce<Choice | undefined>(
    (best, choice) => (best === undefined || choice.parts.length < best.parts.length ? choice : best),
    undefined,
  )
}

/** All literals of a formula, each once. */
export function literalsOf(formula: Formula): readonly Literal[] {
  return within(formula, (part) => (part.kind === 'literal' ? [] : part.parts)).filter((one) => one.kind === 'literal')
}

/** What must hold for a formula to hold: what is not several that all must. */
export function conjuncts(formula: Formula): readonly Formula[] {
  return within(formula, (part) => (part.kind === 'all' ? part.parts : [])).filter((one) => one.kind !== 'all')
}

/** Formulas below one, itself too, each once: parts may be shared. */
function within(formula: Formula, partsOf: (formula: Formula) => readonly Formula[]): readonly Formula[] {
  const seen = new Set<Formula>()
  const visit = (part: Formula) => {
    if (seen.has(part)) return
    seen.add(part)
    for (const inner of partsOf(part)) visit(inner)
  }
  visit(formula)
  return [...seen]
}
