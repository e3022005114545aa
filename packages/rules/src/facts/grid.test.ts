import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { factAlone } from '../../testing/facts.js'
import { START, viewOf } from '../../testing/history.js'
import type { EventRecord, FeatureState } from '../subject.js'
import { MOST_ENTRIES } from './grid.js'

vi.setConfig({ testTimeout: 120_000 })

const DAY = 86_400_000
const HOUR = 3_600_000

function orders(count: number, days: number, seed = 1): EventRecord[] {
  let random = seed
  const next = () => {
    random = (random * 48_271) % 2_147_483_647
    return random / 2_147_483_647
  }
  return Array.from({ length: count }, (_, index): EventRecord => {
    const properties = { total: Math.round(next() * 10_000) / 100, sku: `s${index % 7}` }
    return { messageId: `m${index}`, event: 'paid', at: START + Math.floor(next() * days * DAY), properties }
  })
}

const inOrder = (events: readonly EventRecord[]) => events.toSorted((a, b) => a.at - b.at)
const sum = (events: readonly EventRecord[]) =>
  events.reduce((total, { properties }) => total + Math.round((properties['total'] as number) * 1e6), 0) / 1e6

const entriesOf = (state: FeatureState | undefined) => (state?.[1] ?? []) as readonly (readonly number[])[]

describe('more amounts than are kept apart', () => {
  const events = inOrder(orders(4000, 20))
  const fact = factAlone('eventSum', { event: 'paid', property: 'total', within: '30d' })
  const states = fact.fold(events)
  const [state] = Object.values(states)
  const end = START + 20 * DAY
  const read = (at: number) => fact.use.read(viewOf(states, at)) as number

  it('are kept on a grid of times, as fine as they fit', () => {
    expect(entriesOf(state).length).toBeLessThanOrEqual(MOST_ENTRIES)
    expect(fact.use.rounding?.(viewOf(states, end))).toBe(HOUR)
    expect(entriesOf(state).length).toBeGreaterThan(400)
  })

  it('have an exact total', () => {
    expect(read(end)).toBe(sum(events))
    expect(state?.[0]).toEqual([Math.round(sum(events) * 1e6)])
  })

  it('leave the window at most one step of the grid early, and never late', () => {
    for (let at = end; at < end + 31 * DAY; at += 7_777_777) {
      const inside = (from: number) => sum(events.filter((event) => event.at > from))
      expect(read(at)).toBeLessThanOrEqual(inside(at - 30 * DAY))
      expect(read(at)).toBeGreaterThanOrEqual(inside(at - 30 * DAY + HOUR))
    }
  })

  it('change exactly when they say', () => {
    let at = end
    for (let changes = 0; changes < 50; changes++) {
      const next = fact.use.changesAt?.(viewOf(states, at)) ?? 0
      expect(next).toBeGreaterThan(at)
      expect(read(next - 1)).toBe(read(at))
      at = next
    }
  })

  it('are exact again once all of them have left', () => {
    const later: EventRecord = { messageId: 'l', event: 'paid', at: end + 40 * DAY + 1, properties: { total: 1 } }
    const after = fact.fold([...events, later])
    expect(fact.use.rounding?.(viewOf(after, later.at))).toBeUndefined()
    expect(entriesOf(Object.values(after)[0])).toEqual([[later.at, 1_000_000]])
  })
})

describe('a state on a grid', () => {
  it.each([
    ['eventSum', { property: 'total', within: '30d' }],
    ['eventAvg', { property: 'total', during: 'lastMonth' }],
    ['eventCount', { between: ['60d', '1d'] }],
    ['eventMax', { property: 'total', between: ['60d', '20d'] }],
    ['eventDistinct', { property: 'sku', between: ['60d', '20d'] }],
  ])('of %s is bounded, and the same whatever the order of arrival', (name, params) => {
    const fact = factAlone(name, { event: 'paid', ...params })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 20 }), (seed, days) => {
        const events = orders(1300, days, seed)
        const now = START + 20 * DAY
        const [one] = Object.values(fact.fold(events, now))
        const [other] = Object.values(fact.fold(events.toReversed(), now))
        expect(other).toEqual(one)
        expect(JSON.stringify(one).length).toBeLessThan(40_000)
      }),
      { numRuns: 4 },
    )
  })

  it('is the same when the events of two people are merged', () => {
    const events = orders(2400, 20)
    const fact = factAlone('eventSum', { event: 'paid', property: 'total', within: '30d' })
    const now = START + 20 * DAY
    const [feature] = fact.features
    const halves = [events.slice(0, 1200), events.slice(1200)].map(
      (half) => Object.values(fact.fold(half, now))[0] ?? [],
    )
    const [one = [], other = []] = halves
    expect(feature?.merge(one, other)).toEqual(feature?.merge(other, one))
    expect(feature?.merge(one, other)).toEqual(Object.values(fact.fold(events, now))[0])
  })
})
