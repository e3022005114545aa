import { type CompiledScore, compileProgram, type Pack, type Program } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { Store } from '../ports/store.js'
import { instantOf } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { type DeliveryOutcomes, type Fate, fateOf } from './outcomes.js'
import { Reporter, type SimulationReport } from './report.js'
import { asReceived, Timeline } from './timeline.js'
import { openWorld, type World } from './world.js'

export interface SimulateOptions {
  readonly rules: Pack
  /** In the order they happened. */
  readonly events: Iterable<IncomingEvent> | AsyncIterable<IncomingEvent>
  /** How far the simulation goes; to the last event when left out. ISO 8601 or milliseconds. */
  readonly until?: string | number
  /** What becomes of messages; all are accepted at once when left out. */
  readonly outcomes?: DeliveryOutcomes
  /** Told of every decision, in time order. */
  readonly onDecision?: (decision: Decision) => void
  /** Told how many events were taken in. */
  readonly onProgress?: (events: number) => void
  /** Keeps events and decisions, for those who look into it afterwards. */
  readonly keep?: boolean
}

/** What a simulation came to. */
export interface Simulation {
  readonly events: {
    readonly total: number
    readonly accepted: number
    readonly duplicates: number
    readonly rejected: number
  }
  readonly from: string | null
  readonly until: string | null
  /** How many decisions there were of each kind. */
  readonly decisions: Readonly<Record<string, number>>
  /** Each tag: how often it was put on and taken off, and how many have it at the end. */
  readonly tags: Readonly<
    Record<string, { readonly added: number; readonly removed: number; readonly members: number }>
  >
  /** Each score: how often its value changed, and how many are in each of its tiers at the end. */
  readonly scores: Readonly<
    Record<string, { readonly changed: number; readonly tiers: Readonly<Record<string, number>> }>
  >
  /** Each journey: how often it was entered, left, held back, and reached its goal. */
  readonly journeys: Readonly<Record<string, { entered: number; exited: number; held: number; goals: number }>>
  /** Messages: planned, accepted, deferred, and suppressed by reason. */
  readonly messages: {
    readonly planned: number
    readonly accepted: number
    readonly deferred: number
    readonly suppressed: Readonly<Record<string, number>>
  }
  /** Coupons issued, by offer. */
  readonly coupons: Readonly<Record<string, number>>
  /** The same for those who decide about rules: funnels, days, money, communities. */
  readonly report: SimulationReport
}

/** A simulation that is under way, for those who want to look into it. */
export interface SimulationRun {
  readonly world: World
  readonly store: Store
  readonly program: Program
  readonly result: Simulation
}

/** Runs the real engine over events under a virtual clock. Nothing is sent; every channel accepts, or does as `outcomes` say. */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  return finishedSimulation(options, fateOf(options.outcomes, [options.rules]))
}

/** Like `simulate`, with what becomes of messages known already. */
export async function finishedSimulation(options: SimulateOptions, fate: Fate): Promise<Simulation> {
  const { world, result } = await runSimulation(options, fate)
  await world.close()
  return result
}

