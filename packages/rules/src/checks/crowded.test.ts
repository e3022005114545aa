import { describe, expect, it } from 'vitest'
import { count, steps, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = (id: string, more: object = {}) => ({
  id,
  send: { template: 't', channel: 'sms', class: 'content', ...more },
})
const wait = (length: string) => ({ id: `w${length}`, wait: length })
const cap = (more: object = {}) => ({ kind: 'policy', id: 'few', cap: { max: 2, within: '7d', ...more } })

function review(list: readonly unknown[], ...policies: readonly unknown[]) {
  return reviewPack(definePack([steps(...list), template('x'), ...(policies.length > 0 ? policies : [cap()])]))
}

function found(...args: Parameters<typeof review>): string[] {
  return review(...args).map(({ code, pointer }) => `${code} ${pointer}`)
}

describe('a message that a cap always keeps back', () => {
  it('is one more than it lets through, and the numbers are told', () => {
    expect(review([send('a'), wait('1d'), send('b'), wait('3d'), send('c')])).toMatchObject([
      {
        severity: 'warning',
        code: 'message.capped',
        pointer: '/0/steps/4',
        found: '"c"',
        message:
          'This is kept back where those before it were sent: on every way here the run sends 2 messages at most 4d before it, and the policy "few" lets 2 through in 7d. Wait longer between them, or send fewer.',
      },
    ])
    expect(found([send('a'), send('b'), send('c'), send('d')])).toEqual([
      'message.capped /0/steps/2',
      'message.capped /0/steps/3',
    ])
  })

  it('is one on a way of its own', () => {
    const vip = { id: 'vip', branch: [{ conditions: count(), then: [send('c')] }] }
    expect(found([send('a'), send('b'), vip])).toEqual(['message.capped /0/steps/2/branch/0/then/0'])
  })

  it('is none that waits until there is room', () => {
    expect(found([send('a'), send('b'), wait('7d'), send('c')])).toEqual([])
    expect(found([send('a'), wait('4d'), send('b'), wait('3d'), send('c')])).toEqual([])
    expect(found([send('a'), send('b'), { id: 'w', waitFor: { event: 'x', timeout: '7d' } }, send('c')])).toEqual([])
    expect(found([send('a'), send('b'), { id: 'w', wait: { until: '09:00', weekdays: [1] } }, send('c')])).toEqual([])
    expect(found([send('a'), send('b'), { id: 'w', wait: { trait: 'd' } }, send('c')])).toEqual([])
    expect(found([send('a'), send('b'), { id: 'w', wait: { until: '09:00' } }, send('c')])).toHaveLength(1)
  })

  it('is none that not all ways to it make one too many', () => {
    const vip = { id: 'vip', branch: [{ conditions: count(), then: [send('b')] }] }
    expect(found([send('a'), vip, send('c')])).toEqual([])
    expect(found([send('a'), { ...vip, else: [send('d')] }, send('c')])).toEqual(['message.capped /0/steps/2'])
  })

  it('is one of the classes and channels of the cap, whichever channel it takes', () => {
    const few = (more: object) => cap({ max: 1, ...more })
    expect(found([send('a'), send('b', { class: 'service' })], few({ classes: ['content'] }))).toEqual([])
    expect(found([send('a'), send('b', { channel: ['sms', 'app'] })], few({ channels: ['sms'] }))).toEqual([])
    expect(found([send('a'), send('b', { channel: ['sms', 'app'] })], few({ channels: ['sms', 'app'] }))).toHaveLength(
      1,
    )
  })

  it('is none that is sent because another was not', () => {
    const by = (on: object) => ({ ...send('a'), on })
    const few = cap({ max: 1 })
    expect(found([by({ suppressed: [send('b')] })], few)).toEqual([])
    expect(found([by({ accepted: [send('b')] })], few)).toEqual(['message.capped /0/steps/0/on/accepted/0'])
    expect(found([by({ accepted: [wait('9d')] }), send('b')], few)).toEqual([])
    expect(found([by({ refused: [wait('9d')] }), send('b')], few)).toEqual([])
    expect(found([by({ refused: [{ id: 'e', exit: {} }] }), send('b')], few)).toEqual(['message.capped /0/steps/1'])
  })

  it('is not counted itself', () => {
    const list = [send('a'), send('b'), send('c'), wait('6d'), send('d'), wait('1d'), send('e')]
    expect(found(list)).toEqual(['message.capped /0/steps/2', 'message.capped /0/steps/4'])
  })

  it('may be sent where quiet hours put it off for long enough', () => {
    const night = { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00' } }
    const list = (length: string) => [send('a'), send('b'), wait(length), send('c')]
    expect(found(list('6d'), cap(), night)).toEqual(['message.capped /0/steps/3'])
    expect(found(list('162h'), cap())).toEqual(['message.capped /0/steps/3'])
    expect(found(list('162h'), cap(), night)).toEqual([])
  })

  it('is not looked for where a cap stops everything', () => {
    expect(found([send('a'), send('b')], cap({ max: 0 }))).toEqual([])
  })
})
