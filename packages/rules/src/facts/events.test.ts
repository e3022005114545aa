import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  conditionOf,
  eventsArb,
  type Features,
  fold,
  instantsOf,
  inZone,
  merge,
  rulesOf,
  START,
  viewOf,
  zoneArb,
} from '../../testing/history.js'
import { leafArb, treeArb } from '../../testing/leaves.js'
import { type Leaf, naiveHolds } from '../../testing/naive.js'
import { holds, until } from '../conditions/verdict.js'
import { canonicalJson } from '../json.js'
import type { EventRecord } from '../subject.js'

// Thousands of histories take a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const last = (events: readonly EventRecord[]) => Math.max(START, ...events.map(({ at }) => at))

const cases = <T>(tree: fc.Arbitrary<T>) =>
  fc.record({ tree, events: eventsArb, later: fc.nat({ max: 1200 }), zone: zoneArb })

interface Told {
  readonly tree: unknown
  readonly events: readonly EventRecord[]
  readonly zone: string | undefined
}

function check({ tree, events, zone }: Told, features: Features, from: number): void {
  const condition = conditionOf(rulesOf(tree))
  for (const at of instantsOf(events, from, tree, zone)) {
    const verdict = condition.verdict(viewOf(features, at, inZone(zone)))
    const naive = naiveHolds(tree as Leaf, events, at, zone)
    if (holds(verdict) === naive && until(verdict) > at) continue
    expect.fail(`${verdict} at ${at - START} of ${JSON.stringify(tree)} where ${naive} is right`)
  }
}

