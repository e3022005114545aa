import { describe, expect, it } from 'vitest'
import { count, journey, nest, problemsOf, tag } from '../testing/packs.js'

describe('a pack made to do harm', () => {
  const quickly = (pack: unknown) => {
    const start = performance.now()
    const codes = new Set(problemsOf(pack).map(({ code }) => code))
    expect(performance.now() - start).toBeLessThan(10_000)
    return [...codes]
  }

  it('is refused at once when JSON, conditions or steps nest 500 or 100,000 deep', () => {
    for (const depth of [500, 100_000]) {
      expect(quickly(nest(depth, 1, (inner) => [inner]))).toEqual(['file.depth'])
      expect(quickly(tag(nest(depth, { all: [] }, (inner) => ({ not: inner }))))).toContain('file.depth')
      expect(quickly(journey({ steps: nest(depth, [], (inner) => [{ id: 'x', exit: {}, else: inner }]) }))).toEqual([
        'file.depth',
      ])
    }
  })

  it('is read in a time that does not double with each level of its journeys', () => {
    let level = 0
    const issue = (inner: unknown) => [{ id: `s${level++}`, issue: { offer: 'o' }, else: inner }]
    const pack = [journey({ steps: nest(28, [{ id: 'end', exit: {} }], issue) }), { kind: 'offer', id: 'o', total: 1 }]
    expect(quickly(pack)).toEqual([])
    expect(quickly(journey({ steps: nest(28, [{ id: 'end', exti: {} }], issue) }))).toEqual([
      'form.unknown',
      'offer.unknown',
    ])
  })

  it('is refused when named conditions double twenty times, or circle inside an item', () => {
    const doubling = Array.from({ length: 20 }, (_, index) => ({
      kind: 'condition',
      id: `c${index}`,
      conditions: { all: [{ condition: `c${index + 1}` }, { condition: `c${index + 1}` }] },
    }))
    const last = { kind: 'condition', id: 'c20', conditions: count() }
    expect(quickly([...doubling, last, tag({ condition: 'c0' })])).toEqual(['conditions.size'])

    const circle = { kind: 'condition', id: 'c', conditions: { all: [{ condition: 'c' }, { condition: 'c' }] } }
    expect(quickly([circle, tag(count({}, { item: { condition: 'c' } }))])).toEqual(['condition.cycle'])
  })

  it('is refused when a chain of named conditions is 5,000 long', () => {
    const chain = Array.from({ length: 5000 }, (_, index) => ({
      kind: 'condition',
      id: `c${index}`,
      conditions: index === 4999 ? count() : { condition: `c${index + 1}` },
    }))
    expect(quickly(chain)).toEqual(['conditions.size'])
  })

  it('compiles a chain of 3,000 tags', () => {
    const chain = Array.from({ length: 3000 }, (_, index) =>
      tag(index === 2999 ? count() : { fact: 'tag', operator: 'equal', value: true, params: { id: `t${index + 1}` } }, {
        id: `t${index}`,
      }),
    )
    expect(quickly(chain)).toEqual([])
  })

  it('cannot reach a prototype by the names of its facts, traits and properties', () => {
    const names = ['__proto__', 'constructor', 'prototype']
    for (const name of names) {
      expect(quickly(tag({ fact: 'trait', operator: 'equal', value: 1, params: { name } }))).toEqual(['name.reserved'])
      expect(quickly(tag(count({ fact: 'eventSum' }, { property: name })))).toEqual(['path.invalid'])
      expect(quickly(tag({ ...count(), fact: name }))).toEqual(['fact.unknown'])
    }
  })
})
