import { canonicalJson, definePack } from '@linli/rules'
import type { Decision } from '../src/domain/decision.js'
import { hasTag, type SubjectState } from '../src/domain/subject.js'
import { viewOf } from '../src/domain/view.js'
import type { Engine } from '../src/door.js'
import { startEngine } from '../src/engine.js'
import type { IncomingEvent } from '../src/ingest/event.js'
import type { Delivery, Store } from '../src/ports/store.js'
import { type VirtualClock, virtualClock } from '../src/queue/clocks.js'
import { type MemoryChannel, memoryChannel } from '../src/testing/memory-channel.js'
import { ARRIVAL_MS, EVENING_RULES, MORNING_AFTER, type Slot, USERS } from './evening.js'
import { Crash, type CrashPlan, seenByProcess } from './stores.js'
import { programOf } from './subject.js'

const PACK = definePack(EVENING_RULES)
const PROGRAM = programOf(...EVENING_RULES)
const LEASE_MS = 61_000

/** Shop, provider and host of one evening. Processes come and go; the database and the provider stay. */
export class EveningRun {
  readonly clock: VirtualClock
  readonly provider: MemoryChannel = memoryChannel({ name: 'sms' })
  transactions = 0
  accepted = 0

  constructor(
    readonly store: Store,
    start: number,
  ) {
    this.clock = virtualClock(start)
  }

  /** Starts a process. */
  async start(plan?: CrashPlan): Promise<Engine> {
    const seen = seenByProcess(this.store, plan)
    const options = { rules: PACK, clock: this.clock, database: seen.store, channels: [this.provider] }
    const engine = await startEngine({ ...options, makeCode: codes() }, PROGRAM)
    this.transactionsOf = seen.transactions
    return engine
  }

  /** How many transactions the process that was started last has made. */
  transactionsOf: () => number = () => 0

  async ingest(engine: Engine, ...events: readonly IncomingEvent[]): Promise<void> {
    const report = await engine.ingest(events)
    if (report.rejected > 0) throw new Error(`rejected: ${JSON.stringify(report.results)}`)
    this.accepted += report.accepted
  }

  /** Lets everything happen that is due by `at`, each at its own instant. */
  async advanceTo(engine: Engine, at: number): Promise<void> {
    for (let due = await engine.nextDue(); due !== undefined && due <= at; due = await engine.nextDue()) {
      this.clock.moveTo(due)
      await engine.settle()
    }
    this.clock.moveTo(at)
  }
}

/** Codes differ from process to process: what two runs have in common must not depend on them. */
function codes(): () => string {
  const process = Math.random().toString(36).slice(2)
  let count = 0
  return () => `${process}-${++count}`
}

/** How the host hands over the events of a slot. */
export type Host = (run: EveningRun, engine: Engine, events: readonly IncomingEvent[]) => Promise<void>

export const inOrder: Host = (run, engine, events) => run.ingest(engine, ...events)

/**
 * Plays the evening in order, until noon of the next day. When the process ends by `plan`, another one starts, and the
 * host, which does not know what was kept, sends everything again.
 */
export async function playEvening(
  run: EveningRun,
  slots: readonly Slot[],
  { host = inOrder, plan }: { readonly host?: Host; readonly plan?: CrashPlan } = {},
): Promise<{ readonly transactions: number; readonly crashed: boolean }> {
  let crashed = false
  const restarted = async (error: unknown) => {
    if (!(error instanceof Crash) || crashed) throw error
    crashed = true
    return run.start()
  }
  let engine = await run.start(plan).catch(restarted)
  const sent: IncomingEvent[] = []
  const surviving = async (work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      engine = await restarted(error)
      if (sent.length > 0) await run.ingest(engine, ...sent)
      await engine.settle()
      await run.advanceTo(engine, run.clock.now() + LEASE_MS)
      await work()
    }
  }
  for (const { at, events } of slots) {
    await surviving(() => run.advanceTo(engine, at + ARRIVAL_MS))
    sent.push(...events)
    await surviving(async () => {
      await host(run, engine, events)
      await engine.settle()
    })
  }
  await surviving(() => run.advanceTo(engine, MORNING_AFTER))
  return { transactions: run.transactionsOf(), crashed }
}

