import {
  type CompiledScore,
  type HaltTarget,
  type Pack,
  type Program,
  type RelationName,
  type SubjectKind,
  tierOf,
  VERDICT_MARK,
} from '@linli/rules'
import type { Kysely } from 'kysely'
import type { SuggestionMark } from './delivery/suggestions.js'
import type { CancelNote, Decision } from './domain/decision.js'
import { hasTag, type Run, type SubjectState, scoreOf, subjectName } from './domain/subject.js'
import type { IngestMode } from './ingest/batch.js'
import type { EntryRequest } from './ingest/entry-request.js'
import type { EventResult, IncomingEvent, IngestReport } from './ingest/event.js'
import type { Explained } from './insights/explained.js'
import type { Trace } from './insights/trace.js'
import type { Codes, CodesAdded } from './offers/codes.js'
import type { CodeMaker } from './offers/issue.js'
import type { CouponFound, Redemption } from './offers/redeem.js'
import type { PolicyUse } from './operations/budgets.js'
import type { RunName } from './operations/cancelling.js'
import type { Counts } from './operations/counts.js'
import type { Health } from './operations/health.js'
import type { CountFilter, Halted, Halts, OperatorNote } from './operations/operations.js'
import type { Parked } from './operations/parked.js'
import type { Resolution, ResolutionNote } from './operations/resolution.js'
import type { RetentionOptions } from './operations/retention.js'
import type { RunFilter, RunPage } from './operations/runs.js'
import type { Verification, VerifyOptions } from './operations/verify.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Copywriter } from './ports/copywriter.js'
import type { CouponIssuer } from './ports/issuer.js'
import type { DecisionOrder, Delivery, DeliveryState, MergeRecord, Store, StoreReads } from './ports/store.js'
import type { Erasure } from './privacy/erase.js'
import type { UnsubscribeTokens, Unsubscription } from './privacy/unsubscribe.js'
import type { RedisOptions } from './queue/redis.js'
import type { Receipt, ReceiptReport } from './receipts/receipt.js'
import type { Progress } from './subjects/sweep.js'

// The developer's door: what a host gives to an engine, asks of it, and is told.

