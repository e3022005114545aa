import { describe, expect, it } from 'vitest'
import { conditionOf, fold, START, viewOf } from '../../testing/history.js'
import { problemsOf, tag } from '../../testing/packs.js'
import { holds } from '../conditions/verdict.js'
import { definePack } from '../define.js'
import { compileProgram } from '../program/compile.js'
import type { EventRecord, Others } from '../subject.js'

const DAY = 86_400_000

const order = (day: number, category: string): EventRecord => ({
  messageId: `m${day}`,
  event: 'paid',
  at: START + day * DAY,
  properties: { total: day, items: [{ category }] },
})

const dairy = { fact: 'category', operator: 'equal', value: 'dairy' }
const COMMUNITY = { subject: 'community' }

const lift = (operator: string, value: unknown, params: object = {}) => ({
  fact: 'lift',
  params: { event: 'paid', within: '10d', item: dairy, ...params },
  operator,
  value,
})

const rank = (operator: string, value: unknown, params: object = {}) => ({
  fact: 'rank',
  params: { by: { fact: 'eventSum', params: { event: 'paid', property: 'total', within: '10d' } }, ...params },
  operator,
  value,
})

const rulesAbout = (conditions: object, subject = 'community') =>
  compileProgram(definePack([tag(conditions, { id: 't0', subject })])).subjects[subject as 'community']

const elsewhere = (total: readonly number[], greater: readonly number[] = []): Others => ({
  at: START,
  count: 4,
  total,
  above: (value) => greater.filter((one) => one > value).length,
})

function verdictAt(day: number, conditions: object, others: Others | undefined, events: readonly EventRecord[]) {
  const rules = rulesAbout(conditions)
  const view = viewOf(fold(rules, events), START + day * DAY, { others: () => others })
  return conditionOf(rules).verdict(view)
}

const HALF_DAIRY = [order(0, 'dairy'), order(1, 'rice'), order(2, 'dairy'), order(3, 'rice')]

