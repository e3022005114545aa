import { describe, expect, it } from 'vitest'
import { count, tag } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const b = (conditions: unknown, more: object = {}) => tag(conditions, { id: 'b', ...more })
const isFruit = { fact: 'category', operator: 'equal', value: 'fruit' }

function found(...rules: readonly unknown[]) {
  return reviewPack(definePack(rules)).filter(({ code }) => code === 'tag.same')
}

describe('two tags that say the same', () => {
  it('are found, and the other one is named', () => {
    expect(found(tag(count()), b(count()))).toMatchObject([
      {
        severity: 'warning',
        pointer: '/1/conditions',
        message:
          'This tag says the same as the tag "a" at (code)#/0: whoever has one has the other. Leave one of them out.',
      },
    ])
  })

  it.each([
    ['parts in another order', { all: [count(), count({ value: 2 })] }, { all: [count({ value: 2 }), count()] }],
    ['a list of one', count(), { all: [{ any: [count()] }] }],
    ['the opposite of the opposite', count(), { not: { not: count() } }],
    ['notes', count(), count({ name: 'paid once', priority: 2 })],
    ['a week and seven days', count({}, { within: '1w' }), count({}, { within: '7d' })],
    ['events in another order', count({}, { event: ['x', 'y'] }), count({}, { event: ['y', 'x', 'x'] })],
    ['one event and a list of it', count({}, { event: 'x' }), count({}, { event: ['x'] })],
    ['named conditions', count(), { condition: 'c' }],
    ['named conditions about events', count({}, { where: isFruit }), count({}, { where: { condition: 'fruit' } })],
  ])('may be spelt differently: %s', (_, one, other) => {
    const named = [
      { kind: 'condition', id: 'c', conditions: count() },
      { kind: 'condition', id: 'fruit', conditions: isFruit },
    ]
    expect(found(tag(one), b(other), ...named)).toHaveLength(1)
  })

  it('are about the same kind of subject, and have conditions', () => {
    expect(found(tag(count()), b(count(), { subject: 'community' }))).toEqual([])
    expect(found(tag(), b(undefined))).toEqual([])
    expect(found(tag(count()), b(count({ value: 2 })))).toEqual([])
  })
})
