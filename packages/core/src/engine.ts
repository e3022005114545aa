import {
  compileProgram,
  type HaltTarget,
  type Pack,
  PackError,
  type Program,
  reviewPack,
  type SubjectKind,
} from '@linli/rules'
import { type Background, openBackground } from './background.js'
import { closeChannels } from './delivery/closing.js'
import { checkProviders, type Providers, providersOf } from './delivery/providers.js'
import { markSuggestion, type SuggestionMark } from './delivery/suggestions.js'
import type { CancelNote, Decision } from './domain/decision.js'
import { type SubjectKey, subjectName } from './domain/subject.js'
import {
  type DecisionFilter,
  type Engine,
  type EngineOptions,
  type IngestOptions,
  type Merge,
  mergeOf,
  type PublicationState,
  type Published,
  type PublishOptions,
  type Subject,
  type Suggestion,
  subjectFor,
  suggestionOf,
} from './door.js'
import { EngineError } from './errors.js'
import { type EntryRequest, entryRequest } from './ingest/entry-request.js'
import type { EventResult, IncomingEvent, IngestReport } from './ingest/event.js'
import { Intake } from './ingest/intake.js'
import { UNIQUE_IDENTIFIERS } from './ingest/provisional.js'
import { unmerge } from './ingest/unmerge.js'
import { explainFromLog } from './insights/explain.js'
import type { Explained } from './insights/explained.js'
import { type Trace, traceFromLog } from './insights/trace.js'
import type { Codes, CodesAdded } from './offers/codes.js'
import { Offers } from './offers/offers.js'
import type { CouponFound, Redemption } from './offers/redeem.js'
import type { PolicyUse } from './operations/budgets.js'
import type { RunName } from './operations/cancelling.js'
import type { Counts } from './operations/counts.js'
import { type Health, healthOf } from './operations/health.js'
import { type Metrics, openMetrics } from './operations/metrics.js'
import { type CountFilter, type Halted, type Halts, Operations, type OperatorNote } from './operations/operations.js'
import type { Parked } from './operations/parked.js'
import type { Resolution, ResolutionNote } from './operations/resolution.js'
import type { RunFilter, RunPage } from './operations/runs.js'
import type { Verification, VerifyOptions } from './operations/verify.js'
import type { Clock } from './ports/clock.js'
import type { Queue } from './ports/queue.js'
import type { Delivery, DeliveryState, Store, StoreReads, StoreTransaction } from './ports/store.js'
import type { Erasure } from './privacy/erase.js'
import { Privacy } from './privacy/privacy.js'
import { type Unsubscription, withdrawalOf } from './privacy/unsubscribe.js'
import { instantOf, systemClock } from './queue/clocks.js'
import { type OpenedRedis, openRedis } from './queue/redis.js'
import type { Receipt, ReceiptReport } from './receipts/receipt.js'
import { type ReceivingOptions, receive } from './receipts/receive.js'
import { openStore } from './storage/open.js'
import { whoIs } from './subjects/people.js'
import { type Edition, Programs } from './subjects/programs.js'
import { isInForce, type Publication, publish } from './subjects/publishing.js'
import { outdated, Sweep } from './subjects/sweep.js'
import { upToDate } from './subjects/up-to-date.js'

/**
 * Starts an engine: compiles the rules, opens the database, brings its tables up to date, and publishes the rules if they
 * are not in force already.
 */
export function createEngine(options: EngineOptions): Promise<Engine> {
  const { rules } = options
  return startEngine(options, rules === 'published' ? undefined : compileProgram(rules))
}

/** Starts an engine with rules that have been compiled already; undefined for those that were published last. */
export async function startEngine(options: EngineOptions, compiled: Program | undefined): Promise<Engine> {
  const providers = providersOf(options)
  if (compiled !== undefined) checkProgram(compiled, providers, options)
  const redis = options.redis === undefined ? undefined : await openRedis(options.redis, options.database)
  let store: Store | undefined
  try {
    // Under a clock of its own it is a test or a simulation: nothing that monitoring should count.
    const metrics = options.clock === undefined ? await openMetrics() : undefined
    const opened = await storeOf(options)
    store = metrics?.measured(opened) ?? opened
    await store.migrate()
    const programs = new Programs(compiled)
    if (compiled !== undefined && options.rules !== 'published') {
      await putInForce(store, programs, { pack: options.rules, compiled, greet: false }, options.clock ?? systemClock)
    }
    const { program } = await store.transaction((tx) => programs.in(tx))
    checkProgram(program, providers, options)
    return new LocalEngine(options, programs, providers, store, { redis, metrics })
  } catch (error) {
    redis?.connections.close()
    await store?.close()
    throw error
  }
}

