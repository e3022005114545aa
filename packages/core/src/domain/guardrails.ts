import { consentOf, firstInstantOf, type MessageClass, type Policy, zoneFor } from '@linli/rules'
import { Temporal } from 'temporal-polyfill'
import type { SubjectState } from './subject.js'

/** A message that is about to be sent. */
export interface MessageAtHand {
  readonly channel: string
  readonly class: MessageClass
}

/** What policies say of a message at an instant. */
export type Ruling =
  | { readonly ruling: 'send' }
  /** Not now: ask again at `until`. */
  | { readonly ruling: 'defer'; readonly policy: string; readonly reason: 'quiet hours'; readonly until: number }
  | {
      readonly ruling: 'suppress'
      readonly policy: string
      readonly reason: 'opted out' | 'no consent' | 'cap'
      /** What would have been needed. */
      readonly needed: string
    }

/**
 * Whether a message may be sent now. A withdrawal of consent is obeyed whatever the policies; then consent, quiet hours
 * and caps, in this order.
 */
export function rule(state: SubjectState, message: MessageAtHand, policies: readonly Policy[], at: number): Ruling {
  const consent = consentOf(state.consent, message.channel, message.class)
  if (consent === false) {
    return { ruling: 'suppress', policy: 'consent', reason: 'opted out', needed: 'a later consent_granted event' }
  }
  const applying = policies.filter((policy) => applies(policy, message))
  const rulings = applying
    .map((policy) => rulingOf(policy, state, message, consent, at))
    .filter((ruling) => ruling !== undefined)
  return (
    rulings.find(({ ruling, reason }) => ruling === 'suppress' && reason === 'no consent') ??
    latestDeferral(rulings) ??
    rulings[0] ?? { ruling: 'send' }
  )
}

function applies({ classes, channels }: Policy, message: MessageAtHand): boolean {
  return classes.has(message.class) && (channels === undefined || channels.has(message.channel))
}

function latestDeferral(rulings: readonly Ruling[]): Ruling | undefined {
  return rulings
    .filter((ruling) => ruling.ruling === 'defer')
    .reduce<Extract<Ruling, { ruling: 'defer' }> | undefined>(
      (latest, ruling) => (latest === undefined || ruling.until > latest.until ? ruling : latest),
      undefined,
    )
}

function rulingOf(
  policy: Policy,
  state: SubjectState,
  message: MessageAtHand,
  consent: boolean | undefined,
  at: number,
): Exclude<Ruling, { ruling: 'send' }> | undefined {
  if (policy.kind === 'consent') {
    const needed = `a consent_granted event for ${message.class} on ${message.channel}`
    return consent === true ? undefined : { ruling: 'suppress', policy: policy.id, reason: 'no consent', needed }
  }
  if (policy.kind === 'quietHours') {
    const until = quietUntil(policy, zoneFor(state, policy.timeZone), at)
    return until === undefined ? undefined : { ruling: 'defer', policy: policy.id, reason: 'quiet hours', until }
  }
  const counted = state.sends.filter(
    ([sentAt, channel, messageClass]) =>
      sentAt + policy.withinMs > at && applies(policy, { channel, class: messageClass }),
  )
  if (counted.length < policy.max) return undefined
  const oldest = counted[counted.length - policy.max]
  const needed =
    oldest === undefined ? 'a higher cap' : `a send after ${new Date(oldest[0] + policy.withinMs).toISOString()}`
  return { ruling: 'suppress', policy: policy.id, reason: 'cap', needed }
}

/** The first instant at which it is no longer quiet; undefined when it is not quiet at `at`. */
function quietUntil(
  { fromMinute, toMinute }: Extract<Policy, { kind: 'quietHours' }>,
  timeZone: string,
  at: number,
): number | undefined {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  const minute = local.hour * 60 + local.minute
  const overnight = fromMinute > toMinute
  const quiet = overnight ? minute >= fromMinute || minute < toMinute : minute >= fromMinute && minute < toMinute
  if (!quiet) return undefined
  const endsTomorrow = overnight && minute >= fromMinute
  const day = local.toPlainDate().add({ days: endsTomorrow ? 1 : 0 })
  const time = Temporal.PlainTime.from({ hour: Math.floor(toMinute / 60), minute: toMinute % 60 })
  const end = firstInstantOf(day.toPlainDateTime(time), timeZone)
  return end > at ? end : undefined
}

/** The state with one more message that counts for caps, and without those that no longer do. */
export function recordSend(
  state: SubjectState,
  message: MessageAtHand,
  deliveryKey: string,
  policies: readonly Policy[],
  at: number,
): SubjectState {
  const longest = Math.max(0, ...policies.map((policy) => (policy.kind === 'cap' ? policy.withinMs : 0)))
  const kept = state.sends.filter(([sentAt, , , key]) => key !== deliveryKey && sentAt + longest > at)
  return { ...state, sends: [...kept, [at, message.channel, message.class, deliveryKey]] }
}

/** The state without a message that was certainly not sent after all. */
export function forgetSend(state: SubjectState, deliveryKey: string): SubjectState {
  return { ...state, sends: state.sends.filter(([, , , key]) => key !== deliveryKey) }
}
