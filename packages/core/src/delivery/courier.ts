import { setMaxListeners } from 'node:events'
import type { Delivery } from '../ports/store.js'
import { type ClearedInTime, callInTime, TOO_LATE } from './call.js'
import { Gatherer } from './gatherer.js'
import { type Claim, clear } from './guard.js'
import type { DispatcherOptions } from './options.js'
import { recordResults } from './results.js'
import type { CallResult } from './settlement.js'

/** How many messages share a transaction at most. */
const BATCH = 200

/** What a queue knows of a message that was claimed for it. */
export type HandedOver = Pick<Claim, 'key' | 'claim'>

interface Answered {
  readonly delivery: Delivery
  readonly result: CallResult
}

/**
 * Carries out messages and coupons of issuers that were claimed before, one by one. Those under way at once share transactions, but none waits for
 * another one's provider. Of a message that is handed over twice, the second finds nothing left to do.
 */
export class Courier {
  private readonly stopping = new AbortController()
  private readonly clearing = new Gatherer<HandedOver, ClearedInTime | undefined>((claims) => this.clear(claims), BATCH)
  private readonly recording = new Gatherer<Answered, undefined>((answers) => this.record(answers), BATCH)

  constructor(private readonly options: DispatcherOptions) {
    // One for each message that waits for its turn.
    setMaxListeners(0, this.stopping.signal)
  }

  /** Resolves when it is written down what became of the message. */
  async carry(claim: HandedOver, channel: string): Promise<void> {
    const slot = await this.options.rates.turnOf(claim, channel, this.stopping.signal)
    if (slot === undefined) return
    try {
      const call = await this.clearing.add(claim)
      if (call === undefined) return
      const result = await callInTime({ ...call, slot }, this.options)
      await this.recording.add({ delivery: call.delivery, result })
    } finally {
      slot.close(false)
    }
  }

  /** Has messages that wait for their turn be due again instead. */
  stop(): void {
    this.stopping.abort()
  }

  /** Asks the policies; gives what may be called, and undefined in the place of the others. */
  private async clear(claims: readonly HandedOver[]): Promise<readonly (ClearedInTime | undefined)[]> {
    const { store, clock } = this.options
    const reserved = claims.map((claim): Claim => ({ ...claim, state: 'reserved' }))
    const cleared = await store.transaction((tx) => clear(tx, this.options, reserved))
    const clearedAt = clock.now()
    const calls = new Map(cleared.map((one) => [one.delivery.key, { ...one, clearedAt, tooLate: TOO_LATE }]))
    return claims.map(({ key }) => take(calls, key))
  }

  private async record(answers: readonly Answered[]): Promise<readonly undefined[]> {
    await this.options.store.transaction((tx) => recordResults(tx, this.options, answers))
    return []
  }
}

/** What is there under a key, for whoever asks first: the same claim may stand in a batch twice. */
function take<T>(from: Map<string, T>, key: string): T | undefined {
  const found = from.get(key)
  from.delete(key)
  return found
}
