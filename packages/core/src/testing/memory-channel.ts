import type { Channel, LookUpResult, Outbound, RepeatSafety, SendContext, SendResult } from '../ports/channel.js'

/**
 * What the pretended provider does with one call:
 * - a `SendResult`: it answers so;
 * - `lost_before`: the request never reaches it, and the call rejects;
 * - `lost_after`: it takes the message, its answer is lost, and the call rejects;
 * - `hang`: it takes the message and never answers; the call rejects when its signal is aborted.
 */
export type MemoryOutcome = SendResult | 'lost_before' | 'lost_after' | 'hang'

export interface MemoryChannelOptions {
  /** The name that rules use. Default `memory`. */
  readonly name?: string
  /** What the channel promises about repeats. Default: `idempotent` for 24 hours. */
  readonly repeat?: RepeatSafety
  /** What happens to a call for which `respond` has queued nothing. Default: it is accepted. */
  readonly outcome?: MemoryOutcome | ((message: Outbound, context: SendContext) => MemoryOutcome)
}

/** A channel that keeps its messages, with a provider that obeys the test. */
export interface MemoryChannel extends Channel {
  /** What the provider took, in order. An idempotent provider takes a `deliveryKey` once inside its window. */
  readonly sent: readonly Outbound[]
  /** Every call of `send`, in order, whatever became of it. */
  readonly calls: readonly { readonly message: Outbound; readonly context: SendContext }[]
  /** True after `close`. */
  readonly closed: boolean
  /** Queues outcomes for the next calls, one each, in order. */
  respond(...outcomes: readonly MemoryOutcome[]): void
  /** Forgets `sent`, `calls` and queued outcomes. */
  reset(): void
}

/** The call's outcome is unknown to the caller, as the test wanted, or the channel was closed. */
export class MemoryChannelError extends Error {
  constructor(
    readonly code: 'memory_channel.outcome_unknown' | 'memory_channel.closed',
    message: string,
  ) {
    super(message)
    this.name = 'MemoryChannelError'
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Creates a channel in memory, for tests of rules and of engines. Time is the `at` of the calls.
 *
 * @example
 * const sms = memoryChannel({ name: 'sms' })
 * sms.respond('lost_after') // the provider takes the next message, and the engine does not learn of it
 */
export function memoryChannel(options: MemoryChannelOptions = {}): MemoryChannel {
  const repeat = options.repeat ?? { kind: 'idempotent', windowMs: DAY_MS }
  const provider = new MemoryProvider(repeat)
  const calls: { message: Outbound; context: SendContext }[] = []
  let script: MemoryOutcome[] = []
  let closed = false

  function nextOutcome(message: Outbound, context: SendContext): MemoryOutcome {
    const scripted = script.shift()
    if (scripted !== undefined) return scripted
    const usual = options.outcome ?? { status: 'accepted' }
    return typeof usual === 'function' ? usual(message, context) : usual
  }

  return {
    name: options.name ?? 'memory',
    repeat,
    ...(repeat.kind === 'queryable' ? { lookUp: async (deliveryKey: string) => provider.lookUp(deliveryKey) } : {}),
    get sent() {
      return provider.taken
    },
    calls,
    get closed() {
      return closed
    },
    respond(...outcomes) {
      script.push(...outcomes)
    },
    reset() {
      provider.reset()
      calls.length = 0
      script = []
    },
    async send(message, context) {
      if (closed) throw new MemoryChannelError('memory_channel.closed', 'send was called after close.')
      calls.push({ message, context })
      return provider.handle(message, context, nextOutcome(message, context))
    },
    async close() {
      closed = true
    },
  }
}

type Taken = Extract<SendResult, { readonly status: 'accepted' | 'awaiting_person' }>

/** The other side of the channel. */
class MemoryProvider {
  readonly taken: Outbound[] = []
  readonly #results = new Map<string, { result: SendResult; at: number }>()
  readonly #repeat: RepeatSafety

  constructor(repeat: RepeatSafety) {
    this.#repeat = repeat
  }

  async handle(message: Outbound, context: SendContext, outcome: MemoryOutcome): Promise<SendResult> {
    if (outcome === 'lost_before') throw unknownOutcome('the request was lost before the provider took it')
    if (outcome === 'lost_after') {
      this.#take(message, context, { status: 'accepted' })
      throw unknownOutcome("the provider's answer was lost")
    }
    if (outcome === 'hang') {
      this.#take(message, context, { status: 'accepted' })
      await aborted(context.signal)
      throw unknownOutcome('the call was aborted while the provider was silent')
    }
    if (outcome.status === 'accepted' || outcome.status === 'awaiting_person') {
      return this.#take(message, context, outcome)
    }
    return outcome
  }

  lookUp(deliveryKey: string): LookUpResult {
    return this.#results.get(deliveryKey)?.result ?? { status: 'not_found' }
  }

  reset(): void {
    this.taken.length = 0
    this.#results.clear()
  }

  /** Takes the message, or answers as before when this key was taken inside the window. */
  #take(message: Outbound, context: SendContext, result: Taken): SendResult {
    const before = this.#results.get(message.deliveryKey)
    if (this.#repeat.kind === 'idempotent' && before !== undefined) {
      if (context.at.getTime() - before.at < this.#repeat.windowMs) return before.result
    }
    this.taken.push(message)
    const numbered = { providerId: `memory-${this.taken.length}`, ...result }
    this.#results.set(message.deliveryKey, { result: numbered, at: context.at.getTime() })
    return numbered
  }
}

function unknownOutcome(reason: string): MemoryChannelError {
  return new MemoryChannelError('memory_channel.outcome_unknown', `The outcome is unknown: ${reason}.`)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
