import { describe, expect, it } from 'vitest'
import { journey, tag } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { formatProblem } from '../problems.js'
import { reviewPack } from './meaning.js'

const paid = (operator: string, value: unknown, params: object = {}, fact = 'eventCount') => ({
  fact,
  operator,
  value,
  params: { event: 'paid', ...params },
})

const least = (value: number, params?: object, fact?: string) => paid('greaterThanInclusive', value, params, fact)
const most = (value: number, params?: object, fact?: string) => paid('lessThanInclusive', value, params, fact)
const counted = (params: object = {}) => ({ fact: 'eventCount', params: { event: 'paid', ...params } })
const city = (operator: string, value: unknown) => ({ fact: 'trait', params: { name: 'city' }, operator, value })
const tagged = (id: string, value = true) => ({ fact: 'tag', params: { id }, operator: 'equal', value })
const last = (operator: string, value: string, params: object = {}) => paid(operator, value, params, 'sinceLastEvent')
const isCategory = (value: string) => ({ fact: 'category', operator: 'equal', value })
const named = (id: string, conditions: unknown) => ({ kind: 'condition', id, conditions })
const now = (as: string, operator: string, value: unknown) => ({ fact: 'now', params: { as }, operator, value })
const entry = (conditions: unknown) => journey({ entry: { on: 'event', event: 'paid', conditions } })

function textOf(...rules: readonly unknown[]): string {
  return reviewPack(definePack(rules)).map(formatProblem).join('\n').replaceAll('(code)#', '')
}

/** What is found in a pack: code and place of each. */
function found(...rules: readonly unknown[]): string[] {
  return reviewPack(definePack(rules)).map(({ code, pointer }) => `${code} ${pointer}`)
}