/** Publishes rules that are not in force already: publishing makes everybody wait a moment, looking does not. */
async function putInForce(store: Store, programs: Programs, publication: Publication, clock: Clock): Promise<void> {
  if (await store.transaction((tx) => isInForce(tx, programs, publication))) return
  await store.transaction((tx) => publish(tx, programs, publication, clock.now()))
}

async function storeOf({ database = 'memory', clock, schema }: EngineOptions): Promise<Store> {
  if (typeof database === 'object' && 'transaction' in database && 'migrate' in database) return database as Store
  return openStore(database as string, { ...(schema && { schema }), ...(clock && { clock: 'engine' }) })
}

/** What the rules need of the host must be there. */
function checkProgram(program: Program, providers: Providers, options: EngineOptions): void {
  checkProviders(providers, program)
  const template = [...program.templates.values()].find(({ reads }) => reads.has('unsubscribe'))
  if (template !== undefined && options.unsubscribe === undefined)
    throw noUnsubscribe(`Template "${template.id}" reads`)
}

function noUnsubscribe(who: string): EngineError {
  const message = `${who} unsubscribe tokens, and the engine has no secrets for them: give it \`unsubscribe: new UnsubscribeTokens(secret)\`.`
  return new EngineError('unsubscribe.missing', message)
}

class LocalEngine implements Engine {
  private readonly intake: Intake
  private readonly queue: Queue
  /** Waits for what no pass waits for. */
  private readonly idle: Background['idle']
  private readonly hasRedis: boolean
  private readonly metrics: Metrics | undefined
  private unobserve: (() => void) | undefined
  private readonly clock: Clock
  private readonly sweep: Sweep
  private readonly operations: Operations
  private readonly privacy: Privacy
  private readonly receiving: ReceivingOptions
  private readonly offers: Offers
  private closing: Promise<void> | undefined
  private readonly onError: (error: unknown) => void

  constructor(
    private readonly options: EngineOptions,
    private readonly programs: Programs,
    private readonly providers: Providers,
    private readonly store: Store,
    { redis, metrics }: { readonly redis: OpenedRedis | undefined; readonly metrics: Metrics | undefined },
  ) {
    this.metrics = metrics
    const clock = options.clock ?? systemClock
    this.clock = clock
    this.intake = new Intake(store, programs, clock, new Set(options.identifiers ?? UNIQUE_IDENTIFIERS))
    this.sweep = new Sweep(store, programs, clock, this.intake)
    this.operations = new Operations(store, programs, clock, [...providers.lines.keys()])
    this.privacy = new Privacy(store, programs, clock)
    this.receiving = { store, programs, clock }
    this.offers = new Offers(store, programs, clock)
    this.onError =
      options.onError ?? ((error) => console.error('linli: background work failed and will be tried again', error))
    this.hasRedis = redis !== undefined
    const { sweep, onError } = this
    const background = openBackground({ options, programs, providers, store, clock, sweep, redis, onError })
    this.queue = background.queue
    this.idle = background.idle
  }

  async ingest(events: readonly IncomingEvent[], { trx, mode }: IngestOptions = {}): Promise<IngestReport> {
    this.mustBeOpen()
    if (trx !== undefined) return this.intake.ingest(events, { tx: this.join(trx), mode })
    const report = await this.intake.ingest(events, { mode })
    this.metrics?.ingested(report)
    this.queue.wake()
    return report
  }

  async enter(journey: string, request: EntryRequest, options: Pick<IngestOptions, 'trx'> = {}): Promise<EventResult> {
    this.mustBeOpen()
    const { trx } = options
    const { program } = trx === undefined ? await this.inForce() : await this.programs.in(this.join(trx))
    const { results } = await this.ingest([entryRequest(program, journey, request)], options)
    return results[0] as EventResult
  }

  async receive(receipts: readonly Receipt[], { trx }: Pick<IngestOptions, 'trx'> = {}): Promise<ReceiptReport> {
    this.mustBeOpen()
    if (trx !== undefined) return receive(receipts, this.receiving, this.join(trx))
    const report = await receive(receipts, this.receiving)
    this.metrics?.received(report)
    this.queue.wake()
    return report
  }

