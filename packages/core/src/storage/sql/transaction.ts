import type { RelationName, SubjectKind } from '@linli/rules'
import { sql } from 'kysely'
import type { Baseline } from '../../domain/baseline.js'
import type { Decision } from '../../domain/decision.js'
import type { Coupon, SubjectKey, SubjectState } from '../../domain/subject.js'
import type { Tally } from '../../domain/tallies.js'
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
  StoreTransaction,
  Tombstone,
  Version,
} from '../../ports/store.js'
import * as baselines from './baselines.js'
import * as calls from './calls.js'
import * as claims from './claims.js'
import * as coupons from './coupons.js'
import * as deliveries from './deliveries.js'
import * as erasure from './erasure.js'
import * as events from './events.js'
import * as identities from './identities.js'
import * as log from './log.js'
import * as merges from './merges.js'
import type { Int8 } from './parameters.js'
import * as pools from './pools.js'
import * as saved from './saved-subjects.js'
import { DATABASE_NOW, type Session } from './session.js'
import * as subjects from './subjects.js'
import * as tallies from './tallies.js'
import * as tombstones from './tombstones.js'
import * as versions from './versions.js'

/** Whose clock decides: the database's, or the engine's own (tests with a virtual clock). */
export type StoreClock = 'database' | 'engine'

/** The statements of one transaction, each a round trip. */
export class SqlTransaction implements StoreTransaction {
  readonly #session: Session
  readonly #clock: StoreClock
  /** The version it holds. */
  #version: number | undefined

  constructor(session: Session, clock: StoreClock) {
    this.#session = session
    this.#clock = clock
  }

