import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { conditionOf, fold, inZone, rulesOf, viewOf } from '../../testing/history.js'
import { type Leaf, naiveHolds } from '../../testing/naive.js'
import { midnightsFrom } from '../../testing/naive-window.js'
import { problemsOf, tag } from '../../testing/packs.js'
import { holds, until } from '../conditions/verdict.js'
import { compileProgram, definePack, type EventRecord } from '../index.js'

// Thousands of days take a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const HOUR = 3_600_000

/** Nights in which clocks are changed, or a day is left out. */
const NIGHTS = [
  ['America/New_York', '2026-03-08T00:00-05:00'],
  ['America/New_York', '2026-11-01T00:00-04:00'],
  // There is no midnight here, then two.
  ['America/Havana', '2026-03-08T00:00-05:00'],
  ['America/Havana', '2026-11-01T00:00-04:00'],
  ['Australia/Lord_Howe', '2026-04-05T00:00+11:00'],
  // 30 December was left out.
  ['Pacific/Apia', '2011-12-30T00:00-10:00'],
  // Clocks went back a minute after midnight, into the day before.
  ['America/St_Johns', '2010-11-07T00:00-02:30'],
  ['Asia/Shanghai', '2026-02-01T00:00+08:00'],
  [undefined, '2026-02-02T00:00+08:00'],
] as const

const hours = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.integer({ min: -12 * 24, max: 48 }),
  fc.integer({ min: -27 * 24, max: 48 }),
)

const offset = fc.tuple(hours, fc.constantFrom(0, -1, 1, 30 * 60_000, 45_000)).map(([hour, ms]) => hour * HOUR + ms)

const historyArb = fc
  .tuple(fc.constantFrom(...NIGHTS), fc.array(offset, { maxLength: 8 }))
  .map(([[zone, night], list]) => {
    const events = list.map((ms, index): EventRecord => {
      const properties = { amount: index % 3, store: `s${index % 2}` }
      return { messageId: `m${index}`, event: 'paid', at: Date.parse(night) + ms, properties, userId: `u${index % 2}` }
    })
    return { zone, events, from: Math.max(Date.parse(night) - 60 * HOUR, ...events.map(({ at }) => at)) }
  })

const during = fc.constantFrom('today', 'yesterday', 'thisWeek', 'lastWeek', 'thisMonth', 'lastMonth')
const fact = fc.constantFrom('eventCount', 'eventSum', 'eventAvg', 'eventMax', 'eventDistinct', 'userCount')

const PROPERTIES: Readonly<Record<string, string>> = {
  eventSum: 'amount',
  eventAvg: 'amount',
  eventMax: 'amount',
  eventDistinct: 'store',
}

const leafArb = fc
  .tuple(fact, during, fc.constantFrom('equal', 'greaterThanInclusive', 'lessThan'), fc.integer({ min: 0, max: 4 }))
  .map(([name, period, operator, value]): Leaf => {
    const property = PROPERTIES[name]
    return { fact: name, operator, value, params: { event: 'paid', during: period, ...(property && { property }) } }
  })

describe('a calendar period', () => {
  it("begins and ends at the midnights of the subject's zone, also when clocks are changed", () => {
    let flips = 0
    fc.assert(
      fc.property(leafArb, historyArb, (leaf, { zone, events, from }) => {
        const rules = rulesOf(leaf)
        const features = fold(rules, events)
        const verdictAt = (at: number) => conditionOf(rules).verdict(viewOf(features, at, inZone(zone)))
        const midnights = midnightsFrom(from + 1, 62, zone)
        for (const at of [from, ...midnights.flatMap((midnight) => [midnight - 1, midnight])]) {
          const verdict = verdictAt(at)
          if (holds(verdict) !== naiveHolds(leaf, events, at, zone))
            expect.fail(`wrong at ${new Date(at).toISOString()}`)
          expect(until(verdict)).toBeGreaterThan(at)
        }
        const end = until(verdictAt(from))
        const before = midnights.filter((at) => at < end)
        expect(before.every((at) => naiveHolds(leaf, events, at, zone) === holds(verdictAt(from)))).toBe(true)
        if (!Number.isFinite(end)) return
        flips += 1
        expect(midnights).toContain(end)
        expect(naiveHolds(leaf, events, end, zone)).toBe(!holds(verdictAt(from)))
      }),
      { numRuns: 800 },
    )
    expect(flips).toBeGreaterThan(100)
  })

  it('is looked at again when the zone of the subject changes', () => {
    const today = { fact: 'eventCount', params: { event: 'paid', during: 'today' }, operator: 'equal', value: 1 }
    const { user } = compileProgram(definePack([tag(today)])).subjects
    expect(user.readers.traits.get('timeZone')).toHaveLength(1)
    const at = Date.parse('2026-03-01T20:00Z')
    const features = fold(user, [{ messageId: 'm', event: 'paid', at, properties: {} }])
    const untilIn = (zone?: string) =>
      new Date(until(conditionOf(user, 'a').verdict(viewOf(features, at, inZone(zone)))))
    expect(untilIn()).toEqual(new Date('2026-03-02T16:00Z'))
    expect(untilIn('America/New_York')).toEqual(new Date('2026-03-02T05:00Z'))
    expect(untilIn('Nowhere/Land')).toEqual(untilIn())
  })
})

describe('a window that is not right', () => {
  const params = (window: object) =>
    tag({ fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'paid', ...window } })

  it.each([
    ['is one of several', { within: '1d', during: 'today' }, 'window.several /conditions/params'],
    ['goes from shorter to longer ago', { between: ['30d', '90d'] }, 'window.order /conditions/params/between'],
    ['is empty', { between: ['30d', '30d'] }, 'window.order /conditions/params/between'],
    ['has no length', { between: ['30d', 'soon'] }, 'duration.invalid /conditions/params/between/1'],
    ['begins at no date', { since: '2026-02-30' }, 'since.invalid /conditions/params/since'],
    ['begins at a time of no zone', { since: '2026-02-03T08:00:00' }, 'since.invalid /conditions/params/since'],
    ['is no period', { during: 'nextWeek' }, 'value.unknown /conditions/params/during'],
  ])('is refused when it %s', (_, window, problem) => {
    expect(problemsOf(params(window)).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([problem])
  })

  it('is refused for the latest event when it does not reach up to now', () => {
    const last = (window: object) =>
      tag({ fact: 'lastEvent', operator: 'equal', value: 'x', params: { event: 'paid', property: 'p', ...window } })
    expect(problemsOf(last({ during: 'thisWeek' }))).toEqual([])
    const codes = [{ during: 'lastWeek' }, { between: ['2d', '1d'] }].flatMap((window) => problemsOf(last(window)))
    expect(codes.map(({ code }) => code)).toEqual(['window.unfit', 'window.unfit'])
  })
})
