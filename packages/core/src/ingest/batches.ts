import type { LockOptions, StoredEvent } from '../ports/store.js'
import type { IngestMode } from './batch.js'

/** How many events one transaction takes in. Of history more, so that a person's row is written for several at once. */
export const BATCH: Readonly<Record<IngestMode, number>> = { live: 1000, history: 5000 }
/** A batch of fewer events is small. Only one of those is under way at a time: it costs nearly as much as one that takes in many. */
const SMALL = 100
/** How often events of people whom another process holds are put off before their turn is waited for. */
const PATIENCE = 5

/** An event that is to be taken in. */
export interface Waiting {
  readonly event: StoredEvent
  readonly call: { readonly mode: IngestMode }
  /** How often it was put off. */
  readonly tries: number
}

/**
 * The line in which events wait for their transactions. While a small one is under way, what comes in gathers for the next;
 * where much waits, several are under way at once. A user's events are in one of them at a time, so they stay in order and never
 * wait for each other's rows.
 */
export class Batches<W extends Waiting> {
  private waiting: W[] = []
  private readonly usersUnderWay = new Set<string>()
  private underWay = 0
  /** How many of these wait for what another process holds. */
  private patient = 0
  /** How many of the others are small. */
  private small = 0

  constructor(
    /** Takes a batch in; gives what has to be taken in later. */
    private readonly takeIn: (batch: readonly W[], options: LockOptions) => Promise<readonly W[]>,
    /** How many may be under way at once. */
    private readonly concurrency: number,
  ) {}

  /** Whether events are being taken in. */
  get isBusy(): boolean {
    return this.underWay > 0
  }

  add(events: readonly W[]): void {
    for (const one of events) this.waiting.push(one)
    this.begin()
  }

  private begin(): void {
    while (this.mayBegin) {
      const batch = this.next()
      if (batch.length === 0) return
      void this.work(batch)
    }
  }

  private get mayBegin(): boolean {
    if (this.underWay >= this.concurrency) return false
    return this.waiting.length >= (this.small === 0 ? 1 : SMALL)
  }

  /**
   * Those at the front that may come in together: all of one mode, and none of a user who is under way. Those whose turn is
   * waited for keep to themselves, and leave room for others.
   */
  private next(): readonly W[] {
    const mayWait = this.patient < Math.max(1, this.concurrency - 1)
    const [batch, left]: [W[], W[]] = [[], []]
    const leftOut = new Set(this.usersUnderWay)
    let looked = 0
    for (const one of this.waiting) {
      const { userId } = one.event
      const [first = one] = batch
      if (one.call.mode !== first.call.mode || batch.length === BATCH[first.call.mode]) break
      looked += 1
      if (leftOut.has(userId) || isTired(one) !== isTired(first) || (isTired(one) && !mayWait)) {
        left.push(one)
        leftOut.add(userId)
      } else batch.push(one)
    }
    this.waiting = [...left, ...this.waiting.slice(looked)]
    return batch
  }

  private async work(batch: readonly W[]): Promise<void> {
    const users = new Set(batch.map(({ event }) => event.userId))
    const isPatient = batch.some(isTired)
    const isSmall = !isPatient && batch.length < SMALL
    const count = (by: 1 | -1) => {
      this.underWay += by
      if (isPatient) this.patient += by
      if (isSmall) this.small += by
    }
    count(1)
    for (const user of users) this.usersUnderWay.add(user)
    const held = await this.takeIn(batch, { passOver: !isPatient })
    count(-1)
    for (const user of users) this.usersUnderWay.delete(user)
    // Events of people whom another process holds go back to the front: order is kept, and nobody waits for it.
    if (held.length > 0) this.waiting = [...held.map((one) => ({ ...one, tries: one.tries + 1 })), ...this.waiting]
    this.begin()
  }
}

function isTired({ tries }: Waiting): boolean {
  return tries >= PATIENCE
}