  async now(): Promise<number | undefined> {
    if (this.#clock === 'engine') return undefined
    const { now } = this.#session
    if (now !== undefined) return now
    const [row] = await this.#session.rows(sql<{ now: Int8 }>`select ${DATABASE_NOW} as now`)
    return this.#session.tell(Number(row?.now))
  }

  async holdVersion(): Promise<number> {
    this.#version ??= await versions.holdVersion(this.#session)
    return this.#version
  }

  async lockVersions(): Promise<number> {
    this.#version = await versions.lockVersions(this.#session)
    return this.#version
  }

  readVersion(number: number): Promise<Version | undefined> {
    return versions.readVersion(this.#session, number)
  }

  async addVersion(version: Version): Promise<void> {
    await versions.addVersion(this.#session, version)
    this.#version = version.number
  }

  readJourneys(until: number): Promise<readonly KnownJourney[]> {
    return versions.readJourneys(this.#session, until)
  }

  rememberJourneys(journeys: readonly KnownJourney[]): Promise<void> {
    return versions.rememberJourneys(this.#session, journeys)
  }

  addEvents(added: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
    return events.addEvents(this.#session, added)
  }

  eventsOf(userIds: readonly string[]): Promise<readonly StoredEvent[]> {
    return events.readEvents(this.#session, userIds)
  }

  eventsFor(key: SubjectKey, after: EventPlace | undefined, limit: number): Promise<readonly StoredEvent[]> {
    return events.eventsFor(this.#session, key, after, limit)
  }

  eventsById(messageIds: readonly string[]): Promise<readonly StoredEvent[]> {
    return events.eventsById(this.#session, messageIds)
  }

  markContradicted(messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    return events.markContradicted(this.#session, messageIds)
  }

  forgetEvents(until: number, limit: number): Promise<number> {
    return events.forgetEvents(this.#session, until, limit)
  }

  resolveIdentities(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return identities.resolveIdentities(this.#session, names)
  }

  linkIdentities(links: readonly IdentityLink[]): Promise<void> {
    return identities.linkIdentities(this.#session, links)
  }

  namesOf(userId: string): Promise<readonly string[]> {
    return identities.namesOf(this.#session, userId)
  }

  relinkIdentities(names: readonly string[], userId: string): Promise<void> {
    return identities.relinkIdentities(this.#session, names, userId)
  }

  addMerge(merge: MergeRecord): Promise<void> {
    return merges.addMerge(this.#session, merge)
  }

  undoMerge(id: string, at: number): Promise<MergeRecord | undefined> {
    return merges.undoMerge(this.#session, id, at)
  }

  lockSubjects(keys: readonly SubjectKey[], options: LockOptions = {}): Promise<readonly LockedSubject[]> {
    return subjects.lockSubjects(this.#session, keys, options)
  }

  saveSubjects(written: readonly SavedSubject[]): Promise<void> {
    return saved.saveSubjects(this.#session, written, this.#version ?? 0)
  }

  outdate(keys: readonly SubjectKey[]): Promise<void> {
    return saved.outdate(this.#session, keys)
  }

  removeSubject(key: SubjectKey): Promise<void> {
    return saved.removeSubjects(this.#session, [key])
  }

  takeDueSubjects(until: number, limit: number): Promise<readonly LockedSubject[]> {
    return subjects.takeDueSubjects(this.#session, until, limit)
  }

  takeOutdatedSubjects(kind: SubjectKind, version: number, limit: number): Promise<readonly LockedSubject[]> {
    return subjects.takeOutdatedSubjects(this.#session, kind, version, limit)
  }

  addMissingRelated(): Promise<void> {
    return saved.addMissingRelated(this.#session)
  }

  peekSubjects(keys: readonly SubjectKey[]): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
    return subjects.peekSubjects(this.#session, keys)
  }

  relatedTo(kind: SubjectKind, relation: RelationName, id: string): Promise<readonly SubjectKey[]> {
    return subjects.relatedTo(this.#session, kind, relation, id)
  }

  listSubjects(
    kind: SubjectKind,
    after: string | undefined,
    limit: number,
  ): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
    return subjects.listSubjects(this.#session, kind, after, limit)
  }

  readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]> {
    return baselines.readBaselines(this.#session, kinds)
  }

  scheduleBaseline(kind: SubjectKind, at: number): Promise<void> {
    return baselines.scheduleBaseline(this.#session, kind, at)
  }

  takeDueBaseline(until: number): Promise<SubjectKind | undefined> {
    return baselines.takeDueBaseline(this.#session, until)
  }

  saveBaseline(baseline: Baseline, dueAt: number | undefined): Promise<void> {
    return baselines.saveBaseline(this.#session, baseline, dueAt)
  }

  addInbox(entries: readonly InboxEntry[]): Promise<void> {
    return log.addInbox(this.#session, entries)
  }

  takeInbox(limit: number): Promise<readonly InboxEntry[]> {
    return log.takeInbox(this.#session, limit)
  }

  waitingFor(key: SubjectKey): Promise<ReadonlySet<string>> {
    return log.waitingFor(this.#session, key)
  }

  addDecisions(decisions: readonly Decision[]): Promise<void> {
    return log.addDecisions(this.#session, decisions)
  }

  forgetDecisions(until: number, limit: number): Promise<number> {
    return log.forgetDecisions(this.#session, until, limit)
  }

  addDeliveries(added: readonly Delivery[]): Promise<void> {
    return deliveries.addDeliveries(this.#session, added)
  }

  claimDeliveries(...claiming: Parameters<StoreTransaction['claimDeliveries']>): Promise<readonly Delivery[]> {
    return claims.claimDeliveries(this.#session, ...claiming)
  }

  handBackDeliveries(at: number): Promise<number> {
    return deliveries.handBackDeliveries(this.#session, at)
  }

  lockDeliveries(claims: readonly { readonly key: string; readonly claim: number }[]): Promise<readonly Delivery[]> {
    return deliveries.lockDeliveries(this.#session, claims)
  }

  lockNamedDeliveries(names: readonly DeliveryName[]): Promise<readonly Delivery[]> {
    return deliveries.lockNamedDeliveries(this.#session, names)
  }

  channelsUnderWay(channels: readonly string[]): Promise<ReadonlySet<string>> {
    return deliveries.channelsUnderWay(this.#session, channels)
  }

  saveDeliveries(saved: readonly Delivery[]): Promise<void> {
    return deliveries.saveDeliveries(this.#session, saved)
  }

  releaseDeliveries(still: readonly string[], at: number, limit: number): Promise<number> {
    return deliveries.releaseDeliveries(this.#session, still, at, limit)
  }

  readCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]> {
    return calls.readCalls(this.#session, channels)
  }

  lockCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]> {
    return calls.lockCalls(this.#session, channels)
  }

  saveCalls(saved: readonly ChannelCalls[]): Promise<void> {
    return calls.saveCalls(this.#session, saved)
  }

  forgetDeliveries(until: number, limit: number): Promise<number> {
    return deliveries.forgetDeliveries(this.#session, until, limit)
  }

  readCoupons(grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]> {
    return coupons.readCoupons(this.#session, grantKeys)
  }

  couponsOf(holders: readonly SubjectKey[]): Promise<readonly IssuedCoupon[]> {
    return coupons.couponsOf(this.#session, holders)
  }

  countCoupons(holders: readonly SubjectKey[], offer: string): Promise<number> {
    return coupons.countCoupons(this.#session, holders, offer)
  }

  takeFromPool(offer: string, total: number): Promise<boolean> {
    return coupons.takeFromPool(this.#session, offer, total)
  }

  returnToPool(offer: string): Promise<void> {
    return coupons.returnToPool(this.#session, offer)
  }

  dropPools(from: string, before: string): Promise<void> {
    return coupons.dropPools(this.#session, from, before)
  }

  spend(offer: string, spending: Spending): ReturnType<StoreTransaction['spend']> {
    return pools.spend(this.#session, offer, spending)
  }

  unspend(offer: string, spending: Pick<Spending, 'amount' | 'slot'>): Promise<void> {
    return pools.unspend(this.#session, offer, spending)
  }

  addCodes(offer: string, codes: readonly string[]): Promise<number> {
    return pools.addCodes(this.#session, offer, codes)
  }

  countLoaded(offer: string): Promise<number> {
    return pools.countLoaded(this.#session, offer)
  }

  takeCode(offer: string): Promise<string | undefined> {
    return pools.takeCode(this.#session, offer)
  }

  returnCode(code: string): Promise<void> {
    return pools.returnCode(this.#session, code)
  }

  addCoupon(coupon: IssuedCoupon): Promise<void> {
    return coupons.addCoupon(this.#session, coupon)
  }

  completeCoupon(grantKey: string, coupon: Coupon): Promise<void> {
    return coupons.completeCoupon(this.#session, grantKey, coupon)
  }

  removeCoupon(grantKey: string): Promise<boolean> {
    return coupons.removeCoupon(this.#session, grantKey)
  }

  couponByCode(code: string): Promise<IssuedCoupon | undefined> {
    return coupons.couponByCode(this.#session, code)
  }

  redeemCoupon(grantKey: string, redeemed: Redeemed): Promise<boolean> {
    return coupons.redeemCoupon(this.#session, grantKey, redeemed)
  }

  lockTallies(counters: readonly string[]): Promise<readonly Tally[]> {
    return tallies.lockTallies(this.#session, counters)
  }

  addTallies(changes: readonly Tally[]): Promise<ReadonlySet<string>> {
    return tallies.addTallies(this.#session, changes)
  }

  dropTallies(outdated: Parameters<StoreTransaction['dropTallies']>[0]): Promise<void> {
    return tallies.dropTallies(this.#session, outdated)
  }

  tombstoneKey(fresh?: string): Promise<string | undefined> {
    return tombstones.tombstoneKey(this.#session, fresh)
  }

  readTombstones(hashes: readonly string[]): Promise<readonly Tombstone[]> {
    return tombstones.readTombstones(this.#session, hashes)
  }

  addTombstones(added: readonly Tombstone[]): Promise<void> {
    return tombstones.addTombstones(this.#session, added)
  }

  removeTombstones(person: string): Promise<void> {
    return tombstones.removeTombstones(this.#session, person)
  }

  removeUsers(ids: readonly string[]): Promise<Removed> {
    return erasure.removeUsers(this.#session, ids)
  }

  holdInbox(): Promise<void> {
    return log.holdInbox(this.#session)
  }

  reviseInbox(texts: readonly string[], revise: (entry: InboxEntry) => InboxEntry | undefined): Promise<void> {
    return erasure.reviseInbox(this.#session, texts, revise)
  }

  reviseDecisions(...[filter, revise]: Parameters<StoreTransaction['reviseDecisions']>): Promise<void> {
    return erasure.reviseDecisions(this.#session, filter, revise)
  }

  reviseMerges(...[userIds, revise]: Parameters<StoreTransaction['reviseMerges']>): Promise<void> {
    return erasure.reviseMerges(this.#session, userIds, revise)
  }

  deliveriesOf(subjects: readonly SubjectKey[]): Promise<readonly Delivery[]> {
    return deliveries.readDeliveries(this.#session, { subjects })
  }
}
