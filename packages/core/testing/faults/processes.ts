import { hashShare, type Pack, type Program } from '@linli/rules'
import type { Engine } from '../../src/door.js'
import { startEngine } from '../../src/engine.js'
import type { Channel, SendResult } from '../../src/ports/channel.js'
import type { Clock } from '../../src/ports/clock.js'
import type { Store, StoreTransaction } from '../../src/ports/store.js'
import type { ProviderEntry } from '../../src/testing/faults/provider.js'
import { Crash } from '../stores.js'
import type { Chance } from './nasty.js'
import { CARELESS, CHANNELS, RATES } from './town.js'

// Processes that are none: engines over one store, each of which gives way to the others wherever it waits, and may end there.

/** What simulated processes share. */
export interface Common {
  readonly pack: Pack
  readonly program: Program
  readonly store: Store
  readonly clock: Clock
  readonly chance: Chance
  readonly provider: SimulatedProvider
}

/** One of several engines. Once it has crashed, nothing of it gets through any more. */
export class SimulatedProcess {
  #engine: Engine | undefined
  /** How often it may still wait for something before it ends. */
  #left = Number.POSITIVE_INFINITY

  constructor(private readonly common: Common) {}

  get hasCrashed(): boolean {
    return this.#left <= 0
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('The process was not started.')
    return this.#engine
  }

  async start(): Promise<void> {
    const { pack, program, clock, store, provider } = this.common
    const reach = this.#reach.bind(this)
    const channels = provider.channels(reach)
    const options = { rules: pack, database: stepwise(store, reach), clock, channels, onError: () => undefined }
    this.#engine = await startEngine(options, program)
  }

  /** Has it end when it has waited so many times more. */
  crashAfter(waits: number): void {
    this.#left = waits
  }

  /** Here it gives way to the others, or comes to its end. */
  async #reach(): Promise<void> {
    this.#left -= 1
    if (this.hasCrashed) throw new Crash('the process has ended')
    const turns = this.common.chance.below(4)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    if (this.hasCrashed) throw new Crash('the process has ended')
  }
}

type Reach = () => Promise<void>

/** The store as a process sees it: before and after each step it gives way. Closing it closes nothing. */
function stepwise(store: Store, reach: Reach): Store {
  const seen = everyCall<Store>(store, reach, {
    transaction: (work) => store.transaction((tx) => work(everyCall<StoreTransaction>(tx, reach, {}))),
    migrate: () => Promise.resolve(),
    close: () => Promise.resolve(),
  })
  return seen
}

function everyCall<T extends object>(original: T, reach: Reach, own: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      const source: object = Object.hasOwn(own, name) ? own : target
      const value: unknown = Reflect.get(source, name, source)
      if (typeof value !== 'function' || name === 'join')
        return typeof value === 'function' ? value.bind(source) : value
      return async (...parameters: unknown[]) => {
        await reach()
        const result: unknown = await value.apply(source, parameters)
        await reach()
        return result
      }
    },
  })
}

/** The provider that all send by; its log is the only witness. */
export class SimulatedProvider {
  readonly log: ProviderEntry[] = []
  /** How many of the calls fail, from 0 to 1. */
  faults = 0.2
  readonly #taken = new Set<string>()
  #calls = 0

  constructor(
    private readonly seed: number,
    private readonly clock: Clock,
    /** How often the clock was put back. */
    private readonly era: () => number,
  ) {}

  channels(reach: Reach): readonly Channel[] {
    return Object.entries(CHANNELS).map(([name, repeat]): Channel => {
      const lookUp = async (key: string) => {
        await reach()
        return this.#taken.has(key) ? ({ status: 'accepted' } as const) : ({ status: 'not_found' } as const)
      }
      const rate = RATES[name as keyof typeof CHANNELS]
      return {
        name,
        repeat,
        ...(rate !== undefined && { rate }),
        send: async ({ deliveryKey: key, to, class: messageClass }, { at }) => {
          await reach()
          const call = { key, channel: name, to: `user:${to.id}`, class: messageClass, decidedAt: at.getTime() }
          const result = this.#handle(call)
          await reach()
          return result
        },
        ...(repeat.kind === 'queryable' && { lookUp }),
      }
    })
  }

  #handle(call: Omit<ProviderEntry, 'at' | 'did'>): SendResult {
    const met = hashShare(`${this.seed}|${++this.#calls}`) / this.faults
    const at = this.clock.now()
    if (met < 0.2) return { status: 'deferred', retryAt: new Date(at + 60_000) }
    if (met < 0.4) throw new Error('nothing was taken')
    const isRepeat = this.#taken.has(call.key) && !CARELESS.includes(call.channel)
    this.log.push({ ...call, at, did: isRepeat ? 'repeat' : 'sent', era: this.era() })
    this.#taken.add(call.key)
    if (met < 1) throw new Error('it was taken, and nobody hears of it')
    return { status: 'accepted' }
  }
}
