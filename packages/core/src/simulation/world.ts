import type { Pack, Program } from '@linli/rules'
import type { Engine, EngineOptions } from '../door.js'
import { startEngine } from '../engine.js'
import type { IncomingEvent, IngestReport } from '../ingest/event.js'
import type { Channel, Outbound } from '../ports/channel.js'
import type { Copywriter } from '../ports/copywriter.js'
import type { CouponIssuer } from '../ports/issuer.js'
import { UnsubscribeTokens } from '../privacy/unsubscribe.js'
import { instantOf, type VirtualClock, virtualClock } from '../queue/clocks.js'
import { ALL_ACCEPTED, type Fate } from './outcomes.js'
import { asReceived, Timeline } from './timeline.js'

/** A real engine under a clock that is moved by hand: tests, simulations and what-ifs are made of it. */
export class World {
  constructor(
    readonly engine: Engine,
    readonly clock: VirtualClock,
    /** Messages that left by the world's own channels, where they are kept. */
    readonly sent: readonly Outbound[],
  ) {}

  /** Takes events in at the current time, and does what they make due. */
  async ingest(...events: readonly IncomingEvent[]): Promise<IngestReport> {
    const report = await this.engine.ingest(events)
    await this.engine.settle()
    return report
  }

  /** Moves the clock on; everything that is due in between happens at its own instant. */
  async advanceTo(at: string | number | Date): Promise<void> {
    const end = instantOf(at)
    for (let due = await this.engine.nextDue(); due !== undefined && due <= end; due = await this.engine.nextDue()) {
      this.clock.moveTo(due)
      await this.engine.settle()
    }
    this.clock.moveTo(end)
  }

  /** Moves from event to event (they come in time order). `everyMs`: events of one such stretch come in together. */
  async play(
    events: Iterable<IncomingEvent> | AsyncIterable<IncomingEvent>,
    options: { readonly everyMs?: number; readonly onProgress?: (taken: number) => void } = {},
  ): Promise<void> {
    const { everyMs = 0, onProgress } = options
    let taken = 0
    let batch: IncomingEvent[] = []
    let batchEnd = Number.NEGATIVE_INFINITY
    const timeline = new Timeline()
    const flush = async () => {
      if (batch.length === 0) return
      await this.advanceTo(Math.max(batchEnd, this.clock.now()))
      await this.ingest(...batch)
      taken += batch.length
      batch = []
      onProgress?.(taken)
    }
    for await (const recorded of events) {
      const event = asReceived(recorded)
      // A time that cannot be read is left for the engine to refuse.
      const at = timeline.timeOf(event) ?? this.clock.now()
      if (at > batchEnd) {
        await flush()
        batchEnd = everyMs > 0 ? (Math.floor(at / everyMs) + 1) * everyMs : at
      }
      batch.push(event)
      if (everyMs === 0) await flush()
    }
    await flush()
  }

  /** What was decided so far, in order. */
  decisions(): ReturnType<Engine['decisions']> {
    return this.engine.decisions()
  }

  close(): Promise<void> {
    return this.engine.close()
  }
}

export interface WorldOptions {
  readonly rules: Pack
  readonly now: string | number | Date
  readonly database: NonNullable<EngineOptions['database']>
  /** Left out: every channel that the rules name exists, and does as `fate` says. */
  readonly channels?: readonly Channel[]
  /** As channels: left out, every issuer that an offer names. */
  readonly issuers?: readonly CouponIssuer[]
  /** Left out: the fallbacks of templates that have `copy` are sent. */
  readonly copywriter?: Copywriter
  /** What becomes of messages where channels are left out. Left out: all are accepted at once. */
  readonly fate?: Fate
  /** Whether messages can be looked at once they have left; of a long history they are many. Default true. */
  readonly keepSent?: boolean
  readonly program: Program
}

/** Starts an engine in a world of its own. */
export async function openWorld({
  rules,
  now,
  database,
  channels,
  issuers,
  copywriter,
  fate = ALL_ACCEPTED,
  keepSent = true,
  program,
}: WorldOptions): Promise<World> {
  const clock = virtualClock(now)
  const sent: Outbound[] = []
  const onSent = (message: Outbound) => {
    if (keepSent) sent.push(message)
  }
  let codes = 0
  const makeCode = () => `TEST-${String(++codes).padStart(6, '0')}`
  const options: EngineOptions = {
    rules,
    clock,
    database,
    channels: channels ?? channelNames(program).map((name) => simulatedChannel(name, fate, onSent)),
    unsubscribe: new UnsubscribeTokens('links of a world of its own lead nowhere'),
    issuers: issuers ?? issuerNames(program).map((name) => simulatedIssuer(name, fate, makeCode)),
    makeCode,
    ...(copywriter && { copywriter }),
  }
  const engine = await startEngine(options, program)
  return new World(engine, clock, sent)
}

/** The names of all channels that a program sends by. */
function channelNames(program: Program): string[] {
  const steps = [...program.journeysByHash.values()].flatMap((journey) => journey.steps)
  return [...new Set(steps.flatMap((step) => (step.verb === 'send' ? step.channels : [])))]
}

function simulatedChannel(name: string, fate: Fate, onSent: (message: Outbound) => void): Channel {
  return {
    name,
    repeat: { kind: 'idempotent', windowMs: Number.MAX_SAFE_INTEGER },
    send: (message, call) => {
      const result = fate(name, message.deliveryKey, call)
      if (result.status === 'accepted') onSent(message)
      return Promise.resolve(result)
    },
  }
}

function issuerNames({ offers }: Program): string[] {
  return [...new Set([...offers.values()].flatMap(({ issuer }) => issuer ?? []))]
}

/** Gives coupons as linli's own; what it refuses or puts off goes by the same fates as messages. */
export function simulatedIssuer(name: string, fate: Fate, makeCode: () => string): CouponIssuer {
  return {
    name,
    repeat: { kind: 'idempotent', windowMs: Number.MAX_SAFE_INTEGER },
    issue: ({ grantKey }, call) => {
      const result = fate(name, grantKey, call)
      if (result.status === 'deferred') return Promise.resolve(result)
      if (result.status === 'refused') return Promise.resolve({ status: 'refused', reason: 'recipient' })
      return Promise.resolve({ status: 'accepted', code: makeCode() })
    },
  }
}
