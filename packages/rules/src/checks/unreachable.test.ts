import { describe, expect, it } from 'vitest'
import { count, steps, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const end = (id: string) => ({ id, exit: {} })
const go = (id: string) => ({ id, wait: '1d' })
const others = [{ kind: 'offer', id: 'o', total: 9 }, template('x')]

function found(...list: readonly unknown[]): string[] {
  return reviewPack(definePack([steps(...list), ...others])).map(({ code, pointer }) => `${code} ${pointer}`)
}

const waitFor = (more: object) => ({ id: 'w', waitFor: { event: 'paid', timeout: '1d' }, ...more })
const branch = (more: object) => ({ id: 'b', branch: [{ conditions: count(), then: [end('b1')] }], ...more })
const split = (...then: (unknown[] | undefined)[]) => ({
  id: 's',
  split: then.map((list, index) => ({ id: `v${index}`, weight: 1, ...(list && { then: list }) })),
})

const message = (on: object) => ({ id: 'm', send: { template: 't', channel: 'sms', class: 'service' }, on })

describe('a step', () => {
  it('is never reached below one that ends the run, and is named once', () => {
    expect(found(end('e'), go('a'), go('c'))).toEqual(['step.unreachable /0/steps/1'])
    expect(found(waitFor({ then: [end('e'), go('a')] }))).toEqual(['step.unreachable /0/steps/0/then/1'])
  })

  it.each([
    ['an event that is waited for', waitFor({ then: [end('e')], else: [end('f')] })],
    ['a branch', branch({ else: [end('f')] })],
    ['a split', split([end('e')], [go('x'), end('f')])],
    ['a message', message({ accepted: [end('e')], refused: [end('f')], suppressed: [end('g')] })],
    ['several ends, one in another', split([end('e')], [branch({ else: [end('f')] })])],
  ])('is never reached where all ways of the one before end: %s', (_, step) => {
    expect(found(step, { ...go('a') }, go('c'))).toEqual(['step.unreachable /0/steps/1'])
  })

  it('says which step before it ends all runs', () => {
    const pack = definePack([steps(branch({ else: [end('f')] }), go('a'))])
    expect(reviewPack(pack)).toMatchObject([
      {
        severity: 'warning',
        message: 'This step is never reached: whichever way it goes on from "b", the run ends.',
      },
    ])
  })

  it.each([
    ['one case goes on', waitFor({ then: [end('e')] })],
    ['there is no else', branch({})],
    ['an outcome of a message is left out', message({ accepted: [end('e')], suppressed: [end('g')] })],
    ['one variant goes on', split([end('e')], undefined)],
    ['another journey lets nobody in', { id: 'i', start: { journey: 'j' }, then: [end('e')] }],
    ['a coupon was issued', { id: 'i', issue: { offer: 'o' }, else: [end('e')] }],
    ['the trait says a date', { id: 'i', wait: { trait: 'birthday' }, else: [end('e')] }],
  ])('is reached where %s', (_, step) => {
    expect(found(step, go('a'))).toEqual([])
  })

  it('may be where runs of an earlier definition go on', () => {
    const rules = [{ ...steps(end('e'), go('a')), earlier: { moveTo: 'a' } }]
    expect(reviewPack(definePack(rules))).toEqual([])
  })
})

describe('what a wait does without a date', () => {
  it('is never done where it does not wait for one', () => {
    expect(found({ ...go('a'), else: [end('e')] })).toEqual(['step.unreachable /0/steps/0/else'])
    expect(found({ id: 'a', wait: { until: '09:00' }, else: [end('e')] })).toEqual(['step.unreachable /0/steps/0/else'])
  })
})
