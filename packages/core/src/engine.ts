import {
  type CompiledScore,
  compileProgram,
  type Pack,
  PackError,
  type Program,
  type RelationName,
  reviewPack,
  type SubjectKind,
  tierOf,
  VERDICT_MARK,
} from '@linli/rules'
import type { Kysely } from 'kysely'
import { Dispatcher } from './delivery/dispatcher.js'
import type { Decision } from './domain/decision.js'
import { hasTag, type Run, type SubjectKey, type SubjectState, scoreOf, subjectName } from './domain/subject.js'
import { EngineError } from './errors.js'
import type { IngestMode } from './ingest/batch.js'
import type { IncomingEvent, IngestReport } from './ingest/event.js'
import { Intake } from './ingest/intake.js'
import { UNIQUE_IDENTIFIERS } from './ingest/provisional.js'
import { unmerge } from './ingest/unmerge.js'
import { explainFromLog } from './insights/explain.js'
import type { Explained } from './insights/explained.js'
import { type Trace, traceFromLog } from './insights/trace.js'
import { type CodeMaker, randomCode } from './offers/issue.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { DecisionOrder, Delivery, DeliveryState, MergeRecord, Store, StoreReads } from './ports/store.js'
import { instantOf, systemClock } from './queue/clocks.js'
import { InProcessQueue } from './queue/in-process.js'
import { openStore } from './storage/open.js'
import { advanceDue } from './subjects/due-subjects.js'
import { whoIs } from './subjects/people.js'
import { type Edition, Programs } from './subjects/programs.js'
import { isInForce, type Publication, publish } from './subjects/publishing.js'
import { advanceRelated } from './subjects/related-subjects.js'
import { Retention } from './subjects/retention.js'
import { outdated, type Progress, Sweep } from './subjects/sweep.js'
import { upToDate } from './subjects/up-to-date.js'

export interface EngineOptions {
  /**
   * The rules: `await loadPack('./rules')`. They are published at the start if they are not those in force. `'published'`:
   * whatever was published last.
   */
  readonly rules: Pack | 'published'
  /** Where messages go. Every channel that a rule names must be here. */
  readonly channels?: readonly Channel[]
  /**
   * `'memory'` (embedded, gone at the end; when left out), a folder (embedded, kept), `'postgres://…'`, a Kysely instance
   * of your own, or a store.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a host's Kysely instance has tables of its own.
  readonly database?: string | Kysely<any> | Store
  /** The time, for tests and simulations. Left out: the database's clock on PostgreSQL, else the machine's. */
  readonly clock?: Clock
  /** The database schema that linli's tables live in; `linli` when left out. */
  readonly schema?: string
  /** Makes coupon codes; 16 random characters (80 bits) when left out. */
  readonly makeCode?: CodeMaker
  /**
   * The types of identifiers in `context.externalIds` that only one person has: two users with the same one become one.
   * `openid`, `unionid`, `external_userid` and `phone` when left out; `[]` for none.
   */
  readonly identifiers?: readonly string[]
  /** How long a channel may take before its outcome is unknown, in milliseconds; 20 seconds when left out. */
  readonly callTimeoutMs?: number
  /** Told of background work that failed and will be tried again; `console.error` when left out. */
  readonly onError?: (error: unknown) => void
}

/** What is known of a subject, in a form for hosts. */
export interface Subject {
  readonly kind: SubjectKind
  /** Its id now: another one where it turned out to be somebody else. */
  readonly id: string
  /** Ids that turned out to be this subject. */
  readonly also: readonly string[]
  readonly traits: Readonly<Record<string, unknown>>
  readonly relations: Readonly<Partial<Record<RelationName, string>>>
  /** Ids of the tags it has now. */
  readonly tags: readonly string[]
  /** Every score that the rules have for it: its value now, and its tier, where it is in one. */
  readonly scores: Readonly<Record<string, { readonly value: number; readonly tier?: string }>>
  readonly runs: readonly Run[]
  /** What was said about being messaged, by `channel|class`, where `*` means any. */
  readonly consent: Readonly<Record<string, boolean>>
}

