import { setTimeout as sleep } from 'node:timers/promises'
import type { Courier } from '../delivery/courier.js'
import type { Dispatcher } from '../delivery/dispatcher.js'
import type { Rates } from '../delivery/rates.js'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Queue } from '../ports/queue.js'
import type { Store } from '../ports/store.js'
import { ChannelQueues, type Line } from './channel-queues.js'
import type { InProcessQueue, Work } from './in-process.js'
import type { RedisConnections, RedisPackages } from './redis.js'
import { Ticks } from './ticks.js'
import { Watchdog } from './watchdog.js'

export interface SharedQueueOptions {
  readonly packages: RedisPackages
  readonly connections: RedisConnections
  /** Does the work while Redis cannot. */
  readonly local: InProcessQueue
  readonly store: Store
  readonly clock: Clock
  readonly work: readonly Work[]
  readonly channels: ReadonlyMap<string, Line>
  readonly dispatcher: Dispatcher
  readonly courier: Courier
  readonly rates: Rates
  readonly onError: (error: unknown) => void
}

/** How often a process looks whether Redis is there, has kept what it was given, and gets the work done. */
const LOOK_MS = 1_000
/** How long calls that are under way may hold up the end, once Redis does not answer any more. */
const CLOSE_TIMEOUT_MS = 30_000

/** Shares work by BullMQ. PostgreSQL knows all that is to be done: while Redis is away, this process takes it from there. */
export class SharedQueue implements Queue {
  private readonly stopping = new AbortController()
  private readonly watchdog: Watchdog
  private watch: Promise<void> | undefined
  private ticks: Ticks | undefined
  private channels: ChannelQueues | undefined
  private takesPart = false
  /** Whether it was said that Redis is away. */
  private isMissed = false

  constructor(private readonly options: SharedQueueOptions) {
    const { store, clock, onError } = options
    this.watchdog = new Watchdog({ store, clock, elapsed: () => performance.now(), onError })
  }

  get sharing(): 'redis' | 'database' {
    return this.options.connections.isReady && !this.isMissed ? 'redis' : 'database'
  }

  settle(): Promise<void> {
    return this.options.local.settle()
  }

  start(): void {
    this.watch ??= this.watchOver()
  }

  wake(): void {
    const { local, connections } = this.options
    local.wake()
    if (connections.isReady && !this.stopping.signal.aborted) this.openTicks().wake()
  }

  async stop(): Promise<void> {
    const { local, connections } = this.options
    this.stopping.abort()
    await this.watch
    await local.stop()
    const closing = Promise.all([this.ticks?.close(), this.channels?.close()]).catch(() => undefined)
    await Promise.race([closing, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    connections.close()
  }

  private async watchOver(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      await this.look().catch(this.options.onError)
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  private async look(): Promise<void> {
    const { local } = this.options
    const heads = await this.useRedis()
    if (heads !== undefined && !(await this.watchdog.isStuck(heads))) await local.stop()
    else local.start()
  }

  /** Takes part in the work that Redis shares out. Gives the heads of its queues; undefined while it cannot be used. */
  private async useRedis(): Promise<readonly string[] | undefined> {
    try {
      if (!(await this.options.connections.connect())) throw new Error('no connection')
      await this.remindRedis()
      if (!this.takesPart) this.takePart()
      this.isMissed = false
      return (await this.channels?.heads()) ?? []
    } catch (cause) {
      if (!this.isMissed) this.options.onError(cause instanceof EngineError ? cause : away(cause))
      this.isMissed = true
      return undefined
    }
  }

  /** What was handed to a Redis that has forgotten it becomes due again, and it is told anew when to tick. */
  private async remindRedis(): Promise<void> {
    const { connections, store, clock } = this.options
    if (await connections.remembers()) return
    await this.openTicks().schedule()
    await store.transaction(async (tx) => tx.handBackDeliveries((await tx.now()) ?? clock.now()))
    await connections.mark()
    this.openTicks().wake()
  }

  private takePart(): void {
    const { packages, connections, onError } = this.options
    this.channels = new ChannelQueues({ packages, connections, onError }, this.options)
    this.channels.start()
    this.openTicks().start()
    this.takesPart = true
  }

  private openTicks(): Ticks {
    const { packages, connections, work, store, clock, onError } = this.options
    const relay: Work = { name: 'deliveries', of: ['delivery'], pass: async () => (await this.channels?.relay()) ?? 0 }
    this.ticks ??= new Ticks({ packages, connections, onError }, [...work, relay], { store, clock })
    return this.ticks
  }
}

function away(cause: unknown): EngineError {
  const message = 'Redis does not answer. Work goes on by PostgreSQL alone until it is back.'
  return new EngineError('redis.away', message, {}, { cause })
}
