import type { Decision } from '../../domain/decision.js'
import type { InboxEntry, Tombstone } from '../../ports/store.js'
import type { MemoryTables } from './tables.js'

/** What a transaction takes out of what is kept in order, and whom it writes down as erased. */
export class StagedErasure {
  readonly #tables: MemoryTables
  #key: string | undefined
  readonly #added: Tombstone[] = []
  readonly #readmitted = new Set<string>()
  /** What will be there instead. */
  #decisions: readonly Decision[] | undefined
  #inbox: readonly InboxEntry[] | undefined

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#key = tables.tombstoneKey
  }

  commit(): void {
    const tables = this.#tables
    tables.tombstoneKey = this.#key
    for (const [hash, { person }] of tables.tombstones) if (this.#readmitted.has(person)) tables.tombstones.delete(hash)
    for (const one of this.#added) if (!tables.tombstones.has(one.hash)) tables.tombstones.set(one.hash, one)
    if (this.#decisions !== undefined) tables.decisions = [...this.#decisions]
    if (this.#inbox === undefined) return
    tables.inbox = [...this.#inbox]
    tables.inboxStart = 0
  }

  key(fresh: string | undefined): string | undefined {
    this.#key ??= fresh
    return this.#key
  }

  tombstones(hashes: readonly string[]): readonly Tombstone[] {
    const { tombstones } = this.#tables
    return hashes.flatMap((hash) => {
      const found = tombstones.get(hash) ?? this.#added.find((one) => one.hash === hash)
      return found === undefined || this.#readmitted.has(found.person) ? [] : [found]
    })
  }

  addTombstones(tombstones: readonly Tombstone[]): void {
    this.#added.push(...tombstones)
  }

  removeTombstones(person: string): void {
    this.#readmitted.add(person)
  }

  /** Of decisions that are committed; gives how many are removed. */
  reviseDecisions(revise: (decision: Decision) => Decision | undefined): number {
    const before = this.#decisions ?? this.#tables.decisions
    this.#decisions = before.flatMap((decision) => revise(decision) ?? [])
    return before.length - this.#decisions.length
  }

  /** Of entries that are committed, in a transaction that takes none. */
  reviseInbox(revise: (entry: InboxEntry) => InboxEntry | undefined): void {
    const before = this.#inbox ?? this.#tables.inbox.slice(this.#tables.inboxStart)
    this.#inbox = before.flatMap((entry) => revise(entry) ?? [])
  }
}
