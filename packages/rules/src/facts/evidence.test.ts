import { describe, expect, it } from 'vitest'
import { factAlone } from '../../testing/facts.js'
import { START, viewOf } from '../../testing/history.js'
import type { EventRecord } from '../subject.js'

const DAY = 86_400_000

const order = (day: number, total: unknown, userId = 'u1'): EventRecord => ({
  messageId: `m${day}`,
  event: 'paid',
  at: START + day * DAY,
  properties: { total, city: 'sh', items: [{ sku: `s${day}` }] },
  userId,
})

const EVENTS = [
  order(12, 5),
  order(0, 20),
  order(8, 7, 'u2'),
  order(9, 'none'),
  order(10, 30),
  { ...order(11, 1), event: 'seen' },
  order(14, 100),
]

/** Asked on day 13, with what has happened by then. */
function evidenceOf(fact: string, params: object): string[] {
  const { use, fold } = factAlone(fact, { event: 'paid', ...params })
  const view = viewOf(fold(EVENTS.slice(0, -1)), START + 13 * DAY)
  return (use.evidence?.(view, EVENTS) ?? []).map(({ messageId }) => messageId)
}

describe('the events that made a value', () => {
  it.each([
    ['eventCount', { within: '5d' }, ['m9', 'm10', 'm12']],
    ['eventCount', {}, ['m0', 'm8', 'm9', 'm10', 'm12']],
    ['eventCount', { where: { fact: 'total', operator: 'greaterThan', value: 6 } }, ['m0', 'm8', 'm10']],
    ['eventSum', { between: ['6d', '2d'], property: 'total' }, ['m8', 'm10']],
    ['eventAvg', { since: '2026-01-09', property: 'total' }, ['m8', 'm10', 'm12']],
    ['eventMax', { property: 'total' }, ['m10']],
    ['eventMin', { property: 'total' }, ['m12']],
    ['eventMax', { property: 'total', within: '2d' }, ['m12']],
    ['itemCount', { within: '1d' }, []],
    ['eventDistinct', { property: 'total', within: '5d' }, ['m9', 'm10', 'm12']],
    ['userCount', { within: '6d' }, ['m8', 'm9', 'm10', 'm12']],
    ['share', { within: '5d', where: { fact: 'total', operator: 'greaterThan', value: 6 } }, ['m10']],
    ['lastEvent', { property: 'city' }, ['m12']],
    ['firstEvent', { property: 'city' }, ['m0']],
    ['lastEvent', { property: 'city', during: 'today' }, []],
  ])('of %s %j are those that count', (fact, params, expected) => {
    expect(evidenceOf(fact, params)).toEqual(expected)
  })
})
