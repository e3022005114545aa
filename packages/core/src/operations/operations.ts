import type { Halt, HaltTarget } from '@linli/rules'
import { Release } from '../delivery/release.js'
import type { CancelNote } from '../domain/decision.js'
import type { Clock } from '../ports/clock.js'
import type { Operation, Store } from '../ports/store.js'
import { instantOf } from '../queue/clocks.js'
import type { Programs } from '../subjects/programs.js'
import { type PolicyUse, usesOf } from './budgets.js'
import { cancelRun, type RunName } from './cancelling.js'
import { type Counts, countsOf } from './counts.js'
import { operate } from './halting.js'
import { listParked, type Parked, resolveParked } from './parked.js'
import type { Resolution, ResolutionNote } from './resolution.js'
import { listRuns, type RunFilter, type RunPage } from './runs.js'
import { checkJourney, checkTarget } from './targets.js'
import { type Verification, Verifier, type VerifyOptions } from './verify.js'

/** Something that is paused or stopped. */
export interface Halted {
  readonly target: HaltTarget
  readonly state: 'paused' | 'stopped'
  readonly at: Date
  readonly by?: string
  readonly reason?: string
}

/** A call of `pause`, `stop` or `resume` that changed something. */
export interface HaltCall {
  readonly does: 'pause' | 'stop' | 'resume'
  readonly target: HaltTarget
  readonly at: Date
  readonly by?: string
  readonly reason?: string
}

export interface Halts {
  /** What is paused or stopped now. */
  readonly inForce: readonly Halted[]
  /** The calls that changed something, the latest first, at most 100. */
  readonly calls: readonly HaltCall[]
}

/** Who does something, and why: it is kept as it is said. */
export interface OperatorNote {
  readonly by?: string
  readonly reason?: string
}

export interface CountFilter {
  readonly journey: string
  /** ISO 8601, a date, or milliseconds: decisions from then on; left out: from the first. */
  readonly since?: string | number | Date
  /** Decisions before then; left out: up to the last. */
  readonly until?: string | number | Date
}

const SHOWN_CALLS = 100

/** What people do to rules that run: pause, stop and resume them, cancel runs, look. */
export class Operations {
  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
    /** Names of channels that may be meant beside those of the rules. */
    private readonly channels: Iterable<string> = [],
  ) {}

  async operate(
    does: Operation['does'],
    target: HaltTarget,
    { by, reason }: OperatorNote = {},
  ): Promise<readonly Halted[]> {
    const { store, programs, clock } = this
    // Before the lock for which everybody waits: this may compile the rules.
    const { program } = await store.transaction((tx) => programs.in(tx))
    checkTarget(target, program, this.channels)
    const operation = { does, target, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) }
    const halts = await store.transaction((tx) => operate(tx, operation, clock.now()))
    await this.release()
    return halts.map(haltedOf)
  }

  cancel(run: RunName, note: CancelNote = {}): Promise<void> {
    return cancelRun(this.store, this.programs, run, note, this.clock)
  }

  parked(): Promise<readonly Parked[]> {
    return listParked(this.store)
  }

  resolve(deliveryKey: string, resolution: Resolution, note: ResolutionNote): Promise<void> {
    const { store, programs, clock } = this
    return resolveParked({ store, programs, clock }, deliveryKey, resolution, note)
  }

  async runs(filter: RunFilter): Promise<RunPage> {
    await this.checkJourney(filter.journey)
    return listRuns(this.store, filter)
  }

  async counts({ journey, since, until }: CountFilter): Promise<Counts> {
    await this.checkJourney(journey)
    const from = since === undefined ? {} : { since: instantOf(since) }
    const to = until === undefined ? {} : { until: instantOf(until) }
    return countsOf(await this.store.countDecisions({ journey, ...from, ...to }))
  }

  private async checkJourney(journey: string): Promise<void> {
    const { program } = await this.store.transaction((tx) => this.programs.in(tx))
    checkJourney(journey, program)
  }

  /** What is used of budgets, and what communities get. */
  async budgets(): Promise<PolicyUse> {
    const { store, programs, clock } = this
    const [{ program }, now] = await store.transaction(async (tx) => [await programs.in(tx), await tx.now()] as const)
    return usesOf(program.policies, await store.readTallies(), now ?? clock.now())
  }

  /** Looks whether all that is stored is as it must be. */
  async verify(options: VerifyOptions = {}): Promise<Verification> {
    const { store, programs, clock } = this
    const [edition, now] = await store.transaction(async (tx) => [await programs.in(tx), await tx.now()] as const)
    return new Verifier(store, edition, now ?? clock.now(), options).verify()
  }

  async halts(): Promise<Halts> {
    const { version } = await this.store.transaction((tx) => this.programs.in(tx))
    const calls = await this.store.readOperations(SHOWN_CALLS)
    return {
      inForce: version.halts.map(haltedOf),
      calls: calls.map(({ at, operation }) => ({ ...operation, at: new Date(at) })),
    }
  }

  /** Makes due what nothing pauses any more. */
  private async release(): Promise<void> {
    const release = new Release(this.store, this.programs, this.clock)
    while ((await release.pass()) > 0);
  }
}

function haltedOf({ at, ...halt }: Halt): Halted {
  return { ...halt, at: new Date(at) }
}
