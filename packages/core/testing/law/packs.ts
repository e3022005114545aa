import fc from 'fast-check'
import { leafArb } from '../../../rules/testing/leaves.js'
import type { Kind, Leaf, Rule, Term, Tree } from './rules.js'

/** Random packs: tags that read tags and scores, scores that read scores and tags, all facts, all windows. */

const orderings = fc.constantFrom('lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive')
const not = fc.constantFrom('', '', 'not:')
const truth = fc.constantFrom(true, true, false)

const trait: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    fact: fc.constant('trait'),
    params: fc.constant({ name: 'city' }),
    operator: fc.constantFrom('equal', 'notEqual', 'not:equal'),
    value: fc.constantFrom('sh', 'bj'),
  }),
  fc.record({
    fact: fc.constant('trait'),
    params: fc.constant({ name: 'age' }),
    operator: orderings,
    value: fc.constantFrom(30, 40),
  }),
  fc.record({
    fact: fc.constant('trait'),
    params: fc.constant({ name: 'home' }),
    path: fc.constantFrom('$.city', '$.pets'),
    operator: fc.constantFrom('equal', 'someFact:equal', 'contains', 'doesNotContain'),
    value: fc.constantFrom('sh', 'cat'),
  }),
)

function relation(...names: readonly string[]): fc.Arbitrary<Leaf> {
  return fc
    .record({
      fact: fc.constant('relation'),
      params: fc.constantFrom(...names).map((name) => ({ name })),
      operator: fc.constantFrom('equal', 'notEqual', 'in'),
      value: fc.constantFrom('g1', 'l1'),
    })
    .map((leaf) => (leaf.operator === 'in' ? { ...leaf, value: ['g2', leaf.value] } : leaf))
}

const consent: fc.Arbitrary<Leaf> = fc.record({
  fact: fc.constant('consent'),
  params: fc.record(
    { channel: fc.constantFrom('sms', 'push'), class: fc.constantFrom('promotion', 'content') },
    { requiredKeys: [] },
  ),
  operator: fc.constantFrom('equal', 'notEqual', 'not:equal'),
  value: truth,
})

const messageCount: fc.Arbitrary<Leaf> = fc
  .tuple(
    fc.record({ channel: fc.constant('sms'), class: fc.constant('promotion') }, { requiredKeys: [] }),
    fc.constantFrom<object>({}, { within: '2s' }, { during: 'today' }, { between: ['3s', '1s'] }),
    orderings,
    fc.integer({ min: 0, max: 2 }),
  )
  .map(([filter, window, operator, value]) => ({
    fact: 'messageCount',
    params: { ...filter, ...window },
    operator,
    value,
  }))

function tagOf(ids: readonly string[], of: object = {}): fc.Arbitrary<Leaf> {
  return fc.record({
    fact: fc.constant('tag'),
    params: fc.constantFrom(...ids).map((id) => ({ id, ...of })),
    operator: fc.constantFrom('equal', 'notEqual'),
    value: truth,
  })
}

const TIERS = [
  { id: 'high', from: 4 },
  { id: 'low', from: 0.5 },
  { id: 'mid', from: 2 },
]

function scoreOf(ids: readonly string[], of: object = {}): fc.Arbitrary<Leaf> {
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...ids), not, orderings, fc.constantFrom(-1, 0, 0.5, 1, 2.5, 4))
      .map(([id, prefix, operator, value]) => {
        return { fact: 'score', params: { id, ...of }, operator: prefix + operator, value }
      }),
    fc
      .tuple(fc.constantFrom(...ids), fc.constantFrom('equal', 'notEqual'), fc.constantFrom('low', 'mid', 'high'))
      .map(([id, operator, value]) => ({ fact: 'score', params: { id, as: 'tier', ...of }, operator, value })),
  )
}

/** What there is to read for a rule. */
export interface Readable {
  readonly tags: readonly string[]
  readonly scores: readonly string[]
  readonly named: readonly string[]
  readonly kind: Kind
  /** Tags and scores of related subjects, by relation. */
  readonly related: Readonly<
    Partial<Record<'community' | 'leader', { readonly tags: string[]; readonly scores: string[] }>>
  >
}

const isAlone = ({ value }: Leaf) => typeof value !== 'object' || Array.isArray(value)

function relatedLeaf(of: string, { tags, scores }: { tags: string[]; scores: string[] }): fc.Arbitrary<Leaf> {
  const events = leafArb.map((leaf): Leaf => ({ ...leaf, params: { ...leaf.params, of } })).filter(isAlone)
  const traits = trait.map((leaf) => ({ ...leaf, params: { ...leaf.params, of } }))
  return fc.oneof(
    { weight: 4, arbitrary: events },
    { weight: 1, arbitrary: traits },
    ...(tags.length > 0 ? [{ weight: 1, arbitrary: tagOf(tags, { of }) }] : []),
    ...(scores.length > 0 ? [{ weight: 1, arbitrary: scoreOf(scores, { of }) }] : []),
  )
}

