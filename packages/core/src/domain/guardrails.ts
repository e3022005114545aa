import { consentOf, DEFAULT_ZONE, firstInstantOf, isSteady, offsetAt, type Policy, zoneFor } from '@linli/rules'
import { Temporal } from 'temporal-polyfill'
import { applies, covers, type MessageAtHand, reaches } from './policy-scope.js'
import type { SendRecord, SubjectState } from './subject.js'
import { costOf, isShared, madeAt, roomAt, type SharedPolicy, type TalliesOf, takenAt } from './tallies.js'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** What policies say of a message at an instant. */
export type Ruling =
  | { readonly ruling: 'send' }
  /** Not now: ask again at `until`. */
  | { readonly ruling: 'defer'; readonly policy: string; readonly reason: 'quiet hours'; readonly until: number }
  | {
      readonly ruling: 'suppress'
      readonly policy: string
      readonly reason: 'opted out' | 'no consent' | 'cap' | 'quota' | 'mix' | 'budget'
      /** What would have been needed. */
      readonly needed: string
    }

/**
 * Whether a message may be sent now. A withdrawal of consent is obeyed whatever the policies; then consent, quiet hours,
 * and what is about numbers of messages (caps, quotas, mixes, budgets), in this order. Policies about many people are asked
 * as far as it is known what is counted for them.
 */
export function rule(
  state: SubjectState,
  message: MessageAtHand,
  policies: readonly Policy[],
  at: number,
  talliesOf: TalliesOf = () => undefined,
): Ruling {
  const consent = consentOf(state.consent, message.channel, message.class)
  if (consent === false) {
    return { ruling: 'suppress', policy: 'consent', reason: 'opted out', needed: 'a later consent_granted event' }
  }
  const applying = policies.filter((policy) => applies(policy, message))
  const rulings = applying
    .map((policy) => rulingOf(policy, state, message, consent, at, talliesOf))
    .filter((ruling) => ruling !== undefined)
  return (
    rulings.find(({ ruling, reason }) => ruling === 'suppress' && reason === 'no consent') ??
    latestDeferral(rulings) ??
    rulings[0] ?? { ruling: 'send' }
  )
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
  talliesOf: TalliesOf,
): Exclude<Ruling, { ruling: 'send' }> | undefined {
  if (policy.kind === 'consent') {
    const needed = `a consent_granted event for ${message.class} on ${message.channel}`
    return consent === true ? undefined : { ruling: 'suppress', policy: policy.id, reason: 'no consent', needed }
  }
  if (policy.kind === 'quietHours') {
    const until = quietUntil(policy, zoneFor(state, policy.timeZone), at)
    return until === undefined ? undefined : { ruling: 'defer', policy: policy.id, reason: 'quiet hours', until }
  }
  if (isShared(policy)) return crowdedOut(policy, message, at, talliesOf)
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
  const inChannels = state.sends.filter(([sentAt, channel]) => sentAt >= from && reaches(channels, channel))
  const alike = inChannels.filter(([, , messageClass]) => classes.has(messageClass)).length + 1
  const lacking = lackingFor(share, alike, inChannels.length + 1)
  if (lacking === 0) return undefined
  return { ruling: 'suppress', policy: id, reason: 'mix', needed: others(lacking, window.text) } as const
}

/** What goes to many people together, this message included, must fit. */
function crowdedOut(
  policy: SharedPolicy,
  { channel }: MessageAtHand,
  at: number,
  talliesOf: TalliesOf,
): Suppression | undefined {
  const tallies = talliesOf(policy)
  if (tallies === undefined) return undefined
  const taken = takenAt(policy, tallies, at) + costOf(policy, channel)
  if (policy.kind === 'mix') {
    const lacking = lackingFor(policy.share, taken, taken + madeAt(policy, tallies, at))
    if (lacking === 0) return undefined
    const needed = others(lacking, policy.window.text, ' to the community')
    return { ruling: 'suppress', policy: policy.id, reason: 'mix', needed }
  }
  if (taken <= policy.max) return undefined
  const room = roomAt(policy, tallies, policy.max - costOf(policy, channel), at)
  const needed = room === undefined ? 'a higher budget' : `a send after ${isoOf(room)}`
  return { ruling: 'suppress', policy: policy.id, reason: 'budget', needed }
}

/** How many other messages are lacking for so many of one kind to be no more than their share of all. */
function lackingFor(share: number, alike: number, all: number): number {
  if (alike <= share * all + ROUNDING) return 0
  return share === 0 ? Number.POSITIVE_INFINITY : Math.ceil(alike / share - ROUNDING) - all
}

function others(lacking: number, window: string, whose = ''): string {
  if (!Number.isFinite(lacking)) return 'a higher share'
  return `${lacking} more message${lacking === 1 ? '' : 's'} of other classes${whose} in ${window}`
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
  const own = policies.filter((policy) => 'window' in policy && !isShared(policy))
  const longest = Math.max(0, ...own.map((policy) => ('window' in policy ? (policy.window?.longestMs ?? 0) : 0)))
  const kept = state.sends.filter((sent) => sent[3] !== deliveryKey && sent[0] + longest > at)
  return { ...state, sends: [...kept, [at, message.channel, message.class, deliveryKey, message.journey]] }
}

/** The state without a message that was certainly not sent after all. */
export function forgetSend(state: SubjectState, deliveryKey: string): SubjectState {
  const sends = state.sends.filter((sent) => sent[3] !== deliveryKey)
  return sends.length === state.sends.length ? state : { ...state, sends }
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
