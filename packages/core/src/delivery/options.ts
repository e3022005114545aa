import type { CodeMaker } from '../offers/issue.js'
import type { Channel } from '../ports/channel.js'
import type { Clock } from '../ports/clock.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import type { UnsubscribeTokens } from '../privacy/unsubscribe.js'
import type { Programs } from '../subjects/programs.js'

/** How long a claim lasts before somebody else may take the delivery over. Longer than any call. */
export const LEASE_MS = 60_000

export interface DispatcherOptions {
  readonly store: Store
  readonly programs: Programs
  readonly channels: ReadonlyMap<string, Channel>
  readonly clock: Clock
  readonly makeCode: CodeMaker
  /** Makes what templates read as `unsubscribe.token`. */
  readonly unsubscribe: UnsubscribeTokens | undefined
  /** How long one call of a channel may take before its outcome is unknown. */
  readonly callTimeoutMs: number
}

/** What settling deliveries needs beside what they bring about. */
export interface Settling extends Pick<DispatcherOptions, 'makeCode'> {
  readonly tx: StoreTransaction
}
