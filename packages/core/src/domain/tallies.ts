import type { Policy } from '@linli/rules'
import { applies, type MessageAtHand, reaches } from './policy-scope.js'

/** A policy about what goes to many people together. How much that is, is counted beside their states. */
export type SharedPolicy =
  | Extract<Policy, { kind: 'budget' }>
  | (Extract<Policy, { kind: 'mix' }> & { readonly of: 'community' })

/** What is counted for a shared policy in one stretch of time. It names no person. */
export interface Tally {
  /** Of a policy for everybody, its id; else `id/community`. */
  readonly counter: string
  /** What is counted happened at `from` or later, and before `until`. */
  readonly from: number
  readonly until: number
  /** What uses up room: messages of a mix's classes; messages of a budget, or millionths of its money. */
  readonly taken: number
  /** What makes room: the other messages of a mix. */
  readonly made: number
}

/** What is counted for whom a message goes to; undefined: a policy of communities, and they belong to none. */
export type TalliesOf = (policy: SharedPolicy) => readonly Tally[] | undefined

/**
 * A rolling window is counted in so many stretches. What happened in one counts until all of it has left the window, and
 * makes room only while all of it is inside: the error is at most this part of the window, and always on the safe side.
 */
const STRETCHES = 200

/** Shop-wide calendars go by the policy's zone: nobody's traits matter. */
const NOBODY = { traits: {} }

export function sharedPolicies(policies: readonly Policy[]): readonly SharedPolicy[] {
  return policies.filter(isShared)
}

export function isShared(policy: Policy): policy is SharedPolicy {
  return policy.kind === 'budget' || (policy.kind === 'mix' && policy.of !== undefined)
}

/** The name of what counts for members of a community; undefined where there must be one, and is none. */
export function counterOf({ id, of }: SharedPolicy, community: string | undefined): string | undefined {
  if (of === undefined) return id
  return community === undefined ? undefined : `${id}/${community}`
}

/** The policy's id, and the community, that a counter is about. Ids of policies have no slash. */
export function readCounter(counter: string): { readonly policy: string; readonly community?: string } {
  const slash = counter.indexOf('/')
  return slash < 0 ? { policy: counter } : { policy: counter.slice(0, slash), community: counter.slice(slash + 1) }
}

/** How much a message by a channel uses up. */
export function costOf(policy: SharedPolicy, channel: string): number {
  return policy.kind === 'budget' && policy.costs !== undefined ? (policy.costs.get(channel) ?? 0) : 1
}

/** What a message that is about to be sent takes of each shared policy. */
export function takenBy(
  policies: readonly SharedPolicy[],
  message: MessageAtHand,
  community: string | undefined,
  at: number,
): readonly Tally[] {
  return policies.flatMap((policy) => {
    const counter = counterOf(policy, community)
    const taken = applies(policy, message) ? costOf(policy, message.channel) : 0
    return counter === undefined || taken === 0 ? [] : [{ counter, ...stretchAt(policy, at), taken, made: 0 }]
  })
}

/** The room that a message makes, once it has certainly been sent, for those that mixes are about. */
export function madeBy(
  policies: readonly SharedPolicy[],
  message: MessageAtHand,
  community: string | undefined,
  at: number,
): readonly Tally[] {
  return policies.flatMap((policy) => {
    const counter = counterOf(policy, community)
    const isOther = !policy.classes.has(message.class) && reaches(policy.channels, message.channel)
    const makes = policy.kind === 'mix' && isOther
    return counter === undefined || !makes ? [] : [{ counter, ...stretchAt(policy, at), taken: 0, made: 1 }]
  })
}

function stretchAt({ window }: SharedPolicy, at: number): { readonly from: number; readonly until: number } {
  if (window === undefined) return { from: 0, until: Number.MAX_SAFE_INTEGER }
  const { withinMs } = window
  if (withinMs === undefined) return { from: window.from(NOBODY, at), until: window.ends(NOBODY, at) }
  const width = Math.ceil(withinMs / STRETCHES)
  const from = Math.floor(at / width) * width
  return { from, until: from + width }
}

/** How much of a policy's room is used up at an instant. */
export function takenAt({ window }: SharedPolicy, tallies: readonly Tally[], at: number): number {
  const from = window?.from(NOBODY, at) ?? 0
  return tallies.reduce((sum, { until, taken }) => (until > from ? sum + taken : sum), 0)
}

/** How much room has been made by an instant. */
export function madeAt({ window }: SharedPolicy, tallies: readonly Tally[], at: number): number {
  const first = window?.from(NOBODY, at) ?? 0
  return tallies.reduce((sum, { from, made }) => (from >= first ? sum + made : sum), 0)
}

/** When at most `most` will be used up, if nothing more is; undefined: never. */
export function roomAt(policy: SharedPolicy, tallies: readonly Tally[], most: number, at: number): number | undefined {
  const { window } = policy
  if (window === undefined || most < 0) return undefined
  let taken = takenAt(policy, tallies, at)
  const from = window.from(NOBODY, at)
  const counting = tallies.filter(({ until }) => until > from).sort((one, other) => one.until - other.until)
  for (const tally of counting) {
    if (taken <= most) return at
    taken -= tally.taken
    if (taken <= most) return window.ends(NOBODY, tally.until - 1)
  }
  return undefined
}

/** What ended at this instant or before counts no more, and has not for a day: clocks of processes differ. */
export function outdatedAt({ window }: SharedPolicy, at: number): number {
  return window === undefined ? 0 : window.from(NOBODY, at) - DAY_MS
}

const DAY_MS = 86_400_000
