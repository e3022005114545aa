import type { RelationName, SubjectKind } from '@linli/rules'
import type { Decision } from '../../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName, UNBORN } from '../../domain/subject.js'
import type {
  Delivery,
  InboxEntry,
  IssuedCoupon,
  LockedSubject,
  SavedSubject,
  StoredEvent,
  StoreTransaction,
} from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { compareText } from '../text-order.js'
import { Staged } from './staged.js'
import { couponCount, type MemoryTables, type Pool, relationIndex, type SubjectValue } from './tables.js'

export interface MemoryTransactionOptions {
  readonly keepEvents: boolean
  readonly onDecision: ((decision: Decision) => void) | undefined
}

/** Sees what is committed and what it has done itself. Nobody else sees that before `commit`. */
export class MemoryTransaction implements StoreTransaction {
  readonly #tables: MemoryTables
  readonly #options: MemoryTransactionOptions
  readonly #events: (StoredEvent | readonly [fromUserId: string, toUserId: string])[] = []
  #messageIds: Set<string> | undefined
  readonly #identities: Staged<string>
  readonly #subjects: Staged<SubjectValue>
  #inboxTaken = 0
  #inboxAdded: InboxEntry[] = []
  readonly #decisions: Decision[] = []
  #deliveries: Map<string, Delivery> | undefined
  readonly #pools: Staged<Pool>
  #coupons: Map<string, IssuedCoupon> | undefined

  constructor(tables: MemoryTables, options: MemoryTransactionOptions) {
    this.#tables = tables
    this.#options = options
    this.#identities = new Staged(tables.identities)
    this.#subjects = new Staged<SubjectValue>(tables.subjects)
    this.#pools = new Staged(tables.pools)
  }

