import { setTimeout as sleep } from 'node:timers/promises'

/** How long somebody waits for work to be done. */
export interface Patience {
  /** For how long nothing may get less, in milliseconds. */
  readonly standstillMs: number
  /** How long it may take in all. Default ten minutes. */
  readonly longestMs?: number
}

const LONGEST_MS = 600_000
const LOOK_EVERY_MS = 100

const MACHINE = { now: () => performance.now(), sleep: (ms: number): Promise<unknown> => sleep(ms) }

/**
 * Waits until nothing is left. It takes as long as there is much to do: whoever waits gives up where what is left has not become
 * less than ever before for some time. Says whether all is done.
 */
export async function untilDone(
  left: () => Promise<number>,
  { standstillMs, longestMs = LONGEST_MS }: Patience,
  { now, sleep } = MACHINE,
): Promise<boolean> {
  const began = now()
  let least = Number.POSITIVE_INFINITY
  let since = began
  for (;;) {
    const count = await left()
    if (count === 0) return true
    const at = now()
    if (count < least) {
      least = count
      since = at
    }
    if (at - since >= standstillMs || at - began >= longestMs) return false
    await sleep(LOOK_EVERY_MS)
  }
}
