import { describe, expect, it } from 'vitest'
import { optedOut } from '../../../testing/faults/checks.js'
import type { Accepted, Tried } from '../../../testing/faults/orders.js'
import type { ProviderEntry } from './provider.js'

const MINUTE = 60_000

function tried(event: string, at: number, userId = 'u6'): Tried {
  return { type: 'track', event, userId, messageId: `${event}-${at}`, timestamp: at, from: at }
}

function accepted(event: string, at: number, userId?: string): Accepted {
  return { ...tried(event, at, userId), until: at }
}

function sent(at: number, messageClass = 'promotion'): ProviderEntry {
  return { at, key: 'remind', did: 'sent', channel: 'sms', to: 'user:u6', class: messageClass, decidedAt: at }
}

describe('whether somebody who had opted out got a promotion', () => {
  const withdrawn = accepted('consent_withdrawn', 10 * MINUTE)

  it('is so where nothing but their withdrawal is known', () => {
    const evidence = { accepted: [withdrawn], unanswered: [], sent: [sent(12 * MINUTE)] }

    expect(optedOut(evidence)).toEqual([
      'user:u6 had opted out at 1970-01-01T00:10:00.000Z when remind left at 1970-01-01T00:12:00.000Z',
    ])
  })

  it.each([
    { where: 'it left before', sent: [sent(9 * MINUTE)] },
    { where: 'it was no promotion', sent: [sent(12 * MINUTE, 'service')] },
    { where: 'they had granted again', accepted: [withdrawn, accepted('consent_granted', 11 * MINUTE)] },
    {
      where: 'a grant of theirs is in the log, whose process died before it could say so',
      unanswered: [tried('consent_granted', 11 * MINUTE)],
    },
    { where: 'it was somebody else who withdrew', accepted: [accepted('consent_withdrawn', 10 * MINUTE, 'u7')] },
  ])('is not so where $where', ({ where: _, ...more }) => {
    expect(optedOut({ accepted: [withdrawn], unanswered: [], sent: [sent(12 * MINUTE)], ...more })).toEqual([])
  })

  it.each([
    { whose: "somebody else's", unanswered: tried('consent_granted', 11 * MINUTE, 'u7') },
    { whose: 'their own, of before', unanswered: tried('consent_granted', 8 * MINUTE) },
    { whose: 'their own, of after', unanswered: tried('consent_granted', 13 * MINUTE) },
    { whose: 'what is no grant', unanswered: tried('cart', 11 * MINUTE) },
  ])('is not excused by $whose', ({ unanswered }) => {
    const evidence = { accepted: [withdrawn], unanswered: [unanswered], sent: [sent(12 * MINUTE)] }

    expect(optedOut(evidence)).toHaveLength(1)
  })
})