export interface EngineOptions {
  /**
   * The rules: `await loadPack('./rules')`. They are published at the start if they are not those in force. `'published'`:
   * whatever was published last.
   */
  readonly rules: Pack | 'published'
  /** Where messages go. Every channel that a rule names must be here. */
  readonly channels?: readonly Channel[]
  /** Who issues coupons that linli does not issue itself. Every issuer that an offer names must be here. */
  readonly issuers?: readonly CouponIssuer[]
  /** Writes the texts of templates that have `copy`. Left out: their fallbacks are sent. */
  readonly copywriter?: Copywriter
  /**
   * `'memory'` (embedded, gone at the end; when left out), a folder (embedded, kept), `'postgres://…'`, a Kysely instance
   * of your own, or a store.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a host's Kysely instance has tables of its own.
  readonly database?: string | Kysely<any> | Store
  /**
   * Redis, by which BullMQ shares work among any number of processes: `'redis://…'`, or more about it. Left out: each process
   * finds its work in the database. Needs PostgreSQL, and the packages `bullmq` and `ioredis`.
   */
  readonly redis?: string | RedisOptions
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
  /** How long what has ended is kept; for ever when left out. Each process that works forgets by its own. */
  readonly retention?: RetentionOptions
  /** How long a channel may take before its outcome is unknown, in milliseconds; 20 seconds when left out. */
  readonly callTimeoutMs?: number
  /** What templates may read as `unsubscribe.token`, and `engine.unsubscribe` takes: `new UnsubscribeTokens(secret)`. */
  readonly unsubscribe?: UnsubscribeTokens
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
  /**
   * Has a user enter a journey whose entry is `{ "on": "api" }`: it is told to the log as an event `journey_requested`, so it
   * happens once for each `messageId`, and what comes of it is as of any event: the journey's conditions and rules of entering
   * again are asked. Gives what became of the event; whether the user was let in, decisions say.
   *
   * @throws EngineError `rule.unknown`; `journey.entry` for a journey that is entered otherwise; `journey.property`.
   */
  enter(journey: string, request: EntryRequest, options?: Pick<IngestOptions, 'trx'>): Promise<EventResult>
  /**
   * Takes in what providers say of messages later: delivered, opened, clicked, failed; and what people do who are waited for.
   * Each receipt gets its own result, and resolves when that is durable. What is taken in is a decision (`message.delivered` …) and
   * an event of the recipient (`message_delivered` …). With `trx` it commits with the host's own writes.
   *
   * A receipt may come before the provider's answer has been written down: it then shows that the message was taken.
   */
  receive(receipts: readonly Receipt[], options?: Pick<IngestOptions, 'trx'>): Promise<ReceiptReport>
  /** Does everything that is due now, and what that brings about. For scripts and tests; servers call `start`. */
  settle(): Promise<void>
  /** Does due work in the background until `close`. */
  start(): void
  subject(kind: SubjectKind, id: string): Promise<Subject | undefined>
  /** What was decided, in order: of everybody, or of one subject. */
  decisions(filter?: DecisionFilter): Promise<readonly Decision[]>
  /** Suggestions that wait for a leader and have not expired. */
  suggestions(filter?: { readonly leader?: string }): Promise<readonly Suggestion[]>
  /**
   * Writes down that a leader has followed a suggestion (`done`), or will not (`dismissed`): a decision, and an event of whom it is about
   * (`suggestion_done`, `suggestion_dismissed`), so that rules can look at it. Once only: the first mark counts.
   *
   * @throws EngineError `delivery.unknown`; `delivery.settled` where it is marked, or has expired: `facts.state` says which.
   */
  markSuggestion(key: string, mark: SuggestionMark): Promise<void>
  deliveries(filter?: {
    readonly subject?: readonly [SubjectKind, string]
    readonly state?: DeliveryState
  }): Promise<readonly Delivery[]>
  /** How many coupons of each offer were issued, and how many codes of the shop's own are left. */
  pools(): ReturnType<StoreReads['readPools']>
  /**
   * Loads codes of the shop's own into the pool of an offer with `"codes": "given"`, 5,000 in a transaction. Each is given away
   * once, in this order; one that is there already is left out, so that loading all again after a failure is safe.
   *
   * @throws EngineError `rule.unknown`, `offer.codes`; `code.invalid` with the number of the code, never the code.
   */
  addCodes(offer: string, codes: Codes): Promise<CodesAdded>
  /** The coupon with this code: whose it is, and whether it may still be used. Undefined where there is none. */
  coupon(code: string): Promise<CouponFound | undefined>
  /**
   * Marks a coupon as used, once however many ask at the same time, and tells the log (`coupon_redeemed`).
   *
   * @throws EngineError `coupon.unknown`, `coupon.expired`, `coupon.redeemed`; `coupon.foreign` for one of somebody else than `subject`.
   */
  redeem(code: string, redemption?: Redemption): Promise<CouponFound>
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
   * @throws PackError when a rule of it can never hold; EngineError `channel.missing`, `issuer.missing`.
   */
  publish(pack: Pack, options?: PublishOptions): Promise<Published>
  /** The rules in force, and how many subjects have been brought up to them. */
  publication(): Promise<PublicationState>
  /**
   * Pauses a journey, a channel or everything: nothing of it leaves any more, in whatever process. Waits and events go on, and
   * what comes of them waits for `resume`; nobody enters a journey that is paused. Once this has resolved, nothing is begun in
   * any process; a message that was being handed to its provider may still leave. Gives what is paused or stopped then.
   *
   * @throws EngineError `rule.unknown`, `channel.unknown`
   */
  pause(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]>
  /**
   * Stops a journey, a channel or everything, as `pause` does, for good: runs end, and what they had planned is called off;
   * messages of a channel are not sent, and the step's next channel is tried. `resume` lets people enter again.
   */
  stop(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]>
  /** Takes back what `pause` or `stop` did to exactly this target. What was paused is due at once, and asks all policies anew. */
  resume(target: HaltTarget, note?: OperatorNote): Promise<readonly Halted[]>
  /**
   * Ends one run (`journey.exited`, reason `cancelled`) and calls off what it has planned. What is being handed to a provider
   * may still leave. By its id alone, or with its subject.
   *
   * @throws EngineError `run.unknown` where there is no such run under way.
   */
  cancel(run: RunName, note?: CancelNote): Promise<void>
  /**
   * Runs of a journey that are under way, in the order of their subjects, a page at a time. Found by an index; a page reads the
   * states of its subjects, and with `step` those of at most 5,000. They are as they are stored: what `stop` has ended may be
   * listed until the background has come by.
   *
   * @throws EngineError `rule.unknown`
   */
  runs(filter: RunFilter): Promise<RunPage>
  /**
   * What a journey has decided, counted by kind, reason and step, with `since <= at < until`. It reads the whole log of decisions,
   * on PostgreSQL there: for a person who asks, not for each request of a page.
   *
   * @throws EngineError `rule.unknown`
   */
  counts(filter: CountFilter): Promise<Counts>
  /** Messages and coupons of which nobody knows whether they were sent, and since when a person is waited for. */
  parked(): Promise<readonly Parked[]>
  /**
   * Says what became of a parked message or coupon (`sent`, `not sent`), or has it sent again, a message under all policies: the
   * provider may then have it twice. A coupon that was sent needs its `code`, and is its holder's from then on; `not sent` puts back
   * what it took of its pool and budget. A decision says who did so and why. Once only: of two calls, or a receipt that comes
   * meanwhile, the first counts.
   *
   * @throws EngineError `delivery.unknown`; `delivery.settled` where it is not parked (any more); `code.invalid` where a coupon was
   * sent and its code is not said or is another's, or where a code is said of anything else.
   */
  resolve(deliveryKey: string, resolution: Resolution, note: ResolutionNote): Promise<void>
  /** What is paused or stopped, and who has paused, stopped and resumed what, when and why. */
  halts(): Promise<Halts>
  /** How much of each budget is used, and what share of what communities get the messages of a mix are: now. */
  budgets(): Promise<PolicyUse>
  /**
   * Looks whether all that is stored is as it must be: waits and deliveries that somebody will look at, one end of each message,
   * no coupon too many, tags and scores as the log says. Beside everything else that goes on; it reads the whole database, so it
   * is for an operator, a nightly job, or after a restore.
   */
  verify(options?: VerifyOptions): Promise<Verification>
  /** Users that were made one, the earliest first: all, or those of one person. */
  merges(filter?: { readonly subject?: readonly ['user', string] }): Promise<readonly Merge[]>
  /**
   * Makes two of a person again who was two after all. What events say is each one's own again, by the id they came under;
   * messages, coupons, runs and tags of journeys go back as far as they were there before the merge. The two are then made
   * one again by an `alias` only. Throws `merge.unknown` for an id that `merges` does not list as in force.
   */
  unmerge(id: string): Promise<void>
  /**
   * Withdraws the consent that an unsubscribe link is about (`consent_withdrawn` for this person, channel and class), however often
   * it is asked. Call it for a POST, never for a GET: mail programs open links by themselves. Who was erased gets nothing anyway.
   *
   * @throws EngineError `unsubscribe.token` for one that is not ours, `unsubscribe.missing` without the option `unsubscribe`.
   */
  unsubscribe(token: string): Promise<Unsubscription>
  /**
   * Erases a user, whatever name of theirs this is: all that is kept under any of their ids and names goes, runs end, and what
   * was planned is called off, in one transaction. Once this has resolved nothing is sent to them (a message that was being
   * handed to its provider may still leave), and events of theirs are refused with `person.erased`. Done again, it changes nothing.
   * Their communities and leaders are worked out anew without them, in the background or by `settle`.
   *
   * What is outside of the database — backups, logs, providers — is yours to clear.
   */
  erasePerson(userId: string): Promise<Erasure>
  /** Lets somebody in again who was erased, by any name they had, as somebody of whom nothing is known. False where nobody was erased. */
  readmitPerson(userId: string): Promise<boolean>
  /**
   * All that is kept of a user as one JSON document (`PersonExport`), piece by piece: `Readable.from(engine.exportPerson('u1'))`.
   *
   * @throws EngineError `subject.unknown` before the first piece, where nothing is known of them.
   */
  exportPerson(userId: string): AsyncGenerator<string, void>
  /** How a decision that `decisions` gave came about: the rule as it was, the event, the conditions at that instant. */
  trace(decision: Decision): Promise<Trace>
  /** How the engine is, for monitoring: the database, Redis, how late due work is, what somebody has to look at. */
  health(): Promise<Health>
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
export function subjectFor(kind: SubjectKind, id: string, state: SubjectState, program: Program): Subject {
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
    runs: state.runs.filter(({ pending }) => pending === undefined),
    consent: valuesOf(state.consent),
  }
}

export function scoresFor(state: SubjectState, scores: ReadonlyMap<string, CompiledScore>): Subject['scores'] {
  return Object.fromEntries(
    [...scores].map(([id, { tiers }]) => {
      const [value] = scoreOf(state, id)
      const tier = tierOf(tiers, value)
      return [id, { value, ...(tier !== undefined && { tier }) }]
    }),
  )
}

export function suggestionOf({ key, subject, source, body }: Delivery): Suggestion {
  return {
    key,
    leader: body.to ?? '',
    text: body.text ?? '',
    about: subjectName(subject),
    journey: source.journey,
    expiresAt: new Date(body.expiresAt ?? 0),
  }
}

export function mergeOf({ id, at, into, from, by, messageId, undoneAt }: MergeRecord): Merge {
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
