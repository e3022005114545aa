import { describe, expect, it } from 'vitest'
import { problemsOf, steps, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = { id: 'a', send: { template: 't', channel: ['wechat', 'sms'], class: 'promotion' } }
const budget = (budget: object) => ({ kind: 'policy', id: 'purse', budget })
const packOf = (policy: object) => [steps(send), template('x'), { kind: 'policy', id: 'c', consent: {} }, policy]
const found = (policy: object, channels?: readonly string[]) =>
  reviewPack(definePack(packOf(budget(policy))), { channels }).map(
    ({ severity, code, pointer }) => `${severity} ${code} ${pointer}`,
  )
const wrong = (policy: object) =>
  problemsOf(packOf(budget(policy))).map(({ code, pointer, suggestion }) =>
    [code, pointer, suggestion].join(' ').trim(),
  )

describe('a budget', () => {
  it('is of messages or of money, in a window or for ever, for everybody or for each community', () => {
    const sms = { costs: { sms: 0.05 } }
    for (const one of [
      { money: 200, ...sms, during: 'today' },
      { money: 0.05, ...sms, of: 'community', classes: ['promotion'], journeys: ['j'] },
      { messages: 5000, within: '7d', channels: ['sms'] },
      { messages: 5000 },
    ]) {
      expect(found(one), JSON.stringify(one)).toEqual([])
    }
  })

  it('is refused where it does not say how much of what', () => {
    expect(wrong({})).toEqual(['budget.one /3/budget'])
    expect(wrong({ messages: 5, money: 5, costs: { sms: 1 } })).toEqual(['budget.one /3/budget'])
    expect(wrong({ money: 5 })).toEqual(['budget.costs /3/budget'])
    expect(wrong({ money: 5, costs: {} })).toEqual(['budget.costs /3/budget'])
    expect(wrong({ messages: 5, costs: { sms: 1 } })).toEqual(['budget.costs /3/budget'])
    expect(wrong({ money: 5, costs: { sms: 1 }, channels: ['sms'] })).toEqual(['budget.channels /3/budget'])
    expect(wrong({ money: 5, costs: { sms: 0.0000001 } })).toEqual(['budget.precision /3/budget'])
    expect(wrong({ messages: 5, within: '7d', during: 'today' })).toEqual(['window.one /3/budget'])
    expect(wrong({ messages: 5, during: 'today', timeZone: 'Asia/Nowhere' })).toEqual([
      'timeZone.unknown /3/budget/timeZone',
    ])
  })

  it('names journeys and channels that there are', () => {
    expect(wrong({ messages: 5, journeys: ['jj'] })).toEqual(['journey.unknown /3/budget/journeys/0 j'])
    expect(found({ messages: 5, channels: ['sms', 'smss'] }, ['wechat', 'sms'])).toEqual([
      'error channel.unknown /3/budget/channels/1',
    ])
    expect(found({ money: 5, costs: { sms: 1, smss: 1 } }, ['wechat', 'sms'])).toEqual([
      'error channel.unknown /3/budget/costs/smss',
    ])
  })

  it('can pay one message by each of its channels', () => {
    expect(found({ money: 0.04, costs: { sms: 0.05, wechat: 0.04 } })).toEqual([
      'warning budget.never /3/budget/costs/sms',
    ])
    expect(found({ messages: 0 })).toEqual(['warning budget.never /3/budget/messages'])
  })

  it('is about something that the pack sends', () => {
    expect(found({ messages: 5, classes: ['service'] })).toEqual(['warning budget.unused /3'])
    expect(found({ money: 5, costs: { email: 0.01 } })).toEqual(['warning budget.unused /3'])
  })
})
