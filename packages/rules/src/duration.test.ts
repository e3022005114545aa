import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('a duration', () => {
  it.each([
    ['45s', 45_000],
    ['10m', 600_000],
    ['12h', 12 * HOUR],
    ['30d', 30 * DAY],
    ['2w', 14 * DAY],
    ['PT2H', 2 * HOUR],
    ['PT90M', 90 * 60_000],
    ['P1DT12H', 36 * HOUR],
    ['P2W', 14 * DAY],
    ['PT1H30M5S', HOUR + 30 * 60_000 + 5000],
    ['3650d', 3650 * DAY],
  ])('%s is %d milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    '30',
    '30 d',
    '30D',
    '1.5h',
    '-1d',
    '0d',
    'PT0S',
    'P',
    'PT',
    'P1DT',
    'P1Y',
    'P1M',
    'P1H',
    '3651d',
    '9999999999s',
    '1d12h',
    ' 1d',
    '1d ',
    'forever',
  ])('cannot be %j', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it.each([30, null, undefined, ['30d'], {}])('cannot be %j, which is no text', (value) => {
    expect(parseDuration(value)).toBeUndefined()
  })

  it.each([
    [5, '5ms'],
    [1000, '1s'],
    [90_000, '1m 30s'],
    [3 * DAY + 4 * HOUR + 5000, '3d 4h'],
    [400 * DAY, '400d'],
  ])('of %d milliseconds reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
