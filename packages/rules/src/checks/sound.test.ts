import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Facts,
  factsArb,
  type Tree as PropertyTree,
  treeArb as propertyTreeArb,
} from '../../testing/conditions.js'
import { eventsArb, instantsOf, START } from '../../testing/history.js'
import { leafArb } from '../../testing/leaves.js'
import { type Leaf, type NaiveParams, naiveHolds, type Tree } from '../../testing/naive.js'
import type { NaiveWindow } from '../../testing/naive-window.js'
import { definePredicate } from '../conditions/predicate.js'
import { definePack } from '../define.js'
import type { Problem } from '../problems.js'
import { reviewPack } from './meaning.js'

/** The law of these checks: what they say never happens, never does. */

const RUNS = 250

interface Finding {
  readonly problem: Problem
  /** Where in the conditions it is. */
  readonly steps: readonly string[]
}

function findings(conditions: unknown): readonly Finding[] {
  return reviewPack(definePack([{ kind: 'tag', id: 'a', conditions }]))
    .filter(({ code }) => /^(condition|part)\.(never|always)$/.test(code))
    .map((problem) => ({ problem, steps: problem.pointer.split('/').slice(3) }))
}

/** The tree with another one in this place; undefined where the place is in the params of a leaf. */
function replaced(tree: unknown, steps: readonly string[], by: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return by
  if (Array.isArray(tree)) return tree.map((one, index) => (String(index) === step ? replaced(one, rest, by) : one))
  const object = tree as Record<string, unknown>
  return { ...object, [step]: replaced(object[step], rest, by) }
}

const TRUE = { all: [] }
const FALSE = { not: { all: [] } }

const FACTS = [
  'eventCount',
  'eventCount',
  'itemCount',
  'userCount',
  'eventDistinct',
  'eventSum',
  'eventMax',
  'eventMin',
  'eventAvg',
  'sinceLastEvent',
  'sinceFirstEvent',
] as const
const WINDOWS: readonly NaiveWindow[] = [
  {},
  ...['1s', '2s', '3s', '1m'].map((within) => ({ within })),
  { between: ['2s', '1s'] },
  { between: ['3s', '1s'] },
  ...['today', 'thisWeek', 'thisMonth'].map((during) => ({ during })),
  { since: '2026-01-01' },
  { since: '2026-01-01T00:00:02Z' },
]
const FILTERS = [
  { event: 'paid' },
  { event: ['paid', 'seen'] },
  { event: 'paid', item: { fact: 'sku', operator: 'equal', value: 'a' } },
  { event: 'paid', where: { fact: 'city', operator: 'equal', value: 'sh' } },
] as const

const AT_LEAST = ['greaterThan', 'greaterThanInclusive', 'equal', 'not:lessThan'] as const
const AT_MOST = ['lessThan', 'lessThanInclusive', 'equal', 'not:greaterThan'] as const

interface Near {
  readonly fact: string
  readonly operator: string
  readonly value: number
  readonly window: NaiveWindow
  readonly filter: object
}

/** A fact that is at least, or at most, some small number. */
function nearArb(operators: readonly string[]): fc.Arbitrary<Near> {
  return fc.record({
    fact: fc.constantFrom(...FACTS),
    operator: fc.constantFrom(...operators),
    value: fc.constantFrom(0, 1, 1, 2, 2, 3),
    window: fc.constantFrom(...WINDOWS),
    filter: fc.constantFrom(...FILTERS),
  })
}

/** Of `since…`, the value is in seconds. */
function leafOf({ fact, operator, value, window, filter }: Near): Leaf {
  if (fact.startsWith('since')) {
    const ordering = operator === 'equal' ? 'greaterThanInclusive' : operator
    return { fact, operator: ordering, value: `${Math.max(1, value)}s`, params: filter as NaiveParams }
  }
  const property = fact === 'eventDistinct' ? 'store' : 'amount'
  const params = { ...filter, ...window, ...(!fact.endsWith('Count') && { property }) }
  return { fact, operator, value, params: params as NaiveParams }
}

