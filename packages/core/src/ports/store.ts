import type {
  Definition,
  Halt,
  HaltTarget,
  JourneyDefinition,
  MessageClass,
  RelationName,
  SubjectKind,
} from '@linli/rules'
import type { Baseline } from '../domain/baseline.js'
import type { Decision, DecisionKind, Input, StepSource, StepVariables } from '../domain/decision.js'
import type { Fate } from '../domain/fates.js'
import type { Coupon, SubjectKey, SubjectState } from '../domain/subject.js'
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

export type DeliveryKind = 'message' | 'coupon' | 'suggestion' | 'event' | 'entry'

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
  /** message and suggestion: the template; coupon: the offer's id; entry: the journey's id; event: its name, `identify` for traits. */
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
  /** When the first of the calls was made that may have been taken: the start of an idempotency window. */
  readonly firstCalledAt?: number
  /** Whether a call before the one under way may have been taken: what is answered now says nothing of that one. */
  readonly maybeSent?: true
  /** message, coupon: when it was parked; left out by releases that did not note it. */
  readonly parkedAt?: number
  /** message, coupon: how often somebody had it sent again that was parked; left out: never. `attempt` counts from then on. */
  readonly again?: number
  /** message: what receipts have said of it, in the order in which they were taken in. */
  readonly receipts?: readonly ReceiptMark[]
  /** message: what is counted for it by policies about many people. */
  readonly counted?: readonly Tally[]
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

/** The work of one transaction. All or nothing of it is kept. */
export interface StoreTransaction {
  /** The store's own clock, or undefined where the engine's clock decides. */
  now(): Promise<number | undefined>

  /**
   * The number of the newest version of the rules, 0 without one. It stays the newest until the transaction ends, and rows
   * of subjects that the transaction saves are marked with it. Asked for before anything is locked.
   */
  holdVersion(): Promise<number>
  /** Like `holdVersion`, but waits until no other transaction holds one, and lets none begin: for adding a version. */
  lockVersions(): Promise<number>
  readVersion(number: number): Promise<Version | undefined>
  /** Adds a version, and holds it from then on. */
  addVersion(version: Version): Promise<void>
  /** Journeys that came with this version of the rules or an older one. */
  readJourneys(until: number): Promise<readonly KnownJourney[]>
  /** Remembers journeys; those that are known stay as they are. */
  rememberJourneys(journeys: readonly KnownJourney[]): Promise<void>

