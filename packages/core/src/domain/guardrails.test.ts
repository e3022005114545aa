import { describe, expect, it } from 'vitest'
import { instant, programOf } from '../../testing/subject.js'
import { forgetSend, type MessageAtHand, recordSend, rule } from './guardrails.js'
import { type SubjectState, UNBORN } from './subject.js'

const NOON = '2026-03-01T12:00:00+08:00'
const PROMOTION: MessageAtHand = { channel: 'sms', class: 'promotion' }
const SERVICE: MessageAtHand = { channel: 'sms', class: 'service' }

const policiesOf = (...policies: readonly Record<string, unknown>[]) =>
  programOf(...policies.map((policy, index) => ({ kind: 'policy', id: `p${index}`, ...policy }))).policies
const said = (consent: Record<string, [boolean, string]>): SubjectState => ({
  ...UNBORN,
  consent: Object.fromEntries(Object.entries(consent).map(([key, [granted, at]]) => [key, [granted, instant(at)]])),
})
const inZone = (timeZone: unknown): SubjectState => ({ ...UNBORN, traits: { timeZone: [timeZone, 1] } })

describe('consent', () => {
  const asked = policiesOf({ consent: {} })

  it('is needed for promotions where a policy asks for it', () => {
    expect(rule(UNBORN, PROMOTION, asked, instant(NOON))).toMatchObject({
      ruling: 'suppress',
      policy: 'p0',
      reason: 'no consent',
      needed: 'a consent_granted event for promotion on sms',
    })
    expect(rule(UNBORN, SERVICE, asked, instant(NOON))).toEqual({ ruling: 'send' })
    expect(rule(UNBORN, PROMOTION, [], instant(NOON))).toEqual({ ruling: 'send' })
  })

  it('counts when it was given for the channel, for the class, or for all', () => {
    for (const key of ['sms|promotion', 'sms|*', '*|promotion', '*|*']) {
      expect(rule(said({ [key]: [true, NOON] }), PROMOTION, asked, instant(NOON))).toEqual({ ruling: 'send' })
    }
    for (const key of ['push|promotion', 'sms|service', 'push|*', '*|content']) {
      expect(rule(said({ [key]: [true, NOON] }), PROMOTION, asked, instant(NOON)).ruling).toBe('suppress')
    }
  })

  it('withdrawn is obeyed whatever the policies', () => {
    const out = said({ '*|*': [false, NOON] })

    for (const message of [PROMOTION, SERVICE]) {
      expect(rule(out, message, [], instant(NOON))).toMatchObject({ ruling: 'suppress', reason: 'opted out' })
    }
  })

  it('is what was said last, also when that was about less or more', () => {
    const EARLIER = '2026-02-01T00:00:00Z'
    const narrowLast = said({ '*|*': [false, EARLIER], 'sms|promotion': [true, NOON] })
    const wideLast = said({ '*|*': [false, NOON], 'sms|promotion': [true, EARLIER] })

    expect(rule(narrowLast, PROMOTION, asked, instant(NOON)).ruling).toBe('send')
    expect(rule(narrowLast, SERVICE, asked, instant(NOON)).ruling).toBe('suppress')
    expect(rule(wideLast, PROMOTION, asked, instant(NOON)).ruling).toBe('suppress')
  })

  it('given and withdrawn at the same instant is withdrawn', () => {
    const both = said({ '*|*': [true, NOON], 'sms|*': [false, NOON] })

    expect(rule(both, PROMOTION, asked, instant(NOON))).toMatchObject({ reason: 'opted out' })
  })
})

