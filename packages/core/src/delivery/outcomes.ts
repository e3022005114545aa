import { contentHash, type Program } from '@linli/rules'
import type { Decision, Input, StepResult } from '../domain/decision.js'
import { type Coupon, isAt, type SubjectKey, type SubjectState, subjectName, UNBORN } from '../domain/subject.js'
import { followTelling, returnOf } from '../domain/untold.js'
import { attributed } from '../ingest/attribution.js'
import { wordsToRelated } from '../ingest/batch.js'
import { inputOf } from '../ingest/records.js'
import type { Delivery, LockedSubject, StoredEvent, StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from '../subjects/advance-subjects.js'
import { People } from '../subjects/people.js'
import type { Edition } from '../subjects/programs.js'
import type { DispatcherOptions } from './options.js'
import { nextChannel, planReturn } from './plan.js'
import { codeFateOf } from './telling.js'

/** The run is over; or it goes on by another definition of its journey, which wishes for what it needs itself. */
export type CalledOff = 'run ended' | 'run moved'

/** What something that is brought about follows from: a delivery, or what is left of it. */
export type Wished = Pick<Delivery, 'key' | 'subject' | 'source'>

/**
 * Gathers what deliveries bring about while their subjects are locked — changed states, decisions, events, runs that go
 * on — and writes it all at once.
 */
export class Outcomes<D extends Wished = Delivery> {
  private readonly subjects: Map<string, LockedSubject>
  private readonly touched = new Set<string>()
  private readonly inputs = new Map<string, Input[]>()
  private readonly deliveries: Delivery[] = []
  private readonly added: Delivery[] = []
  private readonly decisions: Decision[] = []
  private readonly events: StoredEvent[] = []

  private constructor(
    private readonly tx: StoreTransaction,
    /** What the transaction works by. */
    readonly program: Program,
    /** When the subjects were locked: a wait for a lock takes time, and what is decided then holds then. */
    readonly now: number,
    /** The deliveries, each for who its subject is now. */
    readonly locked: readonly D[],
    subjects: readonly LockedSubject[],
  ) {
    this.subjects = new Map(subjects.map((subject) => [subjectName(subject.key), subject]))
  }

  /** Locks the subjects of deliveries. */
  static async lock<D extends Wished>(
    tx: StoreTransaction,
    { programs, clock }: Pick<DispatcherOptions, 'programs' | 'clock'>,
    edition: Edition,
    deliveries: readonly D[],
  ): Promise<Outcomes<D>> {
    const keys = deliveries.map(({ subject }) => subject)
    const people = await People.lock(tx, programs, edition, keys)
    const now = (await tx.now()) ?? clock.now()
    const subjects = deliveries.map(({ subject: key }) => people.get(key) ?? unknown(key))
    const locked = deliveries.map((delivery, index) => ofSubject(delivery, subjects[index]?.key ?? delivery.subject))
    return new Outcomes(tx, edition.program, now, locked, subjects)
  }

  subjectOf({ subject }: Pick<Delivery, 'subject'>): LockedSubject {
    return this.subjects.get(subjectName(subject)) ?? unknown(subject)
  }

  /**
   * Why a delivery is not wanted any more: an exit or another version of the journey in between calls it off. Neither what may have
   * left already, nor what somebody wants done again, though its run went on when it was parked.
   */
  whyCalledOff(delivery: Pick<Delivery, 'subject' | 'source' | 'state' | 'body'>): CalledOff | undefined {
    const { source, state, body } = delivery
    if (state === 'unknown' || body.again !== undefined) return undefined
    const run = this.subjectOf(delivery).state.runs.find(({ id }) => id === source.run)
    if (run === undefined) return 'run ended'
    return isAt(run, source) ? undefined : 'run moved'
  }

  replaceState(delivery: Delivery, state: SubjectState): void {
    const name = subjectName(delivery.subject)
    this.subjects.set(name, { ...this.subjectOf(delivery), state })
    this.touched.add(name)
  }

  save(delivery: Delivery): void {
    this.deliveries.push(delivery)
  }

  say(decision: Decision): void {
    this.decisions.push(decision)
  }

  /** Plans a delivery that follows. */
  plan(delivery: Delivery): void {
    this.added.push(delivery)
  }

  /** Plans the delivery by the step's next channel; false when there is none. */
  tryNextChannel(delivery: Delivery): boolean {
    const next = nextChannel(delivery, this.now)
    if (next === undefined) return false
    this.plan(next)
    const { source, body } = next
    const about = { run: source.run, step: source.step, template: body.what, channel: body.channel, class: body.class }
    const subject = subjectName(next.subject)
    this.say({ at: this.now, subject, decision: 'message.planned', rule: source.journey, ...about })
    return true
  }

  /** Lets the run go on after its step. */
  resume({ key, subject, source }: Delivery, result: StepResult, coupon?: Coupon): void {
    const outcome: Input = {
      kind: 'outcome',
      at: this.now,
      run: source.run,
      step: source.step,
      ...(source.moves !== undefined && { moves: source.moves }),
      result,
      ...(coupon && { coupon, grant: key }),
    }
    this.tell(subject, outcome)
  }

  /**
   * Records an outcome as an event of the subject, so that rules can look at it. `which` tells apart those that a delivery has
   * several of; `at` is when it happened, now where left out.
   */
  emit(
    delivery: Wished & Partial<Pick<Delivery, 'body'>>,
    event: string,
    properties: Readonly<Record<string, unknown>>,
    { which, at = this.now }: { readonly which?: string; readonly at?: number } = {},
  ): void {
    // Of whom nothing is known, nothing is to be told.
    if (this.subjectOf(delivery).state.at === 0) return
    // Where somebody had it sent again, each of its lives has events of its own.
    const name = [delivery.key, event, which, delivery.body?.again].filter((part) => part !== undefined).join('|')
    const messageId = `linli:${contentHash(name, 24)}`
    const { subject, source } = delivery
    const { journey, run, step } = source
    const record = { messageId, event, at, properties: { ...properties, journey, run, step } }
    if (subject.kind === 'user') this.log(delivery, { ...record, type: 'track' })
    else this.tell(subject, { kind: 'event', at: this.now, event: record })
  }

  /** Records what a step says of its user: an event, or traits. */
  emitSaid(delivery: Delivery): void {
    const { key, body } = delivery
    const { what, values = {}, link } = body
    if (what !== 'identify') return this.emit(delivery, what, { ...values, link })
    const messageId = `linli:${contentHash(`${key}|identify`, 24)}`
    this.log(delivery, { messageId, type: 'identify', event: what, at: this.now, properties: { link }, traits: values })
  }

  private log({ subject }: Pick<Delivery, 'subject'>, event: Omit<StoredEvent, 'userId' | 'receivedAt'>): void {
    const stored = { ...event, userId: subject.id, receivedAt: this.now }
    this.events.push(...attributed([stored], this.subjectOf({ subject }).state.relations))
    this.tell(subject, inputOf(stored, this.now))
  }

  async write(): Promise<void> {
    const { tx } = this
    this.followCodes()
    if (this.events.length > 0) await tx.addEvents(this.events)
    const moved = [...this.inputs].map(([name, inputs]) => ({ subject: this.subjects.get(name), inputs }))
    const work = moved.flatMap(({ subject, inputs }) => (subject === undefined ? [] : [{ subject, inputs }]))
    if (this.decisions.length > 0) await tx.addDecisions(this.decisions)
    if (work.length > 0) await advanceSubjects(tx, this.program, work)
    // Outcomes count for the community and the leader as well, as every event of a user does.
    const words = this.events.flatMap((event) => wordsToRelated(this.program, event, this.now))
    if (words.length > 0) await tx.addInbox(words)
    const others = [...this.touched].flatMap((name) => (this.inputs.has(name) ? [] : (this.subjects.get(name) ?? [])))
    if (others.length > 0) {
      await tx.saveSubjects(others.map(({ key, state, dueAt, isNew }) => ({ key, state, isNew, dueAt })))
    }
    if (this.deliveries.length > 0) await tx.saveDeliveries(this.deliveries)
    if (this.added.length > 0) await tx.addDeliveries(this.added)
  }

  /** Strikes off messages that can tell nobody's coupon any more; where its run is over and none is left, it goes back. */
  private followCodes(): void {
    const steps = new Set(this.added.map(stepOf))
    for (const delivery of new Map(this.deliveries.map((one) => [one.key, one])).values()) {
      const fate = codeFateOf(delivery)
      // The step's next channel tells it instead.
      if (fate === undefined || (fate.why !== undefined && steps.has(stepOf(delivery)))) continue
      const before = this.subjectOf(delivery).state
      const { state, over } = followTelling(before, fate)
      if (state !== before) this.replaceState(delivery, state)
      if (over !== undefined) this.plan(planReturn(delivery.subject, returnOf(over, this.now)))
    }
  }

  private tell(subject: SubjectKey, input: Input): void {
    const name = subjectName(subject)
    const known = this.inputs.get(name)
    if (known === undefined) this.inputs.set(name, [input])
    else known.push(input)
  }
}

function ofSubject<D extends Wished>(delivery: D, subject: SubjectKey): D {
  const { kind, id } = delivery.subject
  return kind === subject.kind && id === subject.id ? delivery : { ...delivery, subject }
}

function stepOf({ subject, source }: Delivery): string {
  return JSON.stringify([subjectName(subject), source.run, source.step, source.moves])
}

function unknown(key: SubjectKey): LockedSubject {
  return { key, state: UNBORN, dueAt: undefined, isNew: true, version: 0 }
}
