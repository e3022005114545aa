import { describe, expect, it } from 'vitest'
import { nextMorning } from './codes.js'

describe('the next morning in Shanghai', () => {
  it.each([
    ['2026-03-01T22:00:00+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-01T23:59:59+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-02T00:00:00+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-02T07:59:59+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-01T18:30:00Z', '2026-03-02T08:00:00+08:00'],
    // The provider's clock is behind.
    ['2026-03-02T08:00:00+08:00', '2026-03-02T08:10:00+08:00'],
    ['2026-03-02T21:59:00+08:00', '2026-03-02T22:09:00+08:00'],
  ])('after %s is %s', (at, morning) => {
    expect(nextMorning(new Date(at))).toEqual(new Date(morning))
  })
})