describe('conditions that can never hold', () => {
  it('ask a fact for a value that it never has', () => {
    expect(textOf(tag(paid('lessThan', 0)))).toBe(
      `error condition.never  /0/conditions
  This can never hold: it asks the number of "paid" to be less than 0. It is a whole number, 0 or more.
  found: 0`,
    )
  })

  it('contradict each other, and both are named', () => {
    expect(textOf(tag({ all: [least(5, { within: '7d' }), most(3, { within: '30d' })] }))).toBe(
      `error condition.never  /0/conditions
  This can never hold: it asks the number of "paid" in the last 7d to be at least 5 (#/0/conditions/all/0), and the number of "paid" in the last 30d to be at most 3 (#/0/conditions/all/1). What lies in the last 7d lies in the last 30d, too. Change one of them, or put them under "any".`,
    )
  })

  it('do so through a tag that they ask for, and through named conditions', () => {
    expect(textOf(tag({ all: [least(3), tagged('b')] }), tag(most(2), { id: 'b' }))).toContain(
      'the number of "paid" to be at least 3 (#/0/conditions/all/0), and the number of "paid" to be at most 2 (#/1/conditions). No value is both.',
    )
    expect(found(tag({ all: [least(3), { condition: 'few' }] }), named('few', most(2)))).toEqual([
      'condition.never /0/conditions',
    ])
  })

  it('are reported once, where they stand, and not in the rules that read them', () => {
    const never = { all: [most(1), least(2)] }
    expect(found(tag(tagged('b')), tag(never, { id: 'b' }))).toEqual(['condition.never /1/conditions'])
    expect(found(tag({ condition: 'c' }), tag({ not: { condition: 'c' } }, { id: 'b' }), named('c', never))).toEqual([
      'condition.never /2/conditions',
    ])
    const where = { all: [isCategory('a'), isCategory('b')] }
    expect(found(tag(least(3, { where })))).toEqual(['condition.never /0/conditions/params/where'])
  })

  it('are found fast where tags ask for tags, each for several', () => {
    const chain = Array.from({ length: 60 }, (_, index) => {
      const earlier = [index - 1, index - 2].filter((one) => one >= 0).map((one) => tagged(`t${one}`))
      return tag({ all: [least(1, { within: `${100 - index}d` }), ...earlier] }, { id: `t${index}` })
    })
    expect(found(...chain, tag({ all: [tagged('t59'), paid('equal', 0)] }))).toEqual(['condition.never /60/conditions'])
  })

  it('are found among many choices that are none', () => {
    const choices = Array.from({ length: 12 }, (_, index) => ({
      any: Array.from({ length: 20 }, (_, value) => ({ ...city('equal', value), params: { name: `n${index}` } })),
    }))
    const none = { any: [0, 1, 2].map((value) => ({ all: [city('equal', value), city('equal', value + 1)] })) }
    expect(found(tag({ all: [...choices, none] }))).toEqual(['condition.never /0/conditions'])
  })

  it.each([
    ['one thing with two values', { all: [city('equal', 'sh'), city('equal', 'bj')] }],
    ['a value in no list of both', { all: [city('in', ['sh', 'bj']), city('notIn', ['bj', 'sh'])] }],
    ['a number between neighbours', { all: [paid('greaterThan', 2), paid('lessThan', 3)] }],
    ['a half', paid('equal', 2.5)],
    ['no list at all', city('in', [])],
    ['a tag and its absence', { all: [tagged('m'), tagged('m', false)] }],
    ['the opposite of what always holds', { not: least(0) }],
    ['none of its alternatives', { any: [paid('lessThan', 0), { all: [city('equal', 'a'), city('equal', 'b')] }] }],
    ['more people than events', { all: [least(3, {}, 'userCount'), most(2)] }],
    ['a sum of nothing', { all: [paid('greaterThan', 5, { property: 'p' }, 'eventSum'), paid('equal', 0)] }],
    [
      'more of some events than of all',
      { all: [least(3, { where: isCategory('a'), within: '1d' }), most(2, { event: ['paid', 'seen'] })] },
    ],
    [
      'a greater greatest of less time',
      {
        all: [
          least(50, { property: 'p', within: '1d' }, 'eventMax'),
          paid('lessThan', 50, { property: 'p', within: '2d' }, 'eventMax'),
        ],
      },
    ],
    [
      'a least above the greatest',
      { all: [least(5, { property: 'p' }, 'eventMin'), paid('lessThan', 5, { property: 'p' }, 'eventMax')] },
    ],
    ['an event lately, and none for long', { all: [last('greaterThanInclusive', '7d'), least(1, { within: '7d' })] }],
    ['an event lately that is not counted', { all: [last('lessThan', '7d'), paid('equal', 0, { within: '7d' })] }],
    [
      'fruit more lately than anything',
      { all: [last('greaterThan', '9d'), last('lessThan', '9d', { item: isCategory('fruit') })] },
    ],
    ['more of seven days than of thirty', paid('greaterThan', counted({ within: '30d' }), { within: '7d' })],
    ['a count other than itself', paid('notEqual', counted())],
    [
      'a latest event lately, and none for long',
      { all: [last('greaterThan', '7d'), paid('equal', 'x', { property: 'shop', within: '7d' }, 'lastEvent')] },
    ],
    [
      'three of two values',
      least(
        3,
        { property: 'city', where: { fact: 'city', operator: 'in', value: ['sh', 'bj', 'sh'] } },
        'eventDistinct',
      ),
    ],
    [
      'a share of more than all',
      { fact: 'share', operator: 'greaterThan', value: 1, params: { event: 'paid', where: isCategory('a') } },
    ],
    ['today, and not this week', { all: [least(2, { during: 'today' }), most(1, { during: 'thisWeek' })] }],
    [
      'more sequences than ends of some',
      {
        all: [
          least(
            2,
            { event: undefined, steps: [{ event: 'seen' }, { event: 'paid', within: '1d' }], within: '7d' },
            'sequence',
          ),
          most(1, { within: '7d' }),
        ],
      },
    ],
  ])('ask for %s', (_, conditions) => {
    expect(found(tag(JSON.parse(JSON.stringify(conditions))), tag(undefined, { id: 'm' }))).toEqual([
      expect.stringMatching(/^condition\.never \/0\/conditions/),
    ])
  })

  it.each([
    ['a ninth day of the week', now('weekday', 'equal', 9)],
    ['an hour before midnight and after it', { all: [now('hour', 'greaterThan', 22), now('hour', 'lessThan', 3)] }],
    ['a time out of order', { all: [now('time', 'greaterThan', '21:00'), now('time', 'lessThan', '08:00')] }],
    ['a date out of order', { all: [now('date', 'greaterThan', '2026-03-01'), now('date', 'lessThan', '2026-03-02')] }],
  ])('ask for %s', (_, conditions) => {
    expect(found(entry(conditions))).toEqual([expect.stringContaining('condition.never /0/entry/conditions')])
  })
})