/** Like `simulate`, but leaves the world open. The caller closes it. */
export async function runSimulation(
  options: SimulateOptions,
  fate: Fate = fateOf(options.outcomes, [options.rules]),
): Promise<SimulationRun> {
  const program = compileProgram(options.rules)
  const tally = new Tally(program)
  const reporter = new Reporter(program)
  const counted = { total: 0, accepted: 0, duplicates: 0, rejected: 0 }
  const onDecision = (decision: Decision) => {
    tally.count(decision)
    reporter.count(decision)
    options.onDecision?.(decision)
  }
  const store = memoryStore({ keepEvents: options.keep ?? false, keepDecisions: options.keep ?? false, onDecision })
  const end = options.until === undefined ? Number.POSITIVE_INFINITY : instantOf(options.until)
  const { rules } = options
  const open = (now: number) => openWorld({ rules, now, database: store, program, fate })
  const timeline = new Timeline()
  let world: World | undefined
  let from: number | undefined
  const take = async (taking: World, ...events: readonly IncomingEvent[]) => {
    const report = await taking.ingest(...events)
    counted.total += events.length
    counted.accepted += report.accepted
    counted.duplicates += report.duplicates
    counted.rejected += report.rejected
    if (counted.total % 1000 === 0) options.onProgress?.(counted.total)
  }
  // Events without a time, before the first that has one.
  const waiting: IncomingEvent[] = []
  for await (const recorded of options.events) {
    const event = asReceived(recorded)
    const at = timeline.timeOf(event)
    if (at !== undefined && at > end) continue
    from ??= at
    if (world === undefined && at === undefined) {
      waiting.push(event)
      continue
    }
    world ??= await open(at ?? 0)
    if (at !== undefined && at > world.clock.now()) await world.advanceTo(at)
    await take(world, ...waiting.splice(0), event)
  }
  world ??= await open(Number.isFinite(end) ? end : 0)
  if (waiting.length > 0) await take(world, ...waiting)
  if (Number.isFinite(end)) await world.advanceTo(end)
  options.onProgress?.(counted.total)
  const result = {
    events: counted,
    from: iso(from),
    until: iso(from === undefined ? undefined : world.clock.now()),
    ...tally.summary(),
    report: await reporter.report(store, world.clock.now()),
  }
  return { world, store, program, result }
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}

/** Counts decisions as they are made. */
class Tally {
  private readonly decisions: Record<string, number> = {}
  private readonly tags: Record<string, { added: number; removed: number; members: number }>
  private readonly scores: Record<string, { changed: number; tiers: Record<string, number> }>
  private readonly journeys: Record<string, { entered: number; exited: number; held: number; goals: number }>
  private readonly suppressed: Record<string, number> = {}
  private readonly coupons: Record<string, number> = {}

  constructor(program: Program) {
    const tags = Object.values(program.subjects).flatMap((subject) => subject.tags.filter((tag) => tag.definition))
    this.tags = Object.fromEntries(tags.map((tag) => [tag.id, { added: 0, removed: 0, members: 0 }]))
    const scores = Object.values(program.subjects).flatMap((subject) => [...subject.scoresById.values()])
    const none = (score: CompiledScore) => Object.fromEntries(score.tiers.map((tier) => [tier.id, 0]))
    this.scores = Object.fromEntries(scores.map((score) => [score.id, { changed: 0, tiers: none(score) }]))
    const journeys = [...program.journeys.keys()]
    this.journeys = Object.fromEntries(journeys.map((id) => [id, { entered: 0, exited: 0, held: 0, goals: 0 }]))
  }

  count(decision: Decision): void {
    const { decision: kind, rule = '', reason } = decision
    increment(this.decisions, kind)
    const tag = this.tags[rule]
    const journey = this.journeys[rule]
    if (kind === 'tag.added' && tag) Object.assign(tag, { added: tag.added + 1, members: tag.members + 1 })
    if (kind === 'tag.removed' && tag) Object.assign(tag, { removed: tag.removed + 1, members: tag.members - 1 })
    if (kind === 'score.changed') this.countScore(decision)
    if (kind === 'journey.entered' && journey) journey.entered += 1
    if (kind === 'journey.exited' && journey) journey.exited += 1
    if (kind === 'journey.held' && journey) journey.held += 1
    // Those of people who were kept out have no run.
    if (kind === 'journey.goal' && journey && decision['run'] !== undefined) journey.goals += 1
    if (kind === 'message.suppressed') increment(this.suppressed, String(reason))
    if (kind === 'coupon.issued') increment(this.coupons, rule)
  }

  private countScore({ rule = '', tier, tierBefore }: Decision): void {
    const score = this.scores[rule]
    if (score === undefined) return
    score.changed += 1
    if (typeof tierBefore === 'string') increment(score.tiers, tierBefore, -1)
    if (typeof tier === 'string') increment(score.tiers, tier)
  }

  summary(): Omit<Simulation, 'events' | 'from' | 'until' | 'report'> {
    const of = (kind: string) => this.decisions[kind] ?? 0
    const messages = {
      planned: of('message.planned'),
      accepted: of('message.accepted'),
      deferred: of('message.deferred'),
      suppressed: this.suppressed,
    }
    const { decisions, tags, scores, journeys, coupons } = this
    return { decisions, tags, scores, journeys, messages, coupons }
  }
}

function increment(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by
}
