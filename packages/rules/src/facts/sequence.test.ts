import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { factAlone } from '../../testing/facts.js'
import {
  conditionOf,
  eventsArb,
  fold,
  instantsOf,
  inZone,
  merge,
  rulesOf,
  START,
  viewOf,
  zoneArb,
} from '../../testing/history.js'
import { sequenceArb } from '../../testing/leaves.js'
import { naiveHolds } from '../../testing/naive.js'
import { problemsOf, tag } from '../../testing/packs.js'
import { holds, until } from '../conditions/verdict.js'
import type { EventRecord } from '../subject.js'
import { MOST_CHAIN_ENTRIES } from './sequence-feature.js'

// Thousands of histories take a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const at = (minute: number, event: string, properties: object = {}): EventRecord => ({
  messageId: `${event}${minute}`,
  event,
  at: START + minute * MINUTE,
  properties: { ...properties },
})

const cart = (minute: number, cartId: string) => at(minute, 'cart_added', { cartId })
const paid = (minute: number, cartId: string) => at(minute, 'order_paid', { cartId })

const once = (params: object) => ({ fact: 'sequence', params, operator: 'greaterThanInclusive', value: 1 })

const abandoned = once({
  steps: [{ event: 'cart_added' }, { no: { event: 'order_paid' }, for: '2h' }],
  by: 'cartId',
  within: '7d',
})

function verdictAt(tree: unknown, events: readonly EventRecord[], minute: number): number {
  const rules = rulesOf(tree)
  return conditionOf(rules).verdict(viewOf(fold(rules, events), START + minute * MINUTE))
}

describe('a sequence that ends in an absence', () => {
  it('is complete exactly when the time for an answer is over, and counts as long as its window', () => {
    const events = [cart(0, 'c1')]
    expect(verdictAt(abandoned, events, 0)).toBe(-(START + 2 * HOUR))
    expect(verdictAt(abandoned, events, 120)).toBe(START + 2 * HOUR + 7 * 24 * HOUR)
  })

  it('is never complete when the answer comes in time, also when it arrives late', () => {
    expect(verdictAt(abandoned, [cart(0, 'c1'), paid(119, 'c1')], 119)).toBe(Number.NEGATIVE_INFINITY)
    expect(verdictAt(abandoned, [cart(0, 'c1'), at(150, 'cart_added', { cartId: 'c2' }), paid(60, 'c1')], 150)).toBe(
      -(START + (150 + 120) * MINUTE),
    )
  })

  it('is complete when the answer comes at the very end, or for another cart', () => {
    expect(holds(verdictAt(abandoned, [cart(0, 'c1'), paid(120, 'c1')], 120))).toBe(true)
    expect(verdictAt(abandoned, [cart(0, 'c1'), paid(60, 'c2')], 60)).toBe(-(START + 2 * HOUR))
    expect(holds(verdictAt(abandoned, [at(0, 'cart_added')], 240))).toBe(false)
  })
})

describe('a sequence of steps', () => {
  const tree = once({
    steps: [
      { event: 'viewed' },
      { event: 'cart_added', within: '1h' },
      { event: 'order_paid', within: '1h', unless: { event: 'cart_cleared' } },
    ],
    within: '1d',
  })
  const done = (...events: EventRecord[]) => holds(verdictAt(tree, events, 600))

  it('is complete when each step followed the one before in time', () => {
    expect(done(at(0, 'viewed'), cart(30, 'c'), paid(80, 'c'))).toBe(true)
    expect(done(at(0, 'viewed'), cart(60, 'c'), paid(80, 'c'))).toBe(false)
    expect(done(at(0, 'viewed'), cart(0, 'c'), paid(20, 'c'))).toBe(false)
    expect(done(cart(0, 'c'), at(10, 'viewed'), paid(20, 'c'))).toBe(false)
  })

  it('is not complete with an event in between that must not be there', () => {
    expect(done(at(0, 'viewed'), cart(30, 'c'), at(40, 'cart_cleared'), paid(80, 'c'))).toBe(false)
    expect(done(at(0, 'viewed'), cart(30, 'c'), at(40, 'cart_cleared'), cart(50, 'd'), paid(80, 'c'))).toBe(true)
    expect(done(at(0, 'viewed'), at(10, 'cart_cleared'), cart(30, 'c'), paid(80, 'c'))).toBe(true)
  })

  it('counts each event that ends one', () => {
    const twice = { ...tree, operator: 'equal', value: 2 }
    expect(holds(verdictAt(twice, [at(0, 'viewed'), cart(30, 'c'), paid(50, 'c'), paid(60, 'c')], 600))).toBe(true)
  })

  it('shows the events of its chains', () => {
    const fact = factAlone('sequence', tree.params)
    const events = [paid(80, 'c'), at(0, 'viewed'), at(5, 'viewed'), cart(30, 'c'), cart(50, 'd'), paid(300, 'e')]
    const view = viewOf(fact.fold(events), START + 10 * HOUR)
    expect(fact.use.evidence?.(view, events).map(({ messageId }) => messageId)).toEqual([
      'viewed5',
      'cart_added50',
      'order_paid80',
    ])
    expect(fact.use.evidence?.(viewOf({}, START + 40 * HOUR), events)).toEqual([])
  })
})

