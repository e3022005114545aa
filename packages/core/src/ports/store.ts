import type { SubjectKind } from '@linli/rules'
import type { Baseline } from '../domain/baseline.js'
import type { Decision, DecisionKind } from '../domain/decision.js'
import type { SubjectKey, SubjectState } from '../domain/subject.js'
import type { Tally } from '../domain/tallies.js'
import type {
  Delivery,
  DeliveryKind,
  DeliveryState,
  EventPlace,
  MergeRecord,
  Operation,
  PoolCount,
  StoredEvent,
} from './records.js'
import type { StoreTransaction } from './store-transaction.js'

export type * from './records.js'
export type { StoreTransaction } from './store-transaction.js'

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
  /**
   * In how many milliseconds that is, by the clock that decides: the store's own, or the engine's, whose time is `now`. Not above 0
   * when something can be done now; more than a second ahead it may be `Infinity`, as when nothing is due.
   */
  dueIn(kinds: readonly DueKind[], now: number): Promise<number>
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
