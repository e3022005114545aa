import { type RelationName, SUBJECT_KINDS, type SubjectKind } from '@linli/rules'
import type { Baseline } from '../../domain/baseline.js'
import { type Decision, messageIdsOf } from '../../domain/decision.js'
import { type Coupon, type SubjectKey, subjectName } from '../../domain/subject.js'
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
import { compareText } from '../text-order.js'
import { isAfter } from './event-log.js'
import { Staged } from './staged.js'
import { StagedCoupons } from './staged-coupons.js'
import { StagedDeliveries } from './staged-deliveries.js'
import { StagedErasure } from './staged-erasure.js'
import { StagedEvents } from './staged-events.js'
import { StagedIdentities } from './staged-identities.js'
import { StagedPools } from './staged-pools.js'
import { StagedSubjects } from './staged-subjects.js'
import { StagedTallies } from './staged-tallies.js'
import type { BaselineRow, MemoryTables } from './tables.js'

export interface MemoryTransactionOptions {
  readonly keepEvents: boolean
  readonly keepDecisions: boolean
  readonly onDecision: ((decision: Decision) => void) | undefined
}

/**
 * Sees what is committed and what it has done itself. Nobody else sees that before `commit`. What few transactions need
 * is made when it is asked for.
 */
export class MemoryTransaction implements StoreTransaction {
  readonly #tables: MemoryTables
  readonly #options: MemoryTransactionOptions
  readonly #subjects: StagedSubjects
  readonly #inboxAdded: InboxEntry[] = []
  #inboxTaken = 0
  readonly #decisions: Decision[] = []
  readonly #versions: Version[] = []
  readonly #journeys: KnownJourney[] = []
  /** The version it holds. */
  #version = 0
  readonly #baselines: Staged<BaselineRow>
  readonly #calls: Staged<ChannelCalls>
  #stagedEvents: StagedEvents | undefined
  #stagedIdentities: StagedIdentities | undefined
  #stagedDeliveries: StagedDeliveries | undefined
  #stagedCoupons: StagedCoupons | undefined
  #stagedPools: StagedPools | undefined
  #stagedTallies: StagedTallies | undefined
  #stagedErasure: StagedErasure | undefined

  constructor(tables: MemoryTables, options: MemoryTransactionOptions) {
    this.#tables = tables
    this.#options = options
    this.#subjects = new StagedSubjects(tables)
    this.#baselines = new Staged<BaselineRow>(tables.baselines)
    this.#calls = new Staged(tables.calls)
  }

  /** Makes all of it true at once. */
  commit(): void {
    const tables = this.#tables
    this.#stagedEvents?.commit()
    this.#stagedIdentities?.commit()
    this.#subjects.commit()
    for (const [kind, row] of this.#baselines.changes)
      if (row !== undefined) tables.baselines.set(kind as SubjectKind, row)
    for (const [channel, calls] of this.#calls.changes) if (calls !== undefined) tables.calls.set(channel, calls)
    if (this.#inboxTaken > 0) tables.takeInbox(this.#inboxTaken)
    this.#stagedErasure?.commit()
    for (const entry of this.#inboxAdded) tables.inbox.push(entry)
    this.#stagedDeliveries?.commit()
    this.#stagedCoupons?.commit()
    this.#stagedPools?.commit()
    this.#stagedTallies?.commit()
    tables.versions.push(...this.#versions)
    for (const journey of this.#journeys) {
      if (!tables.journeys.has(journey.hash)) tables.journeys.set(journey.hash, journey)
    }
    const { onDecision, keepDecisions } = this.#options
    for (const decision of this.#decisions) {
      if (keepDecisions) tables.decisions.push(decision)
      onDecision?.(decision)
    }
  }

  get #events(): StagedEvents {
    this.#stagedEvents ??= new StagedEvents(this.#tables.events, this.#options.keepEvents)
    return this.#stagedEvents
  }

  get #identities(): StagedIdentities {
    this.#stagedIdentities ??= new StagedIdentities(this.#tables)
    return this.#stagedIdentities
  }

  get #deliveries(): StagedDeliveries {
    this.#stagedDeliveries ??= new StagedDeliveries(this.#tables)
    return this.#stagedDeliveries
  }

  get #coupons(): StagedCoupons {
    this.#stagedCoupons ??= new StagedCoupons(this.#tables)
    return this.#stagedCoupons
  }

  get #pools(): StagedPools {
    this.#stagedPools ??= new StagedPools(this.#tables)
    return this.#stagedPools
  }

