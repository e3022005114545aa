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