  /** Adds events to the log; gives the message ids that were not there before. Within one call ids are unique. */
  addEvents(events: readonly StoredEvent[]): Promise<ReadonlySet<string>>
  /** The log's events of some users in the order they happened (equal instants: by message id). */
  eventsOf(userIds: readonly string[]): Promise<readonly StoredEvent[]>
  /**
   * Events that count for one subject — a user's own, those that were taken in for a community or a leader — in the order
   * they happened (equal instants: by message id), those after a place.
   */
  eventsFor(key: SubjectKey, after: EventPlace | undefined, limit: number): Promise<readonly StoredEvent[]>
  /** The log's events of these message ids; those that are not kept are left out. */
  eventsById(messageIds: readonly string[]): Promise<readonly StoredEvent[]>
  /** Marks events of the log as contradicted by others of the same id; gives the ids that were not marked before. */
  markContradicted(messageIds: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Removes at most `limit` events that happened at `until` or before from the log, whichever, and gives how many they were.
   * The log does not know their ids any more.
   */
  forgetEvents(until: number, limit: number): Promise<number>

  /** The users that names — anonymous ids, identifiers — are known to belong to. */
  resolveIdentities(names: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Remembers whom names belong to. It conflicts where one of them belongs to somebody already. */
  linkIdentities(links: readonly IdentityLink[]): Promise<void>
  /** All names that belong to a user. */
  namesOf(userId: string): Promise<readonly string[]>
  /** Gives names, whomever they belong to, to a user. */
  relinkIdentities(names: readonly string[], userId: string): Promise<void>
  addMerge(merge: MergeRecord): Promise<void>
  /** Marks a merge as undone and gives it; undefined where there is none, or it has been undone before. */
  undoMerge(id: string, at: number): Promise<MergeRecord | undefined>

  /**
   * Locks subjects, in the order of their keys whatever the order asked for, and gives them in the order asked for.
   * A subject without a row is given unborn with `isNew`; two transactions that both create it conflict on saving, and
   * `Store.transaction` runs the loser again.
   */
  lockSubjects(keys: readonly SubjectKey[], options?: LockOptions): Promise<readonly LockedSubject[]>
  saveSubjects(subjects: readonly SavedSubject[]): Promise<void>
  /** Has subjects, where they have a row, worked out anew from the log: their version becomes negative. */
  outdate(keys: readonly SubjectKey[]): Promise<void>
  removeSubject(key: SubjectKey): Promise<void>
  /**
   * Locks at most `limit` subjects whose `dueAt` has come, the longest due first and those of one instant by kind and id,
   * passing over locked ones.
   */
  takeDueSubjects(until: number, limit: number): Promise<readonly LockedSubject[]>
  /** Locks at most `limit` subjects of a kind that were kept by an older version than this, passing over locked ones. */
  takeOutdatedSubjects(kind: SubjectKind, version: number, limit: number): Promise<readonly LockedSubject[]>
  /** Gives communities and leaders that the log has events for, and that have no row, an unborn one of version 0. */
  addMissingRelated(): Promise<void>
  /** Subjects as they are, without a lock. Those without a row are left out. */
  peekSubjects(keys: readonly SubjectKey[]): Promise<readonly { key: SubjectKey; state: SubjectState }[]>
  /** Keys of the subjects of a kind that have this relation to a subject, in the order of their ids. */
  relatedTo(kind: SubjectKind, relation: RelationName, id: string): Promise<readonly SubjectKey[]>

  /** Subjects of a kind whose ids come after `after`, in the order of their ids, at most `limit`, without a lock. */
  listSubjects(
    kind: SubjectKind,
    after: string | undefined,
    limit: number,
  ): Promise<readonly { key: SubjectKey; state: SubjectState }[]>

  /** The baselines of these kinds as they were worked out last, without a lock. Kinds without one are left out. */
  readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]>
  /**
   * Makes the baseline of a kind due at an instant, unless it is due earlier. Waits while another transaction has taken it:
   * that one may not have seen what this one brings.
   */
  scheduleBaseline(kind: SubjectKind, at: number): Promise<void>
  /** Locks a baseline that is due by `until`, passing over those that another transaction has taken; gives its kind. */
  takeDueBaseline(until: number): Promise<SubjectKind | undefined>
  /** Replaces the baseline of a kind that this transaction has taken, and says when it is due again; undefined: it is not. */
  saveBaseline(baseline: Baseline, dueAt: number | undefined): Promise<void>

  addInbox(entries: readonly InboxEntry[]): Promise<void>
  /** Takes and removes at most `limit` entries in the order they were added; none while another transaction takes. */
  takeInbox(limit: number): Promise<readonly InboxEntry[]>
  /**
   * Message ids of the events that wait in the inbox for a subject whose lock is held. What was seen in the log before
   * this was asked is here too until the subject has taken it.
   */
  waitingFor(key: SubjectKey): Promise<ReadonlySet<string>>

  addDecisions(decisions: readonly Decision[]): Promise<void>

  /** Adds deliveries; a key that is already there is left as it is. */
  addDeliveries(deliveries: readonly Delivery[]): Promise<void>
  /**
   * Claims at most `limit` deliveries whose `dueAt` has come, the longest due first and those of one instant by key,
   * passing over locked ones: each gets `claim + 1`, `dueAt`
   * = `leaseUntil`, and the state `reserved`, except that `calling` and `unknown` become `unknown`. Gives them so.
   * Of messages by a channel that `room` names, no more than it says: what waits for one channel never holds up others.
   */
  claimDeliveries(
    until: number,
    limit: number,
    leaseUntil: number,
    room?: ReadonlyMap<string, number>,
  ): Promise<readonly Delivery[]>
  /** Makes deliveries that are `reserved` due at an instant: whoever claimed them will not carry them out. Gives how many they were. */
  handBackDeliveries(at: number): Promise<number>
  /** Locks deliveries, in the order of their keys; those whose `claim` is no longer this one are left out. */
  lockDeliveries(claims: readonly { readonly key: string; readonly claim: number }[]): Promise<readonly Delivery[]>
  /**
   * Locks deliveries, whatever their claim, in the order of their keys: each once, however often and by whichever name it is
   * named. A `providerId` may belong to several.
   */
  lockNamedDeliveries(names: readonly DeliveryName[]): Promise<readonly Delivery[]>
  /** Which of these channels have messages that are `calling` or `unknown`: their provider's answer is still to be written down. */
  channelsUnderWay(channels: readonly string[]): Promise<ReadonlySet<string>>
  /** Writes state, dueAt, attempt, body, providerId and reason of deliveries that exist. */
  saveDeliveries(deliveries: readonly Delivery[]): Promise<void>

  /**
   * Makes at most `limit` deliveries that are `paused` due at an instant (`retry_at`), unless their `reason` is one of `still`.
   * Gives how many they were.
   */
  releaseDeliveries(still: readonly string[], at: number, limit: number): Promise<number>

  /** What is kept of the calls of channels, without a lock; nothing of those that are not known. */
  readCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]>
  /** The same under a lock, in the order of the channels' names; a channel that is not known has been called never. */
  lockCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]>
  /** Replaces what is kept of channels that the transaction has locked. */
  saveCalls(calls: readonly ChannelCalls[]): Promise<void>

  /**
   * Removes at most `limit` deliveries that have ended (`accepted`, `rejected`, `failed`, `suppressed`), and of which nothing was heard
   * since `until`: planned then or before, first called then or before, with no later receipt. Gives how many they were.
   */
  forgetDeliveries(until: number, limit: number): Promise<number>

  /** Coupons that were issued under these grant keys. */
  readCoupons(grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]>
  /** Coupons that some subjects have, in the order in which they were issued. */
  couponsOf(subjects: readonly SubjectKey[]): Promise<readonly IssuedCoupon[]>
  /** How many coupons of an offer some subjects have together. */
  countCoupons(subjects: readonly SubjectKey[], offer: string): Promise<number>
  /** Takes one out of a pool of `total`, an offer's coupons or a journey's places, holding the pool's row; false when none is left. */
  takeFromPool(offer: string, total: number): Promise<boolean>
  /** Puts one back. */
  returnToPool(offer: string): Promise<void>
  /**
   * Notes what a coupon costs, unless the budget would then be exceeded; gives what was spent before. The caller holds the row
   * of the offer's pool. What no longer counts is forgotten.
   */
  spend(offer: string, spending: Spending): Promise<{ readonly granted: boolean; readonly spent: number }>
  /** Takes back what a coupon has cost. */
  unspend(offer: string, spending: Pick<Spending, 'amount' | 'slot'>): Promise<void>
  /** Adds codes to the pool of an offer; those that are there already, of whatever offer, are left as they are. Gives how many were added. */
  addCodes(offer: string, codes: readonly string[]): Promise<number>
  /** How many codes the pool of an offer was given. */
  countLoaded(offer: string): Promise<number>
  /** Takes the code that was loaded first of those that are left. The caller holds the row of the offer's pool. */
  takeCode(offer: string): Promise<string | undefined>
  /** Puts back a code that nobody has seen. */
  returnCode(code: string): Promise<void>
  /** Removes pools whose names come at `from` or after it, and before `before`, compared byte by byte. */
  dropPools(from: string, before: string): Promise<void>
  addCoupon(coupon: IssuedCoupon): Promise<void>
  /** Replaces a coupon that has no code yet by one that has. */
  completeCoupon(grantKey: string, coupon: Coupon): Promise<void>
  /** Removes a coupon that nobody has seen; false where there is none. */
  removeCoupon(grantKey: string): Promise<boolean>
  /** The coupon with this code. It is found by a hash: how long that takes says nothing about other codes. */
  couponByCode(code: string): Promise<IssuedCoupon | undefined>
  /** Marks a coupon as used; false where it is already, or there is none. */
  redeemCoupon(grantKey: string, redeemed: Redeemed): Promise<boolean>

  /**
   * Locks what is counted under some names, in the order of the names whatever the order asked for, and gives it. Whoever
   * locks one of them too waits until this transaction ends, and sees what it has added.
   */
  lockTallies(counters: readonly string[]): Promise<readonly Tally[]>
  /**
   * Adds to what is counted, each stretch once in a call. Where a stretch is not there, it is begun by what is more than
   * nothing, and what is less is left. Gives the counters of which one has begun. Needs no lock.
   */
  addTallies(changes: readonly Tally[]): Promise<ReadonlySet<string>>
  /** Removes stretches of counters that end at an instant or before it. */
  dropTallies(outdated: readonly { readonly counter: string; readonly until: number }[]): Promise<void>

  /** The secret that names of erased people are hashed with. Undefined before there is one, and `fresh` was not given to become it. */
  tombstoneKey(fresh?: string): Promise<string | undefined>
  /** The tombstones with these hashes. */
  readTombstones(hashes: readonly string[]): Promise<readonly Tombstone[]>
  /** Adds tombstones; a hash that is already there is left as it is. */
  addTombstones(tombstones: readonly Tombstone[]): Promise<void>
  /** Removes all tombstones of a person. */
  removeTombstones(person: string): Promise<void>
  /**
   * Removes all that is kept under ids of users: events, names that lead to them, merges, states, words that wait for them,
   * decisions, deliveries and coupons. What pools have given away stays given away. The caller holds the rows of all these users.
   */
  removeUsers(ids: readonly string[]): Promise<Removed>
  /** Waits until nobody takes from the inbox, and lets nobody do so until the transaction ends. */
  holdInbox(): Promise<void>
  /** Replaces entries of the inbox, which the transaction holds, that have one of these texts in them; undefined removes one. */
  reviseInbox(texts: readonly string[], revise: (entry: InboxEntry) => InboxEntry | undefined): Promise<void>
  /**
   * Replaces decisions about some subjects, by name, which an event of these ids brought about, or which speak of a user of
   * these ids as `into` or `from`; undefined removes one.
   */
  reviseDecisions(
    filter: {
      readonly subjects: readonly string[]
      readonly messageIds: readonly string[]
      readonly users: readonly string[]
    },
    revise: (decision: Decision) => Decision | undefined,
  ): Promise<void>
  /** Replaces what was recorded of merges that these users are in, in whichever part. Only states may differ. */
  reviseMerges(
    userIds: readonly string[],
    revise: (before: MergeRecord['before']) => MergeRecord['before'],
  ): Promise<void>
  /** Deliveries of some subjects, without a lock. */
  deliveriesOf(subjects: readonly SubjectKey[]): Promise<readonly Delivery[]>
}