describe('quiet hours', () => {
  const night = policiesOf({ quietHours: { from: '22:00', to: '08:00' } })
  const untilOf = (state: SubjectState, at: string, policies = night) => {
    const ruling = rule(state, PROMOTION, policies, instant(at))
    return ruling.ruling === 'defer' ? new Date(ruling.until).toISOString() : ruling.ruling
  }

  it('hold messages over night until their end, in Shanghai when nothing is said', () => {
    expect(untilOf(UNBORN, '2026-03-01T21:59:59.999+08:00')).toBe('send')
    expect(untilOf(UNBORN, '2026-03-01T22:00:00+08:00')).toBe('2026-03-02T00:00:00.000Z')
    expect(untilOf(UNBORN, '2026-03-02T03:00:00+08:00')).toBe('2026-03-02T00:00:00.000Z')
    expect(untilOf(UNBORN, '2026-03-02T07:59:59.999+08:00')).toBe('2026-03-02T00:00:00.000Z')
    expect(untilOf(UNBORN, '2026-03-02T08:00:00+08:00')).toBe('send')
  })

  it('within one day end the same day', () => {
    const lunch = policiesOf({ quietHours: { from: '12:00', to: '14:00' } })

    expect(untilOf(UNBORN, '2026-03-01T11:59:00+08:00', lunch)).toBe('send')
    expect(untilOf(UNBORN, '2026-03-01T13:00:00+08:00', lunch)).toBe('2026-03-01T06:00:00.000Z')
    expect(untilOf(UNBORN, '2026-03-01T14:00:00+08:00', lunch)).toBe('send')
  })

  it("go by the recipient's own time zone", () => {
    const [shanghai, urumqi] = [inZone('Asia/Shanghai'), inZone('Asia/Urumqi')]

    expect(untilOf(shanghai, '2026-03-01T23:00:00+08:00')).toBe('2026-03-02T00:00:00.000Z')
    expect(untilOf(urumqi, '2026-03-01T23:00:00+08:00')).toBe('send')
    expect(untilOf(urumqi, '2026-03-02T09:00:00+08:00')).toBe('2026-03-02T02:00:00.000Z')
  })

  it("go by the policy's zone where the trait is none", () => {
    const berlin = policiesOf({ quietHours: { from: '22:00', to: '08:00', timeZone: 'Europe/Berlin' } })

    for (const odd of ['Mars/Base', 8, null, '']) {
      expect(untilOf(inZone(odd), '2026-01-15T23:00:00+01:00', berlin)).toBe('2026-01-16T07:00:00.000Z')
    }
  })

  it('end at the same local time on the day the clocks change', () => {
    const newYork = inZone('America/New_York')

    expect(untilOf(newYork, '2026-03-07T23:00:00-05:00')).toBe('2026-03-08T12:00:00.000Z')
    expect(untilOf(newYork, '2026-10-31T23:00:00-04:00')).toBe('2026-11-01T13:00:00.000Z')
  })

  it('that would end inside a DST gap end at the first instant after it', () => {
    const policies = policiesOf({ quietHours: { from: '22:00', to: '02:30' } })

    // 02:00 to 03:00 does not exist on this night.
    expect(untilOf(inZone('America/New_York'), '2026-03-08T01:00:00-05:00', policies)).toBe('2026-03-08T07:00:00.000Z')
    expect(untilOf(inZone('America/New_York'), '2026-03-08T03:00:00-04:00', policies)).toBe('send')
  })

  it('that end twice, where clocks go back, end the first time', () => {
    const policies = policiesOf({ quietHours: { from: '22:00', to: '01:30' } })

    expect(untilOf(inZone('America/New_York'), '2026-11-01T01:10:00-04:00', policies)).toBe('2026-11-01T05:30:00.000Z')
  })

  it('do not hold service messages when nothing is said', () => {
    expect(rule(UNBORN, SERVICE, night, instant('2026-03-01T23:00:00+08:00'))).toEqual({ ruling: 'send' })
  })

  it('of several policies last until the latest end', () => {
    const both = policiesOf(
      { quietHours: { from: '22:00', to: '08:00' } },
      { quietHours: { from: '21:00', to: '09:00', channels: ['sms'] } },
    )

    expect(untilOf(UNBORN, '2026-03-01T23:00:00+08:00', both)).toBe('2026-03-02T01:00:00.000Z')
    expect(rule(UNBORN, { ...PROMOTION, channel: 'push' }, both, instant('2026-03-01T23:00:00+08:00'))).toMatchObject({
      until: instant('2026-03-02T00:00:00Z'),
    })
  })

  it('do not hold what will never be sent: a missing consent comes first', () => {
    const both = policiesOf({ quietHours: { from: '22:00', to: '08:00' } }, { consent: {} })

    expect(rule(UNBORN, PROMOTION, both, instant('2026-03-01T23:00:00+08:00'))).toMatchObject({ reason: 'no consent' })
  })
})

describe('a cap', () => {
  const twoAWeek = policiesOf({ cap: { classes: ['promotion'], max: 2, within: '7d' } })
  const send = (state: SubjectState, at: string, message = PROMOTION) =>
    recordSend(state, message, `key-${at}`, twoAWeek, instant(at))
  const twice = send(send(UNBORN, '2026-03-01T12:00:00Z'), '2026-03-03T12:00:00Z')

  it('lets its number through in any window, and no more', () => {
    expect(rule(UNBORN, PROMOTION, twoAWeek, instant(NOON)).ruling).toBe('send')
    expect(rule(twice, PROMOTION, twoAWeek, instant('2026-03-08T11:59:59.999Z'))).toMatchObject({
      ruling: 'suppress',
      reason: 'cap',
      needed: 'a send after 2026-03-08T12:00:00.000Z',
    })
    expect(rule(twice, PROMOTION, twoAWeek, instant('2026-03-08T12:00:00.000Z')).ruling).toBe('send')
  })

  it('counts only messages that it is about', () => {
    const services = send(send(UNBORN, '2026-03-01T12:00:00Z', SERVICE), '2026-03-02T12:00:00Z', SERVICE)

    expect(rule(services, PROMOTION, twoAWeek, instant('2026-03-03T12:00:00Z')).ruling).toBe('send')
    expect(rule(twice, SERVICE, twoAWeek, instant('2026-03-04T12:00:00Z')).ruling).toBe('send')
  })

  it('does not count what was certainly not sent', () => {
    const once = forgetSend(twice, 'key-2026-03-01T12:00:00Z')

    expect(rule(once, PROMOTION, twoAWeek, instant('2026-03-04T12:00:00Z')).ruling).toBe('send')
  })

  it('counts a message once, however often it was repeated', () => {
    const again = recordSend(twice, PROMOTION, 'key-2026-03-01T12:00:00Z', twoAWeek, instant('2026-03-03T13:00:00Z'))

    expect(again.sends).toHaveLength(2)
  })

  it('of zero lets nothing through', () => {
    const none = policiesOf({ cap: { max: 0, within: '1d' } })

    expect(rule(UNBORN, SERVICE, none, instant(NOON))).toMatchObject({ reason: 'cap', needed: 'a higher cap' })
  })

  it('keeps only sends that it can still need', () => {
    const later = send(twice, '2026-04-01T12:00:00Z')

    expect(later.sends).toHaveLength(1)
  })

  it('waits for the quiet hours to end before it is asked', () => {
    const both = policiesOf({ cap: { max: 2, within: '7d' } }, { quietHours: { from: '22:00', to: '08:00' } })

    expect(rule(twice, PROMOTION, both, instant('2026-03-04T23:00:00+08:00')).ruling).toBe('defer')
  })
})
