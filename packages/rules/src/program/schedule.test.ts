import { describe, expect, it } from 'vitest'
import { Problems } from '../problems.js'
import { compileSchedule, type ScheduleDefinition } from './schedule.js'

const PLACE = { file: 'rules.json', pointer: '/entry' }
const iso = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString())

function timesOf(definition: ScheduleDefinition, after: string, count: number, timeZone?: string) {
  const problems = new Problems()
  const schedule = compileSchedule(definition, PLACE, problems)
  expect(problems.list).toEqual([])
  const view = { traits: timeZone === undefined ? {} : { timeZone: [timeZone, 0] as const } }
  const times: (string | undefined)[] = []
  for (let at: number | undefined = Date.parse(after); at !== undefined && times.length < count; ) {
    at = schedule(view, at)
    times.push(iso(at))
  }
  return times
}

function refusal(schedule: string, more: Partial<ScheduleDefinition> = {}) {
  const problems = new Problems()
  compileSchedule({ schedule, ...more }, PLACE, problems)
  const [first] = problems.list
  return `${first?.code} ${first?.pointer}: ${first?.message}`
}

describe('a schedule', () => {
  it('comes by clocks of Shanghai when nothing is said', () => {
    const schedule = 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=30'
    expect(timesOf({ schedule }, '2026-03-01T00:00:00Z', 2)).toEqual([
      '2026-03-06T02:30:00.000Z',
      '2026-03-13T02:30:00.000Z',
    ])
  })

  it("comes by clocks of its zone, and of the subject's own zone before that", () => {
    const daily = { schedule: 'FREQ=DAILY;BYHOUR=10', timeZone: 'Europe/Berlin' }
    expect(timesOf(daily, '2026-03-01T00:00:00Z', 1)).toEqual(['2026-03-01T09:00:00.000Z'])
    expect(timesOf(daily, '2026-03-01T00:00:00Z', 1, 'Asia/Tokyo')).toEqual(['2026-03-01T01:00:00.000Z'])
    expect(timesOf(daily, '2026-03-01T00:00:00Z', 1, 'Not/AZone')).toEqual(['2026-03-01T09:00:00.000Z'])
  })

  it('comes strictly after the instant asked about', () => {
    const daily = { schedule: 'FREQ=DAILY;BYHOUR=10', timeZone: 'UTC' }
    expect(timesOf(daily, '2026-03-01T09:59:59.999Z', 1)).toEqual(['2026-03-01T10:00:00.000Z'])
    expect(timesOf(daily, '2026-03-01T10:00:00.000Z', 1)).toEqual(['2026-03-02T10:00:00.000Z'])
  })

  it('of which clocks leap over the time comes when they have leapt', () => {
    const daily = { schedule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30', timeZone: 'America/New_York' }
    expect(timesOf(daily, '2026-03-07T12:00:00Z', 2)).toEqual(['2026-03-08T07:00:00.000Z', '2026-03-09T06:30:00.000Z'])
  })

  it('of which clocks show the time twice comes the first time only', () => {
    const daily = { schedule: 'FREQ=DAILY;BYHOUR=1;BYMINUTE=30', timeZone: 'America/New_York' }
    expect(timesOf(daily, '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30:00.000Z', '2026-11-02T06:30:00.000Z'])
    // In the hour that comes again.
    expect(timesOf(daily, '2026-11-01T06:10:00Z', 1)).toEqual(['2026-11-02T06:30:00.000Z'])
  })

  it('of several times in the hour that clocks leap over comes once', () => {
    const hourly = { schedule: 'FREQ=HOURLY;BYMINUTE=0,30', timeZone: 'America/New_York' }
    expect(timesOf(hourly, '2026-03-08T06:00:00Z', 4)).toEqual([
      '2026-03-08T06:30:00.000Z',
      '2026-03-08T07:00:00.000Z',
      '2026-03-08T07:30:00.000Z',
      '2026-03-08T08:00:00.000Z',
    ])
  })

  it('takes from its start what it does not say', () => {
    const timeZone = 'UTC'
    const start = '2026-02-10T09:30'
    const first = (schedule: string) => timesOf({ schedule, start, timeZone }, '2026-02-11T00:00:00Z', 1)[0]
    expect(first('FREQ=DAILY')).toBe('2026-02-11T09:30:00.000Z')
    expect(first('FREQ=WEEKLY')).toBe('2026-02-17T09:30:00.000Z')
    expect(first('FREQ=MONTHLY')).toBe('2026-03-10T09:30:00.000Z')
    expect(first('FREQ=YEARLY')).toBe('2027-02-10T09:30:00.000Z')
    expect(first('FREQ=HOURLY')).toBe('2026-02-11T00:30:00.000Z')
    expect(first('FREQ=YEARLY;BYMONTH=5')).toBe('2026-05-10T09:30:00.000Z')
    expect(first('FREQ=YEARLY;BYWEEKNO=20')).toBe('2026-05-12T09:30:00.000Z')
  })

  it('begins with its start', () => {
    const daily = { schedule: 'FREQ=DAILY', start: '2026-03-05T09:00', timeZone: 'UTC' }
    expect(timesOf(daily, '2026-01-01T00:00:00Z', 2)).toEqual(['2026-03-05T09:00:00.000Z', '2026-03-06T09:00:00.000Z'])
  })

  it.each([
    ['FREQ=HOURLY;INTERVAL=36', '2026-03-03T21:00:00.000Z', '2026-03-05T09:00:00.000Z'],
    ['FREQ=DAILY;INTERVAL=10', '2026-03-13T09:00:00.000Z', '2026-03-23T09:00:00.000Z'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO', '2026-03-08T09:00:00.000Z', '2026-03-16T09:00:00.000Z'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU', '2026-03-15T09:00:00.000Z', '2026-03-16T09:00:00.000Z'],
    ['FREQ=MONTHLY;INTERVAL=5', '2026-05-23T09:00:00.000Z', '2026-10-23T09:00:00.000Z'],
    ['FREQ=YEARLY;INTERVAL=3', '2028-12-23T09:00:00.000Z', '2031-12-23T09:00:00.000Z'],
  ])('counts the interval of %s from its start', (schedule, ...expected) => {
    const definition = { schedule, start: '2025-12-23T09:00', timeZone: 'UTC' }
    expect(timesOf(definition, '2026-03-03T12:00:00Z', 2)).toEqual(expected)
  })

  it('ends after COUNT times, and with UNTIL', () => {
    const start = '2026-03-01T09:00'
    const all = (schedule: string) => timesOf({ schedule, start, timeZone: 'UTC' }, '2026-01-01T00:00:00Z', 5)
    const [first, second] = ['2026-03-01T09:00:00.000Z', '2026-03-02T09:00:00.000Z']
    expect(all('FREQ=DAILY;COUNT=2')).toEqual([first, second, undefined])
    expect(all('FREQ=DAILY;UNTIL=20260302')).toEqual([first, second, undefined])
    expect(all('FREQ=DAILY;UNTIL=20260302T085959')).toEqual([first, undefined])
  })

  it('knows the last Friday, the last working day, and a 29 February that is a Monday', () => {
    const first = (schedule: string) => timesOf({ schedule, timeZone: 'UTC' }, '2026-03-01T00:00:00Z', 1)[0]
    expect(first('FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9')).toBe('2026-03-27T09:00:00.000Z')
    expect(first('FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=9')).toBe('2026-03-31T09:00:00.000Z')
    expect(first('FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=2;BYHOUR=9')).toBe('2026-03-03T09:00:00.000Z')
    expect(first('FREQ=WEEKLY;BYMONTH=7;BYDAY=TU;BYHOUR=9')).toBe('2026-07-07T09:00:00.000Z')
    expect(first('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=9')).toBe('2044-02-29T09:00:00.000Z')
  })
})

describe('a schedule is refused', () => {
  it.each([
    ['too often', 'FREQ=MINUTELY;INTERVAL=20', 'schedule.tooOften /entry/schedule: MINUTELY is too often'],
    ['by the second', 'FREQ=SECONDLY', 'schedule.tooOften /entry/schedule: SECONDLY is too often'],
    [
      'at times less than 15 minutes apart',
      'FREQ=HOURLY;BYMINUTE=0,50',
      'schedule.part /entry/schedule: BYMINUTE is numbers',
    ],
    ['without FREQ', 'BYHOUR=10', 'schedule.part /entry/schedule: It says how often, such as FREQ=WEEKLY'],
    ['with a part that RFC 5545 does not have', 'FREQ=DAILY;BYHOURS=10', 'Did you mean "BYHOUR"?'],
    ['with a part that stands there twice', 'FREQ=DAILY;BYHOUR=1;BYHOUR=2', 'BYHOUR stands there twice'],
    ['with an hour that no day has', 'FREQ=DAILY;BYHOUR=99', 'BYHOUR is numbers from 0 to 23'],
    [
      'with a start inside',
      'DTSTART:20260301T000000\nRRULE:FREQ=DAILY',
      'say when it begins in "start", and where in "timeZone"',
    ],
    ['with a zone inside', 'FREQ=DAILY;TZID=Asia/Shanghai', 'say when it begins in "start", and where in "timeZone"'],
    ['with an end in UTC', 'FREQ=DAILY;BYHOUR=1;UNTIL=20260301T000000Z', 'without "Z"'],
    ['with an end that is no day', 'FREQ=DAILY;BYHOUR=1;UNTIL=20260231', 'UNTIL is a local date'],
    ['with two ends', 'FREQ=DAILY;BYHOUR=1;UNTIL=20260301;COUNT=3', 'It ends by COUNT or by UNTIL'],
    ['with hours of hours', 'FREQ=HOURLY;BYHOUR=9', 'Say FREQ=DAILY with the hours'],
    ['with numbered weekdays of weeks', 'FREQ=WEEKLY;BYDAY=1MO;BYHOUR=9', 'say MO'],
    ['with weeks of months', 'FREQ=MONTHLY;BYWEEKNO=3;BYHOUR=9', 'BYWEEKNO does not go with FREQ=MONTHLY'],
    ['with a choice among nothing', 'FREQ=MONTHLY;BYSETPOS=1', 'BYSETPOS chooses among what other parts say'],
    ['where it never comes', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=9', 'schedule.never /entry/schedule'],
    ['where an hour never comes', 'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30', 'schedule.never /entry/schedule'],
    [
      'with an interval and no start',
      'FREQ=DAILY;INTERVAL=2;BYHOUR=9',
      'schedule.start /entry/schedule: INTERVAL is counted',
    ],
    ['with a count and no start', 'FREQ=DAILY;COUNT=2;BYHOUR=9', 'schedule.start /entry/schedule: COUNT is counted'],
    ['with no time of day and no start', 'FREQ=DAILY', 'schedule.start /entry/schedule: It says no time of day'],
    ['with no weekday and no start', 'FREQ=WEEKLY;BYHOUR=9', 'It says no day of the week'],
    ['with no day of the month and no start', 'FREQ=MONTHLY;BYHOUR=9', 'It says no day of the month'],
    ['with no day of the year and no start', 'FREQ=YEARLY;BYHOUR=9', 'It says no day of the year'],
  ])('%s', (_, schedule, message) => {
    expect(refusal(schedule)).toContain(message)
  })

  it('with a start that is no day, or a zone that is none', () => {
    expect(refusal('FREQ=DAILY', { start: '2026-02-30T09:00' })).toContain('schedule.start /entry/start')
    expect(refusal('FREQ=DAILY;BYHOUR=9', { timeZone: 'Asia/Shangai' })).toContain('timeZone.unknown /entry/timeZone')
  })
})
