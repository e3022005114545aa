import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChannelCalls } from '../ports/store.js'
import { begun, letThrough, type Rate, roomAt, roomWithin } from './rate.js'
import { LONGEST_LEAD_MS } from './slot.js'

const NONE: ChannelCalls = { channel: 'sms', calls: [], freeAt: 0 }

/** Whether some window of the rate has more calls than it may. */
function isOver(starts: readonly number[], { max, perMs }: Rate): boolean {
  const sorted = starts.toSorted((one, other) => one - other)
  return sorted.some((at, index) => (sorted[index + max] ?? Number.POSITIVE_INFINITY) - at < perMs)
}

/** Asks again and again, as processes would: each call begins some time after it was let through, or never, and not all tell. */
const asked = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 2000 }),
    wanted: fc.integer({ min: 1, max: 9 }),
    leads: fc.array(fc.option(fc.integer({ min: 0, max: LONGEST_LEAD_MS })), { minLength: 9, maxLength: 9 }),
    toldAfter: fc.option(fc.integer({ min: 0, max: 9000 })),
  }),
  { minLength: 1, maxLength: 300 },
)

describe('a rate', () => {
  it('is never exceeded in any window, whenever calls begin and whoever tells of it', () => {
    const rates = fc.record({ max: fc.integer({ min: 1, max: 20 }), perMs: fc.integer({ min: 1, max: 20_000 }) })
    fc.assert(
      fc.property(rates, asked, (rate, turns) => {
        let kept = NONE
        let now = 1_000_000
        const starts: number[] = []
        let untold: { at: number; tell: (kept: ChannelCalls, at: number) => ChannelCalls }[] = []
        for (const [index, { after, wanted, leads, toldAfter }] of turns.entries()) {
          now += after
          for (const { tell } of untold.filter(({ at }) => at <= now)) kept = tell(kept, now)
          untold = untold.filter(({ at }) => at > now)
          const turn = letThrough(kept, rate, String(index), wanted, now)
          kept = turn.kept
          const begins = leads.slice(0, turn.granted).flatMap((lead) => (lead === null ? [] : [now + lead]))
          starts.push(...begins)
          if (toldAfter === null) continue
          const [count, by] = [begins.length, Math.max(now, ...begins)]
          const tell = (one: ChannelCalls, at: number) => begun(one, rate, String(index), { count, by }, at)
          untold.push({ at: Math.max(by, now + toldAfter), tell })
        }
        expect(isOver(starts, rate)).toBe(false)
      }),
    )
  })

  it('is used up to the last call by who tells at once', () => {
    const rate = { max: 3, perMs: 1000 }
    let kept = NONE
    const granted: number[] = []
    for (let at = 0; at < 5000; at += 500) {
      const turn = letThrough(kept, rate, String(at), 10, at)
      granted.push(turn.granted)
      kept = begun(turn.kept, rate, String(at), { count: turn.granted, by: at }, at)
    }
    expect(granted).toEqual([3, 0, 3, 0, 3, 0, 3, 0, 3, 0])
  })

  it('is not used up by what was let through and does not begin', () => {
    const rate = { max: 3, perMs: 1000 }
    const { kept } = letThrough(NONE, rate, 'a', 3, 0)
    expect(roomAt(kept, rate, 10)).toBe(0)
    expect(roomAt(begun(kept, rate, 'a', { count: 1, by: 5 }, 10), rate, 10)).toBe(2)
  })

  it('says when there is room again, and for how many within a time', () => {
    const rate = { max: 2, perMs: 1000 }
    const first = begun(letThrough(NONE, rate, 'a', 1, 0).kept, rate, 'a', { count: 1, by: 0 }, 0)
    expect(first.freeAt).toBe(0)
    const second = begun(letThrough(first, rate, 'b', 1, 400).kept, rate, 'b', { count: 1, by: 400 }, 400)
    expect(second.freeAt).toBe(1000)
    expect([0, 700, 1000, 10_000].map((ms) => roomWithin(second, rate, 500, ms))).toEqual([0, 2, 4, 22])
  })

  it('keeps little of many calls', () => {
    const rate = { max: 100_000, perMs: 86_400_000 }
    let kept = NONE
    for (let at = 0; at < 1000; at++) {
      kept = begun(letThrough(kept, rate, String(at), 1, at).kept, rate, String(at), { count: 1, by: at }, at)
    }
    expect(kept.calls.length).toBeLessThan(210)
    expect(roomAt(kept, rate, 1000)).toBe(99_000)
  })

  it('does not wait for a clock that was put back', () => {
    const rate = { max: 1, perMs: 1000 }
    const { kept } = letThrough(NONE, rate, 'a', 1, 10_000_000)
    const later = letThrough(kept, rate, 'b', 1, 5000).kept
    expect(letThrough(later, rate, 'c', 1, 5000 + 1000 + LONGEST_LEAD_MS).granted).toBe(1)
  })
})
