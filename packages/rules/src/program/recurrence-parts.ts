import rrule, { type Options } from 'rrule'
import type { Place, Problems } from '../problems.js'

/** What recurs that often at most: each time, everybody whom it concerns is looked at. */
export const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY'] as const
export type Frequency = (typeof FREQUENCIES)[number]

/** The parts of a recurrence, each right by itself; what its start says in their place is filled in. */
export interface RecurrenceParts {
  readonly frequency: Frequency
  readonly interval: number
  readonly count: number | undefined
  /** The last local time that there may be, and the first. */
  readonly until: number | undefined
  readonly start: number | undefined
  /** The day that weeks begin with: 0 is Sunday. */
  readonly weekStart: number
  /** For the library: what recurs in one year, month or week. */
  readonly options: Partial<Options>
}

type Texts = ReadonlyMap<string, string>

interface PartType {
  readonly form: string
  readonly reads: (text: string) => boolean
  /** The frequencies that it makes sense with. */
  readonly with?: readonly Frequency[]
}

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
const LEAST_MINUTES = 15

function numbers(from: number, to: number, signed = false) {
  const isIn = (text: string) => {
    const value = Math.abs(Number(text))
    return (signed ? /^[+-]?\d{1,3}$/ : /^\d{1,4}$/).test(text) && value >= from && value <= to
  }
  return (text: string) => text.split(',').every(isIn)
}

const one = (reads: (text: string) => boolean) => (text: string) => !text.includes(',') && reads(text)

