import { nextTime } from './waits.js'

// When journeys begin by themselves, where clocks are never changed.

const HOUR = 3_600_000
const MINUTE = 60_000
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

export interface Schedule {
  readonly schedule: string
  readonly timeZone?: string | undefined
}

/** The first time after an instant. Rules are of hours, days and weeks, and zones whole hours from UTC. */
export function nextBeginning({ schedule, timeZone }: Schedule, after: number): number {
  const parts = new Map(schedule.split(';').map((part) => part.split('=') as [string, string]))
  const part = (name: string) => parts.get(name)
  const minute = Number(part('BYMINUTE') ?? 0)
  if (part('FREQ') === 'HOURLY') {
    const offset = minute * MINUTE
    return (Math.floor((after - offset) / HOUR) + 1) * HOUR + offset
  }
  const twoDigits = (value: unknown) => String(value).padStart(2, '0')
  const until = `${twoDigits(part('BYHOUR'))}:${twoDigits(minute)}`
  const days = part('BYDAY')
    ?.split(',')
    .map((day) => WEEKDAYS.indexOf(day) + 1)
  return nextTime({ until, ...(days && { weekdays: days }), ...(timeZone !== undefined && { timeZone }) }, after + 1)
}
