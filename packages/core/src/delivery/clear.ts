import { type Claim, type Cleared, clearTogether } from './guard.js'
import type { DispatcherOptions } from './options.js'

/** What may be called now, since when, and the how-manieth of those that were cleared together: some have priority. */
export type ClearedCall = Cleared & { readonly clearedAt: number; readonly turn: number }

/** Asks policies and pools in one transaction. Gives what may be called, and undefined in the place of the others. */
export async function clear(
  options: DispatcherOptions,
  claims: readonly Claim[],
): Promise<readonly (ClearedCall | undefined)[]> {
  const cleared = await options.store.transaction((tx) => clearTogether(tx, options, claims))
  const calls = new Map(callsOf(cleared, options.clock.now()).map((call) => [call.delivery.key, call]))
  return claims.map(({ key }) => take(calls, key))
}

/** The clearance is committed: from here a crash leaves `calling`, which is taken for unknown and never for not sent. */
export function callsOf(cleared: readonly Cleared[], clearedAt: number): readonly ClearedCall[] {
  return cleared.map((one, turn) => ({ ...one, clearedAt, turn }))
}

/** What is there under a key, for whoever asks first: the same claim may stand in a batch twice. */
function take<T>(from: Map<string, T>, key: string): T | undefined {
  const found = from.get(key)
  from.delete(key)
  return found
}
