import type { SubjectKind } from '@linli/rules'
import type { Clock } from '../ports/clock.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import type { Edition, Programs } from './programs.js'
import { upToDate } from './up-to-date.js'

/** In this order: those who are read come before those who read them. */
const KINDS: readonly SubjectKind[] = ['leader', 'community', 'user']
/** While live events come in, it rests so many times as long as a batch took. */
const REST = 2
/** How many subjects one transaction brings up. Of communities few: each may have many events. */
const BATCH: Readonly<Record<SubjectKind, number>> = { leader: 5, community: 5, user: 200 }

/** How far all subjects have been brought up to the rules in force. */
export interface Progress {
  readonly version: number
  readonly done: number
  readonly total: number
}

/**
 * Brings up the subjects that nothing has touched since the rules changed: a batch at a time, each in a transaction of its
 * own, in as many processes as there are; it gives way to live events. Rows say how far it has come, so it goes on wherever it was cut off.
 */
export class Sweep {
  /** The version that it has begun with, and the one that it is through with. */
  private begun = 0
  private finished = 0
  private done = 0
  private total = 0
  private listener: ((progress: Progress) => void) | undefined

  private restUntil = 0

  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
    private readonly traffic: { readonly isBusy: boolean },
  ) {}

  /** Tells of each batch from now on, until all is done. */
  onProgress(listener: (progress: Progress) => void): void {
    this.listener = listener
  }

  /** Whether there may be subjects to bring up. */
  get isPending(): boolean {
    return this.programs.newest?.version.number !== this.finished
  }

  /** Brings up one batch, unless it gives way to live events. Gives how many subjects there were. */
  async pass(hurried = true): Promise<number> {
    const newest = this.programs.newest?.version.number
    if (!this.isPending) return 0
    const started = this.clock.now()
    if (!hurried && this.traffic.isBusy && started < this.restUntil) return 0
    if (newest !== undefined && newest !== this.begun) await this.begin(newest)
    const count = await this.store.transaction((tx) => this.batch(tx))
    const ended = this.clock.now()
    this.restUntil = ended + REST * (ended - started)
    this.done = Math.min(this.total, this.done + count)
    if (count === 0) await this.end()
    else this.listener?.({ version: this.begun, done: this.done, total: this.total })
    return count
  }

  private async begin(number: number): Promise<void> {
    await this.store.transaction(async (tx) => {
      await this.programs.in(tx)
      await tx.addMissingRelated()
    })
    this.begun = number
    this.done = 0
    this.total = await outdated(this.store, this.programs.newest)
  }

  private async batch(tx: StoreTransaction): Promise<number> {
    const edition = await this.programs.in(tx)
    for (const kind of KINDS) {
      const found = await tx.takeOutdatedSubjects(kind, edition.version.goodSince[kind], BATCH[kind])
      if (found.length === 0) continue
      await upToDate(tx, this.programs, edition, found)
      return found.length
    }
    return 0
  }

  /** It is through when nobody holds any that are left. */
  private async end(): Promise<void> {
    const { newest } = this.programs
    if (newest?.version.number !== this.begun || (await outdated(this.store, newest)) > 0) return
    this.finished = this.begun
    this.listener?.({ version: this.begun, done: this.total, total: this.total })
    this.listener = undefined
  }
}

/** How many subjects have yet to be brought up. */
export async function outdated(store: Store, edition: Edition | undefined): Promise<number> {
  if (edition === undefined) return 0
  const counts = KINDS.map((kind) => store.countOutdated(kind, edition.version.goodSince[kind]))
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