describe('comparisons of communities', () => {
  const rank = (operator: string, value: number, by: object = {}) => ({
    fact: 'rank',
    operator,
    value,
    params: { by: { fact: 'eventCount', params: { event: 'paid', ...by } } },
  })

  it('begin with the first place', () => {
    expect(textOf(tag(rank('lessThan', 1), { subject: 'community' }))).toBe(
      `error condition.never  /0/conditions
  This can never hold: it asks the place by the number of "paid" to be less than 1. It is a whole number, 1 or more.
  found: 1`,
    )
  })

  it('are looked into as far as they are about events', () => {
    const where = { all: [isCategory('a'), isCategory('b')] }
    expect(found(tag(rank('lessThan', 3, { where }), { subject: 'community' }))).toEqual([
      'condition.never /0/conditions/params/by/params/where',
    ])
    const history = { kind: 'history', keep: '30d' }
    expect(found(tag(rank('lessThan', 3, { within: '90d' }), { subject: 'community' }), history)).toEqual([
      'window.beyondHistory /0/conditions/params/by',
    ])
  })
})

describe('conditions that always hold', () => {
  it('are warned about, with the reason', () => {
    expect(textOf(tag(least(0)))).toBe(
      `warning condition.always  /0/conditions
  This always holds, for everybody: it asks the number of "paid" to be at least 0. It is a whole number, 0 or more.
  found: 0`,
    )
    expect(textOf(tag({ any: [least(3), paid('lessThan', 3)] }))).toBe(
      `warning condition.always  /0/conditions
  This always holds, for everybody: whatever is true, one of these holds: the number of "paid" to be at least 3 (#/0/conditions/any/0), or the number of "paid" to be less than 3 (#/0/conditions/any/1).`,
    )
  })

  it('are meant where they are written without any comparison', () => {
    expect(found(tag({ all: [] }))).toEqual([])
  })
})

describe('a part that changes nothing', () => {
  it('is one of several that never holds, or one of all that always does', () => {
    expect(found(tag({ any: [least(3), paid('lessThan', 0)] }))).toEqual(['part.never /0/conditions/any/1'])
    expect(found(tag({ all: [least(3), least(0)] }))).toEqual(['part.always /0/conditions/all/1'])
    expect(found(tag({ not: { any: [least(3), { all: [most(1), least(2)] }] } }))).toEqual([
      'part.never /0/conditions/not/any/1',
    ])
  })

  it('may only be impossible together with the conditions around it', () => {
    const rule = tag({ all: [paid('equal', 0), { any: [least(1, { within: '7d' }), city('equal', 'sh')] }] })
    expect(textOf(rule)).toBe(
      `warning part.never  /0/conditions/all/1/any/0
  This part can never hold together with the conditions around it: it asks the number of "paid" to be 0 (#/0/conditions/all/0), and the number of "paid" in the last 7d to be at least 1. Both look at the same events, or one at some of those of the other. Change one of them, or put them under "any".`,
    )
  })
})

describe('what might be meant', () => {
  it.each([
    [
      'sums, which refunds make less',
      { all: [least(50, { property: 'p', within: '1d' }, 'eventSum'), most(9, { property: 'p' }, 'eventSum')] },
    ],
    ['an event with more values than one', { all: [least(3, { property: 'p' }, 'eventDistinct'), most(1)] }],
    ['times that do not lie in each other', { all: [least(3, { between: ['9d', '2d'] }), most(1, { within: '8d' })] }],
    ['a text that is a number', { all: [city('equal', '25'), city('greaterThan', 20)] }],
    ['a list that contains both', { all: [city('contains', 'a'), city('contains', 'b')] }],
    ['no value, which is in no order', { not: { any: [city('lessThan', 3), city('greaterThanInclusive', 3)] } }],
    [
      'no average without events',
      { not: { any: [least(3, { property: 'p' }, 'eventAvg'), paid('lessThan', 3, { property: 'p' }, 'eventAvg')] } },
    ],
    [
      'a text that is just that number',
      { all: [city('greaterThanInclusive', 2), city('lessThanInclusive', 2), city('notEqual', 2)] },
    ],
    ['lately, and not before', { all: [least(3, { within: '3d' }), most(1, { between: ['9d', '2d'] })] }],
    [
      'anything lately, and fruit long ago',
      { all: [last('greaterThan', '9d', { item: isCategory('fruit') }), least(1, { within: '7d' })] },
    ],
    ['this week, and not today', { all: [least(1, { during: 'thisWeek' }), most(0, { during: 'today' })] }],
    ['a small sum, or none', { all: [most(5, { property: 'p' }, 'eventSum'), paid('equal', 0)] }],
    ['just so long ago', { all: [last('lessThanInclusive', '7d'), paid('equal', 0, { within: '7d' })] }],
    ['just not so long ago', { all: [last('greaterThan', '6d'), least(1, { within: '7d' })] }],
    [
      'anything lately, and no fruit for long',
      { all: [last('lessThan', '9d'), last('greaterThan', '9d', { item: isCategory('fruit') })] },
    ],
    [
      'a first event long ago, and the latest lately',
      { all: [last('lessThan', '9d'), { ...last('greaterThan', '9d'), fact: 'sinceFirstEvent' }] },
    ],
    ['items without conditions, and none of them', { all: [least(2), paid('equal', 0, {}, 'itemCount')] }],
    ['one count and another', paid('greaterThan', counted({ within: '7d' }), { within: '30d' })],
    [
      'one sum and another',
      paid(
        'greaterThan',
        { ...counted({ property: 'p' }), fact: 'eventSum' },
        { property: 'p', within: '7d' },
        'eventSum',
      ),
    ],
    ['different events', { all: [least(3), most(1, { event: 'seen' })] }],
    ['items and events', { all: [least(3), most(1, {}, 'itemCount')] }],
    [
      'nobody of the community',
      { not: { any: [least(1, { of: 'community' }), paid('equal', 0, { of: 'community' })] } },
    ],
    ['the community and its member', { all: [least(3, { of: 'community' }), most(1)] }],
  ])('is left alone: %s', (_, conditions) => {
    expect(found(tag(conditions))).toEqual([])
  })
})

