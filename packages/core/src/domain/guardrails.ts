import {
  consentOf,
  DEFAULT_ZONE,
  firstInstantOf,
  isSteady,
  type MessageClass,
  offsetAt,
  type Policy,
  type PolicyScope,
  zoneFor,
} from '@linli/rules'
import { Temporal } from 'temporal-polyfill'
import type { SendRecord, SubjectState } from './subject.js'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** A message that is about to be sent. */
export interface MessageAtHand {
  readonly channel: string
  readonly class: MessageClass
  /** The journey that sends it. */
  readonly journey: string
}

/** What policies say of a message at an instant. */
export type Ruling =
  | { readonly ruling: 'send' }
  /** Not now: ask again at `until`. */
  | { readonly ruling: 'defer'; readonly policy: string; readonly reason: 'quiet hours'; readonly until: number }
  | {
      readonly ruling: 'suppress'
      readonly policy: string
      readonly reason: 'opted out' | 'no consent' | 'cap' | 'quota' | 'mix'
      /** What would have been needed. */
      readonly needed: string
    }

/**
 * Whether a message may be sent now. A withdrawal of consent is obeyed whatever the policies; then consent, quiet hours,
 * and what is about numbers of messages (caps, quotas, mixes), in this order.
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

function applies(policy: Policy, { channel, class: messageClass, journey }: MessageAtHand): boolean {
  const wanted = policy.kind !== 'cap' || policy.journeys === undefined || policy.journeys.has(journey)
  return wanted && covers(policy, channel, messageClass)
}

function covers({ classes, channels }: PolicyScope, channel: string, messageClass: MessageClass): boolean {
  return classes.has(messageClass) && (channels === undefined || channels.has(channel))
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
  return policy.kind === 'cap' ? capped(policy, state, at) : mixed(policy, state, at)
}

type CapPolicy = Extract<Policy, { kind: 'cap' }>
type MixPolicy = Extract<Policy, { kind: 'mix' }>
type Suppression = Extract<Ruling, { ruling: 'suppress' }>

function capped(policy: CapPolicy, state: SubjectState, at: number): Suppression | undefined {
  const { window, reason } = policy
  const from = window.from(state, at)
  const counted = state.sends.filter((sent) => sent[0] >= from && counts(policy, sent))
  const max = policy.max === 'daysOfMonth' ? daysOfMonth(policy, at) : policy.max
  if (counted.length < max) return undefined
  const oldest = counted[counted.length - max]
  const needed = oldest === undefined ? 'a higher cap' : `a send after ${isoOf(window.ends(state, oldest[0]))}`
  return { ruling: 'suppress', policy: policy.id, reason, needed }
}

/** Whether a message that was sent counts for a cap. */
function counts({ journeys, ...scope }: CapPolicy, [, channel, messageClass, , journey]: SendRecord): boolean {
  return covers(scope, channel, messageClass) && (journeys === undefined || journeys.has(journey ?? ''))
}

/** How many days the month has that `at` lies in, by the zone of the quota. */
function daysOfMonth({ definition }: CapPolicy, at: number): number {
  const zone = 'quota' in definition ? definition.quota.timeZone : undefined
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone ?? DEFAULT_ZONE).daysInMonth
}

/** Of all messages with this one, those of the policy's classes may be no more than its share. */
function mixed({ id, classes, channels, share, window }: MixPolicy, state: SubjectState, at: number) {
  const from = window.from(state, at)
  const inChannels = state.sends.filter(([sentAt, channel]) => sentAt >= from && (channels?.has(channel) ?? true))
  const alike = inChannels.filter(([, , messageClass]) => classes.has(messageClass)).length + 1
  const all = inChannels.length + 1
  if (alike <= share * all + ROUNDING) return undefined
  const lacking = share === 0 ? Number.POSITIVE_INFINITY : Math.ceil(alike / share - ROUNDING) - all
  const needed = Number.isFinite(lacking)
    ? `${lacking} more message${lacking === 1 ? '' : 's'} of other classes in ${window.text}`
    : 'a higher share'
  return { ruling: 'suppress', policy: id, reason: 'mix', needed } as const
}

/** What shares may be off by, for numbers such as 0.2 are not exact. */
const ROUNDING = 1e-9

function isoOf(at: number): string {
  return new Date(at).toISOString()
}

/** The first instant at which it is no longer quiet; undefined when it is not quiet at `at`. */
function quietUntil(
  { fromMinute, toMinute }: Extract<Policy, { kind: 'quietHours' }>,
  timeZone: string,
  at: number,
): number | undefined {
  const local = at + offsetAt(timeZone, at)
  const day = Math.floor(local / DAY_MS)
  const minute = Math.floor((local - day * DAY_MS) / MINUTE_MS)
  const overnight = fromMinute > toMinute
  const quiet = overnight ? minute >= fromMinute || minute < toMinute : minute >= fromMinute && minute < toMinute
  if (!quiet) return undefined
  const endsTomorrow = overnight && minute >= fromMinute
  const localEnd = (endsTomorrow ? day + 1 : day) * DAY_MS + toMinute * MINUTE_MS
  const end = at + (localEnd - local)
  if (isSteady(timeZone, at, end)) return end
  // Clocks are changed in between: what they show then is looked up.
  const shown = Temporal.Instant.fromEpochMilliseconds(localEnd).toZonedDateTimeISO('UTC').toPlainDateTime()
  const first = firstInstantOf(shown, timeZone)
  return first > at ? first : undefined
}

/** The state with one more message that counts for caps, and without those that no longer do. */
export function recordSend(
  state: SubjectState,
  message: MessageAtHand,
  deliveryKey: string,
  policies: readonly Policy[],
  at: number,
): SubjectState {
  const longest = Math.max(0, ...policies.map((policy) => ('window' in policy ? policy.window.longestMs : 0)))
  const kept = state.sends.filter(([sentAt, , , key]) => key !== deliveryKey && sentAt + longest > at)
  return { ...state, sends: [...kept, [at, message.channel, message.class, deliveryKey, message.journey]] }
}

/** The state without a message that was certainly not sent after all. */
export function forgetSend(state: SubjectState, deliveryKey: string): SubjectState {
  return { ...state, sends: state.sends.filter(([, , , key]) => key !== deliveryKey) }
}

/** The state with a message that was sent after all, and counts for caps since it was: where it does not yet. */
export function restoreSend(
  state: SubjectState,
  message: MessageAtHand,
  deliveryKey: string,
  sentAt: number,
): SubjectState {
  if (state.sends.some(([, , , key]) => key === deliveryKey)) return state
  const sent = [sentAt, message.channel, message.class, deliveryKey, message.journey] as const
  // Caps read them in the order in which they were sent.
  return { ...state, sends: [...state.sends, sent].sort(([one], [other]) => one - other) }
}