/** Two comparisons that contradict each other now and then, often of the same fact or of the same events. */
const pairArb: fc.Arbitrary<Tree> = fc
  .record({
    a: nearArb(AT_LEAST),
    b: nearArb(AT_MOST),
    sameFact: fc.boolean(),
    sameFilter: fc.boolean(),
    holds: fc.boolean(),
  })
  .map(({ a, b, sameFact, sameFilter, holds }) => {
    const other = { ...b, ...(sameFact && { fact: a.fact }), ...(sameFilter && { filter: a.filter }) }
    const [one, two] = [leafOf(a), leafOf(other)]
    return holds ? { all: [one, two] } : { not: { any: [{ not: one }, { not: two }] } }
  })

const nearTree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 1, arbitrary: leafArb.filter(({ fact }) => fact !== 'sequence') },
    { weight: 1, arbitrary: nearArb([...AT_LEAST, ...AT_MOST]).map(leafOf) },
    { weight: 2, arbitrary: pairArb },
    { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
    { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 1, arbitrary: tie('tree').map((not) => ({ not })) },
  ),
})).tree

describe('what is said to hold never, or always,', () => {
  it('does so in every history, and parts that change nothing can be left out', () => {
    let found = 0
    fc.assert(
      fc.property(
        fc.oneof(pairArb, nearTree),
        fc.array(eventsArb, { minLength: 4, maxLength: 4 }),
        (tree, histories) => {
          for (const { problem, steps } of findings(tree)) {
            if (steps.includes('params')) continue
            found += 1
            const never = problem.code.endsWith('never')
            const other = replaced(tree, problem.pointer.split('/').slice(3), never ? FALSE : TRUE) as Tree
            for (const events of histories) {
              for (const at of instantsOf(events, START - 1, tree, 'UTC')) {
                const same = naiveHolds(tree, events, at, 'UTC') === naiveHolds(other, events, at, 'UTC')
                if (!same) expect.fail(`${problem.code} is wrong at ${at}: ${problem.message}`)
              }
            }
          }
        },
      ),
      { numRuns: RUNS },
    )
    expect(found).toBeGreaterThan(RUNS / 20)
  })

  it('is found through tags and named conditions as well', () => {
    const isNever = (rules: readonly unknown[]) =>
      reviewPack(definePack(rules)).some(({ code }) => code === 'condition.never')
    let found = 0
    fc.assert(
      fc.property(nearArb(AT_LEAST), nearArb(AT_MOST), ({ fact, filter, ...a }, b) => {
        const [one, two] = [leafOf({ fact, filter, ...a }), leafOf({ ...b, fact, filter })]
        const tagged = { fact: 'tag', operator: 'equal', value: true, params: { id: 'b' } }
        const never = isNever([{ kind: 'tag', id: 'a', conditions: { all: [one, two] } }])
        found += never ? 1 : 0
        const apart = [
          { kind: 'tag', id: 'a', conditions: { not: { any: [{ not: tagged }, { not: { condition: 'c' } }] } } },
          { kind: 'tag', id: 'b', conditions: one },
          { kind: 'condition', id: 'c', conditions: two },
        ]
        expect(isNever(apart)).toBe(never)
      }),
      { numRuns: RUNS / 2 },
    )
    expect(found).toBeGreaterThan(RUNS / 40)
  })

  it('does so for all that properties can be', () => {
    let found = 0
    fc.assert(
      fc.property(propertyTreeArb, fc.array(factsArb, { minLength: 8, maxLength: 8 }), (where, bags) => {
        const leaf = { fact: 'eventCount', operator: 'equal', value: 3, params: { event: 'paid', where } }
        for (const { problem, steps } of findings(leaf)) {
          found += 1
          const never = problem.code.endsWith('never')
          const other = replaced(leaf, steps, never ? FALSE : TRUE) as { params: { where: PropertyTree } }
          const [before, after] = [definePredicate(where), definePredicate(other.params.where)]
          for (const bag of bags as readonly Facts[]) {
            if (after(bag) !== before(bag)) expect.fail(`${problem.code} is wrong: ${problem.message}`)
          }
        }
      }),
      { numRuns: RUNS },
    )
    expect(found).toBeGreaterThan(RUNS / 20)
  })
})