describe('any sequence', () => {
  it('is what looking for all chains finds, whatever the order of arrival', () => {
    let flips = 0
    // Closer together, so that more of them follow one another in time.
    const dense = eventsArb.map((events) =>
      events.map((event) => ({ ...event, at: START + ((event.at - START) >> 1) })),
    )
    const arb = fc.record({ leaf: sequenceArb, events: dense, later: fc.nat({ max: 1200 }), zone: zoneArb })
    fc.assert(
      fc.property(arb, fc.infiniteStream(fc.nat({ max: 3000 })), ({ leaf, events, later, zone }, delays) => {
        const rules = rulesOf(leaf)
        const from = Math.max(START, ...events.map((event) => event.at)) + later
        const shuffled = events.map((event) => [delays.next().value as number, event] as const)
        const arriving = shuffled.sort(([a], [b]) => a - b).map(([, event]) => event)
        const now = (event: EventRecord) => Math.min(from, event.at + (delays.next().value as number))
        const half = arriving.length >> 1
        const features = merge(rules, fold(rules, arriving.slice(0, half), now), fold(rules, arriving.slice(half), now))
        const verdict = conditionOf(rules).verdict(viewOf(features, from, inZone(zone)))
        for (const probe of instantsOf(events, from, leaf, zone)) {
          const naive = naiveHolds(leaf, events, probe, zone)
          const own = conditionOf(rules).verdict(viewOf(features, probe, inZone(zone)))
          if (holds(own) !== naive) expect.fail(`${own} at ${probe - START} where ${naive} is right`)
          if (probe < until(verdict) && naive !== holds(verdict)) expect.fail(`turns at ${probe - START} already`)
        }
        if (!Number.isFinite(until(verdict))) return
        flips += 1
        expect(naiveHolds(leaf, events, until(verdict), zone)).toBe(!holds(verdict))
      }),
      { numRuns: 1200 },
    )
    expect(flips).toBeGreaterThan(40)
  })

  it('keeps a bounded number of events, and says up to when it has forgotten', () => {
    const fact = factAlone('sequence', abandoned.params)
    const events = Array.from({ length: MOST_CHAIN_ENTRIES + 20 }, (_, index) => cart(index, `c${index}`))
    const view = viewOf(fact.fold(events, START + HOUR), START + 100 * HOUR)
    expect(fact.use.read(view)).toBe(MOST_CHAIN_ENTRIES)
    expect(fact.use.forgotten?.(view)).toBe(START + 19 * MINUTE)
    expect(fact.fold(events.toReversed(), START + HOUR)).toEqual(fact.fold(events, START + HOUR))
  })
})

describe('a sequence that is not right', () => {
  const first = { event: 'cart_added' }
  const last = { event: 'order_paid', within: '2h' }

  it.each([
    ['has no window', { steps: [first, last] }, 'sequence.window /conditions/params'],
    ['has a step without a limit', { steps: [first, { event: 'x' }] }, 'sequence.step /conditions/params/steps/1'],
    ['limits its first step', { steps: [last, last] }, 'sequence.step /conditions/params/steps/0'],
    [
      'goes on after an absence',
      { steps: [first, { no: first, for: '1h' }, last] },
      'sequence.step /conditions/params/steps/1',
    ],
    ['has an absence without an end', { steps: [first, { no: first }] }, 'sequence.step /conditions/params/steps/1'],
    [
      'mixes an absence with a step',
      { steps: [first, { ...last, no: first, for: '1h' }] },
      'sequence.step /conditions/params/steps/1',
    ],
    ['has a step of nothing', { steps: [first, { within: '1h' }] }, 'sequence.step /conditions/params/steps/1'],
    [
      'has no length',
      { steps: [first, { ...last, within: 'soon' }] },
      'duration.invalid /conditions/params/steps/1/within',
    ],
  ])('is refused when it %s', (_, params, problem) => {
    const window = 'steps' in params && problem.startsWith('sequence.window') ? {} : { within: '1d' }
    const problems = problemsOf(tag(once({ ...params, ...window })))
    expect(problems.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([problem])
  })

  it('names the place of a condition that is wrong', () => {
    const where = { fact: 'cartId', operator: 'equals', value: 1 }
    const steps = [first, { ...last, unless: { event: 'x', where } }]
    expect(problemsOf(tag(once({ steps, within: '1d' }))).map(({ pointer }) => pointer)).toEqual([
      '/conditions/params/steps/1/unless/where/operator',
    ])
  })
})
