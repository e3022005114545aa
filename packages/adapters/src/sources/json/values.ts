import { offsetAt } from '@linli/rules'

/** What a value should have been. */
export class NoSuchValue extends Error {
  constructor(
    readonly code: 'json.money' | 'json.number' | 'json.text' | 'json.time' | 'json.list' | 'json.object',
    readonly right: string,
  ) {
    super(right)
  }
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,6})?$/

/** Yuan of a whole number of fen: the very number that one writes with two decimals. */
export function yuanOfFen(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !/^-?\d{1,15}$/.test(text)) {
    throw new NoSuchValue('json.money', 'a whole number of fen, such as 1990 or "1990"')
  }
  const sign = text.startsWith('-') ? '-' : ''
  const digits = text.replace('-', '').padStart(3, '0')
  return unsigned(Number(`${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`))
}

export function yuan(value: unknown): number {
  const number = decimal(value)
  if (number === undefined) throw new NoSuchValue('json.money', 'yuan, such as 19.9 or "19.90"')
  return number
}

export function numberOf(value: unknown): number {
  const number = decimal(value)
  if (number === undefined) throw new NoSuchValue('json.number', 'a number, such as 3 or "3"')
  return number
}

function decimal(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? unsigned(value) : undefined
  return typeof value === 'string' && DECIMAL.test(value) ? unsigned(Number(value)) : undefined
}

/** There is one zero. */
function unsigned(number: number): number {
  return number === 0 ? 0 : number
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new NoSuchValue('json.text', 'a text or a number')
}

const ISO =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i
/** `20260301100000`, as payments of WeChat and Alipay say it. */
const COMPACT = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/
/** Seconds up to the year 5138; milliseconds from 1973 on. */
const MOST_SECONDS = 1e11

/** The instant of a time: seconds or milliseconds since the epoch, ISO 8601, or a local time of `zone`. In milliseconds. */
export function instantOf(value: unknown, zone: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return ofEpoch(value)
  if (typeof value !== 'string') throw noTime()
  const text = value.trim()
  if (/^\d{9,13}(\.\d+)?$/.test(text)) return ofEpoch(Number(text))
  const match = COMPACT.exec(text) ?? ISO.exec(text)
  if (match === null) throw noTime()
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const local = Date.UTC(year, month - 1, day, hour, minute, second)
  const read = new Date(local)
  // What Date.UTC carries over, such as the 30th of February, is no time.
  if (read.getUTCMonth() !== month - 1 || read.getUTCDate() !== day || read.getUTCHours() !== hour) throw noTime()
  if (minute > 59 || second > 59) throw noTime()
  const at = local + Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000)
  const said = match[8]
  return said === undefined ? inZone(at, zone) : at - offsetOf(said)
}

function noTime(): NoSuchValue {
  return new NoSuchValue('json.time', 'seconds or milliseconds since 1970, or a time such as "2026-03-01 10:00:00"')
}

function ofEpoch(number: number): number {
  return Math.round(number < MOST_SECONDS ? number * 1000 : number)
}

function offsetOf(said: string): number {
  if (said.toUpperCase() === 'Z') return 0
  const [hours, minutes] = [Number(said.slice(1, 3)), Number(said.slice(-2))]
  return (said.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const DAY_MS = 24 * 60 * 60_000

/** Of a local time that comes twice, the first; of one that clocks leap over, as far behind the leap as it is in it. */
function inZone(local: number, zone: string): number {
  const [before, after] = [offsetAt(zone, local - DAY_MS), offsetAt(zone, local + DAY_MS)]
  const found = [local - before, local - after].filter((at) => local - at === offsetAt(zone, at))
  return found.length > 0 ? Math.min(...found) : local - before
}
