import { describe, expect, it } from 'vitest'
import { count, journey, tag } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { compileProgram } from '../program/compile.js'
import { reviewPack } from './meaning.js'

const history = (keep = '400d') => ({ kind: 'history', keep })

/** What is found in a pack: severity, code and place of each. */
function found(...rules: readonly unknown[]): string[] {
  return reviewPack(definePack(rules)).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)
}

describe('the history of a pack', () => {
  it('says how long events are kept', () => {
    expect(compileProgram(definePack([history('400d')])).history).toEqual({ keepMs: 400 * 86_400_000 })
    expect(compileProgram(definePack([])).history).toBeUndefined()
  })

  it('is one, and a duration', () => {
    expect(() => definePack([history(), history('30d')])).toThrow(
      'There is already a history, at (code)#/0, which keeps events for 400d. A pack has one.',
    )
    expect(() => definePack([history('a year')])).toThrow('A duration looks like')
  })
})

describe('a rule that looks further back than events are kept', () => {
  it('is refused, with both lengths', () => {
    const pack = definePack([tag(count({}, { within: '500d' })), history()])
    expect(reviewPack(pack)).toMatchObject([
      {
        code: 'window.beyondHistory',
        severity: 'error',
        pointer: '/0/conditions',
        message:
          'This looks back 500d, but events are kept for 400d: the older ones are not there to be counted. ' +
          'Look back 400d at most, or keep events longer: "keep" at (code)#/1.',
      },
    ])
  })

  it.each([
    ['within', { within: '31d' }, { within: '30d' }],
    ['between', { between: ['31d', '2d'] }, { between: ['30d', '2d'] }],
    ['calendar periods', { during: 'thisMonth' }, { during: 'lastWeek' }],
  ])('is found by its window: %s', (_, beyond, inside) => {
    expect(found(tag(count({}, beyond)), history('30d'))).toEqual(['error window.beyondHistory /0/conditions'])
    expect(found(tag(count({}, inside)), history('30d'))).toEqual([])
  })

  it('is found by how long ago something was, how long steps take, and eight half-lives', () => {
    const since = { fact: 'sinceLastEvent', operator: 'greaterThan', value: '31d', params: { event: 'paid' } }
    const steps = [{ event: 'paid' }, { event: 'paid', within: '2d' }]
    const chain = { fact: 'sequence', operator: 'greaterThan', value: 1, params: { steps, within: '29d' } }
    const score = { kind: 'score', id: 's', terms: [{ points: 1, event: 'paid', halfLife: '4d' }] }
    expect(found(tag(since), tag(chain, { id: 'b' }), score, history('30d'))).toEqual([
      'error window.beyondHistory /0/conditions',
      'error window.beyondHistory /1/conditions',
      'error window.beyondHistory /2/terms/0/halfLife',
    ])
  })

  it('is found by what a rank goes by', () => {
    const by = { fact: 'eventCount', params: { event: 'paid', within: '31d' } }
    const ranked = { fact: 'rank', operator: 'lessThan', value: 4, params: { by } }
    expect(found(tag(ranked, { subject: 'community' }), history('30d'))).toEqual([
      'error window.beyondHistory /0/conditions/params/by',
    ])
  })

  it('is found wherever conditions stand, in named ones once', () => {
    const long = count({}, { within: '31d' })
    const compared = count(
      { value: { fact: 'eventCount', params: { event: 'seen', within: '31d' } } },
      { within: '1d' },
    )
    const rules = [
      tag({ not: { condition: 'c' } }),
      tag({ all: [{ condition: 'c' }] }, { id: 'b' }),
      { kind: 'condition', id: 'c', conditions: { any: [long] } },
      { kind: 'score', id: 's', terms: [{ points: 1, per: { fact: 'eventCount', params: long.params } }] },
      journey({
        entry: { on: 'event', event: 'paid', conditions: compared },
        steps: [
          {
            id: 'x',
            issue: { offer: 'o' },
            else: [{ id: 'y', branch: [{ conditions: long, then: [{ id: 'z', exit: {} }] }] }],
          },
        ],
      }),
      { kind: 'offer', id: 'o', total: 1 },
      history('30d'),
    ]
    expect(found(...rules)).toEqual([
      'error window.beyondHistory /2/conditions/any/0',
      'error window.beyondHistory /3/terms/0/per',
      'error window.beyondHistory /4/entry/conditions/value',
      'error window.beyondHistory /4/steps/0/else/0/branch/0/conditions',
    ])
  })
})

describe('a rule about all time', () => {
  it('is right only over what is kept, where a history is given', () => {
    const first = { fact: 'firstEvent', operator: 'equal', value: 'x', params: { event: 'paid', property: 'p' } }
    const rules = [tag(count()), tag(first, { id: 'b' }), tag(count({}, { since: '2026-01-01' }), { id: 'c' })]
    expect(found(...rules)).toEqual([])
    expect(found(...rules, history())).toEqual([
      'warning window.allTime /0/conditions',
      'warning window.allTime /1/conditions',
      'warning window.allTime /2/conditions',
    ])
    expect(reviewPack(definePack([...rules, history()]))[0]?.message).toBe(
      'This looks at all time, but events are kept for 400d: it is right only over those. Give it a window, such as "within": "400d".',
    )
  })

  it('may ask how long ago the latest event was, up to what is kept', () => {
    const since = { fact: 'sinceLastEvent', operator: 'greaterThan', value: '21d', params: { event: 'paid' } }
    expect(found(tag(since), history())).toEqual([])
  })
})
