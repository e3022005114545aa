import { describe, expect, it } from 'vitest'
import { count, steps } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const issue = (id: string, more: object = {}) => ({ id, issue: { offer: 'o' }, ...more })
const offer = (more: object = {}) => ({ kind: 'offer', id: 'o', total: 9, ...more })

function review(list: readonly unknown[], more: object = {}) {
  return reviewPack(definePack([steps(...list), offer(more), { kind: 'offer', id: 'other', total: 9 }]))
}

function found(...args: Parameters<typeof review>): string[] {
  return review(...args).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)
}

describe('a coupon', () => {
  it('is never issued to who has got as many as one person gets', () => {
    expect(review([issue('a'), { id: 'w', wait: '1d' }, issue('b')])).toMatchObject([
      {
        severity: 'error',
        code: 'coupon.never',
        pointer: '/0/steps/2/issue/offer',
        message:
          'This never issues anything: the run has asked for a coupon of "o" once before it, and one person gets 1. Take it away, or raise "perPerson" of the offer at (code)#/1.',
      },
    ])
    expect(found([issue('a'), issue('b'), issue('c')], { perPerson: 2 })).toEqual([
      'error coupon.never /0/steps/2/issue/offer',
    ])
  })

  it('is never issued to who was refused one just before', () => {
    expect(found([issue('a', { else: [issue('b')] })])).toEqual(['error coupon.never /0/steps/0/else/0/issue/offer'])
  })

  it('may be issued where some way has not asked for one, or there are more of them', () => {
    const once = { id: 'x', branch: [{ conditions: count(), then: [issue('a')] }] }
    expect(found([once, issue('b')])).toEqual([])
    expect(found([issue('a'), issue('b')], { perPerson: 2 })).toEqual([])
    expect(found([issue('a'), { id: 'b', issue: { offer: 'other' } }])).toEqual([])
    const [one, other] = [
      { id: 'v', weight: 1, then: [issue('a')] },
      { id: 'w', weight: 1, then: [issue('b')] },
    ]
    expect(found([{ id: 's', split: [one, other] }])).toEqual([])
  })
})

describe('a coupon of a journey that takes over runs of an earlier definition', () => {
  it('may be the first that somebody gets', () => {
    const moved = { ...steps(issue('a'), issue('b')), earlier: { moveTo: 'b' } }
    expect(reviewPack(definePack([moved, offer()]))).toEqual([])
  })
})

describe('an offer', () => {
  it('has not fewer coupons than one person may get', () => {
    expect(found([issue('a')], { total: 2, perPerson: 3 })).toEqual(['warning offer.perPerson /1/perPerson'])
    expect(found([issue('a')], { total: 3, perPerson: 3 })).toEqual([])
  })

  it('can pay for one coupon, and is over no earlier than its coupons', () => {
    const rules = (more: object) => found([issue('a')], more)
    expect(rules({ value: 6, budget: { money: 5 } })).toEqual(['error offer.budget /1/budget/money'])
    expect(rules({ value: 5, budget: { money: 5, during: 'today' } })).toEqual([])
    expect(rules({ until: '2026-12-01T00:00:00Z' })).toEqual(['warning offer.outlived /1/until'])
    expect(rules({ until: '2026-12-01T00:00:00+08:00', expires: '7d' })).toEqual([])
    expect(rules({ expires: 'soon' })).toEqual(['error duration.invalid /1/expires'])
  })

  it.each([
    ['without a total, unless its codes are given', { total: undefined }, 'offer.total'],
    ['with an issuer and given codes', { issuer: 'pay', codes: 'given' }, 'offer.codes'],
    ['with an issuer that would have to take coupons back', { issuer: 'pay', returns: 'unsent' }, 'offer.returns'],
    ['with coupons that go back for another reason', { returns: 'unused' }, 'value.unknown'],
    ['with a stock of no issuer', { stock: '9865' }, 'offer.stock'],
    ['with an end in no time zone', { until: '2026-12-01T00:00:00' }, 'instant.invalid'],
    ['with an end on no day', { until: '2026-13-41T00:00:00Z' }, 'instant.invalid'],
    ['with a budget and without a value', { budget: { money: 5 } }, 'offer.value'],
    ['with a budget of two windows', { value: 1, budget: { money: 5, within: '1d', during: 'today' } }, 'window.one'],
    [
      'with a budget of no zone',
      { value: 1, budget: { money: 5, during: 'today', timeZone: 'X' } },
      'timeZone.unknown',
    ],
  ])('is refused %s', (_, more, code) => {
    expect(() => review([issue('a')], more)).toThrowError(
      expect.objectContaining({ problems: [expect.objectContaining({ code })] }),
    )
  })

  it('may have no total where its codes are given, or an issuer has them', () => {
    expect(found([issue('a')], { total: undefined, issuer: 'pay', until: '2026-12-01T00:00:00Z' })).toEqual([])
    expect(found([issue('a')], { total: undefined, codes: 'given' })).toEqual([])
  })
})