describe('the verdict of a fact over events', () => {
  it('equals a plain recomputation from the events, at every instant', () => {
    fc.assert(
      fc.property(cases(leafArb), ({ tree, events, later, zone }) => {
        check({ tree, events, zone }, fold(rulesOf(tree), events), last(events) + later)
      }),
      { numRuns: 1500 },
    )
  })

  it('stays until its instant and flips exactly there', () => {
    let flips = 0
    fc.assert(
      fc.property(cases(leafArb), ({ tree, events, later, zone }) => {
        const rules = rulesOf(tree)
        const at = last(events) + later
        const verdict = conditionOf(rules).verdict(viewOf(fold(rules, events), at, inZone(zone)))
        const end = until(verdict)
        for (const probe of instantsOf(events, at, tree, zone)) {
          if (probe < end && naiveHolds(tree, events, probe, zone) !== holds(verdict)) expect.fail(`turns at ${probe}`)
        }
        if (!Number.isFinite(end)) return
        flips += 1
        expect(naiveHolds(tree, events, end - 1, zone)).toBe(holds(verdict))
        expect(naiveHolds(tree, events, end, zone)).toBe(!holds(verdict))
      }),
      { numRuns: 1500 },
    )
    expect(flips).toBeGreaterThan(150)
  })

  it('is the same at every single millisecond before it flips', () => {
    fc.assert(
      fc.property(cases(leafArb), ({ tree, events }) => {
        const rules = rulesOf(tree)
        const at = last(events)
        const verdict = conditionOf(rules).verdict(viewOf(fold(rules, events), at))
        for (let probe = at; probe < Math.min(until(verdict), at + 3100); probe += 1) {
          if (naiveHolds(tree, events, probe) !== holds(verdict)) expect.fail(`flips at ${probe - at}`)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('does not depend on the order of arrival, nor on when the state was pruned', () => {
    fc.assert(
      fc.property(cases(leafArb), fc.infiniteStream(fc.nat({ max: 5000 })), ({ tree, events, later, zone }, delays) => {
        const rules = rulesOf(tree)
        const shuffled = events.map((event) => [delays.next().value as number, event] as const)
        shuffled.sort(([a], [b]) => a - b)
        const from = last(events) + later
        const features = fold(
          rules,
          shuffled.map(([, event]) => event),
          (event) => Math.min(from, event.at + (delays.next().value as number)),
        )
        check({ tree, events, zone }, features, from)
      }),
      { numRuns: 1000 },
    )
  })

  it('is the same when two halves of the events were kept apart and merged', () => {
    fc.assert(
      fc.property(cases(leafArb), fc.infiniteStream(fc.boolean()), ({ tree, events, later, zone }, sides) => {
        const rules = rulesOf(tree)
        const left = events.filter(() => sides.next().value === true)
        const right = events.filter((event) => !left.includes(event))
        const merged = merge(rules, fold(rules, left), fold(rules, right))
        check({ tree, events, zone }, merged, last(events) + later)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps a state of the same content whatever the order of arrival', () => {
    fc.assert(
      fc.property(leafArb, eventsArb, (tree, events) => {
        const rules = rulesOf(tree)
        const sorted = (features: Features) => canonicalJson(features)
        const now = () => last(events)
        expect(sorted(fold(rules, [...events].reverse(), now))).toBe(sorted(fold(rules, events, now)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the verdict of all, any and not', () => {
  it('equals a plain recomputation and is certain until its instant', () => {
    fc.assert(
      fc.property(cases(treeArb), ({ tree, events, later, zone }) => {
        const rules = rulesOf(tree)
        const at = last(events) + later
        const features = fold(rules, events)
        check({ tree, events, zone }, features, at)
        const verdict = conditionOf(rules).verdict(viewOf(features, at, inZone(zone)))
        for (const probe of instantsOf(events, at, tree, zone)) {
          if (probe >= until(verdict)) break
          if (naiveHolds(tree, events, probe, zone) !== holds(verdict)) expect.fail(`turns at ${probe}`)
        }
      }),
      { numRuns: 800 },
    )
  })

  it('is the same for rules that share features with different thresholds and windows', () => {
    fc.assert(
      fc.property(fc.array(leafArb, { minLength: 2, maxLength: 5 }), eventsArb, (trees, events) => {
        const rules = rulesOf(...trees)
        const features = fold(rules, events)
        const from = last(events)
        trees.forEach((tree, index) => {
          const condition = conditionOf(rules, `t${index}`)
          for (const at of instantsOf(events, from)) {
            expect(holds(condition.verdict(viewOf(features, at)))).toBe(naiveHolds(tree, events, at))
          }
        })
      }),
      { numRuns: 300 },
    )
  })
})

describe('a window', () => {
  const rules = rulesOf({ fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'paid', within: '30d' } })
  const features = fold(rules, [{ messageId: 'm', event: 'paid', at: START, properties: {} }])
  const day = 86_400_000

  it('holds an event from its own instant until exactly its length later', () => {
    const verdict = (at: number) => conditionOf(rules).verdict(viewOf(features, at))
    expect(verdict(START)).toBe(START + 30 * day)
    expect(holds(verdict(START + 30 * day - 1))).toBe(true)
    expect(holds(verdict(START + 30 * day))).toBe(false)
  })

  const at = (offset: number, amount = 1): EventRecord => ({
    messageId: `m${offset}.${amount}`,
    event: 'paid',
    at: START + offset,
    properties: { amount },
  })

  it('keeps an event to its last millisecond when a later event prunes the state', () => {
    const two = rulesOf({ fact: 'eventCount', operator: 'equal', value: 2, params: { event: 'paid', within: '1s' } })
    expect(conditionOf(two).verdict(viewOf(fold(two, [at(0), at(999)]), START + 999))).toBe(START + 1000)
  })

  it('passes over an instant at which amounts leave that cancel each other out', () => {
    const params = { event: 'paid', within: '1s', property: 'amount' }
    const less = rulesOf({ fact: 'eventSum', operator: 'lessThan', value: 6, params })
    const verdict = conditionOf(less).verdict(viewOf(fold(less, [at(0, 3), at(0, -3), at(500, 5)]), START + 500))
    expect(verdict).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    [0.3, [0.1, 0.2]],
    [3.015, [1.005, 1.005, 1.005]],
    [1.005, [1.005]],
    [0, [1e300, -1e300]],
  ])('has a sum of exactly %d', (value, amounts) => {
    const params = { event: 'paid', property: 'amount' }
    const sum = rulesOf({ fact: 'eventSum', operator: 'equal', value, params })
    const events = amounts.map((amount) => at(0, amount))
    expect(holds(conditionOf(sum).verdict(viewOf(fold(sum, events), START)))).toBe(true)
  })

  it('lets a threshold of any size stand where all time counts', () => {
    const many = rulesOf({ fact: 'eventCount', operator: 'greaterThan', value: 1_000_000, params: { event: 'paid' } })
    expect(holds(conditionOf(many).verdict(viewOf(fold(many, [at(0)]), START)))).toBe(false)
  })
})
