import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { START } from '../../testing/history.js'
import type { FeatureState } from '../subject.js'
import { countFresh, DecayFeature, type DecayState, decayedSum, HALVINGS, nextHalving } from './decay.js'

const MINUTE = 60_000
const HALF_LIFE = 10 * MINUTE
const FILTER = { events: ['paid'], matches: () => true, demand: undefined, definition: {} }

function feature(halfLifeMs = HALF_LIFE): DecayFeature {
  const made = new DecayFeature('k', FILTER)
  made.need(halfLifeMs)
  return made
}

function folded(times: readonly number[], now: (at: number) => number, made = feature()): DecayState | undefined {
  const fold = (state: FeatureState | undefined, at: number, index: number) =>
    made.fold(state, { messageId: `m${index}`, event: 'paid', at, properties: {} }, now(at))
  return times.reduce(fold, undefined) as DecayState | undefined
}

const timesArb = fc.array(
  fc.integer({ min: 0, max: 200 }).map((minutes) => START + minutes * MINUTE),
  { maxLength: 20 },
)
const LATER = START + 201 * MINUTE

/** What events are worth, one by one. */
function plainly(times: readonly number[], amount: number, at: number): number {
  return times.reduce((sum, time) => {
    const halvings = Math.floor((at - time) / HALF_LIFE)
    return halvings < 0 || halvings >= HALVINGS ? sum : sum + Math.round(amount / 2 ** halvings)
  }, 0)
}

describe('events whose worth halves', () => {
  it('are worth what each of them is worth, at every instant, and change when they say', () => {
    fc.assert(
      fc.property(timesArb, fc.constantFrom(1_000_000, -700_000, 3), (times, amount) => {
        const state = folded(times, () => LATER)
        for (let at = LATER; at < LATER + 100 * MINUTE; ) {
          expect(decayedSum(state, amount, HALF_LIFE, at)).toBe(plainly(times, amount, at))
          const next = Math.min(nextHalving(state, HALF_LIFE, at), LATER + 100 * MINUTE)
          expect(next).toBeGreaterThan(at)
          expect(plainly(times, amount, next - 1)).toBe(plainly(times, amount, at))
          at = next
        }
      }),
    )
  })

  it('leave the same state in whatever order they arrive, and of whichever of two people who are one', () => {
    fc.assert(
      fc.property(timesArb, fc.integer({ min: 0, max: 20 }), (times, cut) => {
        const state = folded(times, () => LATER)
        expect(folded(times.toReversed(), () => LATER)).toEqual(state)
        const [one, other] = [folded(times.slice(0, cut), () => LATER), folded(times.slice(cut), () => LATER)]
        expect(one && other ? feature().merge(one, other) : (one ?? other)).toEqual(state)
      }),
    )
  })

  it('are forgotten after eight half-lives, but not in all', () => {
    const old = START - HALVINGS * HALF_LIFE

    expect(folded([old, START], () => START)).toEqual([2, 0, [START], [1]])
    expect(folded([old + 1, START], () => START)?.[2]).toHaveLength(2)
    expect(folded([old + 1, START], (at) => at + 1)?.[2]).toEqual([START])
  })

  it('that no half-life asks for leave their number only', () => {
    expect(folded([START, START + 1], (at) => at, new DecayFeature('k', FILTER))).toEqual([2, 0, [], []])
  })
})

describe('more than a thousand times', () => {
  const DAY = 86_400_000
  const halfLife = 30 * DAY
  const times = Array.from({ length: 5000 }, (_, index) => START + index * 7 * MINUTE)
  const later = (times.at(-1) ?? START) + 1

  it('are rounded down to the finest grid on which a thousand are left, and none is lost', () => {
    const state = folded(times, () => later, feature(halfLife))

    expect(state?.[0]).toBe(5000)
    // 35,000 minutes: 584 hours, but 2,333 quarters of an hour.
    expect(state?.[1]).toBe(60 * MINUTE)
    expect(state?.[2].length).toBe(584)
    expect(state?.[3].reduce((sum, count) => sum + count, 0)).toBe(5000)
    expect(countFresh(state, halfLife, later)).toBe(5000)
  })

  it('halve early by no more than the grid, and never late', () => {
    const state = folded(times, () => later, feature(halfLife))
    const worth = (at: number) => times.reduce((sum, time) => sum + 2 ** (20 - Math.floor((at - time) / halfLife)), 0)

    for (let at = later; at < later + 60 * DAY; at += DAY / 5) {
      const sum = decayedSum(state, 2 ** 20, halfLife, at)
      expect(sum).toBeLessThanOrEqual(worth(at))
      expect(sum).toBeGreaterThanOrEqual(worth(at + 60 * MINUTE))
    }
  })

  it('leave the same state in whatever order they arrive', () => {
    const shuffled = times.map((_, index) => times[(index * 1201) % times.length] ?? START)

    expect(folded(shuffled, () => later, feature(halfLife))).toEqual(folded(times, () => later, feature(halfLife)))
  })
})
