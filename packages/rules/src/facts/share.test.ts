import { describe, expect, it } from 'vitest'
import { conditionOf, fold, rulesOf, START, viewOf } from '../../testing/history.js'
import { problemsOf, tag } from '../../testing/packs.js'
import type { EventRecord } from '../subject.js'

const DAY = 86_400_000

const order = (day: number, category: string, city = 'sh'): EventRecord => ({
  messageId: `m${day}`,
  event: 'paid',
  at: START + day * DAY,
  properties: { city, items: [{ category: 'rice' }, { category }] },
})

const dairy = { fact: 'category', operator: 'equal', value: 'dairy' }

const share = (operator: string, value: unknown, params: object = { item: dairy }) => ({
  fact: 'share',
  params: { event: 'paid', within: '10d', ...params },
  operator,
  value,
})

describe('a share', () => {
  const orders = [order(0, 'dairy'), order(1, 'rice'), order(2, 'dairy'), order(3, 'rice')]

  const verdictAt = (day: number, tree: object, events: readonly EventRecord[] = orders) => {
    const rules = rulesOf(tree)
    return conditionOf(rules).verdict(viewOf(fold(rules, events), START + day * DAY))
  }

  it('turns at the very instant at which an event leaves the window', () => {
    // Half until day 10; then one of three; from day 11 one of two again.
    expect(verdictAt(3, share('greaterThanInclusive', 0.5))).toBe(START + 10 * DAY)
    expect(verdictAt(10, share('greaterThanInclusive', 0.5))).toBe(-(START + 11 * DAY))
    expect(verdictAt(11, share('greaterThanInclusive', 0.5))).toBe(START + 12 * DAY)
  })

  it('has no value, and no comparison holds, where there is no event', () => {
    expect(verdictAt(3, share('greaterThanInclusive', 0), [])).toBe(Number.NEGATIVE_INFINITY)
    expect(verdictAt(12, share('lessThan', 1))).toBe(START + 13 * DAY)
    expect(verdictAt(13, share('lessThan', 1))).toBe(Number.NEGATIVE_INFINITY)
  })

  it('is of the events among which it is asked for', () => {
    const events = [...orders, order(4, 'dairy', 'bj'), order(5, 'rice', 'bj'), order(6, 'rice', 'bj')]
    const inBeijing = { where: { fact: 'city', operator: 'equal', value: 'bj' } }
    const tree = share('equal', 1 / 3, { item: dairy, among: inBeijing })
    expect(verdictAt(6, tree, events)).toBe(START + 14 * DAY)
  })

  it('is kept once, whatever it is compared with, and apart from that of another part', () => {
    const rice = { fact: 'category', operator: 'equal', value: 'rice' }
    const rules = rulesOf(share('equal', 0.5), share('lessThan', 0.2), share('equal', 0.5, { item: rice }))
    expect(rules.features.size).toBe(2)
  })

  it.each([
    [share('greaterThan', 30), 'value.share', 'write 0.3 for 30%'],
    [share('greaterThan', 0.3, {}), 'params.missing', '"where" or "item"'],
    [share('contains', 0.3), 'operator.unfit', 'is a number'],
    [share('equal', 0.3, { item: dairy, among: { event: 'paid' } }), 'key.unknown', 'where, item'],
    [share('equal', 0.3, { item: dairy, within: '10d', during: 'today' }), 'window.several', 'one window'],
  ])('is refused as %j', (conditions, code, hint) => {
    const [problem] = problemsOf(tag(conditions))
    expect(problem).toMatchObject({ code })
    expect(problem?.message).toContain(hint)
  })
})
