import type { SubjectKind } from '@linli/rules'
import type { Baseline } from '../../domain/baseline.js'
import type { Decision } from '../../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../../domain/subject.js'
import type { Tally } from '../../domain/tallies.js'
import {
  type DecisionCount,
  type Delivery,
  type DeliveryState,
  DUE_KINDS,
  type DueKind,
  type FirstDue,
  type MergeRecord,
  type Store,
  type StoredEvent,
  type StoreReads,
  type StoreTransaction,
} from '../../ports/store.js'
import { compareText } from '../text-order.js'
import { inOrder, isAfter } from './event-log.js'
import { firstDue } from './first-due.js'
import { MemoryTables } from './tables.js'
import { MemoryTransaction, type MemoryTransactionOptions } from './transaction.js'

export interface MemoryStoreOptions {
  /** Takes decisions, in order, as they are committed; the store then keeps none, unless `keepDecisions`. */
  readonly onDecision?: (decision: Decision) => void
  /** Whether decisions can be read back. Left out: where nobody takes them. */
  readonly keepDecisions?: boolean
  /** Whether events can be read back. Without, only their ids are kept, to know duplicates. Default true. */
  readonly keepEvents?: boolean
}

export interface MemoryStore extends Store {
  /** All subjects as they are. */
  subjects(): Iterable<{ readonly key: SubjectKey; readonly state: SubjectState }>
}