/** Decisions of one journey of a kind, with this reason and step where there are some. */
export interface DecisionCount {
  readonly decision: DecisionKind
  readonly reason?: string
  readonly step?: string
  readonly decisions: number
  /** How many different runs they are about. */
  readonly runs: number
}

/** The earliest decisions first, or the latest. */
export type DecisionOrder = 'earliest' | 'latest'

/** What becomes due: inbox entries (at once: 0), subjects, what all of a kind are compared with, deliveries. */
export const DUE_KINDS = ['inbox', 'subject', 'baseline', 'delivery'] as const
export type DueKind = (typeof DUE_KINDS)[number]

/** What comes next in one line of what is due. */
export interface FirstDue {
  readonly kind: DueKind
  /** `inbox`, `subject`, `baseline`, `delivery`, or `delivery:` with a channel. */
  readonly line: string
  /** Another one as soon as this one has been dealt with. */
  readonly name: string
  readonly dueAt: number
  /** Before this instant the channel's rate lets none of it through; 0 where nothing holds it. */
  readonly heldUntil: number
}

/** What can be read outside of a transaction. */
export interface StoreReads {
  readSubject(key: SubjectKey): Promise<SubjectState | undefined>
  /** The version that a subject's state was kept by, and the newest; 0 for none. */
  readVersions(key: SubjectKey): Promise<{ readonly ofSubject: number; readonly newest: number }>
  /** Versions that were made by an operation, the latest first, at most `limit`. */
  readOperations(
    limit: number,
  ): Promise<readonly { readonly version: number; readonly at: number; readonly operation: Operation }[]>
  countSubjects(): Promise<number>
  /** How many subjects of a kind there are that were kept by an older version than this. */
  countOutdated(kind: SubjectKind, version: number): Promise<number>
  /** Decisions in the order they were made, or the latest first; of some subjects, by name, or of all. */
  readDecisions(filter: {
    readonly subjects?: readonly string[]
    readonly limit?: number
    readonly order?: DecisionOrder
  }): Promise<readonly Decision[]>
  /** How many decisions there are by a journey, or about it, with `since <= at < until`. Reads the whole log of decisions. */
  countDecisions(filter: {
    readonly journey: string
    readonly since?: number
    readonly until?: number
  }): Promise<readonly DecisionCount[]>
  /**
   * Subjects that are in a journey, or that have a run, as they are, in the order of kind and id: at most `limit` of those that
   * come after `after`.
   */
  readSubjectsInRuns(
    of: { readonly journey: string } | { readonly run: string },
    after: SubjectKey | undefined,
    limit: number,
  ): Promise<readonly { readonly key: SubjectKey; readonly state: SubjectState }[]>
  /** Events of the log of some users in the order they happened (equal instants: by message id). */
  readEvents(filter: { readonly userIds: readonly string[] }): Promise<readonly StoredEvent[]>
  /**
   * Events of everybody, in the order they happened (equal instants: by message id): those after a place, before an
   * instant, `limit` at most.
   */
  readLog(filter: {
    readonly after?: EventPlace
    readonly before?: number
    readonly limit: number
  }): Promise<readonly StoredEvent[]>
  /** Merges of these users, in whichever part, or all, in the order they were made. */
  readMerges(filter: { readonly userIds?: readonly string[] }): Promise<readonly MergeRecord[]>
  readDeliveries(filter: {
    /** of any of these */
    readonly subjects?: readonly SubjectKey[]
    readonly kind?: DeliveryKind
    readonly state?: DeliveryState
    /** suggestions for this leader */
    readonly to?: string
  }): Promise<readonly Delivery[]>
  /** How much of each pool was taken: of an offer's coupons, and of a journey's places. */
  readPools(): Promise<ReadonlyMap<string, PoolCount>>
  /** What is noted as spent by each offer, from an instant on, in millionths. */
  readSpent(offer: string, from: number): Promise<number>
  /** All that is counted for policies about many people, by counter and time. */
  readTallies(): Promise<readonly Tally[]>
  /** As in a transaction. */
  readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]>
  /**
   * The earliest instant at which something of these kinds can be done, of all when left out; undefined when nothing is due.
   * What a channel's rate holds back can be done when there is room.
   */
  nextDue(kinds?: readonly DueKind[]): Promise<number | undefined>
  /** The first of each line of what is due, now or later: of deliveries, there is one line for each channel. */
  readFirstDue(): Promise<readonly FirstDue[]>
  /** How many deliveries there are of which nobody knows whether they arrived. */
  countDoubtful(): Promise<Readonly<Record<'parked' | 'unknown', number>>>
}

/** Tables of this release, of an older or a newer one, or none. */
export type TablesFound = 'current' | 'older' | 'newer' | 'none'

/**
 * Where linli keeps everything. One transaction at a time sees and locks what it needs; a transaction that fails because
 * of another one (a conflict, a deadlock) is run again by `transaction` itself, so `work` must be repeatable.
 */
export interface Store extends StoreReads {
  /** Creates or upgrades the tables. Safe to call from several processes at once. */
  migrate(): Promise<void>
  /** Whose tables it has. Changes nothing. */
  tables(): Promise<TablesFound>
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>
  /** Works inside a transaction of the host's own, which the host commits. Undefined where the store cannot. */
  join?(trx: unknown): StoreTransaction
  /** How many transactions it is of use to have under way at once. */
  readonly concurrency: number
  close(): Promise<void>
}
