import { setTimeout as sleep } from 'node:timers/promises'
import type { SubjectKind } from '@linli/rules'
import { type Kysely, sql } from 'kysely'
import type { Baseline } from '../../domain/baseline.js'
import type { Decision } from '../../domain/decision.js'
import { decodeSubject, type SubjectKey, type SubjectState } from '../../domain/subject.js'
import type { Tally } from '../../domain/tallies.js'
import { EngineError } from '../../errors.js'
import {
  type DecisionCount,
  type Delivery,
  DUE_KINDS,
  type DueKind,
  type FirstDue,
  type MergeRecord,
  type Store,
  type StoredEvent,
  type StoreReads,
  type StoreTransaction,
  type TablesFound,
} from '../../ports/store.js'
import { isConflict } from '../conflict.js'
import { readBaselines } from './baselines.js'
import { readPools } from './coupons.js'
import { countDoubtful, readDeliveries } from './deliveries.js'
import { Marks } from './due-marks.js'
import { readEvents, readLog } from './events.js'
import { isTransient, redact } from './failures.js'
import { readDueIn, readFirstDue, readNextDue } from './first-due.js'
import { countDecisions, readDecisions } from './log.js'
import { readMerges } from './merges.js'
import { migrate, tablesFound } from './migrations.js'
import { readSpent } from './pools.js'
import { Session, type SessionFacts } from './session.js'
import { readSubjectsInRuns, rowOf } from './subjects.js'
import { type Tables, tablesIn } from './tables.js'
import { readTallies } from './tallies.js'
import { SqlTransaction, type StoreClock } from './transaction.js'
import { countOutdated, countSubjects, readOperations, readVersions } from './versions.js'

export interface SqlStoreOptions {
  readonly schema: string
  readonly clock: StoreClock
  readonly concurrency: number
  /** Whether the driver takes several statements at once, and gives what the last one found. */
  readonly takesSeveral: boolean
  /** Between 0 and 1, for spreading what is run again. */
  readonly random: () => number
  /** Gives back what was opened for the store. */
  readonly close: () => Promise<void>
}

const MAX_ATTEMPTS = 10
const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 250

/** linli's tables in a PostgreSQL or PGlite that kysely speaks to. */
export class SqlStore implements Store {
  readonly concurrency: number
  readonly #db: Kysely<unknown>
  readonly #tables: Tables
  readonly #options: SqlStoreOptions
  readonly #facts: SessionFacts

  constructor(db: Kysely<unknown>, options: SqlStoreOptions) {
    // What the host's plugins would do to names and rows is meant for its own tables.
    this.#db = db.withoutPlugins()
    this.#tables = tablesIn(options.schema)
    this.#options = options
    // Where the engine's clock decides, everything is taken in exactly the order in which it is due.
    const marks = new Marks(options.clock === 'database')
    this.#facts = { tables: this.#tables, marks, takesSeveral: options.takesSeveral }
    this.concurrency = options.concurrency
  }

  migrate(): Promise<void> {
    return migrate(this.#db, this.#tables)
  }

  tables(): Promise<TablesFound> {
    return tablesFound(this.#db, this.#tables)
  }

  close(): Promise<void> {
    return this.#options.close()
  }

  async transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(work)
      if ('result' in outcome) return outcome.result
      const isWorthwhile = isConflict(outcome.error) || isTransient(outcome.error)
      if (outcome.isUnknown || !isWorthwhile || attempt === MAX_ATTEMPTS) throw redact(outcome.error)
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS)
      await sleep(this.#options.random() * pause)
    }
  }

  // An error of COMMIT says nothing about what was kept: only the caller, who knows the work, may do it again.
  async #attempt<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<Outcome<T>> {
    let failure: { readonly error: unknown } | undefined
    let isDone = false
    let session: Session | undefined
    try {
      const result = await this.#db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async (trx) => {
          try {
            session = new Session(trx, this.#facts)
            const value = await work(new SqlTransaction(session, this.#options.clock))
            session.assertSound()
            isDone = true
            return value
          } catch (error) {
            failure = { error }
            throw error
          }
        })
      session?.ended('kept')
      return { result }
    } catch (error) {
      session?.ended('lost')
      // A rollback that fails too must not hide why there was one.
      return { error: failure === undefined ? error : failure.error, isUnknown: isDone }
    }
  }

