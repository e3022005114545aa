import type { RelationName, SubjectKind } from '@linli/rules'
import type { Baseline } from '../domain/baseline.js'
import type { Decision } from '../domain/decision.js'
import type { Coupon, SubjectKey, SubjectState } from '../domain/subject.js'
import type { Tally } from '../domain/tallies.js'
import type {
  ChannelCalls,
  Delivery,
  DeliveryName,
  EventPlace,
  IdentityLink,
  InboxEntry,
  IssuedCoupon,
  KnownJourney,
  LockedSubject,
  LockOptions,
  MergeRecord,
  Redeemed,
  Removed,
  SavedSubject,
  Spending,
  StoredEvent,
  Tombstone,
  Version,
} from './records.js'

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
  /**
   * Removes at most `limit` decisions about what came about at `until` or before, in about the order in which they were made. Gives
   * how many they were.
   */
  forgetDecisions(until: number, limit: number): Promise<number>

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
  /** Puts back a code that nobody has seen, where it is one that the shop has loaded. */
  returnCode(code: string): Promise<void>
  /** Removes pools whose names come at `from` or after it, and before `before`, compared byte by byte. */
  dropPools(from: string, before: string): Promise<void>
  addCoupon(coupon: IssuedCoupon): Promise<void>
  /** Replaces a coupon that has no code yet by one that has. */
  completeCoupon(grantKey: string, coupon: Coupon): Promise<void>
  /** Removes a coupon; false where there is none, or it has been used. */
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
