import type { Definition, Halt, HaltTarget, JourneyDefinition, MessageClass, SubjectKind } from '@linli/rules'
import type { Input, StepVariables } from '../domain/decision.js'
import type { Fate } from '../domain/fates.js'
import type { Coupon, StepSource, SubjectKey, SubjectState } from '../domain/subject.js'
import type { Tally } from '../domain/tallies.js'

/** An accepted event, as the log keeps it. */
export interface StoredEvent {
  readonly messageId: string
  readonly type: 'track' | 'identify' | 'group' | 'alias'
  /** The event's name; for other types than `track`, the type. */
  readonly event: string
  /** The user as the event names it: the log stays as it was written, whoever that turns out to be. */
  readonly userId: string
  /** When it happened. Milliseconds since the epoch, as all instants here. */
  readonly at: number
  /** What its own clock said, where that is not `at`; 0: nothing. */
  readonly saidAt?: number
  readonly receivedAt: number
  readonly properties: Readonly<Record<string, unknown>>
  /** What it says of the user (`identify`) or of the group (`group`). */
  readonly traits?: Readonly<Record<string, unknown>>
  readonly groupId?: string
  readonly anonymousId?: string
  readonly previousId?: string
  /** By what else the user is known. */
  readonly identifiers?: readonly Identifier[]
  /** The community and the leader that it counts for: those that its user had when it was taken in. */
  readonly community?: string
  readonly leader?: string
}

/** Where an event stands among those of one subject. */
export type EventPlace = Pick<StoredEvent, 'at' | 'messageId'>

/** Rules that were published. The newest version is in force everywhere. */
export interface Version {
  /** From 1, each one more than the one before. */
  readonly number: number
  /** Of the program. */
  readonly hash: string
  readonly definitions: readonly Definition[]
  /** What states are kept for, by kind: names of features with how much of them, of tags and scores with what they say. */
  readonly kept: Readonly<Record<SubjectKind, readonly string[]>>
  /** The oldest version whose states this one can go on with as they are, by kind. */
  readonly goodSince: Readonly<Record<SubjectKind, number>>
  readonly publishedAt: number
  /** Whether journeys may enter people for what these rules find in the past. */
  readonly greet: boolean
  /** What becomes of runs that began before it, where they do not just go on. */
  readonly fates: readonly Fate[]
  /** What is paused or stopped while it is in force. */
  readonly halts: readonly Halt[]
  /** The call that made this version, where no rules were published: they are those of the one before. */
  readonly operation?: Operation
}

/** Somebody paused, stopped or resumed something. */
export interface Operation {
  readonly does: 'pause' | 'stop' | 'resume'
  readonly target: HaltTarget
  readonly by?: string
  readonly reason?: string
}

/** A journey's definition, and the version of the rules that it came with. */
export interface KnownJourney {
  readonly hash: string
  readonly definition: JourneyDefinition
  readonly since: number
}

/** Whom a name belongs to: the user that somebody is while only the name is known, and the user that it is. */
export interface IdentityLink {
  /** `anon:a-1`, `id:openid:o-1` */
  readonly name: string
  readonly userId: string
}

/** Something else than a user id that says who somebody is: `{ type: 'openid', id: 'o-1' }`. */
export interface Identifier {
  /** The namespace: 1 to 64 letters, digits, `_`, `.` and `-`. */
  readonly type: string
  readonly id: string
}

/** Two users who were made one, and what each was before. */
export interface MergeRecord {
  readonly id: string
  readonly at: number
  /** Who stayed. */
  readonly into: string
  readonly from: string
  /** `alias`, `anonymousId`, or the type of the identifier that both had. */
  readonly by: string
  /** The event that said so. */
  readonly messageId: string
  /** The names that `from` had. */
  readonly names: readonly string[]
  readonly before: { readonly into: SubjectState; readonly from: SubjectState }
  readonly undoneAt?: number
}

/** A subject's row while a transaction holds its lock. */
export interface LockedSubject {
  readonly key: SubjectKey
  readonly state: SubjectState
  /** When the row is next looked at; undefined when never. May be earlier than anything is due, never later. */
  readonly dueAt: number | undefined
  /** Whether there is no row yet. */
  readonly isNew: boolean
  /**
   * The version of the rules that its state was kept by; 0 before there was one, and without a row. Negative: it has to be
   * worked out anew, and was last kept by that version.
   */
  readonly version: number
}

export interface LockOptions {
  /** Leave out subjects that another transaction holds instead of waiting for it. */
  readonly passOver?: boolean
}

/** What `saveSubjects` writes back. */
export interface SavedSubject {
  readonly key: SubjectKey
  readonly state: SubjectState
  readonly dueAt: number | undefined
  readonly isNew: boolean
}

/** Something that related subjects (communities, leaders; members of a community) have yet to be advanced by. */
export interface InboxEntry {
  readonly key: SubjectKey
  readonly input: Input
}

/** `draft`: a message or a suggestion for which a text is written first; the message follows it. */
export type DeliveryKind = 'message' | 'coupon' | 'suggestion' | 'event' | 'entry' | 'return' | 'draft'

/**
 * `planned -> reserved -> calling -> accepted | rejected | retry_at | unknown | parked | suppressed`, and
 * `awaiting_person` where somebody has to act, `paused` where something is, and `failed` where it did not arrive. `calling` is committed before the provider is called, so that a crash
 * leaves `unknown`, never "not sent".
 */
export type DeliveryState =
  | 'planned'
  | 'reserved'
  | 'calling'
  | 'accepted'
  | 'rejected'
  | 'retry_at'
  | 'unknown'
  | 'parked'
  | 'suppressed'
  | 'awaiting_person'
  /** The provider took it, and a receipt says that it did not arrive. */
  | 'failed'
  /** Put aside, with nothing due, while something is paused: `reason` says what. */
  | 'paused'

