import type { RelationName, SubjectKind } from '@linli/rules'
import type { Baseline } from '../../domain/baseline.js'
import type { Decision } from '../../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../../domain/subject.js'
import type { Tally } from '../../domain/tallies.js'
import type {
  ChannelCalls,
  Delivery,
  DueKind,
  InboxEntry,
  IssuedCoupon,
  KnownJourney,
  MergeRecord,
  Tombstone,
  Version,
} from '../../ports/store.js'
import { CodeLists } from './code-lists.js'
import { type Due, DueQueue } from './due-queue.js'
import { EventLog } from './event-log.js'

/** What a transaction wants a subject's row to be. */
export interface SubjectValue {
  readonly key: SubjectKey
  readonly state: SubjectState
  readonly dueAt: number | undefined
  readonly version: number
}

export interface SubjectRow extends SubjectValue, Due {
  state: SubjectState
  dueAt: number | undefined
  version: number
}

export interface DeliveryRow extends Due {
  value: Delivery
}

export interface Pool {
  readonly issued: number
  readonly total: number
  /** How many codes were loaded into it. */
  readonly loaded: number
}

export interface BaselineRow {
  /** Undefined as long as it has never been worked out. */
  readonly baseline: Baseline | undefined
  readonly dueAt: number | undefined
}

/** The name under which subjects of a kind that are related to a subject are indexed. */
export function relationIndex(kind: SubjectKind, relation: RelationName, id: string): string {
  return `${kind}/${relation}/${id}`
}

/** The name under which coupons of an offer are counted. */
export function couponCount(subject: string, offer: string): string {
  return JSON.stringify([subject, offer])
}

/** What is committed. Only whole transactions change it. */
export class MemoryTables {
  readonly events = new EventLog()
  readonly identities = new Map<string, string>()
  readonly merges = new Map<string, MergeRecord>()
  readonly #namesByUser = new Map<string, Set<string>>()
  readonly subjects = new Map<string, SubjectRow>()
  /** Subjects by id, apart for each kind. */
  readonly byKind = new Map<SubjectKind, Map<string, SubjectRow>>()
  readonly baselines = new Map<SubjectKind, BaselineRow>()
  readonly related = new Map<string, Set<SubjectRow>>()
  readonly dueSubjects = new DueQueue<SubjectRow>()
  readonly deliveries = new Map<string, DeliveryRow>()
  readonly dueDeliveries = new DueQueue<DeliveryRow>()
  /** Keys of those that are put aside. */
  readonly pausedDeliveries = new Set<string>()
  /** By channel. */
  readonly calls = new Map<string, ChannelCalls>()
  readonly pools = new Map<string, Pool>()
  readonly coupons = new Map<string, IssuedCoupon>()
  readonly couponCounts = new Map<string, number>()
  /** Grant keys by code. */
  readonly couponCodes = new Map<string, string>()
  readonly codes = new CodeLists()
  /** What each offer has spent, by the instant it is noted under. */
  readonly spending = new Map<string, ReadonlyMap<number, number>>()
  /** By counter, and by stretch. */
  readonly tallies = new Map<string, ReadonlyMap<string, Tally>>()
  decisions: Decision[] = []
  readonly tombstones = new Map<string, Tombstone>()
  tombstoneKey: string | undefined
  readonly versions: Version[] = []
  readonly journeys = new Map<string, KnownJourney>()
  inbox: InboxEntry[] = []
  /** Entries of `inbox` before this one are taken. */
  inboxStart = 0
  /** How many entries have ever been taken. */
  inboxTaken = 0

  putSubject(name: string, value: SubjectValue): void {
    const row = this.subjects.get(name)
    if (row === undefined) {
      const { key, state, dueAt, version } = value
      const added: SubjectRow = { key, state, name, dueAt: undefined, place: -1, version }
      this.subjects.set(name, added)
      this.rowsOf(key.kind).set(key.id, added)
      this.#relate(added)
      if (dueAt !== undefined) this.dueSubjects.schedule(added, dueAt)
      return
    }
    row.version = value.version
    if (row.state.relations === value.state.relations) {
      row.state = value.state
    } else {
      this.#unrelate(row)
      row.state = value.state
      this.#relate(row)
    }
    if (row.dueAt !== value.dueAt) this.dueSubjects.schedule(row, value.dueAt)
  }

  removeSubject(name: string): void {
    const row = this.subjects.get(name)
    if (row === undefined) return
    this.#unrelate(row)
    this.dueSubjects.schedule(row, undefined)
    this.subjects.delete(name)
    this.rowsOf(row.key.kind).delete(row.key.id)
  }