function leaves({ tags, scores, kind, related }: Readable): fc.Arbitrary<Leaf> {
  const always = [
    { weight: 8, arbitrary: leafArb as fc.Arbitrary<Leaf> },
    { weight: 1, arbitrary: trait },
    { weight: 1, arbitrary: messageCount },
  ]
  const relations = { user: ['community', 'leader'], community: ['leader'], leader: [] }[kind]
  return fc.oneof(
    ...always,
    ...(kind === 'user' ? [{ weight: 1, arbitrary: consent }] : []),
    ...(relations.length > 0 ? [{ weight: 1, arbitrary: relation(...relations) }] : []),
    ...(tags.length > 0 ? [{ weight: 3, arbitrary: tagOf(tags) }] : []),
    ...(scores.length > 0 ? [{ weight: 3, arbitrary: scoreOf(scores) }] : []),
    ...Object.entries(related).map(([of, readable]) => ({ weight: 3, arbitrary: relatedLeaf(of, readable) })),
  )
}

export function trees(readable: Readable): fc.Arbitrary<Tree> {
  const leaf = leaves(readable)
  const { named } = readable
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 3 }).map((all) => ({ all })) },
      { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
      { weight: 1, arbitrary: tie('tree').map((inner) => ({ not: inner })) },
      ...(named.length > 0
        ? [{ weight: 1, arbitrary: fc.constantFrom(...named).map((condition) => ({ condition })) }]
        : []),
    ),
  })).tree
}

const points = fc.constantFrom(1, 2, 0.5, -1, 0.1, 3, -0.3)
const max = fc.option(fc.constantFrom(0.5, 1, 2, 10), { nil: undefined })
const halfLife = fc.option(fc.constantFrom('1s', '2s', '1m'), { nil: undefined })

/** Facts whose value is a number. */
const numeric = leafArb.filter(
  ({ fact }) => !fact.startsWith('since') && !fact.startsWith('last') && !fact.startsWith('first'),
)

function terms(readable: Readable): fc.Arbitrary<Term> {
  const event = numeric
    .filter(({ params }) => params.event !== undefined)
    .map(({ params: { event, where, item } }) => ({
      event: event ?? '',
      ...(where && { where }),
      ...(item && { item }),
    }))
  const per = fc.oneof(
    { weight: 5, arbitrary: numeric.map(({ fact, params }) => ({ fact, params: { ...params } })) },
    { weight: 1, arbitrary: fc.constant({ fact: 'trait', params: { name: 'age' } }) },
    ...(readable.scores.length > 0
      ? [{ weight: 2, arbitrary: fc.constantFrom(...readable.scores).map((id) => ({ fact: 'score', params: { id } })) }]
      : []),
  )
  return fc.oneof(
    fc.record({ points, conditions: trees(readable) }),
    fc.record({ points, per, max }).map(defined),
    fc.record({ points, event, halfLife, max }).map(({ event: filter, ...rest }) => defined({ ...rest, ...filter })),
  )
}

/** Without the members that are undefined: JSON has none. */
function defined(value: object): Term {
  return JSON.parse(JSON.stringify(value)) as Term
}

/** Tags and scores of one kind, each reading some of those before it. */
function derived(
  kind: Kind,
  counts: { tags: number; scores: number },
  base: Omit<Readable, 'tags' | 'scores' | 'kind'>,
) {
  const order = [
    ...Array.from({ length: counts.tags }, (_, index) => ({ is: 'tag' as const, id: `${kind}-t${index}` })),
    ...Array.from({ length: counts.scores }, (_, index) => ({ is: 'score' as const, id: `${kind}-s${index}` })),
  ].sort((a, b) => (a.id.at(-1) ?? '').localeCompare(b.id.at(-1) ?? ''))
  return fc.tuple(
    ...order.map(({ is, id }, index): fc.Arbitrary<Rule> => {
      const before = order.slice(0, index)
      const named = (what: string) => before.filter((one) => one.is === what).map((one) => one.id)
      const readable = { ...base, kind, tags: named('tag'), scores: named('score') }
      if (is === 'tag') return trees(readable).map((conditions) => ({ kind: 'tag', id, subject: kind, conditions }))
      const list = fc.array(terms(readable), { minLength: 1, maxLength: 3 })
      return list.map((all) => ({ kind: 'score', id, subject: kind, terms: all, tiers: TIERS }))
    }),
  )
}

/** Named conditions, which read neither tags nor scores. */
const named = trees({ tags: [], scores: [], named: [], kind: 'leader', related: {} }).map((conditions): Rule => {
  return { kind: 'condition', id: 'n0', conditions }
})

/** About users alone. */
export const userPackArb: fc.Arbitrary<readonly Rule[]> = fc
  .tuple(named, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }))
  .chain(([condition, tags, scores]) =>
    derived('user', { tags, scores }, { named: ['n0'], related: {} }).map((rules) => [
      ...rules.toReversed(),
      condition,
    ]),
  )

export const LEADERS = { tags: ['leader-t0'], scores: ['leader-s0'] }
export const COMMUNITIES = { tags: ['community-t0', 'community-t1'], scores: ['community-s0'] }

/** About users, their communities and their leaders. */
export const fullPackArb: fc.Arbitrary<readonly Rule[]> = fc
  .tuple(
    named,
    derived('leader', { tags: 1, scores: 1 }, { named: ['n0'], related: {} }),
    derived('community', { tags: 2, scores: 1 }, { named: ['n0'], related: { leader: LEADERS } }),
    derived('user', { tags: 3, scores: 1 }, { named: ['n0'], related: { community: COMMUNITIES, leader: LEADERS } }),
  )
  .map(([condition, leader, community, user]) => [
    ...user.toReversed(),
    ...leader,
    condition,
    ...community.toReversed(),
  ])
