import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { viewOf } from '../../testing/history.js'
import { Problems } from '../problems.js'
import type { WaitDefinition } from '../schemas/wait.js'
import { compileWait } from './wait.js'

const PLACE = { file: 'pack.json', pointer: '/steps/0/wait' }
const QUARTER = 900_000

function endOf(wait: WaitDefinition, at: string | number, traits: Record<string, unknown> = {}): string | undefined {
  const problems = new Problems()
  const end = compileWait(wait, PLACE, problems)
  expect(problems.list).toEqual([])
  const dated = Object.fromEntries(Object.entries(traits).map(([name, value]) => [name, [value, 0] as const]))
  const instant = typeof at === 'number' ? at : Date.parse(at)
  const found = end(viewOf({}, instant, { traits: dated }))
  return found === undefined ? undefined : new Date(found).toISOString()
}

it('until a time of yesterday ends at once where clocks have just leapt over it, and over midnight', () => {
  const wait = { until: '23:30', timeZone: 'America/Nuuk' }
  expect(endOf(wait, '2026-03-29T01:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
  expect(endOf(wait, '2026-03-29T01:00:00.001Z')).toBe('2026-03-30T00:30:00.000Z')
})

/** What clocks of a zone show, as sortable text. */
function clockOf(zone: string): (at: number) => { day: string; time: string; weekday: number } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
  return (at) => {
    const [day = '', time = ''] = format.format(at).split(' ')
    return { day, time, weekday: ((new Date(`${day}T00:00Z`).getUTCDay() + 6) % 7) + 1 }
  }
}

/** Goes on quarter by quarter until some day's clocks show the time, or a later one, for the first time. */
function searched(until: string, weekdays: readonly number[], zone: string, at: number): number {
  const clock = clockOf(zone)
  const reached = new Set<string>()
  for (let instant = Math.ceil(at / QUARTER) * QUARTER - 200 * QUARTER; ; instant += QUARTER) {
    const { day, time, weekday } = clock(instant)
    if (time < until || reached.has(day)) continue
    reached.add(day)
    if (instant >= at && weekdays.includes(weekday)) return instant
  }
}

const ZONES = [
  'Asia/Shanghai',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'Asia/Beirut',
]

const quarterArb = fc
  .integer({ min: 0, max: 95 })
  .map((n) => `${String(Math.floor(n / 4)).padStart(2, '0')}:${String((n % 4) * 15).padStart(2, '0')}`)

/** Near changes of clocks more often than elsewhere. */
const instantArb = fc.oneof(
  fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2035, 0, 1) }),
  fc
    .tuple(
      fc.constantFrom(
        '2026-03-08T07:00Z',
        '2026-11-01T06:00Z',
        '2026-03-29T01:00Z',
        '2026-10-25T01:00Z',
        '2026-04-23T22:00Z',
        '2026-10-29T21:00Z',
        '2026-04-04T15:00Z',
        '2026-10-03T15:30Z',
        '2026-10-24T21:00Z',
      ),
      fc.integer({ min: -120, max: 120 }),
    )
    .map(([change, quarters]) => Date.parse(change) + quarters * QUARTER),
)

describe('a wait until a local time', () => {
  it('ends when clocks first show it, whatever zone and however they are changed', () => {
    const weekdaysArb = fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 })
    fc.assert(
      fc.property(quarterArb, weekdaysArb, fc.constantFrom(...ZONES), instantArb, (until, weekdays, timeZone, at) => {
        const expected = new Date(searched(until, weekdays, timeZone, at)).toISOString()
        expect(endOf({ until, weekdays, timeZone }, at)).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('goes by the zone of the subject, else by the one given, else by Shanghai', () => {
    const at = '2026-03-01T00:30:00Z'
    expect(endOf({ until: '09:00' }, at)).toBe('2026-03-01T01:00:00.000Z')
    expect(endOf({ until: '09:00', timeZone: 'Europe/Berlin' }, at)).toBe('2026-03-01T08:00:00.000Z')
    expect(endOf({ until: '09:00', timeZone: 'Europe/Berlin' }, at, { timeZone: 'Asia/Tokyo' })).toBe(
      '2026-03-02T00:00:00.000Z',
    )
  })

  it('is over at once when it is just that time', () => {
    expect(endOf({ until: '09:00' }, '2026-03-01T01:00:00.000Z')).toBe('2026-03-01T01:00:00.000Z')
    expect(endOf({ until: '09:00' }, '2026-03-01T01:00:00.001Z')).toBe('2026-03-02T01:00:00.000Z')
  })
})

describe("a wait until a trait's date", () => {
  const at = '2026-05-01T00:00:00Z'

  it.each([
    ['a date begins at midnight', { trait: 'due' }, '2026-05-10', '2026-05-09T16:00:00.000Z'],
    ['an instant is itself', { trait: 'due' }, '2026-05-10T08:00:00Z', '2026-05-10T08:00:00.000Z'],
    ['before', { trait: 'due', before: '3d' }, '2026-05-10', '2026-05-06T16:00:00.000Z'],
    ['after', { trait: 'due', after: '12h' }, '2026-05-10', '2026-05-10T04:00:00.000Z'],
    ['at a time of the day', { trait: 'due', before: '1d', at: '18:30' }, '2026-05-10', '2026-05-09T10:30:00.000Z'],
    [
      'at a time of the day of an instant',
      { trait: 'due', at: '09:00' },
      '2026-05-09T20:00:00Z',
      '2026-05-10T01:00:00.000Z',
    ],
    ['over', { trait: 'due' }, '2026-04-30', undefined],
    ['its minutes before are over', { trait: 'due', before: '30d' }, '2026-05-10', undefined],
    ['no date', { trait: 'due' }, 'soon', undefined],
    ['no text', { trait: 'due' }, 7, undefined],
  ])('%s', (_, wait, due, expected) => {
    expect(endOf(wait, at, { due })).toBe(expected)
  })

  it('has nothing to wait for without the trait', () => {
    expect(endOf({ trait: 'due' }, at)).toBeUndefined()
    expect(endOf({ trait: 'toString' }, at)).toBeUndefined()
  })

  it('returns each year, on 28 February where there is no 29th', () => {
    const yearly = { trait: 'birthday', yearly: true, at: '09:00' }
    expect(endOf(yearly, at, { birthday: '1958-06-20' })).toBe('2026-06-20T01:00:00.000Z')
    expect(endOf(yearly, at, { birthday: '1958-04-20' })).toBe('2027-04-20T01:00:00.000Z')
    expect(endOf(yearly, at, { birthday: '1960-02-29' })).toBe('2027-02-28T01:00:00.000Z')
    expect(endOf({ ...yearly, before: '7d' }, at, { birthday: '1958-05-03' })).toBe('2027-04-26T01:00:00.000Z')
  })
})

describe('a wait that is not right', () => {
  it.each([
    ['no duration', 'soon', 'duration.invalid /steps/0/wait'],
    ['no zone', { until: '09:00', timeZone: 'Mars' }, 'timeZone.unknown /steps/0/wait/timeZone'],
    ['before and after', { trait: 'due', before: '1d', after: '1d' }, 'wait.several /steps/0/wait'],
    ['no length before', { trait: 'due', before: 'soon' }, 'duration.invalid /steps/0/wait/before'],
  ])('is refused: %s', (_, wait, problem) => {
    const problems = new Problems()
    compileWait(wait as WaitDefinition, PLACE, problems)
    expect(problems.list.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([problem])
  })
})
