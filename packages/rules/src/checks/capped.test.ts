import { describe, expect, it } from 'vitest'
import { journey } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const cap = (more: object = {}) => ({
  kind: 'policy',
  id: 'few',
  cap: { max: 2, within: '7d', classes: ['promotion'], ...more },
})

const messages = (operator: string, value: number, params: object = {}) =>
  journey({
    entry: {
      on: 'event',
      event: 'paid',
      conditions: {
        fact: 'messageCount',
        operator,
        value,
        params: JSON.parse(JSON.stringify({ class: 'promotion', within: '7d', ...params })),
      },
    },
  })

function found(...rules: readonly unknown[]) {
  return reviewPack(definePack(rules)).filter(({ code }) => code === 'threshold.capped')
}

describe('a number of messages that a cap does not let through', () => {
  it('is out of reach, and the policy is named', () => {
    expect(found(messages('greaterThanInclusive', 3), cap())).toMatchObject([
      {
        severity: 'warning',
        pointer: '/0/entry/conditions',
        found: '3',
        message: 'This number is out of reach: the policy "few" at (code)#/1 lets 2 such messages through in 7d.',
      },
    ])
  })

  it.each([
    ['at least', 'greaterThanInclusive', 2],
    ['fewer than', 'lessThan', 2],
    ['exactly', 'equal', 0],
    ['always', 'greaterThanInclusive', 0],
  ])('is not what the cap lets through: %s', (_, operator, value) => {
    expect(found(messages(operator, value), cap())).toEqual([])
  })

  it('is one that is never missed, too', () => {
    expect(found(messages('lessThan', 3), cap())).toHaveLength(1)
  })

  it('counts the windows of the cap that lie in the window of the count', () => {
    const twoWeeks = { within: '14d' }
    expect(found(messages('greaterThan', 4, twoWeeks), cap())).toHaveLength(1)
    expect(found(messages('greaterThan', 3, twoWeeks), cap())).toEqual([])
    expect(found(messages('greaterThan', 2, { within: undefined, during: 'today' }), cap())).toEqual([])
  })

  it('is about the classes and channels of the cap only', () => {
    const many = (params: object) => messages('greaterThan', 9, params)
    expect(found(many({ class: undefined }), cap())).toEqual([])
    expect(found(many({ class: undefined }), cap({ classes: undefined }))).toHaveLength(1)
    expect(found(many({}), cap({ channels: ['sms'] }))).toEqual([])
    expect(found(many({ channel: 'sms' }), cap({ channels: ['sms'] }))).toHaveLength(1)
  })
})
