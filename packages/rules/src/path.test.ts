import { describe, expect, it } from 'vitest'
import { compilePath, compileProperty } from './path.js'

const value = { a: { b: [{ c: 1 }, { c: null }, { d: 2 }], 'x y': 3, 名称: 'n' }, list: [[1, 2], [3]] }

describe('a path', () => {
  it.each([
    ['$', value],
    ['$.a.b[0].c', 1],
    ['$.a.b[1].c', null],
    ['$.a.b[9].c', undefined],
    ['$.a.b[*].c', [1, null]],
    ['$.a.b[*].z', undefined],
    ["$.a['x y']", 3],
    ['$.a.名称', 'n'],
    ['$.list[*][0]', [1, 3]],
    ['$.list[*][*]', [1, 2, 3]],
    ['$[*].b[2].d', [2]],
    ['$.a.b.length', 3],
    ['$.a.b.0', 'not a path'],
    ['$.a.toString', undefined],
  ])('%s of the value reads %j', (path, found) => {
    const read = compilePath(path)
    expect(read === undefined ? 'not a path' : read(value)).toEqual(found)
  })

  it.each(['', 'a', '$..a', '$.a[?(@.b)]', '$.a[(@.length-1)]', '$.a[-1]', '$.a[0:2]', '$.*', '$.a ', '$a', '$.a[b]'])(
    'cannot be %j, which is outside the safe subset',
    (path) => {
      expect(compilePath(path)).toBeUndefined()
    },
  )

  it.each(['$.__proto__', '$.a.constructor', "$['prototype']", "$['__proto__'].x"])(
    'never reaches a prototype: %s',
    (path) => {
      expect(compilePath(path)).toBeUndefined()
    },
  )

  it('reads own properties only', () => {
    const inherited = Object.create({ a: 1 }) as object
    expect(compilePath('$.a')?.(inherited)).toBeUndefined()
    expect(compilePath('$.hasOwnProperty')?.({})).toBeUndefined()
  })

  it('of a value that is no object is the value itself', () => {
    for (const plain of [1, 'text', true, null, undefined]) expect(compilePath('$.a.b')?.(plain)).toBe(plain)
  })

  it('reads all of a list of a million elements', () => {
    const many = Array.from({ length: 1_000_000 }, () => 1)
    expect(compilePath('$[*]')?.(many)).toHaveLength(1_000_000)
  })

  it('is refused in good time however long it is', () => {
    expect(compilePath(`$${'.a'.repeat(1_000_000)}`)).toBeUndefined()
    expect(compilePath(`$${'['.repeat(1000)}`)).toBeUndefined()
  })
})

describe('a property', () => {
  it('is the name of an own property, dots and all, or a path', () => {
    expect(compileProperty('a.b')?.({ 'a.b': 1, a: { b: 2 } })).toBe(1)
    expect(compileProperty('$.a.b')?.({ 'a.b': 1, a: { b: 2 } })).toBe(2)
    expect(compileProperty('toString')?.({})).toBeUndefined()
    expect(compileProperty('a')?.('text')).toBeUndefined()
  })

  it.each(['', '__proto__', 'constructor', 'prototype', '$..a', 'x'.repeat(101)])('cannot be %j', (name) => {
    expect(compileProperty(name)).toBeUndefined()
  })
})
