import { describe, expect, it } from 'vitest'
import { atLeast, journey, tag, tagged } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'
import { nextInstant } from './subject.js'
import { upgrade } from './upgrade.js'

const AT = Date.parse('2026-03-02T08:00:00Z')

describe('other rules', () => {
  const cases = [{ id: 'vip', conditions: tagged('vip'), then: [{ id: 'is-vip', exit: { reason: 'vip' } }] }]
  const waits = journey('remind', [{ id: 'what', waitFor: { any: cases, timeout: '30d' } }])
  const rulesWith = (clicks: number) => programOf(tag('vip', atLeast(clicks, 'click')), waits)

  function upgraded(clicks: number) {
    const before = new TestSubject(rulesWith(3))
    before.event('cart', '2026-03-01T08:00:00Z')
    before.event('click', '2026-03-01T09:00:00Z')
    const program = rulesWith(clicks)
    const options = { at: AT, missing: [], filled: new Map(), greet: false }
    const { state, decisions } = upgrade(before.key, before.state, program, options)
    const after = new TestSubject(program)
    after.state = state
    return { after, decisions }
  }

  it('let a run that waits for conditions look at them, as soon as time goes on', () => {
    const { after, decisions } = upgraded(1)
    expect(decisions.map(({ decision }) => decision)).toEqual(['tag.added'])
    expect(nextInstant(after.state)).toBe(AT)

    after.instant(AT)

    expect(after.said('journey.exited')).toMatchObject([{ reason: 'vip' }])
  })

  it('leave a run waiting whose conditions do not hold by them', () => {
    const { after } = upgraded(2)
    after.instant(AT)
    expect(after.decisions).toEqual([])
    expect(after.next).toBe('2026-03-31T08:00:00.000Z')

    after.event('click', '2026-03-03T08:00:00Z')

    expect(after.said('journey.exited')).toMatchObject([{ reason: 'vip' }])
  })
})
