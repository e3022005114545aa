import { describe, expect, it } from 'vitest'
import { factAlone } from '../../testing/facts.js'
import { conditionOf, fold, rulesOf, START, viewOf } from '../../testing/history.js'
import { problemsOf, tag } from '../../testing/packs.js'
import { holds } from '../conditions/verdict.js'
import type { EventRecord, FeatureState } from '../subject.js'

const DAY = 86_400_000

const paid = (day: number, userId?: string): EventRecord => ({
  messageId: `m${day}${userId}`,
  event: 'paid',
  at: START + day * DAY,
  properties: {},
  ...(userId !== undefined && { userId }),
})

const buyers = (value: number, window: object = { within: '30d' }) => ({
  fact: 'userCount',
  params: { event: 'paid', ...window },
  operator: 'greaterThanInclusive',
  value,
})

describe('the number of people', () => {
  it('counts each once, as long as their latest event is inside the window', () => {
    const rules = rulesOf(buyers(2))
    const features = fold(rules, [paid(0, 'u1'), paid(1, 'u2'), paid(2, 'u1'), paid(3)])
    expect(conditionOf(rules).verdict(viewOf(features, START + 3 * DAY))).toBe(START + 31 * DAY)
  })

  it('is one less when two of them turn out to be one', () => {
    const { use, features, fold } = factAlone('userCount', { event: 'paid', within: '30d' })
    const [feature] = features
    const states = fold([paid(0, 'u1'), paid(1, 'u2'), paid(2, 'u3')])
    const [key = '', state] = Object.entries(states)[0] ?? []
    const renamed = feature?.renameUser?.(state as FeatureState, 'u3', 'u1')
    expect(use.read(viewOf({ [key]: renamed }, START + 3 * DAY))).toBe(2)
    // The later event is the one that stays.
    expect(use.read(viewOf({ [key]: renamed }, START + 31 * DAY))).toBe(1)
    expect(feature?.renameUser?.(state as FeatureState, 'u9', 'u1')).toBe(state)
  })

  it('is the same for a merged state as for all of the events', () => {
    const rules = rulesOf(buyers(2), buyers(2, { between: ['20d', '5d'] }))
    const [one, other] = [fold(rules, [paid(0, 'u1'), paid(4, 'u2')]), fold(rules, [paid(2, 'u1'), paid(3, 'u3')])]
    for (const [key, feature] of rules.features) {
      expect(feature.merge(one[key] ?? [], other[key] ?? [])).toEqual(feature.merge(other[key] ?? [], one[key] ?? []))
    }
  })
})

describe('the number of messages', () => {
  const accepted = (day: number, properties: object): EventRecord => ({
    messageId: `m${day}`,
    event: 'message_accepted',
    at: START + day * DAY,
    properties: { journey: 'j', run: 'r', step: 's', channel: 'sms', class: 'promotion', template: 't', ...properties },
  })
  const count = (params: object, value: number) => ({ fact: 'messageCount', params, operator: 'equal', value })
  const events = [accepted(0, {}), accepted(1, { class: 'service' }), accepted(2, { journey: 'k', channel: 'wechat' })]

  it.each([
    [{}, 3],
    [{ class: 'promotion' }, 2],
    [{ class: 'promotion', channel: 'sms' }, 1],
    [{ journey: 'k' }, 1],
    [{ step: 's', template: 't', within: '2d' }, 2],
    [{ between: ['2d', '1d'] }, 1],
  ])('of %j is %i', (params, value) => {
    const rules = rulesOf(count(params, value))
    expect(holds(conditionOf(rules).verdict(viewOf(fold(rules, events), START + 2 * DAY)))).toBe(true)
  })

  it('is kept once with a count of the same events, and needs no params', () => {
    const where = { all: [{ fact: 'channel', operator: 'equal', value: 'sms' }] }
    const same = { fact: 'eventCount', params: { event: 'message_accepted', where }, operator: 'equal', value: 1 }
    expect(rulesOf(count({ channel: 'sms' }, 1), same).features.size).toBe(1)
    expect(problemsOf(tag({ fact: 'messageCount', operator: 'greaterThan', value: 3 }))).toEqual([])
  })
})
