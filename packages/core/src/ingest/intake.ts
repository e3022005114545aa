import type { Decision } from '../domain/decision.js'
import { apartFromPoison, isPoison } from '../poison.js'
import type { Clock } from '../ports/clock.js'
import type { LockOptions, Store, StoredEvent, StoreTransaction } from '../ports/store.js'
import type { Programs } from '../subjects/programs.js'
import { type BatchResult, type IngestMode, ingestBatch } from './batch.js'
import { BATCH, Batches, type Waiting as WaitingEvent } from './batches.js'
import { type Contradiction, contradictionOf, recordContradictions } from './contradictions.js'
import { NOBODY, withoutErasedPeople } from './erased.js'
import type { EventResult, IncomingEvent, IngestReport, Rejection } from './event.js'
import { normalise } from './normalise.js'

type Outcome = 'new' | 'known' | 'conflict' | 'failed' | 'erased'

/** One call of `ingest` whose events wait in line. */
interface Call {
  readonly mode: IngestMode
  readonly outcomes: Map<string, Outcome>
  readonly expected: number
  readonly resolve: (outcomes: ReadonlyMap<string, Outcome>) => void
  readonly reject: (error: unknown) => void
}

interface Waiting extends WaitingEvent {
  readonly call: Call
}

function settle({ event, call }: Waiting, outcome: Outcome): void {
  call.outcomes.set(event.messageId, outcome)
  if (call.outcomes.size === call.expected) call.resolve(call.outcomes)
}

/** Where events come in. Calls that come at the same time share transactions. */
export class Intake {
  private readonly batches: Batches<Waiting>

  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
    /** The types of identifiers that are unique to a person. */
    private readonly unique: ReadonlySet<string>,
  ) {
    this.batches = new Batches((batch, options) => this.takeBatch(batch, options), store.concurrency)
  }

  /** Whether events are being taken in. */
  get isBusy(): boolean {
    return this.batches.isBusy
  }

  /** Takes events in; resolves when they are durable. One bad event never blocks the others. */
  async ingest(
    events: readonly IncomingEvent[],
    { tx, mode = 'live' }: { readonly tx?: StoreTransaction | undefined; readonly mode?: IngestMode | undefined } = {},
  ): Promise<IngestReport> {
    const checked = this.check(events)
    if (checked.rejections.length > 0) await this.logRejections(checked.rejections, tx)
    const outcomes =
      tx === undefined ? await this.queue(checked.events, mode) : await this.join(checked.events, tx, mode)
    if (checked.contradictions.length > 0) await this.logContradictions(checked.contradictions, tx)
    return report(checked.results, outcomes)
  }

  private check(events: readonly IncomingEvent[]) {
    const now = this.clock.now()
    const keepMs = this.programs.newest?.program.history?.keepMs
    const unique = new Map<string, StoredEvent>()
    const rejections: Decision[] = []
    const contradictions: Contradiction[] = []
    const results = events.map((raw): EventResult => {
      const normalised = normalise(raw, now, this.unique, keepMs)
      if (!normalised.ok) {
        rejections.push(rejectionOf(normalised, now))
        return { status: 'rejected', messageId: normalised.messageId, ...normalised.rejection }
      }
      const { event } = normalised
      const first = unique.get(event.messageId)
      if (first !== undefined) {
        const contradiction = contradictionOf(first, event)
        if (contradiction !== undefined) contradictions.push(contradiction)
        return duplicate(event.messageId, contradiction !== undefined)
      }
      unique.set(event.messageId, event)
      return { status: 'accepted', messageId: event.messageId }
    })
    return { results, events: [...unique.values()], rejections, contradictions }
  }

  private async logContradictions(found: readonly Contradiction[], tx: StoreTransaction | undefined): Promise<void> {
    const now = this.clock.now()
    if (tx !== undefined) await recordContradictions(tx, found, now)
    else await this.store.transaction((own) => recordContradictions(own, found, now))
  }

  private async logRejections(rejections: readonly Decision[], tx: StoreTransaction | undefined): Promise<void> {
    const log = async (own: StoreTransaction) => own.addDecisions(await withoutErasedPeople(own, rejections))
    if (tx !== undefined) await log(tx)
    else await this.store.transaction(log)
  }

  /** Joins the host's transaction: what comes of the events commits with it. */
  private async join(
    events: readonly StoredEvent[],
    tx: StoreTransaction,
    mode: IngestMode,
  ): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map<string, Outcome>()
    for (let from = 0; from < events.length; from += BATCH[mode]) {
      const batch = events.slice(from, from + BATCH[mode])
      const result = await ingestBatch(tx, this.programs, batch, this.clock.now(), { mode, unique: this.unique })
      for (const { messageId } of batch) outcomes.set(messageId, outcomeOf(messageId, result))
    }
    return outcomes
  }

  private queue(events: readonly StoredEvent[], mode: IngestMode): Promise<ReadonlyMap<string, Outcome>> {
    if (events.length === 0) return Promise.resolve(new Map())
    return new Promise((resolve, reject) => {
      const call = { mode, outcomes: new Map<string, Outcome>(), expected: events.length, resolve, reject }
      this.batches.add(events.map((event) => ({ event, call, tries: 0 })))
    })
  }

  /** Takes a batch in; gives what has to be taken in later. What the batch fails by is refused alone. */
  private async takeBatch(waiting: readonly Waiting[], options: LockOptions): Promise<readonly Waiting[]> {
    const results = await apartFromPoison(waiting, (some) => this.takeTogether(some, options))
    const later: Waiting[] = []
    for (const [index, one] of waiting.entries()) {
      const result = results[index]
      if (result?.status === 'fulfilled') {
        if (result.value === 'held') later.push(one)
      } else if (isPoison(result?.reason)) await this.refuse(one)
      else one.call.reject(result?.reason)
    }
    return later
  }

  /** Takes events in by one transaction, and says of each whether it has to be taken in later. */
  private async takeTogether(
    waiting: readonly Waiting[],
    options: LockOptions,
  ): Promise<readonly ('settled' | 'held')[]> {
    const first = firstOfEach(waiting)
    const contradictions = first.size === waiting.length ? NO_CONTRADICTIONS : contradictionsAmong(waiting, first)
    const { mode } = waiting[0]?.call ?? {}
    const repeated = [...contradictions.values()]
    const batchOptions = { ...options, ...(mode && { mode }), repeated, unique: this.unique }
    const result = await this.store.transaction((tx) =>
      ingestBatch(tx, this.programs, [...first.values()], this.clock.now(), batchOptions),
    )
    return waiting.map((one) => {
      const { messageId } = one.event
      if (result.held.has(messageId)) return 'held'
      const isFirst = first.get(messageId) === one.event
      const own = outcomeOf(messageId, result)
      const outcome = own !== 'erased' && contradictions.has(one) ? 'conflict' : own
      settle(one, outcome === 'new' && !isFirst ? 'known' : outcome)
      return 'settled'
    })
  }

  private async refuse(one: Waiting): Promise<void> {
    const { event, call } = one
    const at = this.clock.now()
    const details = { reason: 'event.failed', messageId: event.messageId }
    const decision: Decision = { at, subject: `user:${event.userId}`, decision: 'event.rejected', ...details }
    try {
      await this.logRejections([decision], undefined)
      settle(one, 'failed')
    } catch (error) {
      call.reject(error)
    }
  }
}