/** What is known of everybody, as far as it may not depend on how the events came. */
export async function knowledge(store: Store, at: number): Promise<unknown> {
  const known = await Promise.all(USERS.map(async (id) => [id, await store.readSubject({ kind: 'user', id })] as const))
  return Object.fromEntries(
    known.map(([id, state]) => {
      if (state?.into !== undefined) return [id, `is ${state.into}`]
      return [id, state === undefined || state.at === 0 ? undefined : knownOf(id, state, at)]
    }),
  )
}

function knownOf(id: string, state: SubjectState, at: number) {
  const { traits, relations, consent } = state
  const computed = PROGRAM.subjects.user.tags.filter(({ kind }) => kind === 'computed')
  const tags = computed.map(({ id }) => id).filter((id) => hasTag(state, id))
  // Conditions with the actual values of their facts, and until when they hold.
  const view = viewOf({ kind: 'user', id }, state, at)
  const facts = computed.map((tag) => [tag.id, tag.condition.explain(view)])
  // A member learns of its leader from the community, and need not hear it again when it is said again.
  const related = [relations.community?.[0], relations.leader?.[0]]
  return { traits: sorted(traits), related, consent: sorted(consent), tags, facts }
}

function sorted(values: object): unknown {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Whole states, except when they were last looked at. */
export async function states(store: Store): Promise<unknown> {
  const users = USERS.map((id) => ({ kind: 'user' as const, id }))
  const others = ['c1', 'c2'].map((id) => ({ kind: 'community' as const, id }))
  const found = await Promise.all([...users, ...others].map((key) => store.readSubject(key)))
  return found.map((state) => state && whole(state))
}

function whole({ at: _, due: __, features, tags, relations, ...head }: SubjectState) {
  // When two members of a community join at once, either may hear of its leader by the word of the other.
  const related = { community: relations.community, leader: relations.leader?.[0] }
  return {
    head: canonicalJson({ ...head, related }),
    features: sorted(Object.fromEntries(features.entries())),
    tags: sorted(Object.fromEntries(tags.entries())),
  }
}

/** Decisions and deliveries as multisets, as `exactly` or without what a crash may delay. */
export async function log(store: Store, { exactly }: { readonly exactly: boolean }) {
  const decisions = (await store.readDecisions({})).map((one) => text(exactly ? unattributed(one) : undelayed(one)))
  const deliveries = (await store.readDeliveries({})).map((one) =>
    text(exactly ? settled(one) : undelayedDelivery(one)),
  )
  const pools = [...(await store.readPools())]
  return { decisions: decisions.sort(), deliveries: deliveries.sort(), pools }
}

/**
 * Of several events that come in at one instant by lanes of their own, any may be the one at which a community's tag turns: all of
 * them bring it there.
 */
function unattributed(decision: Decision): object {
  if (decision.subject.startsWith('user:')) return decision
  const { messageId: _, ...rest } = decision
  return rest
}

const text = (value: object) => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

function undelayed({ at: _, run: __, until: ___, expires: ____, providerId: _____, ...rest }: Decision): object {
  return rest
}

function settled({ claim: _, dueAt: __, body, providerId: ___, ...rest }: Delivery): object {
  const { coupon: ____, ...variables } = body.variables ?? {}
  return { ...rest, body: { ...body, variables } }
}

function undelayedDelivery({ kind, state, subject, source, body, reason }: Delivery): object {
  return {
    kind,
    state,
    subject,
    journey: source.journey,
    step: source.step,
    what: body.what,
    channel: body.channel,
    reason,
  }
}
