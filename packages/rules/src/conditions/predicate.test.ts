import fc from 'fast-check'
import { Engine, type EngineOptions, type TopLevelCondition } from 'json-rules-engine'
import { describe, expect, it } from 'vitest'
import { anyLeafArb, type Facts, factsArb, refusalOf, type Tree, treeArb } from '../../testing/conditions.js'
import { conditionOf, rulesOf, viewOf } from '../../testing/history.js'
import { compilePath } from '../path.js'
import { PackError } from '../problems.js'
import { definePredicate } from './predicate.js'
import { holds } from './verdict.js'

type Outcome = boolean | 'throws'

const safePaths: EngineOptions = { pathResolver: (value, path) => compilePath(path)?.(value) }

/** One engine for one rule and one run: a shared engine loses rules when two runs overlap. */
function engineFor(tree: Tree, options: EngineOptions): Engine {
  // Its root must not be a plain comparison.
  const conditions = ('fact' in tree ? { all: [tree] } : tree) as TopLevelCondition
  const rule = { conditions, event: { type: 'yes' } }
  return new Engine([rule], { allowUndefinedFacts: true, ...options })
}

async function runEngine(engine: Engine, facts: Facts): Promise<Outcome> {
  try {
    return (await engine.run(facts)).events.length > 0
  } catch {
    return 'throws'
  }
}

/** json-rules-engine with exactly the differences that docs/write-a-rule.md declares. */
function declaredEngine(tree: Tree): Engine {
  const engine = engineFor(tree, safePaths)
  const isList = (value: unknown) => Array.isArray(value)
  engine.addOperator('in', (fact, list: unknown) => Array.isArray(list) && list.indexOf(fact) > -1)
  engine.addOperator('notIn', (fact, list: unknown) => !(Array.isArray(list) && list.indexOf(fact) > -1))
  engine.addOperatorDecorator('someValue', (fact, list: unknown, next) =>
    isList(list) ? (list as unknown[]).some((value) => next(fact, value)) : false,
  )
  engine.addOperatorDecorator('everyValue', (fact, list: unknown, next) =>
    isList(list) ? (list as unknown[]).every((value) => next(fact, value)) : false,
  )
  const orderings = {
    lessThan: (a: number, b: number) => a < b,
    lessThanInclusive: (a: number, b: number) => a <= b,
    greaterThan: (a: number, b: number) => a > b,
    greaterThanInclusive: (a: number, b: number) => a >= b,
  }
  for (const [name, compare] of Object.entries(orderings)) {
    engine.addOperator(name, (fact: number, value: number) => {
      try {
        return !Number.isNaN(Number.parseFloat(String(fact))) && compare(fact, value)
      } catch {
        return false
      }
    })
  }
  return engine
}

