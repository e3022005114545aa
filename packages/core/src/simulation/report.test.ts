import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { REPORTED_EVENTS, REPORTED_RULES } from '../../testing/reported.js'
import { journey, send, template, wait } from '../../testing/rules.js'
import type { Comparison } from './report.js'
import { simulate } from './simulate.js'

describe('the report of a simulation', () => {
  const simulated = simulate({
    rules: definePack(REPORTED_RULES),
    events: REPORTED_EVENTS,
    until: '2026-03-05T00:00:00+08:00',
  })

  it('says of each journey how many came to each step, how they ended, and what share reached the goal', async () => {
    const { report } = await simulated

    expect(report.journeys['remind']).toEqual({
      entered: 3,
      subjects: 3,
      steps: [
        { id: 'coupon', runs: 3 },
        { id: 'none', runs: 1 },
        { id: 'push', runs: 2 },
        { id: 'paid', runs: 2 },
        { id: 'thanks', runs: 1 },
      ],
      exits: { 券已领完: 1, completed: 2 },
      goals: 2,
      conversion: 2 / 3,
      compared: {},
      held: { active: 1 },
    })
    expect(report.journeys['again']).toMatchObject({ entered: 3, conversion: null })
  })

  it('counts messages by day and class, and those kept back by reason and policy', async () => {
    const { report } = await simulated

    expect(report.sends).toEqual({ '2026-03-01': { promotion: 2 }, '2026-03-02': { promotion: 2, service: 1 } })
    expect(report.suppressed).toEqual([{ reason: 'cap', policy: 'few', count: 1 }])
    expect(report.held).toEqual({ active: 1 })
  })

  it('says what coupons are worth, and the share of promotions in each community', async () => {
    const { report } = await simulated

    expect(report.coupons).toEqual({ trial: { issued: 2, returned: 0, money: 10 } })
    expect(report.money).toBe(10)
    expect(report.communities).toEqual({
      'c-1': { sends: 3, promotions: 2, share: 2 / 3 },
      'c-2': { sends: 1, promotions: 1, share: 1 },
    })
  })

  it('compares the goal of runs, of variants and of those who are kept out', async () => {
    const split = {
      id: 'text',
      split: [
        { id: 'short', weight: 1 },
        { id: 'long', weight: 1 },
      ],
    }
    const goal = { event: 'order', within: '3d', value: 'total' }
    const rules = [journey('remind', [split, wait('later', '2d')], { holdout: 0.3, goal })]
    const people = Array.from({ length: 60 }, (_, index) => `p${index}`)
    const says = (event: string, userId: string, day: string) => ({
      ...{ event, userId, messageId: `${event}-${userId}-${day}`, timestamp: `2026-03-${day}T10:00:00+08:00` },
      properties: { total: 20 },
    })
    const events = [
      ...people.map((one) => says('cart', one, '01')),
      ...people.map((one) => says('cart', one, '02')),
      ...people.slice(0, 30).map((one) => says('order', one, '03')),
    ]

    const { report } = await simulate({ rules: definePack(rules), events })

    const { runs, holdout, ...variants } = report.journeys['remind']?.compared ?? {}
    expect(Object.keys(variants).sort()).toEqual(['text: long', 'text: short'])
    const sum = (of: (one: Comparison) => number) => Object.values(variants).reduce((total, one) => total + of(one), 0)
    expect(runs?.of).toBe(sum((one) => one.of))
    expect(runs?.goals).toBe(sum((one) => one.goals))
    // The second cart of each comes while the first one's run, or goal, is open.
    expect((runs?.of ?? 0) + (holdout?.of ?? 0)).toBe(60)
    expect((runs?.goals ?? 0) + (holdout?.goals ?? 0)).toBe(30)
    expect(holdout?.value).toBe(20 * (holdout?.goals ?? 0))
  })
})

describe('the report of budgets', () => {
  it('says what is used of each at the end: of everybody, and of each community', async () => {
    const at = (hour: number) => `2026-03-01T${String(hour).padStart(2, '0')}:00:00+08:00`
    const money = { kind: 'policy', id: 'purse', budget: { money: 0.5, costs: { sms: 0.05 }, during: 'today' } }
    const each = { kind: 'policy', id: 'each', budget: { messages: 1, of: 'community' } }
    const mix = { kind: 'policy', id: 'mix', mix: { share: 1, within: '7d', of: 'community' } }
    const rules = definePack([template('hello'), journey('remind', [send('push')]), money, each, mix])
    const cart = (userId: string, hour: number) => ({
      ...{ type: 'track' as const, event: 'cart', userId, messageId: `${userId}-${hour}`, timestamp: at(hour) },
    })
    const join = { type: 'group' as const, userId: 'u1', groupId: 'c1', messageId: 'join', timestamp: at(8) }
    const events = [join, cart('u1', 9), cart('u2', 10), cart('u1', 11)]

    const { report } = await simulate({ rules, events, until: at(12) })

    expect(report.budgets).toEqual([
      { policy: 'purse', of: 'money', used: 0.1, max: 0.5, window: 'today' },
      { policy: 'each', community: 'c1', of: 'messages', used: 1, max: 1 },
    ])
    expect(report.mixes).toMatchObject([{ policy: 'mix', community: 'c1', alike: 1, all: 1 }])
    expect(report.suppressed).toEqual([{ reason: 'budget', policy: 'each', count: 1 }])
    const later = await simulate({ rules, events, until: '2026-03-02T12:00:00+08:00' })
    expect(later.report.budgets[0]).toMatchObject({ policy: 'purse', used: 0 })
  })
})