describe('the lift of a share', () => {
  it('is the share here by the share in all others together, exactly', () => {
    // 2/4 by 1/3.
    expect(holds(verdictAt(3, lift('equal', 1.5), elsewhere([1, 3]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, lift('equal', 1.5), elsewhere([7, 21]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, lift('greaterThan', 1.5), elsewhere([1, 3]), HALF_DAIRY))).toBe(false)
  })

  it('turns at the very instant at which an event here leaves the window', () => {
    // One of three left from day 10 on: no lift. One of two from day 11 on.
    expect(verdictAt(3, lift('greaterThanInclusive', 1.5), elsewhere([1, 3]), HALF_DAIRY)).toBe(START + 10 * DAY)
    expect(verdictAt(10, lift('greaterThanInclusive', 1.5), elsewhere([1, 3]), HALF_DAIRY)).toBe(-START - 11 * DAY)
  })

  it('has no value without an event here, without one of the part elsewhere, and as long as nobody was compared', () => {
    const anything = lift('greaterThanInclusive', 0)
    for (const [others, events] of [
      [elsewhere([1, 3]), []],
      [elsewhere([0, 3]), HALF_DAIRY],
      [elsewhere([]), HALF_DAIRY],
      [undefined, HALF_DAIRY],
    ] as const) {
      expect(verdictAt(3, anything, others, events)).toBe(Number.NEGATIVE_INFINITY)
    }
    expect(holds(verdictAt(3, anything, elsewhere([1, 3]), [order(1, 'rice')]))).toBe(true)
  })

  it('is kept as the share is, and worked out once for all rules that compare by it', () => {
    const { features, figures } = rulesAbout({
      all: [
        lift('equal', 1),
        lift('lessThan', 2),
        { ...lift('equal', 0.5), fact: 'share' },
        lift('equal', 1, { within: '5d' }),
      ],
    })
    expect(features.size).toBe(1)
    expect(figures.size).toBe(2)
  })
})

describe('the rank of a value', () => {
  // Totals 0, 1, 2 and 3: 6 in all.
  it('is one more than the number of others with a greater value', () => {
    expect(holds(verdictAt(3, rank('equal', 3), elsewhere([], [9, 7, 6, 1]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, rank('equal', 1), elsewhere([], [6, 6, 6, 6]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, rank('equal', 5), elsewhere([], [9, 7, 8, 6.1]), HALF_DAIRY))).toBe(true)
  })

  it('as a percentile is how many in a hundred others it is level with or ahead of', () => {
    const percentile = { as: 'percentile' }
    expect(holds(verdictAt(3, rank('equal', 50, percentile), elsewhere([], [9, 7, 6, 1]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, rank('equal', 100, percentile), elsewhere([], [6, 6, 6, 1]), HALF_DAIRY))).toBe(true)
    expect(holds(verdictAt(3, rank('equal', 100, percentile), { ...elsewhere([]), count: 0 }, HALF_DAIRY))).toBe(true)
  })

  it('changes when the value here does', () => {
    // From day 12 on only the 3 is left, and that is less than 4.
    const second = rank('lessThanInclusive', 2)
    expect(verdictAt(3, second, elsewhere([], [9, 4]), HALF_DAIRY)).toBe(START + 12 * DAY)
  })

  it('is none without a value, and as long as nobody was compared', () => {
    const average = { fact: 'eventAvg', params: { event: 'paid', property: 'total' } }
    expect(holds(verdictAt(3, rank('greaterThan', 0, { by: average }), elsewhere([]), []))).toBe(false)
    expect(holds(verdictAt(3, rank('greaterThan', 0), undefined, HALF_DAIRY))).toBe(false)
    expect(holds(verdictAt(3, rank('equal', 1), elsewhere([]), []))).toBe(true)
  })

  it('can be by a share, by messages, by people and by a score', () => {
    const by = (fact: string, params: object) => rank('lessThan', 10, { by: { fact, params } })
    const pack = [
      { kind: 'score', id: 'warmth', ...COMMUNITY, terms: [{ points: 1, event: 'paid' }] },
      tag(
        {
          all: [
            by('share', { event: 'paid', item: dairy }),
            by('messageCount', { within: '7d' }),
            by('userCount', { event: 'paid', during: 'thisMonth' }),
            by('score', { id: 'warmth' }),
          ],
        },
        COMMUNITY,
      ),
    ]
    expect(problemsOf(pack)).toEqual([])
    expect(compileProgram(definePack(pack)).subjects.community.figures.size).toBe(4)
  })
})

describe('comparing', () => {
  it('is read by users as a condition about their community', () => {
    const { community, user } = compileProgram(
      definePack([tag({ ...rank('lessThanInclusive', 3), params: { ...rank('equal', 1).params, of: 'community' } })]),
    ).subjects
    expect([...user.figures, ...community.figures]).toHaveLength(1)
    expect(community.tags).toMatchObject([{ kind: 'verdict', readAs: 'community' }])
  })

  it('is looked at again by all that read it, and from birth on', () => {
    const { readers, bornWith, figures } = rulesAbout({ all: [rank('equal', 1), lift('equal', 1)] })
    expect([...readers.figures.keys()]).toEqual([...figures.keys()])
    expect(bornWith).toHaveLength(1)
  })

  it.each([
    [lift('equal', 1), {}, 'fact.subject', 'with "of": "community"'],
    [rank('equal', 1), {}, 'fact.subject', 'with "of": "community"'],
    [lift('contains', 1), COMMUNITY, 'operator.unfit', 'is a number'],
    [lift('equal', 1, { item: undefined }), COMMUNITY, 'params.missing', '"where" or "item"'],
    [rank('equal', 1, { by: { fact: 'lift' } }), COMMUNITY, 'value.unknown', 'eventCount'],
    [rank('equal', 1, { by: { fact: 'score', params: { id: 'x', as: 'tier' } } }), COMMUNITY, 'rank.unfit', 'numbers'],
    [rank('equal', 1, { by: { fact: 'eventCount', params: { evnt: 'x' } } }), COMMUNITY, 'key.unknown', 'event'],
    [rank('equal', 1, { by: { fact: 'eventCount' } }), COMMUNITY, 'params.missing', 'event'],
    [
      rank('equal', 1, { by: { fact: 'eventCount', params: { event: 'x', of: 'leader' } } }),
      COMMUNITY,
      'relation.unfit',
      '"of"',
    ],
  ])('is refused as %j', (conditions, more, code, hint) => {
    const problems = problemsOf(tag(JSON.parse(JSON.stringify(conditions)), more))
    expect(problems.map((problem) => problem.code)).toContain(code)
    expect(problems.map(({ message }) => message).join(' ')).toContain(hint)
  })
})
