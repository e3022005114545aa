import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instant, programOf } from '../../testing/subject.js'
import { forgetSend, recordSend, rule } from './guardrails.js'
import type { MessageAtHand } from './policy-scope.js'
import { type SubjectState, UNBORN } from './subject.js'

const NOON = '2026-03-01T12:00:00+08:00'
const PROMOTION: MessageAtHand = { channel: 'sms', class: 'promotion', journey: 'remind' }
const SERVICE: MessageAtHand = { channel: 'sms', class: 'service', journey: 'ready' }

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

describe('a cap of a period of the calendar', () => {
  const oneADay = policiesOf({ cap: { max: 1, during: 'today' } })
  const late = recordSend(inZone('Asia/Urumqi'), PROMOTION, 'k', oneADay, instant('2026-03-01T23:59:59+06:00'))

  it("begins anew at midnight of the recipient's own zone", () => {
    const rest = recordSend(UNBORN, PROMOTION, 'k', oneADay, instant('2026-03-01T09:00:00+08:00'))

    expect(rule(rest, PROMOTION, oneADay, instant('2026-03-01T23:59:59.999+08:00'))).toMatchObject({
      reason: 'cap',
      needed: 'a send after 2026-03-01T16:00:00.000Z',
    })
    expect(rule(rest, PROMOTION, oneADay, instant('2026-03-02T00:00:00+08:00')).ruling).toBe('send')
    expect(rule(late, PROMOTION, oneADay, instant('2026-03-02T00:00:00+06:00')).ruling).toBe('send')
  })

  it('keeps what counts until the period is over', () => {
    const monthly = policiesOf({ cap: { max: 1, during: 'thisMonth' } })
    const first = recordSend(UNBORN, PROMOTION, 'a', monthly, instant('2026-03-01T00:00:00+08:00'))
    const last = recordSend(first, PROMOTION, 'b', monthly, instant('2026-03-31T23:00:00+08:00'))

    expect(last.sends).toHaveLength(2)
  })

  it('says in which time, in one way', () => {
    expect(() => policiesOf({ cap: { max: 1 } })).toThrow(/window.one/)
    expect(() => policiesOf({ cap: { max: 1, within: '1d', during: 'today' } })).toThrow(/window.one/)
  })
})

describe('a cap of some journeys', () => {
  const rules = [
    { kind: 'template', id: 'hello', body: 'Hello' },
    ...['remind', 'ready'].map((id) => ({
      kind: 'journey',
      id,
      entry: { on: 'event', event: 'cart' },
      steps: [{ id: 'push', send: { template: 'hello', channel: 'sms', class: 'promotion' } }],
    })),
  ]
  const cap = (journeys: readonly string[]) => ({
    kind: 'policy',
    id: 'one',
    cap: { max: 1, within: '7d', journeys },
  })

  it('counts and keeps back their messages only', () => {
    const { policies } = programOf(...rules, cap(['remind']))
    const other = { ...PROMOTION, journey: 'ready' }
    const once = recordSend(UNBORN, PROMOTION, 'a', policies, instant(NOON))
    const elsewhere = recordSend(UNBORN, other, 'a', policies, instant(NOON))

    expect(rule(once, PROMOTION, policies, instant(NOON)).ruling).toBe('suppress')
    expect(rule(once, other, policies, instant(NOON)).ruling).toBe('send')
    expect(rule(elsewhere, PROMOTION, policies, instant(NOON)).ruling).toBe('send')
  })

  it('names journeys that there are', () => {
    expect(() => programOf(...rules, cap(['remined']))).toThrow(/Did you mean "remind"/)
  })
})

describe('a quota', () => {
  const wecom = policiesOf({ quota: { channels: ['wecom'], max: 'daysOfMonth', during: 'thisMonth' } })
  const message: MessageAtHand = { channel: 'wecom', class: 'service', journey: 'ready' }
  const sentTimes = (count: number, at: string) =>
    Array.from({ length: count }).reduce<SubjectState>(
      (state, _, index) => recordSend(state, message, `k${index}`, wecom, instant(at)),
      UNBORN,
    )

  it('lets as many messages through in a month as it has days', () => {
    const FEBRUARY = '2026-02-10T12:00:00+08:00'

    expect(rule(sentTimes(27, FEBRUARY), message, wecom, instant(FEBRUARY)).ruling).toBe('send')
    expect(rule(sentTimes(28, FEBRUARY), message, wecom, instant(FEBRUARY))).toMatchObject({
      ruling: 'suppress',
      policy: 'p0',
      reason: 'quota',
      needed: 'a send after 2026-02-28T16:00:00.000Z',
    })
    expect(rule(sentTimes(28, NOON), message, wecom, instant(NOON)).ruling).toBe('send')
  })

  it("goes by the provider's zone, not the recipient's", () => {
    const abroad = { ...sentTimes(28, '2026-02-10T12:00:00+08:00'), traits: inZone('America/New_York').traits }

    expect(rule(abroad, message, wecom, instant('2026-03-01T00:00:00+08:00')).ruling).toBe('send')
  })

  it('is of its channels only', () => {
    const full = sentTimes(28, '2026-02-10T12:00:00+08:00')

    expect(rule(full, { ...message, channel: 'sms' }, wecom, instant('2026-02-11T12:00:00+08:00')).ruling).toBe('send')
  })
})

