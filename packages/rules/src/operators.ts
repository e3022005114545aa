/** A test of a fact's value against a condition's value. Never throws. */
export type Operator = (fact: unknown, value: unknown) => boolean

/**
 * The operators of json-rules-engine 7.3, with its semantics: `equal` is `===`; the numeric ones need a fact that
 * `parseFloat` reads as a number and then compare as JavaScript does; `contains` needs an array. Where json-rules-engine
 * throws (`in` against something that is no list), ours says false, and true for `notIn`.
 */
const OPERATORS: Readonly<Record<string, Operator>> = {
  equal: (fact, value) => fact === value,
  notEqual: (fact, value) => fact !== value,
  in: (fact, value) => Array.isArray(value) && value.indexOf(fact) > -1,
  notIn: (fact, value) => !(Array.isArray(value) && value.indexOf(fact) > -1),
  contains: (fact, value) => Array.isArray(fact) && fact.includes(value),
  doesNotContain: (fact, value) => Array.isArray(fact) && !fact.includes(value),
  lessThan: ordering((fact, value) => fact < value),
  lessThanInclusive: ordering((fact, value) => fact <= value),
  greaterThan: ordering((fact, value) => fact > value),
  greaterThanInclusive: ordering((fact, value) => fact >= value),
}

function ordering(compare: (fact: number, value: number) => boolean): Operator {
  return (fact, value) => {
    try {
      return isNumeric(fact) && compare(fact, value as number)
    } catch {
      // An object with a "toString" of its own has no text and no number; json-rules-engine throws here.
      return false
    }
  }
}

/** Whether json-rules-engine's numeric operators accept a fact: plain comparison follows. */
function isNumeric(fact: unknown): fact is number {
  return typeof fact === 'number' ? !Number.isNaN(fact) : !Number.isNaN(Number.parseFloat(fact as string))
}

type Decorator = (inner: Operator) => Operator

/** The decorators of json-rules-engine, written before an operator: `not:someFact:equal`. */
const DECORATORS: Readonly<Record<string, Decorator>> = {
  not: (inner) => (fact, value) => !inner(fact, value),
  swap: (inner) => (fact, value) => inner(value, fact),
  someFact: (inner) => (fact, value) => Array.isArray(fact) && fact.some((item) => inner(item, value)),
  everyFact: (inner) => (fact, value) => Array.isArray(fact) && fact.every((item) => inner(item, value)),
  someValue: (inner) => (fact, value) => Array.isArray(value) && value.some((item) => inner(fact, item)),
  everyValue: (inner) => (fact, value) => Array.isArray(value) && value.every((item) => inner(fact, item)),
}

export const OPERATOR_NAMES: readonly string[] = Object.keys(OPERATORS)
export const DECORATOR_NAMES: readonly string[] = Object.keys(DECORATORS)

/** The operators that order numbers. */
export const ORDERINGS: ReadonlySet<string> = new Set([
  'lessThan',
  'lessThanInclusive',
  'greaterThan',
  'greaterThanInclusive',
])

export interface ParsedOperator {
  readonly decorators: readonly string[]
  /** The plain operator at the end. */
  readonly name: string
}

export type OperatorParse =
  | { readonly ok: true; readonly operator: ParsedOperator }
  | { readonly ok: false; readonly unknown: string; readonly known: readonly string[] }

/** Splits `not:someFact:equal` and says which part is unknown. */
export function parseOperator(text: string): OperatorParse {
  const parts = text.split(':')
  const name = parts.pop() ?? ''
  if (!Object.hasOwn(OPERATORS, name)) return { ok: false, unknown: name, known: OPERATOR_NAMES }
  const unknown = parts.find((part) => !Object.hasOwn(DECORATORS, part))
  return unknown === undefined
    ? { ok: true, operator: { decorators: parts, name } }
    : { ok: false, unknown, known: DECORATOR_NAMES }
}

/** The function of a parsed operator: decorators apply from the outside in. */
export function compileOperator({ decorators, name }: ParsedOperator): Operator {
  const plain = OPERATORS[name]
  if (plain === undefined) throw new RangeError(`No operator is called ${JSON.stringify(name)}.`)
  return decorators.reduceRight((inner, decorator) => DECORATORS[decorator]?.(inner) ?? inner, plain)
}
