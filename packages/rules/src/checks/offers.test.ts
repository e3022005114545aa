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
})
