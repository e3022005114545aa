import { setMaxListeners } from 'node:events'
import { throwFailures } from '../poison.js'
import { callInTime, TOO_LATE } from './call.js'
import { clear } from './clear.js'
import { Gatherer } from './gatherer.js'
import type { Claim } from './guard.js'
import type { DispatcherOptions } from './options.js'
import { type Answered, record } from './results.js'
import type { Slot } from './slot.js'
import { noteFailures } from './unwritable.js'

/** How many messages share a transaction at most. */
const BATCH = 200

/** What a queue knows of a message that was claimed for it. */
export type HandedOver = Pick<Claim, 'key' | 'claim'>

/**
 * Carries out messages and coupons of issuers that were claimed before, one by one. Those under way at once share transactions, but none waits for
 * another one's provider. Of a message that is handed over twice, the second finds nothing left to do.
 */
export class Courier {
  private readonly stopping = new AbortController()
  private readonly clearing = new Gatherer((claims: readonly HandedOver[]) => {
    return clear(
      this.options,
      claims.map((claim) => ({ ...claim, state: 'reserved' })),
    )
  }, BATCH)
  private readonly recording = new Gatherer((answers: readonly Answered[]) => record(this.options, answers), BATCH)

  constructor(private readonly options: DispatcherOptions) {
    // One for each message that waits for its turn.
    setMaxListeners(0, this.stopping.signal)
  }

  /** Resolves when it is written down what became of the message. */
  async carry(claim: HandedOver, channel: string): Promise<void> {
    const slot = await this.options.rates.turnOf(claim, channel, this.stopping.signal)
    if (slot === undefined) return
    const [carried] = await Promise.allSettled([this.call(claim, slot)])
    throwFailures(await noteFailures(this.options, [claim], [carried]))
  }

  private async call(claim: HandedOver, slot: Slot): Promise<void> {
    try {
      const call = await this.clearing.add(claim)
      if (call === undefined) return
      const result = await callInTime({ ...call, slot, tooLate: TOO_LATE }, this.options)
      await this.recording.add({ delivery: call.delivery, result })
    } finally {
      slot.close(false)
    }
  }

  /** Has messages that wait for their turn be due again instead. */
  stop(): void {
    this.stopping.abort()
  }
}