  get #tallies(): StagedTallies {
    this.#stagedTallies ??= new StagedTallies(this.#tables)
    return this.#stagedTallies
  }

  get #erasure(): StagedErasure {
    this.#stagedErasure ??= new StagedErasure(this.#tables)
    return this.#stagedErasure
  }

  async now(): Promise<undefined> {
    return undefined
  }

  async holdVersion(): Promise<number> {
    this.#version = this.#tables.versions.length + this.#versions.length
    return this.#version
  }

  lockVersions(): Promise<number> {
    return this.holdVersion()
  }

  async readVersion(number: number): Promise<Version | undefined> {
    return [...this.#tables.versions, ...this.#versions].find((version) => version.number === number)
  }

  async addVersion(version: Version): Promise<void> {
    this.#versions.push(version)
    this.#version = version.number
  }

  async readJourneys(until: number): Promise<readonly KnownJourney[]> {
    return [...this.#tables.journeys.values(), ...this.#journeys].filter(({ since }) => since <= until)
  }

  async rememberJourneys(journeys: readonly KnownJourney[]): Promise<void> {
    this.#journeys.push(...journeys)
  }

  async addEvents(events: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
    return this.#events.add(events)
  }

  async eventsOf(userIds: readonly string[]): Promise<readonly StoredEvent[]> {
    return this.#events.of(userIds)
  }

  async eventsFor(key: SubjectKey, after: EventPlace | undefined, limit: number): Promise<readonly StoredEvent[]> {
    return this.#events
      .for(key)
      .filter((event) => isAfter(event, after))
      .slice(0, limit)
  }

  async eventsById(messageIds: readonly string[]): Promise<readonly StoredEvent[]> {
    return this.#events.byId(messageIds)
  }

  async markContradicted(messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#events.markContradicted(messageIds)
  }

  async forgetEvents(until: number, limit: number): Promise<number> {
    return this.#events.forget(until, limit)
  }

  async resolveIdentities(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#identities.resolve(names)
  }

  async linkIdentities(links: readonly IdentityLink[]): Promise<void> {
    this.#identities.link(links)
  }

  async namesOf(userId: string): Promise<readonly string[]> {
    return this.#identities.of(userId)
  }

  async relinkIdentities(names: readonly string[], userId: string): Promise<void> {
    this.#identities.relink(names, userId)
  }

  async addMerge(merge: MergeRecord): Promise<void> {
    this.#identities.addMerge(merge)
  }

  async undoMerge(id: string, at: number): Promise<MergeRecord | undefined> {
    return this.#identities.undoMerge(id, at)
  }

  async lockSubjects(keys: readonly SubjectKey[]): Promise<readonly LockedSubject[]> {
    return this.#subjects.lock(keys)
  }

  async saveSubjects(subjects: readonly SavedSubject[]): Promise<void> {
    this.#subjects.save(subjects, this.#version)
  }

  async outdate(keys: readonly SubjectKey[]): Promise<void> {
    this.#subjects.outdate(keys)
  }

  async removeSubject(key: SubjectKey): Promise<void> {
    this.#subjects.remove(key)
  }

  async takeDueSubjects(until: number, limit: number): Promise<readonly LockedSubject[]> {
    return this.#subjects.takeDue(until, limit)
  }

  async takeOutdatedSubjects(kind: SubjectKind, version: number, limit: number): Promise<readonly LockedSubject[]> {
    return this.#subjects.takeOutdated(kind, version, limit)
  }

  async addMissingRelated(): Promise<void> {
    this.#subjects.addMissingRelated()
  }

  async peekSubjects(keys: readonly SubjectKey[]): ReturnType<StoreTransaction['peekSubjects']> {
    return this.#subjects.peek(keys)
  }

  async relatedTo(kind: SubjectKind, relation: RelationName, id: string): Promise<readonly SubjectKey[]> {
    return this.#subjects.relatedTo(kind, relation, id)
  }

  async listSubjects(
    ...[kind, after, limit]: Parameters<StoreTransaction['listSubjects']>
  ): ReturnType<StoreTransaction['listSubjects']> {
    return this.#subjects.list(kind, after, limit)
  }

  async readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]> {
    return kinds.flatMap((kind) => this.#baselines.get(kind)?.baseline ?? [])
  }

  async scheduleBaseline(kind: SubjectKind, at: number): Promise<void> {
    const { baseline, dueAt = Number.POSITIVE_INFINITY } = this.#baselines.get(kind) ?? {}
    if (at < dueAt) this.#baselines.set(kind, { baseline, dueAt: at })
  }

  async takeDueBaseline(until: number): Promise<SubjectKind | undefined> {
    return SUBJECT_KINDS.find((kind) => (this.#baselines.get(kind)?.dueAt ?? Number.POSITIVE_INFINITY) <= until)
  }

  async saveBaseline(baseline: Baseline, dueAt: number | undefined): Promise<void> {
    this.#baselines.set(baseline.kind, { baseline, dueAt })
  }

  async addInbox(entries: readonly InboxEntry[]): Promise<void> {
    for (const entry of entries) this.#inboxAdded.push(entry)
  }

  async takeInbox(limit: number): Promise<readonly InboxEntry[]> {
    const { inbox, inboxStart } = this.#tables
    const start = inboxStart + this.#inboxTaken
    const taken = inbox.slice(start, start + limit)
    this.#inboxTaken += taken.length
    return [...taken, ...this.#inboxAdded.splice(0, limit - taken.length)]
  }

  async waitingFor(key: SubjectKey): Promise<ReadonlySet<string>> {
    const { inbox, inboxStart } = this.#tables
    const waiting = [...inbox.slice(inboxStart + this.#inboxTaken), ...this.#inboxAdded]
    const own = waiting.filter((entry) => subjectName(entry.key) === subjectName(key))
    return new Set(own.flatMap(({ input }) => messageIdsOf(input)))
  }

  async addDecisions(decisions: readonly Decision[]): Promise<void> {
    for (const decision of decisions) this.#decisions.push(decision)
  }

  async forgetDecisions(until: number, limit: number): Promise<number> {
    let left = limit
    return this.#erasure.reviseDecisions((decision) => (decision.at <= until && left-- > 0 ? undefined : decision))
  }

  async addDeliveries(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length > 0) this.#deliveries.add(deliveries)
  }

  async claimDeliveries(
    ...[until, limit, leaseUntil, room]: Parameters<StoreTransaction['claimDeliveries']>
  ): Promise<readonly Delivery[]> {
    return this.#deliveries.claim(until, limit, leaseUntil, room)
  }

  async handBackDeliveries(at: number): Promise<number> {
    return this.#deliveries.handBack(at)
  }

  async lockDeliveries(
    claims: readonly { readonly key: string; readonly claim: number }[],
  ): Promise<readonly Delivery[]> {
    return this.#deliveries.lock(claims)
  }

  async lockNamedDeliveries(names: readonly DeliveryName[]): Promise<readonly Delivery[]> {
    return this.#deliveries.named(names)
  }

  async channelsUnderWay(channels: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#deliveries.channelsUnderWay(channels)
  }

  async saveDeliveries(deliveries: readonly Delivery[]): Promise<void> {
    this.#deliveries.save(deliveries)
  }

  async releaseDeliveries(still: readonly string[], at: number, limit: number): Promise<number> {
    return this.#deliveries.release(still, at, limit)
  }

  async readCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]> {
    return [...new Set(channels)].flatMap((channel) => this.#calls.get(channel) ?? [])
  }

  async lockCalls(channels: readonly string[]): Promise<readonly ChannelCalls[]> {
    const names = [...new Set(channels)].sort(compareText)
    return names.map((channel) => this.#calls.get(channel) ?? { channel, calls: [], freeAt: 0 })
  }

  async saveCalls(calls: readonly ChannelCalls[]): Promise<void> {
    for (const one of calls) this.#calls.set(one.channel, one)
  }

  async forgetDeliveries(until: number, limit: number): Promise<number> {
    return this.#deliveries.forget(until, limit)
  }

  async readCoupons(grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]> {
    return grantKeys.flatMap((key) => this.#coupons.get(key) ?? [])
  }

  async couponsOf(subjects: readonly SubjectKey[]): Promise<readonly IssuedCoupon[]> {
    return this.#coupons.of(subjects)
  }

  async countCoupons(subjects: readonly SubjectKey[], offer: string): Promise<number> {
    return subjects.reduce((sum, subject) => sum + this.#coupons.count(subject, offer), 0)
  }

  async takeFromPool(offer: string, total: number): Promise<boolean> {
    return this.#pools.take(offer, total)
  }

  async returnToPool(offer: string): Promise<void> {
    this.#pools.giveBack(offer)
  }

  async dropPools(from: string, before: string): Promise<void> {
    this.#pools.drop(from, before)
  }

  async spend(offer: string, spending: Spending): ReturnType<StoreTransaction['spend']> {
    return this.#pools.spend(offer, spending)
  }

  async unspend(offer: string, spending: Pick<Spending, 'amount' | 'slot'>): Promise<void> {
    this.#pools.unspend(offer, spending)
  }

  async addCodes(offer: string, codes: readonly string[]): Promise<number> {
    return this.#pools.addCodes(offer, codes)
  }

  async countLoaded(offer: string): Promise<number> {
    return this.#pools.loaded(offer)
  }

  async takeCode(offer: string): Promise<string | undefined> {
    return this.#pools.takeCode(offer)
  }

  async returnCode(code: string): Promise<void> {
    this.#pools.returnCode(code)
  }

  async addCoupon(coupon: IssuedCoupon): Promise<void> {
    this.#coupons.add(coupon)
  }

  async completeCoupon(grantKey: string, coupon: Coupon): Promise<void> {
    this.#coupons.complete(grantKey, coupon)
  }

  async removeCoupon(grantKey: string): Promise<boolean> {
    return this.#coupons.remove(grantKey)
  }

  async couponByCode(code: string): Promise<IssuedCoupon | undefined> {
    return this.#coupons.byCode(code)
  }

  async redeemCoupon(grantKey: string, redeemed: Redeemed): Promise<boolean> {
    return this.#coupons.redeem(grantKey, redeemed)
  }

  async lockTallies(counters: readonly string[]): Promise<readonly Tally[]> {
    return this.#tallies.of(counters)
  }

  async addTallies(changes: readonly Tally[]): Promise<ReadonlySet<string>> {
    return this.#tallies.add(changes)
  }

  async dropTallies(outdated: Parameters<StoreTransaction['dropTallies']>[0]): Promise<void> {
    this.#tallies.drop(outdated)
  }

  async tombstoneKey(fresh?: string): Promise<string | undefined> {
    return this.#erasure.key(fresh)
  }

  async readTombstones(hashes: readonly string[]): Promise<readonly Tombstone[]> {
    return this.#erasure.tombstones(hashes)
  }

  async addTombstones(tombstones: readonly Tombstone[]): Promise<void> {
    this.#erasure.addTombstones(tombstones)
  }

  async removeTombstones(person: string): Promise<void> {
    this.#erasure.removeTombstones(person)
  }

  async removeUsers(ids: readonly string[]): Promise<Removed> {
    const keys = ids.map((id): SubjectKey => ({ kind: 'user', id }))
    const names = new Set(keys.map(subjectName))
    this.#identities.removeOf(ids)
    for (const key of keys) this.#subjects.remove(key)
    this.#erasure.reviseInbox((entry) => (names.has(subjectName(entry.key)) ? undefined : entry))
    const decisions = this.#erasure.reviseDecisions((one) => (names.has(one.subject) ? undefined : one))
    return {
      events: this.#events.forgetOf(ids),
      decisions,
      deliveries: this.#deliveries.remove(keys),
      coupons: this.#coupons.removeOf(keys),
    }
  }

  async holdInbox(): Promise<void> {}

  async reviseInbox(texts: readonly string[], revise: (entry: InboxEntry) => InboxEntry | undefined): Promise<void> {
    const has = (entry: InboxEntry) => texts.some((text) => JSON.stringify(entry.input).includes(text))
    this.#erasure.reviseInbox((entry) => (has(entry) ? revise(entry) : entry))
  }

  async reviseDecisions(...[filter, revise]: Parameters<StoreTransaction['reviseDecisions']>): Promise<void> {
    const [subjects, messageIds] = [new Set(filter.subjects), new Set<unknown>(filter.messageIds)]
    const users = new Set<unknown>(filter.users)
    const isMeant = ({ subject, messageId, ...about }: Decision) =>
      subjects.has(subject) && (messageIds.has(messageId) || users.has(about['into']) || users.has(about['from']))
    this.#erasure.reviseDecisions((decision) => (isMeant(decision) ? revise(decision) : decision))
  }

  async reviseMerges(...[userIds, revise]: Parameters<StoreTransaction['reviseMerges']>): Promise<void> {
    this.#identities.reviseMerges(userIds, revise)
  }

  async deliveriesOf(subjects: readonly SubjectKey[]): Promise<readonly Delivery[]> {
    return this.#deliveries.of(subjects)
  }
}
