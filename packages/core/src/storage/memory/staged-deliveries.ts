import { type SubjectKey, subjectName } from '../../domain/subject.js'
import type { Delivery, DeliveryName } from '../../ports/store.js'
import { compareText } from '../text-order.js'
import type { MemoryTables } from './tables.js'

/** What a transaction does to deliveries. */
export class StagedDeliveries {
  readonly #tables: MemoryTables
  readonly #changes = new Map<string, Delivery>()
  readonly #removed = new Set<string>()

  constructor(tables: MemoryTables) {
    this.#tables = tables
  }

  commit(): void {
    for (const delivery of this.#changes.values()) this.#tables.putDelivery(delivery)
    for (const key of this.#removed) this.#tables.removeDelivery(key)
  }

  of(subjects: readonly SubjectKey[]): readonly Delivery[] {
    const wanted = new Set(subjects.map(subjectName))
    const keys = new Set([...this.#tables.deliveries.keys(), ...this.#changes.keys()])
    return [...keys].flatMap((key) => {
      const delivery = this.#removed.has(key) ? undefined : this.#get(key)
      return delivery !== undefined && wanted.has(subjectName(delivery.subject)) ? [delivery] : []
    })
  }

  /** Removes those of some subjects; gives how many they were. */
  remove(subjects: readonly SubjectKey[]): number {
    const found = this.of(subjects)
    for (const { key } of found) {
      this.#changes.delete(key)
      this.#removed.add(key)
    }
    return found.length
  }

  add(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      if (this.#get(delivery.key) === undefined) this.#changes.set(delivery.key, delivery)
    }
  }

  claim(
    until: number,
    limit: number,
    leaseUntil: number,
    room: ReadonlyMap<string, number> = new Map(),
  ): readonly Delivery[] {
    // A delivery that this transaction changed counts as it is now, not as it is in the queue.
    const enough = room.size === 0 ? limit + this.#changes.size : Number.POSITIVE_INFINITY
    const committed = this.#tables.dueDeliveries.due(until, enough)
    const due = committed.map((row) => row.value).filter(({ key }) => !this.#changes.has(key))
    for (const delivery of this.#changes.values()) {
      if (delivery.dueAt !== undefined && delivery.dueAt <= until) due.push(delivery)
    }
    due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || compareText(a.key, b.key))
    const fitting = room.size === 0 ? due : due.filter(fitsInto(room))
    return fitting.slice(0, limit).map((delivery) => this.#claim(delivery, leaseUntil))
  }

  handBack(at: number): number {
    const keys = new Set([...this.#tables.deliveries.keys(), ...this.#changes.keys()])
    let count = 0
    for (const key of keys) {
      const delivery = this.#get(key)
      if (delivery?.state !== 'reserved' || (delivery.dueAt ?? at) <= at) continue
      this.#changes.set(key, { ...delivery, dueAt: at })
      count += 1
    }
    return count
  }

  #claim(delivery: Delivery, leaseUntil: number): Delivery {
    const { key, state, claim } = delivery
    const isDoubtful = state === 'calling' || state === 'unknown'
    const claimed: Delivery = {
      ...delivery,
      state: isDoubtful ? 'unknown' : 'reserved',
      claim: claim + 1,
      dueAt: leaseUntil,
    }
    this.#changes.set(key, claimed)
    return claimed
  }

  lock(claims: readonly { readonly key: string; readonly claim: number }[]): readonly Delivery[] {
    const held = claims.flatMap(({ key, claim }) => {
      const delivery = this.#get(key)
      return delivery?.claim === claim ? [delivery] : []
    })
    return held.sort((a, b) => compareText(a.key, b.key))
  }

  named(names: readonly DeliveryName[]): readonly Delivery[] {
    const keys = new Set(names.flatMap((name) => ('key' in name ? [name.key] : [])))
    const foreign = new Set(names.flatMap((name) => ('key' in name ? [] : [nameOf(name.channel, name.providerId)])))
    if (foreign.size > 0) {
      for (const { key, providerId, body } of this.#all()) {
        if (providerId !== undefined && foreign.has(nameOf(body.channel, providerId))) keys.add(key)
      }
    }
    return [...keys].flatMap((key) => this.#get(key) ?? []).sort((a, b) => compareText(a.key, b.key))
  }

  channelsUnderWay(channels: readonly string[]): ReadonlySet<string> {
    const wanted = new Set<string | undefined>(channels)
    const found = this.#all().filter(({ state }) => state === 'calling' || state === 'unknown')
    return new Set(
      found.flatMap(({ body: { channel } }) => (channel !== undefined && wanted.has(channel) ? [channel] : [])),
    )
  }

  save(deliveries: readonly Delivery[]): void {
    for (const { key, state, dueAt, attempt, body, providerId, reason } of deliveries) {
      const before = this.#get(key)
      if (before === undefined) continue
      const { kind, subject, source, claim, plannedAt } = before
      const said = { ...(providerId !== undefined && { providerId }), ...(reason !== undefined && { reason }) }
      const whole = { key, kind, state, subject, source, dueAt, claim, attempt, plannedAt, body, ...said }
      this.#changes.set(key, whole)
    }
  }

  /** Removes at most `limit` that have ended, and of which nothing was heard since `until`; gives how many they were. */
  forget(until: number, limit: number): number {
    const old = this.#all()
      .filter((delivery) => ENDED.has(delivery.state) && heardAt(delivery) <= until)
      .slice(0, limit)
    for (const { key } of old) {
      this.#changes.delete(key)
      this.#removed.add(key)
    }
    return old.length
  }

  release(still: readonly string[], at: number, limit: number): number {
    const kept = new Set(still)
    const keys = new Set([...this.#tables.pausedDeliveries, ...this.#changes.keys()])
    const paused = [...keys].flatMap((key) => {
      const delivery = this.#get(key)
      return delivery?.state === 'paused' && !kept.has(delivery.reason ?? '') ? [delivery] : []
    })
    const released = paused.sort((a, b) => compareText(a.key, b.key)).slice(0, limit)
    for (const delivery of released) this.#changes.set(delivery.key, { ...delivery, state: 'retry_at', dueAt: at })
    return released.length
  }

  #all(): readonly Delivery[] {
    const keys = new Set([...this.#tables.deliveries.keys(), ...this.#changes.keys()])
    return [...keys].flatMap((key) => (this.#removed.has(key) ? [] : (this.#get(key) ?? [])))
  }

  #get(key: string): Delivery | undefined {
    return this.#changes.get(key) ?? this.#tables.deliveries.get(key)?.value
  }
}

/** Takes as many by each channel as there is room for. */
function fitsInto(room: ReadonlyMap<string, number>): (delivery: Delivery) => boolean {
  const left = new Map(room)
  return ({ body: { channel = '' } }) => {
    const free = left.get(channel)
    if (free !== undefined) left.set(channel, free - 1)
    return free === undefined || free > 0
  }
}

function nameOf(channel: string | undefined, providerId: string): string {
  return JSON.stringify([channel, providerId])
}

const ENDED: ReadonlySet<Delivery['state']> = new Set(['accepted', 'rejected', 'failed', 'suppressed'])

/** When something was last heard of a delivery. */
function heardAt({ plannedAt, body: { firstCalledAt = 0, receipts = [] } }: Delivery): number {
  return Math.max(plannedAt, firstCalledAt, receipts.at(-1)?.at ?? 0)
}