const NO_CONTRADICTIONS: ReadonlyMap<Waiting, Contradiction> = new Map()

/** The same id may stand in two calls of one batch: the first is the event, the others its duplicates. By the last's place. */
function firstOfEach(waiting: readonly Waiting[]): ReadonlyMap<string, StoredEvent> {
  const first = new Map<string, StoredEvent>()
  for (const { event } of waiting) {
    const known = first.get(event.messageId)
    if (known !== undefined) first.delete(event.messageId)
    first.set(event.messageId, known ?? event)
  }
  return first
}

function contradictionsAmong(waiting: readonly Waiting[], first: ReadonlyMap<string, StoredEvent>) {
  const contradictions = new Map<Waiting, Contradiction>()
  for (const one of waiting) {
    const event = first.get(one.event.messageId) ?? one.event
    const found = event === one.event ? undefined : contradictionOf(event, one.event)
    if (found !== undefined) contradictions.set(one, found)
  }
  return contradictions
}

function rejectionOf(
  { messageId, userId, rejection }: Extract<ReturnType<typeof normalise>, { ok: false }>,
  at: number,
): Decision {
  const { code: reason, message } = rejection
  const id = messageId !== undefined && { messageId }
  return {
    at,
    subject: userId === undefined ? NOBODY : `user:${userId}`,
    decision: 'event.rejected',
    reason,
    message,
    ...id,
  }
}

function outcomeOf(messageId: string, { fresh, contradictory, erased }: BatchResult): Outcome {
  if (erased.has(messageId)) return 'erased'
  if (fresh.has(messageId)) return 'new'
  return contradictory.has(messageId) ? 'conflict' : 'known'
}

const FAILED: Rejection = { code: 'event.failed', message: 'The event could not be taken in.' }
const ERASED: Rejection = { code: 'person.erased', message: 'The event is of somebody who was erased.' }

function duplicate(messageId: string, isConflict: boolean): EventResult {
  return { status: 'duplicate', messageId, ...(isConflict && { conflict: true }) }
}

function report(results: readonly EventResult[], outcomes: ReadonlyMap<string, Outcome>): IngestReport {
  const final = results.map((result): EventResult => {
    if (result.status !== 'accepted') return result
    const outcome = outcomes.get(result.messageId)
    if (outcome === 'new') return result
    if (outcome === 'known' || outcome === 'conflict') return duplicate(result.messageId, outcome === 'conflict')
    return { ...result, status: 'rejected', ...(outcome === 'erased' ? ERASED : FAILED) }
  })
  const count = { accepted: 0, duplicate: 0, rejected: 0 }
  for (const { status } of final) count[status] += 1
  return { accepted: count.accepted, duplicates: count.duplicate, rejected: count.rejected, results: final }
}