/** A running engine. */
export interface Engine {
  /**
   * Takes events in; resolves when they are durable. Each event gets its own result. With `trx` (a Kysely transaction of
   * the host's own) what comes of them commits with the host's own writes.
   *
   * With `mode: 'history'` they are past: they count for tags and scores as all others do, and no journey takes notice, so
   * nothing is sent. For years of orders at the start; beside live events, in any order, and again after a failure.
   */
  ingest(events: readonly IncomingEvent[], options?: IngestOptions): Promise<IngestReport>
  /** Does everything that is due now, and what that brings about. For scripts and tests; servers call `start`. */
  settle(): Promise<void>
  /** Does due work in the background until `close`. */
  start(): void
  subject(kind: SubjectKind, id: string): Promise<Subject | undefined>
  /** What was decided, in order: of everybody, or of one subject. */
  decisions(filter?: DecisionFilter): Promise<readonly Decision[]>
  /** Suggestions that wait for a leader and have not expired. */
  suggestions(filter?: { readonly leader?: string }): Promise<readonly Suggestion[]>
  deliveries(filter?: {
    readonly subject?: readonly [SubjectKind, string]
    readonly state?: DeliveryState
  }): Promise<readonly Delivery[]>
  /** How many coupons of each offer were issued. */
  pools(): ReturnType<StoreReads['readPools']>
  /** Why a tag is on or off, why a score is what it is, why somebody is in a journey or is not: now, or at an instant in the past. */
  explain(question: {
    readonly subject: readonly [SubjectKind, string]
    readonly rule: string
    /** ISO 8601, or milliseconds; now when left out. */
    readonly at?: string | number
  }): Promise<Explained>
  /**
   * Puts other rules in force, here and in every process on this database, from the next transaction on. Runs go on with
   * the journeys that they began with. What new rules must know of the past is read from the event log, subject by subject:
   * at once for those that something happens to, for the others in the background (or by `settle`).
   *
   * @throws PackError when a rule of it can never hold; EngineError `channel.missing`.
   */
  publish(pack: Pack, options?: PublishOptions): Promise<Published>
  /** The rules in force, and how many subjects have been brought up to them. */
  publication(): Promise<PublicationState>
  /** Users that were made one, the earliest first: all, or those of one person. */
  merges(filter?: { readonly subject?: readonly ['user', string] }): Promise<readonly Merge[]>
  /**
   * Makes two of a person again who was two after all. What events say is each one's own again, by the id they came under;
   * messages, coupons, runs and tags of journeys go back as far as they were there before the merge. The two are then made
   * one again by an `alias` only. Throws `merge.unknown` for an id that `merges` does not list as in force.
   */
  unmerge(id: string): Promise<void>
  /** How a decision that `decisions` gave came about: the rule as it was, the event, the conditions at that instant. */
  trace(decision: Decision): Promise<Trace>
  /** When something is next due; undefined when nothing is. */
  nextDue(): Promise<number | undefined>
  /** Ends background work, closes channels and the database it opened. */
  close(): Promise<void>
}

export interface IngestOptions {
  readonly trx?: unknown
  /** `live` when left out. */
  readonly mode?: IngestMode
}

/** Two users who were made one. */
export interface Merge {
  readonly id: string
  readonly at: Date
  /** Who stayed. */
  readonly into: string
  readonly from: string
  /** `alias`, `anonymousId`, or the type of the identifier that both had. */
  readonly by: string
  /** The event that said so. */
  readonly messageId: string
  /** When it was undone. */
  readonly undoneAt?: Date
}

export interface DecisionFilter {
  readonly subject?: readonly [SubjectKind, string]
  /** At most so many. */
  readonly limit?: number
  /** The earliest first, as when left out, or the latest. */
  readonly order?: DecisionOrder
}