/** A store in plain memory: for simulation and for tests. States are held as they are, never copied or encoded. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { onDecision, keepEvents = true, keepDecisions = onDecision === undefined } = options
  return new Memory({ keepEvents, keepDecisions, onDecision })
}

class Memory implements MemoryStore {
  readonly concurrency = 1
  readonly #options: MemoryTransactionOptions
  readonly #tables = new MemoryTables()
  #isBusy = false
  readonly #waiting: (() => void)[] = []

  constructor(options: MemoryTransactionOptions) {
    this.#options = options
  }

  async migrate(): Promise<void> {}

  async tables(): Promise<'current'> {
    return 'current'
  }

  async close(): Promise<void> {}

  // One after another: whoever waits is handed the store by the one before, without anyone slipping in between.
  async transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isBusy = true
    try {
      const transaction = new MemoryTransaction(this.#tables, this.#options)
      const result = await work(transaction)
      transaction.commit()
      return result
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#isBusy = false
      else next()
    }
  }

  *subjects(): Iterable<{ readonly key: SubjectKey; readonly state: SubjectState }> {
    for (const { key, state } of this.#tables.subjects.values()) yield { key, state }
  }

  async readSubject(key: SubjectKey): Promise<SubjectState | undefined> {
    return this.#tables.subjects.get(subjectName(key))?.state
  }

  async readVersions(key: SubjectKey): Promise<{ readonly ofSubject: number; readonly newest: number }> {
    const { subjects, versions } = this.#tables
    return { ofSubject: subjects.get(subjectName(key))?.version ?? 0, newest: versions.length }
  }

  async readOperations(limit: number): ReturnType<StoreReads['readOperations']> {
    const made = this.#tables.versions.flatMap(({ number: version, publishedAt: at, operation }) =>
      operation === undefined ? [] : [{ version, at, operation }],
    )
    return made.toReversed().slice(0, limit)
  }

  async countSubjects(): Promise<number> {
    return this.#tables.subjects.size
  }

  async countOutdated(kind: SubjectKind, version: number): Promise<number> {
    let count = 0
    for (const row of this.#tables.subjects.values()) if (row.key.kind === kind && row.version < version) count++
    return count
  }

  async readDecisions({
    subjects,
    limit,
    order,
  }: Parameters<StoreReads['readDecisions']>[0]): Promise<readonly Decision[]> {
    const { decisions } = this.#tables
    const wanted = subjects && new Set(subjects)
    const found = wanted === undefined ? decisions : decisions.filter(({ subject }) => wanted.has(subject))
    return (order === 'latest' ? found.toReversed() : found).slice(0, limit)
  }

  async countDecisions({
    journey,
    since = 0,
    until = Number.POSITIVE_INFINITY,
  }: Parameters<StoreReads['countDecisions']>[0]): Promise<readonly DecisionCount[]> {
    const counts = new Map<string, { count: DecisionCount; runs: Set<unknown> }>()
    for (const { decision, at, reason, step, run, ...about } of this.#tables.decisions) {
      const isWanted = (about.rule === journey || about['journey'] === journey) && at >= since && at < until
      if (!isWanted) continue
      const name = JSON.stringify([decision, reason, step])
      const { count, runs } = counts.get(name) ?? {
        count: { decision, ...textOf('reason', reason), ...textOf('step', step), decisions: 0, runs: 0 },
        runs: new Set<unknown>(),
      }
      if (run !== undefined) runs.add(run)
      counts.set(name, { count: { ...count, decisions: count.decisions + 1, runs: runs.size }, runs })
    }
    return [...counts.values()].map(({ count }) => count)
  }

  async readSubjectsInRuns(
    of: { readonly journey: string } | { readonly run: string },
    after: SubjectKey | undefined,
    limit: number,
  ): Promise<readonly { readonly key: SubjectKey; readonly state: SubjectState }[]> {
    const isIn = ({ state: { runs } }: { readonly state: SubjectState }) =>
      runs.some(({ journey, id }) => ('journey' in of ? journey === of.journey : id === of.run))
    const found = [...this.subjects()].filter(
      (one) => isIn(one) && (after === undefined || compareKeys(one.key, after) > 0),
    )
    return found.sort((a, b) => compareKeys(a.key, b.key)).slice(0, limit)
  }

  async readEvents({ userIds }: { readonly userIds: readonly string[] }): Promise<readonly StoredEvent[]> {
    return inOrder([...new Set(userIds)].flatMap((userId) => this.#tables.events.of(userId)))
  }

  async readLog({
    after,
    before = Number.POSITIVE_INFINITY,
    limit,
  }: Parameters<StoreReads['readLog']>[0]): Promise<readonly StoredEvent[]> {
    const found = this.#tables.events.all().filter((event) => isAfter(event, after) && event.at < before)
    return inOrder(found).slice(0, limit)
  }

  async readMerges({ userIds }: { readonly userIds?: readonly string[] }): Promise<readonly MergeRecord[]> {
    const wanted = userIds && new Set(userIds)
    return [...this.#tables.merges.values()].filter(
      ({ into, from }) => wanted === undefined || wanted.has(into) || wanted.has(from),
    )
  }

  async readDeliveries(filter: Parameters<StoreReads['readDeliveries']>[0]): Promise<readonly Delivery[]> {
    const { kind, state, to } = filter
    const subjects = filter.subjects && new Set(filter.subjects.map(subjectName))
    const found: Delivery[] = []
    for (const { value } of this.#tables.deliveries.values()) {
      const isWanted =
        (kind === undefined || value.kind === kind) &&
        (state === undefined || value.state === state) &&
        (to === undefined || value.body.to === to) &&
        (subjects === undefined || subjects.has(subjectName(value.subject)))
      if (isWanted) found.push(value)
    }
    return found.sort((a, b) => a.plannedAt - b.plannedAt || compareText(a.key, b.key))
  }

  async readPools(): ReturnType<StoreReads['readPools']> {
    const { pools, codes } = this.#tables
    return new Map(
      [...pools].map(([offer, { issued, total, loaded }]) => {
        return [offer, { issued, total, ...(loaded > 0 && { codes: { loaded, left: codes.left(offer) } }) }]
      }),
    )
  }

  async readSpent(offer: string, from: number): Promise<number> {
    const noted = [...(this.#tables.spending.get(offer) ?? [])].filter(([slot]) => slot >= from)
    return noted.reduce((sum, [, spent]) => sum + spent, 0)
  }

  async readTallies(): Promise<readonly Tally[]> {
    const found = [...this.#tables.tallies.values()].flatMap((tallies) => [...tallies.values()])
    return found.sort((a, b) => compareText(a.counter, b.counter) || a.from - b.from || a.until - b.until)
  }

  async readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]> {
    return kinds.flatMap((kind) => this.#tables.baselines.get(kind)?.baseline ?? [])
  }

  async nextDue(kinds: readonly DueKind[] = DUE_KINDS): Promise<number | undefined> {
    const next = this.#next(kinds)
    return Number.isFinite(next) ? next : undefined
  }

  async dueIn(kinds: readonly DueKind[], now: number): Promise<number> {
    return this.#next(kinds) - now
  }

  #next(kinds: readonly DueKind[]): number {
    let next = Number.POSITIVE_INFINITY
    for (const kind of kinds) next = Math.min(next, this.#tables.nextDue(kind) ?? next)
    return next
  }

  async readFirstDue(): Promise<readonly FirstDue[]> {
    return firstDue(this.#tables)
  }

  async countDoubtful(): ReturnType<StoreReads['countDoubtful']> {
    const states = Array.from(this.#tables.deliveries.values(), ({ value }) => value.state)
    const count = (wanted: DeliveryState) => states.filter((state) => state === wanted).length
    return { parked: count('parked'), unknown: count('unknown') }
  }
}

function compareKeys(a: SubjectKey, b: SubjectKey): number {
  return compareText(a.kind, b.kind) || compareText(a.id, b.id)
}

function textOf<K extends string>(name: K, value: unknown): { readonly [Name in K]?: string } {
  return (typeof value === 'string' ? { [name]: value } : {}) as { readonly [Name in K]?: string }
}