  /** Makes all of it true at once. */
  commit(): void {
    const tables = this.#tables
    if (this.#messageIds !== undefined || this.#events.length > 0) this.#commitEvents()
    for (const [anonymousId, userId] of this.#identities.changes) {
      if (userId !== undefined) tables.identities.set(anonymousId, userId)
    }
    for (const [name, value] of this.#subjects.changes) {
      if (value === undefined) tables.removeSubject(name)
      else tables.putSubject(name, value)
    }
    if (this.#inboxTaken > 0) tables.takeInbox(this.#inboxTaken)
    for (const entry of this.#inboxAdded) tables.inbox.push(entry)
    for (const delivery of this.#deliveries?.values() ?? []) tables.putDelivery(delivery)
    for (const [offer, pool] of this.#pools.changes) if (pool !== undefined) tables.pools.set(offer, pool)
    for (const coupon of this.#coupons?.values() ?? []) tables.putCoupon(countOf(coupon), coupon)
    const sink = this.#options.onDecision
    for (const decision of this.#decisions) {
      if (sink === undefined) tables.decisions.push(decision)
      else sink(decision)
    }
  }

  #commitEvents(): void {
    const tables = this.#tables
    for (const event of this.#events) {
      if ('messageId' in event) tables.putEvent(event)
      else tables.reassignEvents(event[0], event[1])
    }
    if (this.#options.keepEvents) return
    for (const messageId of this.#messageIds ?? []) tables.events.set(messageId, undefined)
  }

  async now(): Promise<undefined> {
    return undefined
  }

  async addEvents(events: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
    const added = new Set<string>()
    this.#messageIds ??= new Set()
    for (const event of events) {
      const { messageId } = event
      if (this.#tables.events.has(messageId) || this.#messageIds.has(messageId)) continue
      this.#messageIds.add(messageId)
      added.add(messageId)
      if (this.#options.keepEvents) this.#events.push(event)
    }
    return added
  }

  async reassignEvents(fromUserId: string, toUserId: string): Promise<void> {
    this.#events.push([fromUserId, toUserId])
  }

  async resolveIdentities(anonymousIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    for (const anonymousId of anonymousIds) {
      const userId = this.#identities.get(anonymousId)
      if (userId !== undefined) found.set(anonymousId, userId)
    }
    return found
  }

  async linkIdentities(links: readonly { readonly anonymousId: string; readonly userId: string }[]): Promise<void> {
    for (const { anonymousId, userId } of links) {
      if (this.#identities.get(anonymousId) === undefined) this.#identities.set(anonymousId, userId)
    }
  }

  async lockSubjects(keys: readonly SubjectKey[]): Promise<readonly LockedSubject[]> {
    return keys.map((key) => {
      const row = this.#subjects.get(subjectName(key))
      return row === undefined
        ? { key, state: UNBORN, dueAt: undefined, isNew: true }
        : { key, state: row.state, dueAt: row.dueAt, isNew: false }
    })
  }

  async saveSubjects(subjects: readonly SavedSubject[]): Promise<void> {
    for (const subject of subjects) {
      const name = subjectName(subject.key)
      const exists = this.#subjects.get(name) !== undefined
      if (exists === subject.isNew) {
        throw conflict(`Subject ${name} ${exists ? 'was created' : 'was removed'} since it was locked.`, {
          subject: name,
        })
      }
      this.#subjects.set(name, subject)
    }
  }

  async removeSubject(key: SubjectKey): Promise<void> {
    this.#subjects.set(subjectName(key), undefined)
  }

  async takeDueSubjects(until: number, limit: number): Promise<readonly LockedSubject[]> {
    const staged = [...this.#subjects.changes]
    // A row that this transaction changed counts as it is now, not as it is in the queue.
    const committed = this.#tables.dueSubjects.due(until, limit + staged.length)
    const due: SubjectValue[] = committed.filter(({ name }) => !this.#subjects.isChanged(name))
    for (const [, value] of staged) if (value?.dueAt !== undefined && value.dueAt <= until) due.push(value)
    if (staged.length > 0) due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0))
    return due.slice(0, limit).map(({ key, state, dueAt }) => ({ key, state, dueAt, isNew: false }))
  }

  async peekSubjects(keys: readonly SubjectKey[]): Promise<readonly { key: SubjectKey; state: SubjectState }[]> {
    const found: { key: SubjectKey; state: SubjectState }[] = []
    for (const key of keys) {
      const row = this.#subjects.get(subjectName(key))
      if (row !== undefined) found.push({ key, state: row.state })
    }
    return found
  }

  async relatedTo(kind: SubjectKind, relation: RelationName, id: string): Promise<readonly SubjectKey[]> {
    const keys: SubjectKey[] = []
    for (const row of this.#tables.related.get(relationIndex(kind, relation, id)) ?? []) {
      if (!this.#subjects.isChanged(row.name)) keys.push(row.key)
    }
    for (const [, value] of this.#subjects.changes) {
      if (value?.key.kind === kind && value.state.relations[relation]?.[0] === id) keys.push(value.key)
    }
    return keys
  }

  async addInbox(entries: readonly InboxEntry[]): Promise<void> {
    for (const entry of entries) this.#inboxAdded.push(entry)
  }

  async takeInbox(limit: number): Promise<readonly InboxEntry[]> {
    const { inbox, inboxStart } = this.#tables
    const start = inboxStart + this.#inboxTaken
    const taken = inbox.slice(start, start + limit)
    this.#inboxTaken += taken.length
    if (taken.length < limit && this.#inboxAdded.length > 0) {
      taken.push(...this.#inboxAdded.splice(0, limit - taken.length))
    }
    return taken
  }

  async addDecisions(decisions: readonly Decision[]): Promise<void> {
    for (const decision of decisions) this.#decisions.push(decision)
  }

  #delivery(key: string): Delivery | undefined {
    return this.#deliveries?.get(key) ?? this.#tables.deliveries.get(key)?.value
  }

  #setDelivery(delivery: Delivery): void {
    this.#deliveries ??= new Map()
    this.#deliveries.set(delivery.key, delivery)
  }

  async addDeliveries(deliveries: readonly Delivery[]): Promise<void> {
    for (const delivery of deliveries) {
      if (this.#delivery(delivery.key) === undefined) this.#setDelivery(delivery)
    }
  }

  async claimDeliveries(until: number, limit: number, leaseUntil: number): Promise<readonly Delivery[]> {
    const staged = this.#deliveries
    const committed = this.#tables.dueDeliveries.due(until, limit + (staged?.size ?? 0))
    const due = committed.map((row) => row.value).filter(({ key }) => !staged?.has(key))
    for (const delivery of staged?.values() ?? []) {
      if (delivery.dueAt !== undefined && delivery.dueAt <= until) due.push(delivery)
    }
    due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || compareText(a.key, b.key))
    return due.slice(0, limit).map((delivery) => {
      const { state, claim } = delivery
      const claimed: Delivery = {
        ...delivery,
        state: state === 'calling' || state === 'unknown' ? 'unknown' : 'reserved',
        claim: claim + 1,
        dueAt: leaseUntil,
      }
      this.#setDelivery(claimed)
      return claimed
    })
  }

  async lockDeliveries(
    claims: readonly { readonly key: string; readonly claim: number }[],
  ): Promise<readonly Delivery[]> {
    const held = claims.flatMap(({ key, claim }) => {
      const delivery = this.#delivery(key)
      return delivery?.claim === claim ? [delivery] : []
    })
    return held.sort((a, b) => compareText(a.key, b.key))
  }

  async saveDeliveries(deliveries: readonly Delivery[]): Promise<void> {
    for (const { key, state, dueAt, attempt, body, providerId, reason } of deliveries) {
      const before = this.#delivery(key)
      if (before === undefined) continue
      const { providerId: _, reason: __, ...kept } = before
      this.#setDelivery({
        ...kept,
        state,
        dueAt,
        attempt,
        body,
        ...(providerId === undefined ? {} : { providerId }),
        ...(reason === undefined ? {} : { reason }),
      })
    }
  }

  async readCoupons(grantKeys: readonly string[]): Promise<readonly IssuedCoupon[]> {
    return grantKeys.flatMap((key) => this.#coupon(key) ?? [])
  }

  #coupon(grantKey: string): IssuedCoupon | undefined {
    return this.#coupons?.get(grantKey) ?? this.#tables.coupons.get(grantKey)
  }

  async countCoupons(subject: SubjectKey, offer: string): Promise<number> {
    const name = couponCount(subjectName(subject), offer)
    let count = this.#tables.couponCounts.get(name) ?? 0
    for (const coupon of this.#coupons?.values() ?? []) if (countOf(coupon) === name) count++
    return count
  }

  async takeFromPool(offer: string, total: number): Promise<boolean> {
    const issued = this.#pools.get(offer)?.issued ?? 0
    if (issued >= total) return false
    this.#pools.set(offer, { issued: issued + 1, total })
    return true
  }

  async addCoupon(coupon: IssuedCoupon): Promise<void> {
    const { code } = coupon.coupon
    const isTaken =
      this.#coupon(coupon.grantKey) !== undefined ||
      this.#tables.couponCodes.has(code) ||
      [...(this.#coupons?.values() ?? [])].some((other) => other.coupon.code === code)
    if (isTaken) {
      throw conflict(`Grant "${coupon.grantKey}" has a coupon already, or another grant has its code.`, {
        grantKey: coupon.grantKey,
      })
    }
    this.#coupons ??= new Map()
    this.#coupons.set(coupon.grantKey, coupon)
  }
}

function countOf({ subject, coupon }: IssuedCoupon): string {
  return couponCount(subjectName(subject), coupon.offer)
}
