import fc from 'fast-check'
import { ORDERINGS } from '../src/operators.js'

/** Random condition trees in json-rules-engine's dialect, and random facts for them. */

export interface Leaf {
  readonly fact: string
  readonly operator: string
  readonly value: unknown
  readonly path?: string
}

export type Tree = Leaf | { all: Tree[] } | { any: Tree[] } | { not: Tree }
export type Facts = Record<string, unknown>

const NAMES = ['a', 'b', 'c', 'list', 'object', 'missing', 'toString', 'valueOf'] as const

const PATHS = ['$', '$.x', '$.x.y', "$['x']", '$.k', '$[0]', '$[1].k', '$[*]', '$[*].k', '$.list[0].k', '$.list[*].k']

const scalar = fc.oneof(
  fc.constantFrom(0, 1, 2, -1, 1.5, -5, 100, 1e21),
  fc.constantFrom('', '1', '20', '100', 'abc', 'abb', 'sh', '2026-01-01', '2026-02-30T08:00:00Z', '1e3', ' 7 ', '0x10'),
  fc.constantFrom(true, false, null),
)

const scalars = fc.array(scalar, { maxLength: 4 })

const object = fc.record(
  {
    x: fc.oneof(scalar, fc.record({ y: scalar }), scalars),
    k: scalar,
    list: fc.array(fc.record({ k: scalar }, { requiredKeys: [] }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
)

/** An object that cannot be turned into text or a number: comparing it throws. */
const poison = fc.constant({ toString: 'text', valueOf: 1, k: 1 })

const factValue = fc.oneof(
  { weight: 20, arbitrary: scalar },
  { weight: 15, arbitrary: scalars },
  { weight: 10, arbitrary: object },
  { weight: 1, arbitrary: poison },
  { weight: 5, arbitrary: fc.array(fc.oneof(scalars, object), { maxLength: 3 }) },
)

export const factsArb: fc.Arbitrary<Facts> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...NAMES.filter((name) => name !== 'missing')), factValue), { maxLength: 7 }),
  )
  .map(([entries]) => Object.fromEntries(entries))

const decorators = fc.array(fc.constantFrom('not', 'not', 'swap', 'someFact', 'everyFact', 'someValue', 'everyValue'), {
  maxLength: 3,
})

const operators = fc.constantFrom('equal', 'notEqual', 'in', 'notIn', 'contains', 'doesNotContain', ...ORDERINGS)

const path = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...PATHS) },
)

const reference = fc
  .record({ fact: fc.constantFrom(...NAMES), path })
  .map(({ fact, path }) => ({ fact, ...(path !== undefined && { path }) }))

const anyValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 3, arbitrary: scalars },
  { weight: 1, arbitrary: reference },
)

/** Any leaf, whether or not the checker takes it. */
export const anyLeafArb: fc.Arbitrary<Leaf> = fc
  .tuple(fc.constantFrom(...NAMES), decorators, operators, anyValue, path)
  .map(([fact, before, operator, value, path]) => ({
    fact,
    operator: [...before, operator].join(':'),
    value,
    ...(path !== undefined && { path }),
  }))

/** Why the checker refuses a leaf, told apart from its own code; undefined where it takes it. */
export function refusalOf({ operator, value }: Leaf): 'value.list' | 'value.number' | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined
  const before = operator.split(':')
  const name = before.pop() ?? ''
  if (before.some((one) => one.endsWith('Value')) && !Array.isArray(value)) return 'value.list'
  if (before.some((one) => one === 'swap' || one.endsWith('Value'))) return undefined
  if ((name === 'in' || name === 'notIn') && !Array.isArray(value)) return 'value.list'
  if (!ORDERINGS.has(name) || typeof value === 'number') return undefined
  return typeof value === 'string' && value !== '' && Number.isNaN(Number(value)) ? undefined : 'value.number'
}

const leafArb = anyLeafArb.filter((leaf) => refusalOf(leaf) === undefined)

/** Trees that the checker takes. */
export const treeArb: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 2, arbitrary: leafArb },
    { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 3 }).map((all) => ({ all })) },
    { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 1, arbitrary: tie('tree').map((not) => ({ not })) },
  ),
})).tree