export interface PublishOptions {
  /**
   * Whether journeys may enter people for what the new rules find in the past. False when left out: a tag that goes on
   * because the rules are new greets nobody.
   */
  readonly greet?: boolean
  /** Told after each batch of subjects that this process brought up, and at the end, with `done` = `total`. */
  readonly onProgress?: (progress: Progress) => void
}

/** A version of the rules: its number, from 1, and the hash of its content. */
export interface Published {
  readonly version: number
  readonly hash: string
}

export interface PublicationState extends Published {
  readonly publishedAt: Date
  /** Of how many subjects the states are up to these rules. */
  readonly done: number
  readonly total: number
}

/** Something that a rule suggests to a leader. */
export interface Suggestion {
  readonly key: string
  readonly leader: string
  readonly text: string
  /** `community:c-1` */
  readonly about: string
  readonly journey: string
  readonly expiresAt: Date
}

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
  const channels = channelsByName(options.channels ?? [])
  if (compiled !== undefined) checkChannels(channels, compiled)
  const store = await storeOf(options)
  try {
    await store.migrate()
    const programs = new Programs(compiled)
    if (compiled !== undefined && options.rules !== 'published') {
      await putInForce(store, programs, { pack: options.rules, compiled, greet: false }, options.clock ?? systemClock)
    }
    const { program } = await store.transaction((tx) => programs.in(tx))
    checkChannels(channels, program)
    return new LocalEngine(options, programs, channels, store)
  } catch (error) {
    await store.close()
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

function channelsByName(channels: readonly Channel[]): ReadonlyMap<string, Channel> {
  const byName = new Map<string, Channel>()
  for (const channel of channels) {
    if (byName.has(channel.name)) {
      throw new EngineError('channel.duplicate', `Two channels are called ${JSON.stringify(channel.name)}.`, {
        channel: channel.name,
      })
    }
    byName.set(channel.name, channel)
  }
  return byName
}

/** Every channel that a journey sends by must be there. */
function checkChannels(byName: ReadonlyMap<string, Channel>, program: Program): void {
  for (const journey of program.journeys.values()) {
    for (const step of journey.steps) {
      const missing = step.verb === 'send' ? step.channels.find((name) => !byName.has(name)) : undefined
      if (missing === undefined) continue
      const has = byName.size === 0 ? 'none' : [...byName.keys()].join(', ')
      const message = `Journey "${journey.id}", step "${step.id}" sends by channel ${JSON.stringify(missing)}, which the engine was not given. It has: ${has}.`
      throw new EngineError('channel.missing', message, { journey: journey.id, step: step.id, channel: missing })
    }
  }
}

class LocalEngine implements Engine {
  private readonly intake: Intake
  private readonly queue: InProcessQueue
  private readonly clock: Clock
  private readonly sweep: Sweep
  private closed = false

  constructor(
    options: EngineOptions,
    private readonly programs: Programs,
    private readonly channels: ReadonlyMap<string, Channel>,
    private readonly store: Store,
  ) {
    const clock = options.clock ?? systemClock
    this.clock = clock
    this.intake = new Intake(store, programs, clock, new Set(options.identifiers ?? UNIQUE_IDENTIFIERS))
    this.sweep = new Sweep(store, programs, clock, this.intake)
    const { makeCode = randomCode, callTimeoutMs = 20_000 } = options
    const dispatcher = new Dispatcher({ store, programs, channels, clock, makeCode, callTimeoutMs })
    const retention = new Retention(store, programs, clock)
    this.queue = new InProcessQueue({
      store,
      clock,
      work: [
        () => store.transaction((tx) => advanceRelated(tx, programs)),
        () => store.transaction((tx) => advanceDue(tx, programs, clock.now())),
        () => dispatcher.dispatch(),
        (hurried) => this.sweep.pass(hurried),
        () => retention.pass(),
      ],
      onError:
        options.onError ?? ((error) => console.error('linli: background work failed and will be tried again', error)),
    })
  }

  async ingest(events: readonly IncomingEvent[], { trx, mode }: IngestOptions = {}): Promise<IngestReport> {
    this.mustBeOpen()
    if (trx === undefined) {
      const report = await this.intake.ingest(events, { mode })
      this.queue.wake()
      return report
    }
    const tx = this.store.join?.(trx)
    if (tx === undefined) {
      throw new EngineError('transaction.unsupported', 'This database cannot join a transaction of the host.')
    }
    return this.intake.ingest(events, { tx, mode })
  }

  settle(): Promise<void> {
    this.mustBeOpen()
    return this.queue.settle()
  }

  start(): void {
    this.mustBeOpen()
    this.queue.start()
  }

  async publish(pack: Pack, { greet = false, onProgress }: PublishOptions = {}): Promise<Published> {
    this.mustBeOpen()
    const mistakes = reviewPack(pack).filter(({ severity }) => severity === 'error')
    if (mistakes.length > 0) throw new PackError(mistakes)
    const compiled = compileProgram(pack)
    checkChannels(this.channels, compiled)
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
    return this.store.readPools()
  }

  async explain({ subject: [kind, id], rule, at }: Parameters<Engine['explain']>[0]): Promise<Explained> {
    const instant = at === undefined ? this.clock.now() : instantOf(at)
    const { pack } = await this.bringUp({ kind, id })
    return explainFromLog({ store: this.store, pack, key: { kind, id }, rule, at: instant })
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

  trace(decision: Decision): Promise<Trace> {
    const packAt = async (at: number) => (await this.store.transaction((tx) => this.programs.inForceAt(tx, at))).pack
    return traceFromLog({ store: this.store, packAt, decision })
  }

  nextDue(): Promise<number | undefined> {
    return this.store.nextDue()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.queue.stop()
    for (const channel of this.channels.values()) await channel.close?.()
    await this.store.close()
  }

  private mustBeOpen(): void {
    if (this.closed) throw new EngineError('engine.closed', 'The engine is closed.')
  }
}

function subjectFor(kind: SubjectKind, id: string, state: SubjectState, program: Program): Subject {
  const valuesOf = <T>(dated: Readonly<Record<string, readonly [T, number] | undefined>>) =>
    Object.fromEntries(Object.entries(dated).flatMap(([name, said]) => (said === undefined ? [] : [[name, said[0]]])))
  return {
    kind,
    id,
    also: state.also,
    traits: valuesOf(state.traits),
    relations: valuesOf(state.relations),
    tags: [...state.tags.keys()].filter((tag) => hasTag(state, tag) && !tag.startsWith(VERDICT_MARK)),
    scores: scoresFor(state, program.subjects[kind].scoresById),
    runs: state.runs,
    consent: valuesOf(state.consent),
  }
}

function scoresFor(state: SubjectState, scores: ReadonlyMap<string, CompiledScore>): Subject['scores'] {
  return Object.fromEntries(
    [...scores].map(([id, { tiers }]) => {
      const [value] = scoreOf(state, id)
      const tier = tierOf(tiers, value)
      return [id, { value, ...(tier !== undefined && { tier }) }]
    }),
  )
}

function suggestionOf({ key, subject, source, body }: Delivery): Suggestion {
  return {
    key,
    leader: body.to ?? '',
    text: body.text ?? '',
    about: subjectName(subject),
    journey: source.journey,
    expiresAt: new Date(body.expiresAt ?? 0),
  }
}

function mergeOf({ id, at, into, from, by, messageId, undoneAt }: MergeRecord): Merge {
  return {
    id,
    at: new Date(at),
    into,
    from,
    by,
    messageId,
    ...(undoneAt !== undefined && { undoneAt: new Date(undoneAt) }),
  }
}
