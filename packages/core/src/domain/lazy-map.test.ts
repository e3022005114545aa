import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LazyMap } from './lazy-map.js'

const key = fc.constantFrom('a', 'b', 'aa', 'ab', '=1', 'a b', '名', '[1]', 'x1', 'x2', 'x3', 'x4')
const value = fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant('a\tb')), { maxLength: 3 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('set' as const), key, value }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('store', 'copy') }) },
)

describe('a lazy map', () => {
  it('is a map, however often it goes into text and back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const plain = new Map<string, unknown[]>()
        let lazy = LazyMap.of<unknown[]>()
        for (const one of steps) {
          if (one.does === 'set') {
            plain.set(one.key, one.value)
            lazy.set(one.key, one.value)
          } else if (one.does === 'delete') {
            plain.delete(one.key)
            lazy.delete(one.key)
          } else if (one.does === 'get') expect(lazy.get(one.key)).toEqual(plain.get(one.key))
          else lazy = one.does === 'store' ? LazyMap.decode(lazy.encode()) : lazy.copy()
          expect(Object.fromEntries(lazy.entries())).toEqual(Object.fromEntries(plain))
          expect(new Set(lazy.keys())).toEqual(new Set(plain.keys()))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('leaves what is not written where it stands', () => {
    const stored = LazyMap.of<unknown[]>([
      ['a', [1]],
      ['b', [2]],
      ['c', [3]],
    ]).encode()
    const lazy = LazyMap.decode<unknown[]>(stored)
    lazy.set('b', [20])
    lazy.set('d', [4])
    lazy.delete('a')
    expect(lazy.encode()).toBe('\tb\t[20]\tc\t[3]\td\t[4]')
  })
})