describe('a score', () => {
  const score = (more: object = {}) => ({
    kind: 'score',
    id: 's',
    terms: [
      { points: 20, conditions: least(2) },
      { points: 1, event: 'paid', max: 50 },
      { points: -5, per: { fact: 'eventCount', params: { event: 'refunded', within: '9d' } }, max: 10 },
    ],
    ...more,
  })
  const scored = (operator: string, value: number) => ({ fact: 'score', params: { id: 's' }, operator, value })

  it('cannot be more, or less, than its terms can give', () => {
    expect(textOf(tag(scored('greaterThan', 70)), score())).toBe(
      `error score.unreachable  /0/conditions
  This can never hold: it asks the score "s" to be more than 70. It is a number from -10 to 70.
  found: 70`,
    )
    expect(found(tag({ all: [scored('greaterThan', 69), scored('lessThan', 71)] }), score())).toEqual([
      'part.always /0/conditions/all/1',
    ])
    expect(found(tag(scored('lessThan', -10)), score())).toEqual(['score.unreachable /0/conditions'])
  })

  it('has tiers that somebody can come into', () => {
    const tiers = [
      { id: 'low', from: -90 },
      { id: 'silver', from: -10 },
      { id: 'gold', from: 71 },
    ]
    expect(textOf(score({ tiers }))).toBe(
      `error score.unreachable  /0/tiers/0/from
  Nobody can come into the tier "low": the score "s" is from -10 to 70, whatever its terms give.
  found: -90
error score.unreachable  /0/tiers/2/from
  Nobody can come into the tier "gold": the score "s" is from -10 to 70, whatever its terms give.
  found: 71`,
    )
  })

  it('is in the tier that follows from its points', () => {
    const tiers = [
      { id: 'silver', from: 20 },
      { id: 'gold', from: 50 },
    ]
    const inTier = (tier: string) => ({ ...scored('equal', 0), params: { id: 's', as: 'tier' }, value: tier })
    expect(textOf(tag({ all: [inTier('silver'), scored('greaterThanInclusive', 50)] }), score({ tiers }))).toContain(
      'the tier of the score "s" to be "silver" (#/0/conditions/all/0), and the score "s" to be at least 50 (#/0/conditions/all/1). The tier follows from the points.',
    )
    expect(found(tag({ all: [inTier('silver'), scored('greaterThan', 49)] }), score({ tiers }))).toEqual([])
    expect(found(tag({ all: [inTier('silver'), inTier('gold')] }), score({ tiers }))).toEqual([
      'condition.never /0/conditions',
    ])
  })

  it('crosses the lines that journeys wait for', () => {
    const crossing = (above: number, below: number) =>
      journey({ entry: { on: 'score.crossed', score: 's', above }, exit: { on: 'score.crossed', score: 's', below } })
    expect(found(crossing(70, -9), score())).toEqual([])
    expect(found(crossing(71, -10), score())).toEqual([
      'score.unreachable /0/entry/above',
      'score.unreachable /0/exit/below',
    ])
  })
})