describe('definePredicate against json-rules-engine', () => {
  it('gives the same verdict for 20,000 random trees, except for the declared differences', async () => {
    const seen = { same: 0, true: 0, thrown: 0, textAsList: 0 }
    await fc.assert(
      fc.asyncProperty(treeArb, factsArb, async (tree, facts) => {
        const ours = definePredicate(tree)(facts)
        const theirs = await runEngine(engineFor(tree, safePaths), facts)
        seen.true += Number(ours)
        if (ours === theirs) seen.same += 1
        else {
          expect(await runEngine(declaredEngine(tree), facts)).toBe(ours)
          if (theirs === 'throws') seen.thrown += 1
          else seen.textAsList += 1
        }
      }),
      { numRuns: 28_000 },
    )
    expect(seen.same).toBeGreaterThanOrEqual(20_000)
    expect(seen.true).toBeGreaterThan(5000)
    expect(seen.thrown).toBeGreaterThan(20)
    expect(seen.textAsList).toBeGreaterThan(0)
  }, 120_000)

  it('reads the paths of the safe subset as its own path reader does', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(treeArb, factsArb, async (tree, facts) => {
        const theirs = await runEngine(engineFor(tree, {}), facts)
        if (theirs === 'throws') return
        const ours = definePredicate(tree)(facts)
        if (ours !== theirs) expect(await runEngine(declaredEngine(tree), facts)).toBe(ours)
        compared += 1
      }),
      { numRuns: 3000 },
    )
    expect(compared).toBeGreaterThan(2000)
  })

  it('refuses exactly the forms whose meaning would be left to JavaScript', () => {
    const seen = { refused: 0, taken: 0 }
    fc.assert(
      fc.property(anyLeafArb, (leaf) => {
        const expected = refusalOf(leaf)
        const codes = problemsOf(leaf).map(({ code }) => code)
        expect(codes).toEqual(expected === undefined ? [] : [expected])
        seen[expected === undefined ? 'taken' : 'refused'] += 1
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(seen.refused, seen.taken)).toBeGreaterThan(500)
  })

  it.each([
    [{ any: [] }, 'conditions.emptyAny'],
    [{ all: [{ any: [] }] }, 'conditions.emptyAny'],
    [{ not: { any: [] } }, 'conditions.emptyAny'],
    [{ fact: 'a', operator: 'greaterThan', value: '3' }, 'value.number'],
    [{ fact: 'a', operator: 'lessThan', value: null }, 'value.number'],
    [{ fact: 'a', operator: 'not:lessThan', value: true }, 'value.number'],
    [{ fact: 'a', operator: 'in', value: 'abc' }, 'value.list'],
    [{ fact: 'a', operator: 'someFact:notIn', value: 'abc' }, 'value.list'],
    [{ fact: 'a', operator: 'someValue:equal', value: 1 }, 'value.list'],
    [{ all: [], any: [] }, 'key.unknown'],
    [{ fact: 'a', operator: 'equal' }, 'key.missing'],
    [{ fact: 'a', operator: 'equal', value: { b: 1 } }, 'form.unknown'],
    [{ fact: 'a', operator: 'equal', value: 1, path: '$..b' }, 'path.invalid'],
    [{ fact: 'a', operator: 'equal', value: 1, path: '$[?(@.b)]' }, 'path.invalid'],
    [{ fact: 'a', operator: 'equal', value: 1, path: '$.constructor' }, 'path.invalid'],
    [{ fact: 'a', operator: 'equal', value: 1, params: {} }, 'params.unexpected'],
    [{ fact: 'a', operator: 'equal', value: { fact: 'b', params: {} } }, 'params.unexpected'],
    [{ condition: 'named' }, 'condition.unknown'],
  ])('refuses %j with %s', (tree, code) => {
    expect(problemsOf(tree).map((problem) => problem.code)).toEqual([code])
  })
})

function problemsOf(tree: unknown) {
  try {
    definePredicate(tree)
    return []
  } catch (error) {
    if (error instanceof PackError) return error.problems
    throw error
  }
}

describe('conditions about a subject', () => {
  it('agree with the same conditions about a plain object', () => {
    let holding = 0
    fc.assert(
      fc.property(treeArb, factsArb, (tree, facts) => {
        const rules = rulesOf(aboutTraits(tree))
        const traits = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, [value, 0] as const]))
        const verdict = conditionOf(rules).verdict(viewOf({}, 1, { traits }))
        expect(Math.abs(verdict)).toBe(Number.POSITIVE_INFINITY)
        expect(holds(verdict)).toBe(definePredicate(tree)(facts))
        holding += Number(holds(verdict))
      }),
      { numRuns: 3000 },
    )
    expect(holding).toBeGreaterThan(500)
  })
})

function aboutTraits(tree: Tree): unknown {
  if ('all' in tree) return { all: tree.all.map(aboutTraits) }
  if ('any' in tree) return { any: tree.any.map(aboutTraits) }
  if ('not' in tree) return { not: aboutTraits(tree.not) }
  const value = typeof tree.value === 'object' && tree.value !== null && 'fact' in tree.value ? tree.value : undefined
  return {
    ...tree,
    fact: 'trait',
    params: { name: tree.fact },
    ...(value && { value: { ...value, fact: 'trait', params: { name: value.fact } } }),
  }
}
