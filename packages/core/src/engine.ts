import {
  type CompiledScore,
  compileProgram,
  type JourneyDefinition,
  type Pack,
  PackError,
  type Program,
  type RelationName,
  type SubjectKind,
  tierOf,
  VERDICT_MARK,
} from '@linli/rules'
import type { Kysely } from 'kysely'
import { Dispatcher } from './delivery/dispatcher.js'
import type { Decision } from './domain/decision.js'
import { hasTag, type Run, type SubjectState, scoreOf, subjectName } from './domain/subject.js'
import { EngineError } from './errors.js'
import type { IncomingEvent, IngestReport } from './ingest/event.js'
import { Intake } from './ingest/intake.js'
import { explainFromLog } from './insights/explain.js'
import type { Explained } from './insights/explained.js'
import { type CodeMaker, randomCode } from './offers/issue.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Delivery, DeliveryState, Store, StoreReads } from './ports/store.js'
import { instantOf, systemClock } from './queue/clocks.js'
import { InProcessQueue } from './queue/in-process.js'
import { openStore } from './storage/open.js'
import { advanceDue } from './subjects/due-subjects.js'
import { rebuild } from './subjects/rebuild.js'
import { advanceRelated } from './subjects/related-subjects.js'

export interface EngineOptions {
  /** The rules: `await loadPack('./rules')`. */
  readonly rules: Pack
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
  /** How long a channel may take before its outcome is unknown, in milliseconds; 20 seconds when left out. */
  readonly callTimeoutMs?: number
  /** Told of background work that failed and will be tried again; `console.error` when left out. */
  readonly onError?: (error: unknown) => void
}

/** What is known of a subject, in a form for hosts. */
export interface Subject {
  readonly kind: SubjectKind
  readonly id: string
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
   */
  ingest(events: readonly IncomingEvent[], options?: { readonly trx?: unknown }): Promise<IngestReport>
  /** Does everything that is due now, and what that brings about. For scripts and tests; servers call `start`. */
  settle(): Promise<void>
  /** Does due work in the background until `close`. */
  start(): void
  subject(kind: SubjectKind, id: string): Promise<Subject | undefined>
  /** What was decided, in order. */
  decisions(filter?: DecisionFilter): Promise<readonly Decision[]>
  /** Suggestions that wait for a leader and have not expired. */
  suggestions(filter?: { readonly leader?: string }): Promise<readonly Suggestion[]>
  deliveries(filter?: {
    readonly subject?: readonly [SubjectKind, string]
    readonly state?: DeliveryState
  }): Promise<readonly Delivery[]>
  /** How many coupons of each offer were issued. */
  pools(): ReturnType<StoreReads['readPools']>
  /**
   * Why a tag is on or off a user, or why a journey was or was not entered, at an instant: worked out again from the
   * event log. For communities and leaders: as it is now.
   */
  explain(question: {
    readonly subject: readonly [SubjectKind, string]
    readonly rule: string
    /** ISO 8601, or milliseconds; now when left out. */
    readonly at?: string | number
  }): Promise<Explained>
  /** When something is next due; undefined when nothing is. */
  nextDue(): Promise<number | undefined>
  /** Ends background work, closes channels and the database it opened. */
  close(): Promise<void>
}

export interface DecisionFilter {
  readonly subject?: readonly [SubjectKind, string]
  /** At most so many, the earliest first. */
  readonly limit?: number
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

/** Starts an engine: compiles the rules, opens the database, brings its tables up to date. */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return startEngine(options, compileProgram(options.rules))
}

