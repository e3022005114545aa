import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionOf, eventsArb, fold, instantsOf, rulesOf, START, viewOf } from '../../testing/history.js'
import { naiveHolds } from '../../testing/naive.js'
import { count, journey, problemsOf, steps, tag } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { compileProgram } from '../program/compile.js'
import type { EventRecord } from '../subject.js'
import { holds, until } from './verdict.js'

const paid = (at: number, properties: object = {}): EventRecord => ({
  messageId: `m${at}`,
  event: 'paid',
  at: START + at,
  properties: { ...properties },
})

describe('a fact compared with another fact', () => {
  it('is certain until one of them can change', () => {
    const window = (event: string, within: string) => ({ fact: 'eventCount', params: { event, within } })
    const tree = { ...window('paid', '1s'), operator: 'greaterThan', value: window('seen', '2s') }
    const alone = (event: string, within: string, value: number) => ({
      ...window(event, within),
      operator: 'equal',
      value,
    })
    fc.assert(
      fc.property(eventsArb, (events) => {
        const rules = rulesOf(tree)
        const features = fold(rules, events)
        const from = Math.max(START, ...events.map(({ at }) => at))
        const number = (event: string, within: string, at: number) =>
          Array.from({ length: 20 }, (_, n) => n).find((n) => naiveHolds(alone(event, within, n), events, at)) ?? -1
        const expected = (at: number) => number('paid', '1s', at) > number('seen', '2s', at)
        const verdict = conditionOf(rules).verdict(viewOf(features, from))
        for (const at of instantsOf(events, from)) {
          expect(holds(conditionOf(rules).verdict(viewOf(features, at)))).toBe(expected(at))
          if (at < until(verdict)) expect(expected(at)).toBe(holds(verdict))
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a fact of a related subject', () => {
  const dairy = count({ operator: 'greaterThan', value: 2 }, { of: 'community', within: '7d' })

  it('is kept once by the community, and read by its people', () => {
    const { subjects } = compileProgram(definePack([tag(dairy), tag({ not: dairy }, { id: 'b' })]))
    const [kept, ...others] = subjects.community.tags
    expect(others).toEqual([])
    expect(kept).toMatchObject({ kind: 'verdict', readAs: 'community' })
    const view = (holding: boolean) => viewOf({}, START, { relatedHolds: (_, id) => holding && id === kept?.id })
    const verdicts = (holding: boolean) => subjects.user.tags.map((one) => holds(one.condition.verdict(view(holding))))
    expect(verdicts(true)).toEqual([true, false])
    expect(verdicts(false)).toEqual([false, true])
    expect([...subjects.user.reads]).toEqual(['community'])
  })

  it.each([
    [
      'of a relation that there is none of',
      tag({ ...dairy, params: { ...dairy.params, of: 'comunity' } }),
      'relation.unknown',
    ],
    ['of a community, about its own', tag(dairy, { subject: 'community' }), 'relation.unknown'],
    [
      'compared with another fact',
      tag({ ...dairy, value: { fact: 'trait', params: { name: 'x' } } }),
      'relation.unfit',
    ],
    [
      'about a tag that the community does not have',
      tag({ fact: 'tag', operator: 'equal', value: true, params: { id: 'a', of: 'community' } }),
      'tag.unknown',
    ],
  ])('is refused %s', (_, rule, code) => {
    expect(problemsOf(rule).map((problem) => problem.code)).toEqual([code])
  })
})

describe('the event at hand', () => {
  const category = { fact: 'event', params: { property: 'category' }, operator: 'equal', value: 'fruit' }
  const onPaid = (conditions: unknown) => journey({ entry: { on: 'event', event: 'paid', conditions } })

  it.each([
    ['its property', category],
    ['a path into it', { fact: 'event', path: '$.properties.category', operator: 'equal', value: 'fruit' }],
    ['its name', { fact: 'event', path: '$.event', operator: 'equal', value: 'paid' }],
    ['its time', { fact: 'event', path: '$.timestamp', operator: 'greaterThan', value: '2025-12-31' }],
  ])('can be asked for %s', (_, conditions) => {
    const { journeys } = compileProgram(definePack([onPaid(conditions)]))
    const entry = journeys.get('j')?.entry
    const verdict = entry?.condition?.verdict(viewOf({}, START, { event: paid(0, { category: 'fruit' }) }))
    expect(verdict).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    ['in the conditions of a tag', tag(category), ['fact.moment /conditions/fact']],
    ['as a whole', onPaid({ fact: 'event', operator: 'equal', value: 1 }), ['params.missing /entry/conditions']],
    [
      'in an entry by tag',
      journey({ entry: { on: 'tag.added', tag: 'j', conditions: category } }),
      ['fact.moment /entry/conditions/fact', 'tag.unknown /entry/tag'],
    ],
  ])('cannot be used %s', (_, rule, expected) => {
    expect(problemsOf(rule).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected)
  })

  it('finds the journeys that it can enter by the values they demand', () => {
    const { subjects } = compileProgram(
      definePack([
        onPaid({ all: [category] }),
        { ...onPaid({ ...category, operator: 'in', value: ['milk', 'fruit'] }), id: 'k' },
        { ...onPaid({ ...category, value: 'milk' }), id: 'l' },
        { ...onPaid({ not: category }), id: 'm' },
      ]),
    )
    const found = (properties: object) => subjects.user.journeysByEvent.find(paid(0, properties)).map(({ id }) => id)
    expect(found({ category: 'fruit' }).sort()).toEqual(['j', 'k', 'm'])
    expect(found({ category: 'milk' }).sort()).toEqual(['k', 'l', 'm'])
    expect(found({})).toEqual(['m'])
  })
})

describe('an explanation', () => {
  const tree = { all: [count({ operator: 'greaterThanInclusive', value: 2 }, { within: '1s' }), { not: { all: [] } }] }

  it('shows each condition with its verdict, what was expected and what was found', () => {
    const rules = compileProgram(definePack([tag(tree)]), { exact: true }).subjects.user
    const features = fold(rules, [paid(0), paid(100), paid(200)])
    expect(conditionOf(rules, 'a').explain(viewOf(features, START + 300))).toEqual({
      kind: 'all',
      holds: false,
      until: null,
      parts: [
        {
          kind: 'fact',
          holds: true,
          until: '2026-01-01T00:00:01.100Z',
          fact: 'eventCount',
          params: { event: 'paid', within: '1s' },
          operator: 'greaterThanInclusive',
          expected: 2,
          actual: 3,
          toTurn: { kind: 'time', at: '2026-01-01T00:00:01.100Z' },
        },
        { kind: 'not', holds: false, until: null, part: { kind: 'all', holds: true, until: null, parts: [] } },
      ],
    })
  })
})

describe('the steps of a journey', () => {
  it('go on below after a branch, and end after the last one', () => {
    const inner = [{ id: 'x', wait: '1d' }]
    const branch = { id: 'b', branch: [{ conditions: { all: [] }, then: inner }], else: [{ id: 'e', exit: {} }] }
    const { journeys } = compileProgram(definePack([steps(branch, { id: 'last', wait: '2d' })]))
    const compiled = journeys.get('j')
    const at = (id: string) => compiled?.stepIndex.get(id) ?? -2
    expect(compiled?.first).toBe(at('b'))
    expect(compiled?.steps[at('b')]).toMatchObject({ verb: 'branch', otherwise: at('e') })
    expect(compiled?.steps[at('x')]).toMatchObject({ next: at('last') })
    expect(compiled?.steps[at('last')]).toMatchObject({ verb: 'wait', next: -1 })
  })

  it.each([
    ['an id that two steps have', steps({ id: 'x', wait: '1d' }, { id: 'x', exit: {} }), 'step.duplicate /steps/0/id'],
    [
      'a tag that its conditions decide',
      [steps({ id: 'x', tag: { add: 'a' } }), tag({ all: [] })],
      'tag.computed /0/steps/0/tag/add',
    ],
    [
      'a key of a journey that a tag enters',
      [journey({ entry: { on: 'tag.added', tag: 'a' }, key: 'k' }), tag()],
      'key.entry /0/key',
    ],
    [
      'quiet hours without end',
      { kind: 'policy', id: 'p', quietHours: { from: '08:00', to: '08:00' } },
      'quietHours.empty /quietHours',
    ],
  ])('are refused with %s', (_, rule, expected) => {
    expect(problemsOf(rule).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([expected])
  })
})