  join(trx: unknown): StoreTransaction {
    if (!isKysely(trx)) {
      throw new EngineError(
        'transaction.unsupported',
        `A transaction to join must be kysely's (a Transaction, or a Kysely that works inside one), not ${describe(trx)}.`,
      )
    }
    return new SqlTransaction(new Session(trx.withoutPlugins(), this.#facts), this.#options.clock)
  }

  get #reads(): Session {
    return new Session(this.#db, this.#facts)
  }

  async readSubject({ kind, id }: SubjectKey): Promise<SubjectState | undefined> {
    const [row] = await this.#reads.rows(sql<{ state: string }>`
      select state from ${this.#tables.subject} as subject where ${rowOf(sql`${kind}`, sql`${id}`)}
    `)
    return row && decodeSubject(row.state)
  }

  readVersions(key: SubjectKey): Promise<{ readonly ofSubject: number; readonly newest: number }> {
    return readVersions(this.#reads, key)
  }

  readOperations(limit: number): ReturnType<StoreReads['readOperations']> {
    return readOperations(this.#reads, limit)
  }

  countSubjects(): Promise<number> {
    return countSubjects(this.#reads)
  }

  countOutdated(kind: SubjectKind, version: number): Promise<number> {
    return countOutdated(this.#reads, kind, version)
  }

  readDecisions(filter: Parameters<StoreReads['readDecisions']>[0]): Promise<readonly Decision[]> {
    return readDecisions(this.#reads, filter)
  }

  readLog(filter: Parameters<StoreReads['readLog']>[0]): Promise<readonly StoredEvent[]> {
    return readLog(this.#reads, filter)
  }

  countDecisions(filter: Parameters<StoreReads['countDecisions']>[0]): Promise<readonly DecisionCount[]> {
    return countDecisions(this.#reads, filter)
  }

  readSubjectsInRuns(
    ...[of, after, limit]: Parameters<StoreReads['readSubjectsInRuns']>
  ): ReturnType<StoreReads['readSubjectsInRuns']> {
    return readSubjectsInRuns(this.#reads, of, after, limit)
  }

  readEvents({ userIds }: { readonly userIds: readonly string[] }): Promise<readonly StoredEvent[]> {
    return readEvents(this.#reads, userIds)
  }

  readMerges({ userIds }: { readonly userIds?: readonly string[] }): Promise<readonly MergeRecord[]> {
    return readMerges(this.#reads, userIds)
  }

  readDeliveries(filter: Parameters<StoreReads['readDeliveries']>[0]): Promise<readonly Delivery[]> {
    return readDeliveries(this.#reads, filter)
  }

  readPools(): ReturnType<StoreReads['readPools']> {
    return readPools(this.#reads)
  }

  readSpent(offer: string, from: number): Promise<number> {
    return readSpent(this.#reads, offer, from)
  }

  readTallies(): Promise<readonly Tally[]> {
    return readTallies(this.#reads)
  }

  readBaselines(kinds: readonly SubjectKind[]): Promise<readonly Baseline[]> {
    return readBaselines(this.#reads, kinds)
  }

  nextDue(kinds: readonly DueKind[] = DUE_KINDS): Promise<number | undefined> {
    return readNextDue(this.#reads, kinds)
  }

  async dueIn(kinds: readonly DueKind[], now: number): Promise<number> {
    if (kinds.includes('delivery') && this.#facts.marks.deliveries.isKnown) return 0
    return readDueIn(this.#reads, kinds, this.#options.clock === 'database' ? undefined : now)
  }

  readFirstDue(): Promise<readonly FirstDue[]> {
    return readFirstDue(this.#reads)
  }

  countDoubtful(): ReturnType<StoreReads['countDoubtful']> {
    return countDoubtful(this.#reads)
  }
}

type Outcome<T> = { readonly result: T } | { readonly error: unknown; readonly isUnknown: boolean }

function isKysely(value: unknown): value is Kysely<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getExecutor' in value &&
    'executeQuery' in value &&
    'withoutPlugins' in value
  )
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? `an object of ${value.constructor?.name ?? 'no class'}` : typeof value
}