describe('a mix', () => {
  const fifth = policiesOf({ mix: { share: 0.2 } })
  const sent = (services: number, promotions: number, at = NOON) => {
    const messages = [...Array(services).fill(SERVICE), ...Array(promotions).fill(PROMOTION)] as MessageAtHand[]
    return messages.reduce<SubjectState>(
      (state, message, index) => recordSend(state, message, `k${index}`, fifth, instant(at)),
      UNBORN,
    )
  }

  it('lets a promotion through once there are enough other messages in 7 days', () => {
    expect(rule(sent(4, 0), PROMOTION, fifth, instant(NOON)).ruling).toBe('send')
    expect(rule(sent(3, 0), PROMOTION, fifth, instant(NOON))).toEqual({
      ruling: 'suppress',
      policy: 'p0',
      reason: 'mix',
      needed: '1 more message of other classes in 7d',
    })
    expect(rule(sent(8, 1), PROMOTION, fifth, instant(NOON)).ruling).toBe('send')
    expect(rule(sent(7, 1), PROMOTION, fifth, instant(NOON)).ruling).toBe('suppress')
    expect(rule(UNBORN, PROMOTION, fifth, instant(NOON))).toMatchObject({
      needed: '4 more messages of other classes in 7d',
    })
  })

  it('does not hold other messages', () => {
    expect(rule(sent(0, 3), SERVICE, fifth, instant(NOON)).ruling).toBe('send')
  })

  it('looks at the last 7 days, to the millisecond', () => {
    const state = sent(4, 0, '2026-03-01T00:00:00Z')

    expect(rule(state, PROMOTION, fifth, instant('2026-03-07T23:59:59.999Z')).ruling).toBe('send')
    expect(rule(state, PROMOTION, fifth, instant('2026-03-08T00:00:00.000Z')).ruling).toBe('suppress')
  })

  it('of zero lets no promotion through, of one all', () => {
    expect(rule(sent(9, 0), PROMOTION, policiesOf({ mix: { share: 0 } }), instant(NOON))).toMatchObject({
      needed: 'a higher share',
    })
    expect(rule(UNBORN, PROMOTION, policiesOf({ mix: { share: 1 } }), instant(NOON)).ruling).toBe('send')
  })

  it('is exact for shares that are not, such as 0.3', () => {
    expect(rule(sent(7, 2), PROMOTION, policiesOf({ mix: { share: 0.3 } }), instant(NOON)).ruling).toBe('send')
  })
})

describe('policies about numbers', () => {
  const HOUR = 3_600_000
  const message = fc.record({
    channel: fc.constantFrom('sms', 'wecom'),
    class: fc.constantFrom('service' as const, 'content' as const, 'promotion' as const),
    journey: fc.constant('remind'),
  })
  const limits = [
    { cap: { max: 3, within: '2d' } },
    { cap: { max: 2, during: 'thisWeek', classes: ['promotion'] } },
    { quota: { channels: ['wecom'], max: 1, during: 'today' } },
    { mix: { share: 0.4, within: '3d' } },
  ]

  it('hold for whatever is sent, whenever', () => {
    const policies = policiesOf(...limits)
    const sends = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 * HOUR }), message), { maxLength: 60 })
    fc.assert(
      fc.property(sends, (tries) => {
        let [state, at] = [UNBORN, instant('2026-03-01T00:00:00Z')]
        const sent: (MessageAtHand & { readonly at: number })[] = []
        for (const [index, [pause, one]] of tries.entries()) {
          at += pause
          if (rule(state, one, policies, at).ruling !== 'send') continue
          state = recordSend(state, one, `k${index}`, policies, at)
          sent.push({ ...one, at })
        }
        for (const { at: end, class: messageClass } of sent) {
          const since = (from: number) => sent.filter((one) => one.at >= from && one.at <= end)
          const promotions = (from: number) => since(from).filter((one) => one.class === 'promotion').length
          const day = Math.floor((end + 8 * HOUR) / (24 * HOUR)) * 24 * HOUR - 8 * HOUR
          // The epoch began on a Thursday.
          const week = day - ((Math.floor((end + 8 * HOUR) / (24 * HOUR)) + 3) % 7) * 24 * HOUR
          const [inTwo, inThree] = [end - 48 * HOUR + 1, end - 72 * HOUR + 1]
          expect(since(inTwo).length).toBeLessThanOrEqual(3)
          expect(promotions(week)).toBeLessThanOrEqual(2)
          expect(since(day).filter(({ channel }) => channel === 'wecom').length).toBeLessThanOrEqual(1)
          if (messageClass === 'promotion') {
            expect(promotions(inThree)).toBeLessThanOrEqual(0.4 * since(inThree).length + 1e-9)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
