import { describe, expect, it } from 'vitest'
import { count, steps } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const branches = (...conditions: readonly unknown[]) =>
  steps({
    id: 'b',
    branch: conditions.map((one, index) => ({ conditions: one, then: [{ id: `s${index}`, wait: '1d' }] })),
  })

const least = (value: number, params?: object) => count({ operator: 'greaterThanInclusive', value }, params)

function found(...conditions: readonly unknown[]) {
  return reviewPack(definePack([branches(...conditions)])).map(({ code, pointer }) => `${code} ${pointer}`)
}

describe('a branch', () => {
  it('is never taken where an earlier one always is instead', () => {
    expect(found(least(3), least(5))).toEqual(['step.unreachable /0/steps/0/branch/1'])
    expect(found(least(3), least(5, { within: '7d' }))).toEqual(['step.unreachable /0/steps/0/branch/1'])
    expect(found(least(5), least(3), count({ value: 4 }))).toEqual(['step.unreachable /0/steps/0/branch/2'])
  })

  it('may be taken in all other cases', () => {
    expect(found(least(5), least(3))).toEqual([])
    expect(found(least(3, { within: '7d' }), least(5))).toEqual([])
  })

  it('is not blamed for what an earlier one is warned about', () => {
    expect(found(least(0), least(5))).toEqual(['condition.always /0/steps/0/branch/0/conditions'])
    expect(found({ all: [] }, least(5))).toEqual(['step.unreachable /0/steps/0/branch/1'])
  })
})

describe('what is done when no branch is taken', () => {
  const otherwise = (...conditions: readonly unknown[]) => {
    const { steps: list, ...rest } = branches(...conditions)
    const withElse = { ...rest, steps: list.map((step) => ({ ...(step as object), else: [{ id: 'e', wait: '1d' }] })) }
    return reviewPack(definePack([withElse])).map(({ code, pointer }) => `${code} ${pointer}`)
  }

  it('is never done where one always is', () => {
    expect(otherwise(least(3), count({ operator: 'lessThan', value: 3 }))).toEqual(['step.unreachable /0/steps/0/else'])
  })

  it('may be done in all other cases', () => {
    expect(otherwise(least(3), count({ operator: 'lessThan', value: 2 }))).toEqual([])
    expect(otherwise(least(3))).toEqual([])
  })
})

describe('a case of several that are waited for', () => {
  const cases = (...any: readonly object[]) =>
    reviewPack(
      definePack([
        steps({ id: 'w', waitFor: { any: any.map((one, index) => ({ id: `c${index}`, ...one })), timeout: '2d' } }),
      ]),
    ).map(({ code, pointer }) => `${code} ${pointer}`)
  const big = { fact: 'event', params: { property: 'total' }, operator: 'greaterThan', value: 100 }
  const last = 'step.unreachable /0/steps/0/waitFor/any/'

  it('is never taken where an earlier one takes the same event', () => {
    expect(cases({ event: 'paid' }, { event: 'paid', conditions: big })).toEqual([`${last}1`])
    expect(cases({ event: 'paid' }, { event: 'paid' })).toEqual([`${last}1`])
    expect(cases({ event: 'paid' }, { event: 'seen' }, { event: ['seen', 'paid'] })).toEqual([`${last}2`])
    expect(cases({ event: 'paid', conditions: least(3) }, { event: 'paid', conditions: least(5) })).toEqual([
      `${last}1`,
    ])
  })

  it('is never taken where the conditions of an earlier one hold whenever its own do', () => {
    expect(cases({ conditions: least(3) }, { conditions: least(5) })).toEqual([`${last}1`])
  })

  it('may be taken in all other cases', () => {
    expect(cases({ event: 'paid', conditions: big }, { event: 'paid' })).toEqual([])
    expect(cases({ event: 'paid', conditions: least(5) }, { event: 'paid', conditions: least(3) })).toEqual([])
    expect(cases({ event: 'paid' }, { event: ['paid', 'seen'] })).toEqual([])
    expect(cases({ event: 'paid' }, { conditions: least(1) }, { event: 'seen' })).toEqual([])
    expect(cases({ conditions: least(1) }, { event: 'paid', conditions: least(3) })).toEqual([])
  })
})
