import { describe, expect, it } from 'vitest'
import { compileOperator, DECORATOR_NAMES, OPERATOR_NAMES, parseOperator } from './operators.js'

function test(text: string, fact: unknown, value: unknown): boolean {
  const parsed = parseOperator(text)
  if (!parsed.ok) throw new Error(`no operator ${parsed.unknown}`)
  return compileOperator(parsed.operator)(fact, value)
}

describe('an operator', () => {
  it.each([
    ['equal', 1, '1', false],
    ['equal', [1], [1], false],
    ['in', 'b', ['a', 'b'], true],
    ['in', 'b', 'abc', false],
    ['notIn', 'b', 'abc', true],
    ['contains', ['a', 'b'], 'b', true],
    ['contains', 'abc', 'b', false],
    ['doesNotContain', ['a'], 'b', true],
    ['doesNotContain', undefined, 'b', false],
    ['greaterThan', '30', 20, true],
    ['greaterThan', 'many', 20, false],
    ['greaterThan', '2026-02-01', '2026-01-31', true],
    ['lessThan', null, 1, false],
    ['lessThanInclusive', Number.NaN, 1, false],
  ])('%s of %j and %j', (operator, fact, value, expected) => {
    expect(test(operator, fact, value)).toBe(expected)
  })

  it('never throws, whatever it compares', () => {
    const odd = [
      { toString: 'x', valueOf: 1 },
      Object.create(null),
      Symbol('s'),
      10n,
      [[]],
      undefined,
      null,
      () => 1,
      new Date(0),
    ]
    for (const name of OPERATOR_NAMES) {
      for (const prefix of ['', ...DECORATOR_NAMES.map((decorator) => `${decorator}:`)]) {
        for (const fact of odd) for (const value of odd) expect(test(prefix + name, fact, value)).toBeTypeOf('boolean')
      }
    }
  })
})

describe('a decorator', () => {
  it.each([
    ['not:equal', 1, 1, false],
    ['someFact:equal', [1, 2], 2, true],
    ['everyFact:greaterThan', [1, 2], 1, false],
    ['everyFact:greaterThan', [], 1, true],
    ['someFact:equal', 2, 2, false],
    ['not:someFact:equal', [1, 2], 3, true],
    ['someFact:not:equal', [1, 2], 1, true],
    ['someValue:equal', 2, [1, 2], true],
    ['everyValue:greaterThan', 3, [1, 2], true],
    ['swap:contains', 'a', ['a'], true],
    ['swap:lessThan', 1, 2, false],
    ['someFact:someValue:equal', ['a', 'b'], ['b', 'c'], true],
  ])('%s of %j and %j: outermost first', (operator, fact, value, expected) => {
    expect(test(operator, fact, value)).toBe(expected)
  })

  it.each([
    ['equals', 'equals'],
    ['', ''],
    ['not', 'not'],
    ['nto:equal', 'nto'],
    ['not::equal', ''],
    ['toString', 'toString'],
    ['constructor:equal', 'constructor'],
  ])('of %j: %j is unknown', (text, unknown) => {
    expect(parseOperator(text)).toMatchObject({ ok: false, unknown })
  })
})