  rowsOf(kind: SubjectKind): Map<string, SubjectRow> {
    const rows = this.byKind.get(kind) ?? new Map<string, SubjectRow>()
    this.byKind.set(kind, rows)
    return rows
  }

  putIdentity(name: string, userId: string | undefined): void {
    this.#namesByUser.get(this.identities.get(name) ?? '')?.delete(name)
    if (userId === undefined) {
      this.identities.delete(name)
      return
    }
    this.identities.set(name, userId)
    const names = this.#namesByUser.get(userId)
    if (names === undefined) this.#namesByUser.set(userId, new Set([name]))
    else names.add(name)
  }

  namesOf(userId: string): Iterable<string> {
    return this.#namesByUser.get(userId) ?? []
  }

  putDelivery(delivery: Delivery): void {
    let row = this.deliveries.get(delivery.key)
    if (row === undefined) {
      row = { name: delivery.key, dueAt: undefined, place: -1, value: delivery }
      this.deliveries.set(delivery.key, row)
    }
    row.value = delivery
    if (delivery.state === 'paused') this.pausedDeliveries.add(delivery.key)
    else this.pausedDeliveries.delete(delivery.key)
    this.dueDeliveries.schedule(row, delivery.dueAt)
  }

  removeDelivery(key: string): void {
    const row = this.deliveries.get(key)
    if (row === undefined) return
    this.dueDeliveries.schedule(row, undefined)
    this.pausedDeliveries.delete(key)
    this.deliveries.delete(key)
  }

  putCoupon(coupon: IssuedCoupon): void {
    const { grantKey, subject } = coupon
    const name = couponCount(subjectName(subject), coupon.coupon.offer)
    this.coupons.set(grantKey, coupon)
    if (coupon.coupon.code !== '') this.couponCodes.set(coupon.coupon.code, grantKey)
    this.couponCounts.set(name, (this.couponCounts.get(name) ?? 0) + 1)
  }

  removeCoupon(grantKey: string): void {
    const known = this.coupons.get(grantKey)
    if (known === undefined) return
    const name = couponCount(subjectName(known.subject), known.coupon.offer)
    this.coupons.delete(grantKey)
    if (this.couponCodes.get(known.coupon.code) === grantKey) this.couponCodes.delete(known.coupon.code)
    this.couponCounts.set(name, (this.couponCounts.get(name) ?? 0) - 1)
  }

  nextDue(kind: DueKind): number | undefined {
    switch (kind) {
      case 'inbox':
        return this.inbox.length > this.inboxStart ? 0 : undefined
      case 'subject':
        return this.dueSubjects.next
      case 'delivery':
        return this.calls.size === 0 ? this.dueDeliveries.next : this.#nextDelivery()
      case 'baseline': {
        if (this.baselines.size === 0) return undefined
        const due = Array.from(this.baselines.values(), ({ dueAt }) => dueAt).filter((at) => at !== undefined)
        return due.length === 0 ? undefined : Math.min(...due)
      }
    }
  }

  /** What a channel's rate holds back can be done when there is room. */
  #nextDelivery(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const { dueAt, value } of this.deliveries.values()) {
      if (dueAt === undefined) continue
      next = Math.min(next, Math.max(dueAt, this.calls.get(value.body.channel ?? '')?.freeAt ?? dueAt))
    }
    return Number.isFinite(next) ? next : undefined
  }

  takeInbox(count: number): void {
    this.inboxTaken += count
    this.inboxStart += count
    if (this.inboxStart < 1024 && this.inboxStart < this.inbox.length) return
    this.inbox = this.inbox.slice(this.inboxStart)
    this.inboxStart = 0
  }

  #relate(row: SubjectRow): void {
    for (const index of relationIndexes(row)) {
      const rows = this.related.get(index)
      if (rows === undefined) this.related.set(index, new Set([row]))
      else rows.add(row)
    }
  }

  #unrelate(row: SubjectRow): void {
    for (const index of relationIndexes(row)) {
      const rows = this.related.get(index)
      rows?.delete(row)
      if (rows?.size === 0) this.related.delete(index)
    }
  }
}

function relationIndexes({ key, state: { relations } }: SubjectValue): string[] {
  const indexes: string[] = []
  if (relations.community !== undefined) indexes.push(relationIndex(key.kind, 'community', relations.community[0]))
  if (relations.leader !== undefined) indexes.push(relationIndex(key.kind, 'leader', relations.leader[0]))
  return indexes
}