/** Starts an engine with rules that have been compiled already. */
export async function startEngine(options: EngineOptions, current: Program): Promise<Engine> {
  const channels = channelsByName(options.channels ?? [], current)
  const store = await storeOf(options)
  try {
    await store.migrate()
    const program = await withRunningJourneys(options.rules, current, store)
    await rebuild(store, program, options.clock ?? systemClock)
    return new LocalEngine(options, program, channels, store)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function storeOf({ database = 'memory', clock, schema }: EngineOptions): Promise<Store> {
  if (typeof database === 'object' && 'transaction' in database && 'migrate' in database) return database as Store
  return openStore(database as string, { ...(schema && { schema }), ...(clock && { clock: 'engine' }) })
}

/** The program with older definitions of journeys that some run may have begun with. */
async function withRunningJourneys(pack: Pack, current: Program, store: Store): Promise<Program> {
  const known = await store.readJourneys()
  const older = known.filter(({ hash }) => !current.journeysByHash.has(hash)).map(({ definition }) => definition)
  const own = [...current.journeysByHash].map(
    ([hash, { definition }]): { hash: string; definition: JourneyDefinition } => ({
      hash,
      definition,
    }),
  )
  await store.rememberJourneys(own)
  if (older.length === 0) return current
  return (
    tryToCompile(pack, older) ?? compileProgram(pack, { running: older.filter((one) => tryToCompile(pack, [one])) })
  )
}

/** Undefined when the pack no longer has what a running journey needs: its runs end where they would go on. */
function tryToCompile(pack: Pack, running: readonly JourneyDefinition[]): Program | undefined {
  try {
    return compileProgram(pack, { running })
  } catch (error) {
    if (error instanceof PackError) return undefined
    throw error
  }
}

function channelsByName(channels: readonly Channel[], program: Program): ReadonlyMap<string, Channel> {
  const byName = new Map<string, Channel>()
  for (const channel of channels) {
    if (byName.has(channel.name)) {
      throw new EngineError('channel.duplicate', `Two channels are called ${JSON.stringify(channel.name)}.`, {
        channel: channel.name,
      })
    }
    byName.set(channel.name, channel)
  }
  for (const journey of program.journeysByHash.values()) {
    for (const step of journey.steps) {
      const missing = step.verb === 'send' ? step.channels.find((name) => !byName.has(name)) : undefined
      if (missing === undefined) continue
      const has = byName.size === 0 ? 'none' : [...byName.keys()].join(', ')
      const message = `Journey "${journey.id}", step "${step.id}" sends by channel ${JSON.stringify(missing)}, which the engine was not given. It has: ${has}.`
      throw new EngineError('channel.missing', message, { journey: journey.id, step: step.id, channel: missing })
    }
  }
  return byName
}

class LocalEngine implements Engine {
  private readonly intake: Intake
  private readonly queue: InProcessQueue
  private readonly clock: Clock
  private closed = false

  constructor(
    private readonly options: EngineOptions,
    private readonly program: Program,
    private readonly channels: ReadonlyMap<string, Channel>,
    private readonly store: Store,
  ) {
    const clock = options.clock ?? systemClock
    this.clock = clock
    this.intake = new Intake(store, program, clock)
    const { makeCode = randomCode, callTimeoutMs = 20_000 } = options
    const dispatcher = new Dispatcher({ store, program, channels, clock, makeCode, callTimeoutMs })
    this.queue = new InProcessQueue({
      store,
      clock,
      work: [
        () => store.transaction((tx) => advanceRelated(tx, program)),
        () => store.transaction((tx) => advanceDue(tx, program, clock.now())),
        () => dispatcher.dispatch(),
      ],
      onError:
        options.onError ?? ((error) => console.error('linli: background work failed and will be tried again', error)),
    })
  }

  async ingest(events: readonly IncomingEvent[], { trx }: { readonly trx?: unknown } = {}): Promise<IngestReport> {
    this.mustBeOpen()
    if (trx === undefined) {
      const report = await this.intake.ingest(events)
      this.queue.wake()
      return report
    }
    const tx = this.store.join?.(trx)
    if (tx === undefined) {
      throw new EngineError('transaction.unsupported', 'This database cannot join a transaction of the host.')
    }
    return this.intake.ingest(events, tx)
  }

  settle(): Promise<void> {
    this.mustBeOpen()
    return this.queue.settle()
  }

  start(): void {
    this.mustBeOpen()
    this.queue.start()
  }

  async subject(kind: SubjectKind, id: string): Promise<Subject | undefined> {
    const state = await this.store.readSubject({ kind, id })
    return state === undefined || state.at === 0 ? undefined : subjectFor(kind, id, state, this.program)
  }

  decisions({ subject, limit }: DecisionFilter = {}): Promise<readonly Decision[]> {
    const name = subject && subjectName({ kind: subject[0], id: subject[1] })
    return this.store.readDecisions({
      ...(name !== undefined && { subject: name }),
      ...(limit !== undefined && { limit }),
    })
  }

  async suggestions({ leader }: { readonly leader?: string } = {}): Promise<readonly Suggestion[]> {
    const filter = { kind: 'suggestion', state: 'awaiting_person' } as const
    const waiting = await this.store.readDeliveries({ ...filter, ...(leader !== undefined && { to: leader }) })
    const now = this.clock.now()
    return waiting.filter(({ body }) => (body.expiresAt ?? 0) > now).map(suggestionOf)
  }

  deliveries({
    subject,
    state,
  }: {
    readonly subject?: readonly [SubjectKind, string]
    readonly state?: DeliveryState
  } = {}): Promise<readonly Delivery[]> {
    const key = subject && { kind: subject[0], id: subject[1] }
    return this.store.readDeliveries({ ...(key && { subject: key }), ...(state && { state }) })
  }

  pools(): ReturnType<StoreReads['readPools']> {
    return this.store.readPools()
  }

  async explain({ subject: [kind, id], rule, at }: Parameters<Engine['explain']>[0]): Promise<Explained> {
    const instant = at === undefined ? this.clock.now() : instantOf(at)
    return explainFromLog({ store: this.store, pack: this.options.rules, key: { kind, id }, rule, at: instant })
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
