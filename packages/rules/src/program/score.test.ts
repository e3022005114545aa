import { describe, expect, it } from 'vitest'
import { fold, START, viewOf } from '../../testing/history.js'
import { definePack } from '../define.js'
import type { EventRecord } from '../subject.js'
import { compileProgram } from './compile.js'

const DAY = 86_400_000

const RULES = compileProgram(
  definePack([
    { kind: 'tag', id: 'regular' },
    {
      kind: 'score',
      id: 'loyalty',
      terms: [
        { points: 20, conditions: { fact: 'tag', params: { id: 'regular' }, operator: 'equal', value: true } },
        {
          points: 0.1,
          per: { fact: 'eventSum', params: { event: 'paid', property: 'total', within: '90d' } },
          max: 25,
        },
        { points: 10, event: 'paid', where: { fact: 'total', operator: 'greaterThan', value: 50 }, halfLife: '30d' },
        { points: -5, event: 'refunded' },
      ],
      tiers: [
        { id: 'gold', from: 100 },
        { id: 'silver', from: 50 },
      ],
    },
  ]),
).subjects.user

const paid = (day: number, total: number): EventRecord => ({
  messageId: `m${day}`,
  event: 'paid',
  at: START + day * DAY,
  properties: { total },
})

describe('the explanation of a score', () => {
  const score = RULES.scoresById.get('loyalty')
  const features = fold(RULES, [paid(0, 30), paid(10, 100), paid(20, 200)])

  it('has its value, its tier, and what each term gives and why', () => {
    const view = viewOf(features, START + 40 * DAY, { hasTag: () => true })

    expect(score?.explain(view)).toEqual({
      value: 60,
      tier: 'silver',
      until: '2026-02-20T00:00:00.000Z',
      terms: [
        {
          term: expect.objectContaining({ points: 20 }),
          points: 20,
          contribution: 20,
          until: null,
          conditions: expect.objectContaining({ kind: 'fact', holds: true, actual: true }),
        },
        {
          term: expect.objectContaining({ per: expect.anything() }),
          points: 0.1,
          contribution: 25,
          until: '2026-04-01T00:00:00.000Z',
          actual: 330,
        },
        {
          term: expect.objectContaining({ halfLife: '30d' }),
          points: 10,
          contribution: 15,
          until: '2026-02-20T00:00:00.000Z',
          actual: 2,
        },
        { term: { points: -5, event: 'refunded' }, points: -5, contribution: 0, until: null, actual: 0 },
      ],
    })
  })

  it('says how far times are rounded where there are too many', () => {
    const many = Array.from({ length: 1500 }, (_, index) => paid(index / 1000, 60))
    const view = viewOf(fold(RULES, many), START + 2 * DAY)

    expect(score?.explain(view).terms[2]).toMatchObject({ actual: 1500, contribution: 15_000, rounded: '5m' })
  })

  it('of one of whom nothing is known is 0, in no tier', () => {
    expect(score?.explain(viewOf({}, START))).toMatchObject({ value: 0, until: null })
    expect(score?.explain(viewOf({}, START))).not.toHaveProperty('tier')
  })
})

describe('tags and scores', () => {
  it('stand in one order, each after those it reads', () => {
    const { derived } = compileProgram(
      definePack([
        { kind: 'tag', id: 'a', conditions: { fact: 'score', params: { id: 'b' }, operator: 'equal', value: 1 } },
        {
          kind: 'score',
          id: 'b',
          terms: [{ points: 1, conditions: { fact: 'tag', params: { id: 'c' }, operator: 'equal', value: true } }],
        },
        { kind: 'tag', id: 'c', conditions: { fact: 'trait', params: { name: 'x' }, operator: 'equal', value: 1 } },
      ]),
    ).subjects.user

    expect(derived.map(({ id, rank }) => `${id}${rank}`)).toEqual(['c0', 'b1', 'a2'])
  })

  it('may have one name', () => {
    const { tags, scoresById } = compileProgram(
      definePack([
        { kind: 'tag', id: 'a', conditions: { fact: 'score', params: { id: 'a' }, operator: 'equal', value: 1 } },
        { kind: 'score', id: 'a', terms: [{ points: 1, event: 'paid' }] },
      ]),
    ).subjects.user

    expect([tags.length, scoresById.size]).toEqual([1, 1])
  })
})
