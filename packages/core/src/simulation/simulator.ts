import { compileProgram, type Pack, type Program } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { Store } from '../ports/store.js'
import { instantOf } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import type { Fate } from './outcomes.js'
import { Reporter } from './report.js'
import { type Simulation, Tally } from './tally.js'
import { asReceived, Timeline } from './timeline.js'
import { openWorld, type World } from './world.js'

/** Events in the order they happened. */
export type History = Iterable<IncomingEvent> | AsyncIterable<IncomingEvent>

/** A simulation that has come to its end, for those who want to look into it. */
export interface SimulationRun {
  readonly world: World
  readonly store: Store
  readonly program: Program
  readonly result: Simulation
}

export interface SimulatorOptions {
  readonly rules: Pack
  /** Told of every decision, in time order. */
  readonly onDecision?: (decision: Decision) => void
  /** Told how many events were taken in. */
  readonly onProgress?: (events: number) => void
  /** Keeps events and decisions, for those who look into it afterwards. */
  readonly keep?: boolean
}

/** How far simulations go: to the last event where nothing is said. */
export function endOf(until: string | number | undefined): number {
  return until === undefined ? Number.POSITIVE_INFINITY : instantOf(until)
}

/** Has simulations take in the same events, in one reading of them, up to `end`. */
export async function playTo(simulators: readonly Simulator[], events: History, end: number): Promise<void> {
  const timeline = new Timeline()
  for await (const recorded of events) {
    const event = asReceived(recorded)
    const at = timeline.timeOf(event)
    if (at !== undefined && at > end) continue
    for (const simulator of simulators) await simulator.take(event, at)
  }
}

/** The real engine in a world of its own, which begins with the first event that has a time. */
export class Simulator {
  private readonly program: Program
  private readonly tally: Tally
  private readonly reporter: Reporter
  private readonly store: Store
  private readonly counted = { total: 0, accepted: 0, duplicates: 0, rejected: 0 }
  /** Events without a time, before the first that has one. */
  private readonly waiting: IncomingEvent[] = []
  private world: World | undefined
  private from: number | undefined

  constructor(
    private readonly options: SimulatorOptions,
    private readonly fate: Fate,
  ) {
    const { rules, keep = false } = options
    this.program = compileProgram(rules)
    this.tally = new Tally(this.program)
    this.reporter = new Reporter(this.program)
    const onDecision = (decision: Decision) => this.count(decision)
    this.store = memoryStore({ keepEvents: keep, keepDecisions: keep, onDecision })
  }

  /** Takes an event in at its time; `at` is undefined where the clock must not follow it. */
  async take(event: IncomingEvent, at: number | undefined): Promise<void> {
    this.from ??= at
    if (this.world === undefined && at === undefined) {
      this.waiting.push(event)
      return
    }
    this.world ??= await this.open(at ?? 0)
    if (at !== undefined && at > this.world.clock.now()) await this.world.advanceTo(at)
    await this.ingest(this.world, [...this.waiting.splice(0), event])
  }

  /** Goes on to the end, where there is one, and says what it came to. */
  async end(at: number): Promise<SimulationRun> {
    const { store, program, waiting, from, counted } = this
    const world = this.world ?? (await this.open(Number.isFinite(at) ? at : 0))
    if (waiting.length > 0) await this.ingest(world, waiting)
    if (Number.isFinite(at)) await world.advanceTo(at)
    this.options.onProgress?.(counted.total)
    const result = {
      events: counted,
      from: iso(from),
      until: iso(from === undefined ? undefined : world.clock.now()),
      ...this.tally.summary(),
      report: await this.reporter.report(store, world.clock.now()),
    }
    return { world, store, program, result }
  }

  private open(now: number): Promise<World> {
    const { program, fate, store: database } = this
    return openWorld({ rules: this.options.rules, now, database, program, fate, keepSent: false })
  }

  private async ingest(world: World, events: readonly IncomingEvent[]): Promise<void> {
    const report = await world.ingest(...events)
    const { counted } = this
    counted.total += events.length
    counted.accepted += report.accepted
    counted.duplicates += report.duplicates
    counted.rejected += report.rejected
    if (counted.total % 1000 === 0) this.options.onProgress?.(counted.total)
  }

  private count(decision: Decision): void {
    this.tally.count(decision)
    this.reporter.count(decision)
    this.options.onDecision?.(decision)
  }
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