  private join(trx: unknown): StoreTransaction {
    const tx = this.store.join?.(trx)
    if (tx !== undefined) return tx
    throw new EngineError('transaction.unsupported', 'This database cannot join a transaction of the host.')
  }

  settle(): Promise<void> {
    this.mustBeOpen()
    return this.queue.settle()
  }

  start(): void {
    this.mustBeOpen()
    this.unobserve ??= this.metrics?.observe(() => this.health())
    this.queue.start()
  }

  async publish(pack: Pack, { greet = false, onProgress }: PublishOptions = {}): Promise<Published> {
    this.mustBeOpen()
    const mistakes = reviewPack(pack).filter(({ severity }) => severity === 'error')
    if (mistakes.length > 0) throw new PackError(mistakes)
    const compiled = compileProgram(pack)
    checkProgram(compiled, this.providers, this.options)
    const { store, programs } = this
    programs.remember(compiled)
    if (onProgress !== undefined) this.sweep.onProgress(onProgress)
    await putInForce(store, programs, { pack, compiled, greet }, this.clock)
    const { version } = await this.inForce()
    this.queue.wake()
    return { version: version.number, hash: version.hash }
  }

  async publication(): Promise<PublicationState> {
    const edition = await this.inForce()
    const { number, hash, publishedAt } = edition.version
    const [total, left] = [await this.store.countSubjects(), await outdated(this.store, edition)]
    return { version: number, hash, publishedAt: new Date(publishedAt), done: total - left, total }
  }

  async subject(kind: SubjectKind, id: string): Promise<Subject | undefined> {
    const { program } = await this.bringUp((await whoIs(this.store, { kind, id })).key)
    const { key, state } = await whoIs(this.store, { kind, id })
    return state === undefined || state.at === 0 ? undefined : subjectFor(kind, key.id, state, program)
  }

  private inForce(): Promise<Edition> {
    return this.store.transaction((tx) => this.programs.in(tx))
  }

  /** Whoever asks about a subject gets it by the rules in force, whether the sweep has come by or not. */
  private async bringUp(key: SubjectKey): Promise<Edition> {
    const { ofSubject, newest } = await this.store.readVersions(key)
    const edition = this.programs.known(newest) ?? (await this.inForce())
    if (ofSubject >= edition.version.goodSince[key.kind]) return edition
    return this.store.transaction(async (tx) => {
      const inForce = await this.programs.in(tx)
      await upToDate(tx, this.programs, inForce, await tx.lockSubjects([key]))
      return inForce
    })
  }

  async decisions({ subject, ...filter }: DecisionFilter = {}): Promise<readonly Decision[]> {
    const subjects = subject && (await whoIs(this.store, { kind: subject[0], id: subject[1] })).keys.map(subjectName)
    return this.store.readDecisions({ ...filter, ...(subjects !== undefined && { subjects }) })
  }

  async suggestions({ leader }: { readonly leader?: string } = {}): Promise<readonly Suggestion[]> {
    const filter = { kind: 'suggestion', state: 'awaiting_person' } as const
    const waiting = await this.store.readDeliveries({ ...filter, ...(leader !== undefined && { to: leader }) })
    const now = this.clock.now()
    return waiting.filter(({ body }) => (body.expiresAt ?? 0) > now).map(suggestionOf)
  }

  async markSuggestion(key: string, mark: SuggestionMark): Promise<void> {
    this.mustBeOpen()
    await markSuggestion(this.receiving, key, mark)
    this.queue.wake()
  }

  async deliveries({
    subject,
    state,
  }: {
    readonly subject?: readonly [SubjectKind, string]
    readonly state?: DeliveryState
  } = {}): Promise<readonly Delivery[]> {
    const subjects = subject && (await whoIs(this.store, { kind: subject[0], id: subject[1] })).keys
    return this.store.readDeliveries({ ...(subjects && { subjects }), ...(state && { state }) })
  }

  pools(): ReturnType<StoreReads['readPools']> {
    return this.offers.pools()
  }

  addCodes(offer: string, codes: Codes): Promise<CodesAdded> {
    this.mustBeOpen()
    return this.offers.addCodes(offer, codes)
  }

  coupon(code: string): Promise<CouponFound | undefined> {
    this.mustBeOpen()
    return this.offers.coupon(code)
  }

  async redeem(code: string, redemption: Redemption = {}): Promise<CouponFound> {
    this.mustBeOpen()
    const found = await this.offers.redeem(code, redemption)
    this.queue.wake()
    return found
  }

