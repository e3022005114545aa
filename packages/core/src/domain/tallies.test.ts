import { compileProgram, definePack } from '@linli/rules'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instant, programOf } from '../../testing/subject.js'
import { rule } from './guardrails.js'
import type { MessageAtHand } from './policy-scope.js'
import { UNBORN } from './subject.js'
import { madeBy, outdatedAt, type SharedPolicy, sharedPolicies, type Tally, takenBy } from './tallies.js'

const NOON = instant('2026-03-01T12:00:00+08:00')
const HOUR = 3_600_000
const PROMOTION: MessageAtHand = { channel: 'sms', class: 'promotion', journey: 'remind' }
const SERVICE: MessageAtHand = { channel: 'sms', class: 'service', journey: 'ready' }

function policyOf(policy: object): SharedPolicy {
  const [found] = sharedPolicies(programOf({ kind: 'policy', id: 'p', ...policy }).policies)
  if (found === undefined) throw new Error('it is not shared')
  return found
}

/** What everybody gets, under one policy. */
class Street {
  readonly sent: { readonly message: MessageAtHand; readonly at: number }[] = []
  tallies: Tally[] = []

  constructor(readonly policy: SharedPolicy) {}

  send(message: MessageAtHand, at: number) {
    const ruling = rule(UNBORN, message, [this.policy], at, () => this.tallies)
    if (ruling.ruling !== 'send') return ruling
    this.tallies.push(...takenBy([this.policy], message, 'c', at), ...madeBy([this.policy], message, 'c', at))
    this.tallies = this.tallies.filter(({ until }) => until > outdatedAt(this.policy, at))
    this.sent.push({ message, at })
    return ruling
  }

  within(ms: number, at: number, message: MessageAtHand): number {
    return this.sent.filter((one) => one.at > at - ms && one.message === message).length
  }
}

describe('a budget', () => {
  it('lets through as many as it says, and says when there is room again', () => {
    const street = new Street(policyOf({ budget: { messages: 2, within: '200s' } }))
    expect(street.send(PROMOTION, NOON).ruling).toBe('send')
    expect(street.send(SERVICE, NOON + 1000).ruling).toBe('send')

    const refused = street.send(PROMOTION, NOON + 2000)
    // A stretch is a 200th: one second. What was sent at its first instant counts until all of it has left.
    const room = NOON + 999 + 200_000
    expect(refused).toMatchObject({ ruling: 'suppress', policy: 'p', reason: 'budget' })
    expect(refused).toMatchObject({ needed: `a send after ${new Date(room).toISOString()}` })
    expect(street.send(PROMOTION, room - 1).ruling).toBe('suppress')
    expect(street.send(PROMOTION, room).ruling).toBe('send')
  })

  it('of money adds up without a rest', () => {
    const street = new Street(policyOf({ budget: { money: 0.3, costs: { sms: 0.1 } } }))
    expect([1, 2, 3, 4].map((at) => street.send(PROMOTION, at).ruling)).toEqual(['send', 'send', 'send', 'suppress'])
    expect(street.send(PROMOTION, 5)).toMatchObject({ needed: 'a higher budget' })
    expect(street.send({ ...PROMOTION, channel: 'wechat' }, 6).ruling).toBe('send')
  })

  it('of a calendar day is whole again at midnight of its zone', () => {
    const street = new Street(policyOf({ budget: { messages: 1, during: 'today' } }))
    const midnight = instant('2026-03-02T00:00:00+08:00')
    expect(street.send(PROMOTION, NOON).ruling).toBe('send')
    expect(street.send(PROMOTION, midnight - 1)).toMatchObject({ needed: 'a send after 2026-03-01T16:00:00.000Z' })
    expect(street.send(PROMOTION, midnight).ruling).toBe('send')
    const abroad = new Street(policyOf({ budget: { messages: 1, during: 'today', timeZone: 'America/New_York' } }))
    expect([NOON + 2 * HOUR, midnight].map((at) => abroad.send(PROMOTION, at).ruling)).toEqual(['send', 'suppress'])
  })

  it('is about its classes, channels and journeys', () => {
    const street = new Street(policyOf({ budget: { messages: 0, classes: ['promotion'], channels: ['sms'] } }))
    expect(street.send(SERVICE, NOON).ruling).toBe('send')
    expect(street.send({ ...PROMOTION, channel: 'wechat' }, NOON).ruling).toBe('send')
    expect(street.send(PROMOTION, NOON).ruling).toBe('suppress')
    const only = compileProgram(
      definePack([
        { kind: 'journey', id: 'ready', entry: { on: 'event', event: 'x' }, steps: [{ id: 'w', wait: '1d' }] },
        { kind: 'policy', id: 'p', budget: { messages: 0, journeys: ['ready'] } },
      ]),
    ).policies
    expect(rule(UNBORN, PROMOTION, only, NOON, () => []).ruling).toBe('send')
    expect(rule(UNBORN, SERVICE, only, NOON, () => []).ruling).toBe('suppress')
  })

  it('of communities says nothing of those who belong to none', () => {
    const policy = policyOf({ budget: { messages: 0, of: 'community' } })
    expect(rule(UNBORN, PROMOTION, [policy], NOON, () => undefined).ruling).toBe('send')
    expect(takenBy([policy], PROMOTION, undefined, NOON)).toEqual([])
  })

  it('of any rolling window is never exceeded, and keeps no room back for longer than a 200th of the window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 * 60_000 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (gaps, max) => {
          const street = new Street(policyOf({ budget: { messages: max, within: '1h' } }))
          let at = NOON
          for (const gap of gaps) {
            at += gap
            const { ruling } = street.send(PROMOTION, at)
            if (street.within(HOUR, at, PROMOTION) > max) return false
            if (ruling === 'suppress' && street.within(HOUR + HOUR / 200, at, PROMOTION) < max) return false
          }
          return true
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a mix of a community', () => {
  it('lets one promotion through after four other messages, whoever got them', () => {
    const street = new Street(policyOf({ mix: { share: 0.2, of: 'community' } }))
    for (const before of [0, 1, 2, 3]) {
      const lacking = 4 - before
      expect(street.send(PROMOTION, NOON)).toEqual({
        ruling: 'suppress',
        policy: 'p',
        reason: 'mix',
        needed: `${lacking} more message${lacking === 1 ? '' : 's'} of other classes to the community in 7d`,
      })
      expect(street.send(SERVICE, NOON).ruling).toBe('send')
    }
    expect(street.send(PROMOTION, NOON + HOUR).ruling).toBe('send')
    expect(street.send(PROMOTION, NOON + HOUR).ruling).toBe('suppress')
  })

  it('never lets promotions be more than their share of the last hours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 15 * 60_000 }), fc.boolean()), { minLength: 10, maxLength: 80 }),
        fc.constantFrom(0.2, 0.3, 0.5),
        (messages, share) => {
          const street = new Street(policyOf({ mix: { share, within: '2h', of: 'community' } }))
          let at = NOON
          for (const [gap, isPromotion] of messages) {
            at += gap
            const { ruling } = street.send(isPromotion ? PROMOTION : SERVICE, at)
            if (ruling !== 'send' || !isPromotion) continue
            const promotions = street.within(2 * HOUR, at, PROMOTION)
            const all = promotions + street.within(2 * HOUR, at, SERVICE)
            if (promotions > share * all + 1e-9) return false
          }
          return true
        },
      ),
      { numRuns: 300 },
    )
  })
})
