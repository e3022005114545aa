import fc from 'fast-check'
import { WINDOWS } from './history.js'
import type { Leaf, Tree, Where } from './naive.js'
import type { NaiveWindow } from './naive-window.js'

/** Random comparisons of facts over events. */

const ORDERINGS = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive'] as const

const prefix = fc.constantFrom('', '', '', 'not:', 'not:not:')

function comparison(number: fc.Arbitrary<number>) {
  const single = fc.record({ operator: fc.constantFrom('equal', 'notEqual', ...ORDERINGS), value: number })
  const list = fc.record({ operator: fc.constantFrom('in', 'notIn'), value: fc.array(number, { maxLength: 4 }) })
  return fc
    .tuple(prefix, fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: list }))
    .map(([decorators, { operator, value }]) => ({ operator: decorators + operator, value: value as unknown }))
}

const where: fc.Arbitrary<Where> = fc.oneof(
  fc.record({ fact: fc.constant('city'), operator: fc.constantFrom('equal', 'notEqual'), value: fc.constant('sh') }),
  fc.record({ fact: fc.constant('city'), operator: fc.constant('in'), value: fc.constant(['sh', 'hz']) }),
  fc.record({ fact: fc.constant('amount'), operator: fc.constantFrom(...ORDERINGS), value: fc.constant(0.3) }),
)

const itemWhere: fc.Arbitrary<Where> = fc.oneof(
  fc.record({ fact: fc.constant('sku'), operator: fc.constantFrom('equal', 'notEqual'), value: fc.constant('a') }),
  fc.record({ fact: fc.constant('sku'), operator: fc.constantFrom('in', 'notIn'), value: fc.constant(['a', 'b']) }),
  fc.record({ fact: fc.constant('qty'), operator: fc.constantFrom(...ORDERINGS), value: fc.constant(1) }),
)

const windows = fc.constantFrom(...WINDOWS)

/** Windows that reach up to now. */
const presentWindows = fc.constantFrom(...WINDOWS.filter(isPresent))

function isPresent({ between, during = '' }: NaiveWindow): boolean {
  return between === undefined && during !== 'yesterday' && !during.startsWith('last')
}

const filter = fc
  .record({
    event: fc.constantFrom<string | string[]>('paid', 'seen', ['paid', 'seen']),
    where: fc.oneof(fc.constant(undefined), fc.constant(undefined), where),
    item: fc.oneof(fc.constant(undefined), fc.constant(undefined), itemWhere),
  })
  .map(({ event, where, item }) => ({ event, ...(where && { where }), ...(item && { item }) }))

const windowed = fc.tuple(filter, windows).map(([params, window]) => ({ ...params, ...window }))

const counts = fc.oneof(fc.integer({ min: -1, max: 7 }), fc.constantFrom(0.5, 1.5, 2.5))
const sums = fc.constantFrom(-3, -0.7, 0, 0.1, 0.3, 0.30000000000000004, 0.6, 1, 1.005, 5, 20)

function leaves(fact: string, value: fc.Arbitrary<number>, property: fc.Arbitrary<string> | undefined) {
  return fc
    .tuple(windowed, comparison(value), property ?? fc.constant(undefined))
    .map(([params, test, name]): Leaf => ({ fact, ...test, params: { ...params, ...(name && { property: name }) } }))
}

const storeTest = fc.record({
  not: prefix,
  operator: fc.constantFrom('equal', 'notEqual'),
  value: fc.constantFrom('x', 'y', 1, null),
})

const lastEvent = fc
  .tuple(filter, presentWindows, storeTest)
  .map(([params, window, { not, operator, value }]): Leaf => {
    return { fact: 'lastEvent', operator: not + operator, value, params: { ...params, ...window, property: 'store' } }
  })

const firstEvent = fc.tuple(filter, storeTest).map(([params, { not, operator, value }]): Leaf => {
  return { fact: 'firstEvent', operator: not + operator, value, params: { ...params, property: 'store' } }
})

const since = fc
  .tuple(
    fc.constantFrom('sinceLastEvent', 'sinceFirstEvent'),
    filter,
    prefix,
    fc.constantFrom(...ORDERINGS),
    fc.constantFrom('1s', '2s', '3s', 'PT4S'),
  )
  .map(([fact, params, not, operator, value]): Leaf => ({ fact, operator: not + operator, value, params }))

/** Compared with another fact, whose value changes by itself as well. */
const twoFacts = fc
  .tuple(
    fc.constantFrom('eventCount', 'itemCount', 'userCount'),
    windowed,
    prefix,
    fc.constantFrom('equal', ...ORDERINGS),
    fc.constantFrom('eventCount', 'userCount'),
    windowed,
  )
  .map(([fact, params, not, operator, other, otherParams]): Leaf => {
    return { fact, params, operator: not + operator, value: { fact: other, params: otherParams } }
  })

const stepEvent = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('paid', 'seen', 'left').map((event) => ({ event })) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('paid', 'seen'), where).map(([event, test]) => ({ event, where: test })),
  },
)

const laterStep = fc
  .tuple(stepEvent, fc.constantFrom('1s', '2s', '3s'), fc.option(stepEvent, { nil: undefined, freq: 2 }))
  .map(([event, within, unless]) => ({ ...event, within, ...(unless && { unless }) }))

const absenceStep = fc.tuple(stepEvent, fc.constantFrom('1s', '2s')).map(([no, length]) => ({ no, for: length }))

/** A random sequence, with or without an absence at its end. */
export const sequenceArb: fc.Arbitrary<Leaf> = fc
  .tuple(
    stepEvent,
    fc.array(laterStep, { minLength: 0, maxLength: 2 }),
    fc.oneof(absenceStep, laterStep),
    fc.constantFrom(undefined, undefined, 'city', 'store'),
    fc.constantFrom(...WINDOWS.filter((window) => Object.keys(window).length > 0)),
    comparison(fc.constantFrom(0, 1, 1, 2)),
  )
  .map(([first, between, end, by, window, test]): Leaf => {
    return { fact: 'sequence', ...test, params: { steps: [first, ...between, end], ...(by && { by }), ...window } }
  })

const partOf = fc.oneof(
  where.map((test) => ({ where: test })),
  itemWhere.map((test) => ({ item: test })),
)

const share = fc
  .tuple(filter, partOf, windows, comparison(fc.constantFrom(0, 0.1, 0.25, 1 / 3, 0.5, 2 / 3, 1)))
  .map(([{ event, ...among }, part, window, test]): Leaf => {
    return { fact: 'share', ...test, params: { event, ...part, among, ...window } }
  })

/** One comparison of any fact over events. */
export const leafArb: fc.Arbitrary<Leaf> = fc.oneof(
  leaves('eventCount', counts, undefined),
  leaves('itemCount', counts, undefined),
  leaves('eventSum', sums, fc.constant('amount')),
  leaves('itemSum', sums, fc.constantFrom('price', 'qty')),
  leaves('eventAvg', sums, fc.constant('amount')),
  leaves('eventMin', sums, fc.constant('amount')),
  leaves('eventMax', sums, fc.constant('amount')),
  leaves('eventDistinct', counts, fc.constantFrom('store', 'city')),
  leaves('userCount', counts, undefined),
  share,
  lastEvent,
  firstEvent,
  since,
  twoFacts,
  sequenceArb,
)

export const treeArb: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leafArb,
    fc.array(tie('tree'), { maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('tree').map((not) => ({ not })),
  ),
})).tree