  async explain({ subject: [kind, id], rule, at }: Parameters<Engine['explain']>[0]): Promise<Explained> {
    const instant = at === undefined ? this.clock.now() : instantOf(at)
    const { pack } = await this.bringUp({ kind, id })
    return explainFromLog({ store: this.store, pack, key: { kind, id }, rule, at: instant })
  }

  pause(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]> {
    return this.operate('pause', target, note)
  }

  stop(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]> {
    return this.operate('stop', target, note)
  }

  resume(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]> {
    return this.operate('resume', target, note)
  }

  private async operate(does: 'pause' | 'stop' | 'resume', target: HaltTarget, note?: OperatorNote) {
    this.mustBeOpen()
    const halted = await this.operations.operate(does, target, note)
    this.queue.wake()
    return halted
  }

  async cancel(run: RunName, note?: CancelNote): Promise<void> {
    this.mustBeOpen()
    await this.operations.cancel(run, note)
    this.queue.wake()
  }

  parked(): Promise<readonly Parked[]> {
    return this.operations.parked()
  }

  async resolve(deliveryKey: string, resolution: Resolution, note: ResolutionNote): Promise<void> {
    this.mustBeOpen()
    await this.operations.resolve(deliveryKey, resolution, note)
    this.queue.wake()
  }

  runs(filter: RunFilter): Promise<RunPage> {
    return this.operations.runs(filter)
  }

  counts(filter: CountFilter): Promise<Counts> {
    return this.operations.counts(filter)
  }

  halts(): Promise<Halts> {
    return this.operations.halts()
  }

  budgets(): Promise<PolicyUse> {
    return this.operations.budgets()
  }

  verify(options?: VerifyOptions): Promise<Verification> {
    return this.operations.verify(options)
  }

  async merges({ subject }: { readonly subject?: readonly ['user', string] } = {}): Promise<readonly Merge[]> {
    const keys = subject && (await whoIs(this.store, { kind: subject[0], id: subject[1] })).keys
    const found = await this.store.readMerges(keys === undefined ? {} : { userIds: keys.map(({ id }) => id) })
    return found.map(mergeOf)
  }

  async unmerge(id: string): Promise<void> {
    this.mustBeOpen()
    const undone = await this.store.transaction((tx) => unmerge(tx, this.programs, id, this.clock.now()))
    if (undone === undefined) {
      throw new EngineError('merge.unknown', `There is no merge ${JSON.stringify(id)} in force; see \`merges()\`.`, {
        id,
      })
    }
    this.queue.wake()
  }

  async unsubscribe(token: string): Promise<Unsubscription> {
    this.mustBeOpen()
    const { unsubscribe: tokens } = this.options
    if (tokens === undefined) throw noUnsubscribe('`engine.unsubscribe` reads')
    const unsubscription = tokens.read(token)
    const event = await withdrawalOf(this.store, unsubscription, token)
    const [result] = event === undefined ? [] : (await this.ingest([event])).results
    if (result?.status === 'rejected' && result.code !== 'person.erased') {
      throw new EngineError('unsubscribe.token', `The unsubscribe token leads to nobody: ${result.message}`)
    }
    return unsubscription
  }

  async erasePerson(userId: string): Promise<Erasure> {
    this.mustBeOpen()
    const erasure = await this.privacy.erase(userId)
    this.queue.wake()
    return erasure
  }

  readmitPerson(userId: string): Promise<boolean> {
    this.mustBeOpen()
    return this.privacy.readmit(userId)
  }

  exportPerson(userId: string): AsyncGenerator<string, void> {
    this.mustBeOpen()
    return this.privacy.export(userId)
  }

  trace(decision: Decision): Promise<Trace> {
    const packAt = async (at: number) => (await this.store.transaction((tx) => this.programs.inForceAt(tx, at))).pack
    return traceFromLog({ store: this.store, packAt, decision })
  }

  health(): Promise<Health> {
    this.mustBeOpen()
    return healthOf(this.store, this.clock, this.queue, this.hasRedis)
  }

  nextDue(): Promise<number | undefined> {
    return this.store.nextDue()
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    this.unobserve?.()
    try {
      await this.queue.stop()
      await this.idle()
      const { copywriter } = this.options
      await closeChannels([...this.providers.lines.values(), ...(copywriter ? [copywriter] : [])], this.onError)
    } finally {
      await this.store.close()
    }
  }

  private mustBeOpen(): void {
    if (this.closing !== undefined) throw new EngineError('engine.closed', 'The engine is closed.')
  }
}
