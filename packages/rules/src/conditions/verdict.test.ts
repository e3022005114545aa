import { describe, expect, it } from 'vitest'
import { ALWAYS, both, either, holds, NEVER, until, verdictOf } from './verdict.js'

const yes = (at: number) => verdictOf(true, at)
const no = (at: number) => verdictOf(false, at)

describe('two verdicts together', () => {
  it.each([
    [yes(3), yes(5), yes(3)],
    [yes(3), no(5), no(5)],
    [yes(5), no(3), no(3)],
    [no(3), no(5), no(5)],
    [no(3), NEVER, NEVER],
    [yes(3), ALWAYS, yes(3)],
  ])('both of %d and %d: while both hold, or while one of them fails', (a, b, together) => {
    expect(both(a, b)).toBe(together)
    expect(both(b, a)).toBe(together)
  })

  it.each([
    [yes(3), yes(5), yes(5)],
    [yes(3), no(5), yes(3)],
    [no(3), no(5), no(3)],
    [no(3), ALWAYS, ALWAYS],
    [no(3), NEVER, no(3)],
  ])('either of %d and %d: while one of them holds, or while both fail', (a, b, together) => {
    expect(either(a, b)).toBe(together)
    expect(either(b, a)).toBe(together)
  })

  it('say whether they hold and until when', () => {
    expect([holds(yes(3)), holds(no(3)), holds(ALWAYS), holds(NEVER)]).toEqual([true, false, true, false])
    expect([until(yes(3)), until(no(3)), until(NEVER)]).toEqual([3, 3, Number.POSITIVE_INFINITY])
  })
})