const PARTS: Readonly<Record<string, PartType>> = {
  FREQ: { form: FREQUENCIES.join(', '), reads: (text) => (FREQUENCIES as readonly string[]).includes(text) },
  INTERVAL: { form: 'a number from 1 to 1000', reads: one(numbers(1, 1000)) },
  COUNT: { form: 'a number from 1 to 1000', reads: one(numbers(1, 1000)) },
  UNTIL: {
    form: 'a local date or time, such as 20261231 or 20261231T180000',
    reads: (text) => !Number.isNaN(untilOf(text)),
  },
  BYSECOND: { form: 'one number from 0 to 59', reads: one(numbers(0, 59)) },
  BYMINUTE: { form: `numbers from 0 to 59, at least ${LEAST_MINUTES} minutes apart`, reads: minutesApart },
  BYHOUR: { form: 'numbers from 0 to 23', reads: numbers(0, 23), with: ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY'] },
  BYDAY: {
    form: 'weekdays, such as MO,FR, or with MONTHLY and YEARLY 1MO (the first Monday) and -1FR (the last Friday)',
    reads: (text) => text.split(',').every((day) => /^([+-]?([1-9]|[1-4]\d|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)$/.test(day)),
  },
  BYMONTHDAY: {
    form: 'days from 1 to 31, or -1 (the last) to -31',
    reads: numbers(1, 31, true),
    with: ['YEARLY', 'MONTHLY', 'DAILY', 'HOURLY'],
  },
  BYYEARDAY: {
    form: 'days from 1 to 366, or -1 (the last) to -366',
    reads: numbers(1, 366, true),
    with: ['YEARLY', 'HOURLY'],
  },
  BYWEEKNO: { form: 'weeks from 1 to 53, or -1 (the last) to -53', reads: numbers(1, 53, true), with: ['YEARLY'] },
  BYMONTH: { form: 'months from 1 to 12', reads: numbers(1, 12) },
  BYSETPOS: {
    form: 'numbers from 1 to 366, or -1 (the last) to -366',
    reads: numbers(1, 366, true),
    with: ['YEARLY', 'MONTHLY', 'WEEKLY'],
  },
  WKST: { form: 'a weekday, such as MO', reads: (text) => WEEKDAYS.includes(text) },
}

/** Reads the parts of a recurrence; undefined where some are wrong, which is reported. `start`: a local time. */
export function readRecurrence(
  text: string,
  start: number | undefined,
  place: Place,
  problems: Problems,
): RecurrenceParts | undefined {
  const error: Refuse = (code, message, found = text, name = undefined) => {
    problems.error(place, code, message, { found, ...(name !== undefined && { name, known: Object.keys(PARTS) }) })
    return undefined
  }
  const parts = split(text, error)
  const frequency = parts?.get('FREQ') as Frequency | undefined
  if (parts === undefined) return undefined
  if (frequency === undefined) {
    return error('schedule.part', `It says how often, such as FREQ=WEEKLY: one of ${FREQUENCIES.join(', ')}.`)
  }
  const misfit = misfitIn(parts, frequency)
  if (misfit !== undefined) return error('schedule.part', misfit)
  const lacking = start === undefined ? lackIn(parts, frequency) : undefined
  if (lacking !== undefined) return error('schedule.start', lacking)
  const full = filledIn(parts, frequency, start)
  const until = parts.get('UNTIL')
  return {
    frequency,
    interval: Number(parts.get('INTERVAL') ?? 1),
    count: parts.has('COUNT') ? Number(parts.get('COUNT')) : undefined,
    until: until === undefined ? undefined : untilOf(until),
    start,
    weekStart: WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO'),
    options: rrule.RRule.parseString([...full].map(([name, value]) => `${name}=${value}`).join(';')),
  }
}

/** Reports what is wrong: the part that it is found in, and a name that no part has. */
type Refuse = (code: string, message: string, found?: string, name?: string) => undefined

function split(text: string, error: Refuse): Texts | undefined {
  const parts = new Map<string, string>()
  for (const part of text
    .trim()
    .toUpperCase()
    .split(/[;\s]+/)) {
    const [name = '', value = '', ...rest] = part.split('=')
    if (/^(RRULE:)?(DTSTART|TZID|EXDATE|RDATE)/.test(name)) {
      const message = 'A schedule is the RRULE alone: say when it begins in "start", and where in "timeZone".'
      return error('schedule.part', message, part)
    }
    if (name === 'FREQ' && (value === 'MINUTELY' || value === 'SECONDLY')) {
      const message = `${value} is too often: all whom it concerns are looked at each time. The most is FREQ=HOURLY;BYMINUTE=0,15,30,45.`
      return error('schedule.tooOften', message, part)
    }
    const type = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined
    if (type === undefined || rest.length > 0) {
      const message = `A schedule is an RRULE of RFC 5545, such as FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0. It has no part ${JSON.stringify(part)}.`
      return error('schedule.part', message, part, name)
    }
    if (parts.has(name)) return error('schedule.part', `${name} stands there twice.`, part)
    if (!type.reads(value)) {
      const zoned = name === 'UNTIL' && value.endsWith('Z') ? ' without "Z"' : ''
      return error('schedule.part', `${name} is ${type.form}${zoned}.`, part)
    }
    parts.set(name, value)
  }
  return parts
}

/** What of the parts does not fit together. */
function misfitIn(parts: Texts, frequency: Frequency): string | undefined {
  for (const name of parts.keys()) {
    const fits = PARTS[name]?.with
    if (fits === undefined || fits.includes(frequency)) continue
    const instead = name === 'BYHOUR' ? 'Say FREQ=DAILY with the hours.' : `It goes with FREQ=${fits.join(' and ')}.`
    return `${name} does not go with FREQ=${frequency}. ${instead}`
  }
  const days = parts.get('BYDAY') ?? ''
  if (/\d/.test(days) && frequency !== 'MONTHLY' && frequency !== 'YEARLY') {
    return `Weekdays have numbers, such as 1MO, with FREQ=MONTHLY and FREQ=YEARLY only: say ${days.replaceAll(/[+\-\d]/g, '')}.`
  }
  if (/\d/.test(days) && parts.has('BYWEEKNO'))
    return 'Weekdays have no numbers where weeks have: leave out BYWEEKNO, or the numbers.'
  if (parts.has('COUNT') && parts.has('UNTIL')) return 'It ends by COUNT or by UNTIL: leave out one of them.'
  if (parts.has('BYSETPOS') && ![...parts.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS')) {
    return 'BYSETPOS chooses among what other parts say, such as BYDAY: say one of them.'
  }
  return undefined
}

/** Why it takes a start: what is not said otherwise. */
function lackIn(parts: Texts, frequency: Frequency): string | undefined {
  const needs = (what: string, instead: string) => `${what}: say when it begins, "start": "2026-03-01T10:00"${instead}.`
  if (Number(parts.get('INTERVAL') ?? 1) > 1) return needs('INTERVAL is counted from a beginning', '')
  if (parts.has('COUNT')) return needs('COUNT is counted from a beginning', '')
  if (frequency !== 'HOURLY' && !parts.has('BYHOUR'))
    return needs('It says no time of day', ', or add BYHOUR and BYMINUTE')
  if (frequency === 'WEEKLY' && !parts.has('BYDAY')) return needs('It says no day of the week', ', or add BYDAY')
  const hasDay = parts.has('BYDAY') || parts.has('BYMONTHDAY') || parts.has('BYYEARDAY')
  if (frequency === 'MONTHLY' && !hasDay) return needs('It says no day of the month', ', or add BYMONTHDAY or BYDAY')
  if (frequency === 'YEARLY' && !hasDay) return needs('It says no day of the year', ', or add BYMONTH and BYMONTHDAY')
  return undefined
}

/** Of what is not said, the start decides, as RFC 5545 has it; minutes and seconds are 0 without one. */
function filledIn(parts: Texts, frequency: Frequency, start: number | undefined): Texts {
  const full = new Map(parts)
  for (const name of ['COUNT', 'UNTIL', 'INTERVAL']) full.delete(name)
  const say = (name: string, value: number | string) => {
    if (!full.has(name)) full.set(name, String(value))
  }
  const date = new Date(start ?? 0)
  say('BYHOUR', frequency === 'HOURLY' ? EVERY_HOUR : date.getUTCHours())
  say('BYMINUTE', date.getUTCMinutes())
  say('BYSECOND', 0)
  if (parts.has('BYDAY') || parts.has('BYMONTHDAY') || parts.has('BYYEARDAY')) return full
  if (frequency === 'WEEKLY' || parts.has('BYWEEKNO')) say('BYDAY', WEEKDAYS[date.getUTCDay()] ?? 'MO')
  else if (frequency === 'DAILY' || frequency === 'HOURLY') say('BYMONTHDAY', EVERY_DAY)
  else {
    if (frequency === 'YEARLY') say('BYMONTH', date.getUTCMonth() + 1)
    say('BYMONTHDAY', date.getUTCDate())
  }
  return full
}

const EVERY_HOUR = Array.from({ length: 24 }, (_, hour) => hour).join(',')
const EVERY_DAY = Array.from({ length: 31 }, (_, day) => day + 1).join(',')

function minutesApart(text: string): boolean {
  if (!numbers(0, 59)(text)) return false
  const minutes = text
    .split(',')
    .map(Number)
    .sort((a, b) => a - b)
  return minutes.every((minute, index) => {
    const next = minutes[index + 1] ?? (minutes[0] ?? 0) + 60
    return next - minute >= LEAST_MINUTES
  })
}

/** The local time that UNTIL says; of a date, its last second. NaN for what is none. */
function untilOf(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2}))?$/.exec(text)
  if (match === null) return Number.NaN
  const [year, month, day, hour = 23, minute = 59, second = 59] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)))
  const time = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
  return new Date(time)
    .toISOString()
    .replaceAll(/[-:]|\.000Z/g, '')
    .startsWith(text)
    ? time
    : Number.NaN
}