/** An effect on its way into the world: a row of the outbox. */
export interface Delivery {
  /** A hash of run, step, visit, channel and recipient. Unique; handed to the provider. */
  readonly key: string
  readonly kind: DeliveryKind
  readonly state: DeliveryState
  readonly subject: SubjectKey
  readonly source: StepSource
  /** When it is next acted on; undefined once it is in a final state. */
  readonly dueAt: number | undefined
  /** Counts claims: a worker that was overtaken sees another number than its own. */
  readonly claim: number
  /** Calls of the provider so far. */
  readonly attempt: number
  readonly plannedAt: number
  readonly body: DeliveryBody
  readonly providerId?: string
  /** Why it is in its state: the provider's or the policy's reason. */
  readonly reason?: string
}

/** What to do; fields by kind. */
export interface DeliveryBody {
  /** message and suggestion: the template; coupon and return: the offer's id; entry: the journey's id; event: its name, `identify` for traits. */
  readonly what: string
  /** message: the channel; coupon: its issuer, where it is not linli. */
  readonly channel?: string
  /** Channels to try when this one cannot be used. */
  readonly fallbacks?: readonly string[]
  readonly class?: MessageClass
  readonly variables?: StepVariables
  /** suggestion: the leader's id. */
  readonly to?: string
  readonly expiresAt?: number
  /** event: its properties, or the traits. */
  readonly values?: Readonly<Record<string, unknown>>
  /** event: how many journeys lead to it, each begun by what a step of the one before said. */
  readonly link?: number
  /** suggestion: the rendered text. */
  readonly text?: string
  /** message, suggestion: what a copywriter has written for it. */
  readonly copy?: WrittenCopy
  /** When the first of the calls was made that may have been taken: the start of an idempotency window. */
  readonly firstCalledAt?: number
  /** Whether a call before the one under way may have been taken: what is answered now says nothing of that one. */
  readonly maybeSent?: true
  /** How often what becomes of it could not be written down; left out: never. */
  readonly failures?: number
  /** When it was parked; left out by releases that did not note it. */
  readonly parkedAt?: number
  /** How often somebody had it sent again that was parked; left out: never. `attempt` counts from then on. */
  readonly again?: number
  /** message, suggestion: no text of it that may have left reads the coupon that its run had. */
  readonly codeless?: true
  /** coupon: what it has taken of the budget, so that exactly this is put back. */
  readonly spent?: Pick<Spending, 'amount' | 'slot'>
  /** return: the grant key of the coupon that goes back. */
  readonly grant?: string
  /** message: what receipts have said of it, in the order in which they were taken in. */
  readonly receipts?: readonly ReceiptMark[]
  /** What receipts said of it that could not be: each is told once. */
  readonly refused?: readonly ReceiptKind[]
  /** What receipts said that may have been of it, or of another: each is told once. */
  readonly ambiguous?: readonly ReceiptKind[]
  /** message: what is counted for it by policies about many people. */
  readonly counted?: readonly Tally[]
}

/** A text that a copywriter has written. */
export interface WrittenCopy {
  readonly text: string
  /** From when on it is too old to be used first. */
  readonly until: number
}

/** What a provider, or somebody who acts for it, says of a message later. */
export type ReceiptKind = 'delivered' | 'opened' | 'clicked' | 'failed' | 'confirmed' | 'declined'

/** A receipt that was taken in. */
export interface ReceiptMark {
  readonly says: ReceiptKind
  /** When that happened. */
  readonly at: number
  /** `clicked`: what was clicked. */
  readonly link?: string
}

/** Names a delivery: by its key, or by what its provider calls it. */
export type DeliveryName = { readonly key: string } | { readonly channel: string; readonly providerId: string }

/** Calls of one channel that were let through together. */
export interface CallsLetThrough {
  /** When they were let through; once that is known, the latest instant at which they began. */
  readonly from: number
  readonly count: number
  /** Its name while it is not known when they begin. */
  readonly group?: string
}

/** What is kept of the calls of a channel that has a rate. */
export interface ChannelCalls {
  readonly channel: string
  readonly calls: readonly CallsLetThrough[]
  /** Before this instant there is no room for another call. */
  readonly freeAt: number
}

export interface IssuedCoupon {
  readonly grantKey: string
  readonly subject: SubjectKey
  readonly issuedAt: number
  /** Its code is empty as long as its issuer has not said it. */
  readonly coupon: Coupon
  /** Left out: it has not been used. */
  readonly redeemed?: Redeemed
}

/** When a coupon was used, and where. */
export interface Redeemed {
  readonly at: number
  readonly by?: string
}

/** How much was taken out of a pool: an offer's coupons, or a journey's places. */
export interface PoolCount {
  readonly issued: number
  readonly total: number
  /** Codes that the shop has loaded, and how many of them have not been given away. */
  readonly codes?: { readonly loaded: number; readonly left: number }
}

/** What one coupon costs a budget. Money is counted in whole millionths. */
export interface Spending {
  readonly amount: number
  /** Under which instant it is noted. */
  readonly slot: number
  /** What was noted under this instant and later counts. */
  readonly from: number
  readonly limit: number
}

/** What tells that somebody was erased: a hash of one of their names, which cannot be read back. */
export interface Tombstone {
  readonly hash: string
  /** The same for all names of one person. */
  readonly person: string
  readonly at: number
}

/** How much was kept under somebody's ids. */
export interface Removed {
  readonly events: number
  readonly decisions: number
  readonly deliveries: number
  readonly coupons: number
}
