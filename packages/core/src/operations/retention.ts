import { DURATION_FORMS, parseDuration } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import type { Work } from '../queue/in-process.js'
import type { Programs } from '../subjects/programs.js'

/** How long what has ended is kept. Each at least `"1d"`; left out: for ever. */
export interface RetentionOptions {
  /**
   * Deliveries that have ended: `"180d"`, since they were planned, first called, or a receipt last told of them. Their decisions
   * and events stay.
   */
  readonly deliveries?: string
  /** Decisions: `"400d"`, since what was decided came about. What they tell of, stays. */
  readonly decisions?: string
}

/** How many rows one transaction forgets. */
const BATCH = 1000
/** How long after the last old row was forgotten it looks for others, in milliseconds. */
const PAUSE_MS = 3_600_000
/** Providers drop repeats of a key, and tell of messages, for about so long. */
const SHORTEST_MS = 86_400_000

interface Keeping {
  readonly name: string
  /** For how many milliseconds, as far as this process knows; undefined: for ever. */
  readonly keepMs: () => number | undefined
  /** Forgets a batch of what is older, and gives how much it was. */
  readonly forget: (tx: StoreTransaction, now: number) => Promise<number>
}

/**
 * Who forgets what was long ago: events as the rules in force say, the rest as these options do.
 *
 * @throws EngineError `retention.invalid`
 */
export function forgetting(options: RetentionOptions, programs: Programs, store: Store, clock: Clock): readonly Work[] {
  const [deliveriesMs, decisionsMs] = [keepMsOf('deliveries', options), keepMsOf('decisions', options)]
  const keepings: readonly Keeping[] = [
    {
      name: 'retention',
      keepMs: () => programs.newest?.program.history?.keepMs,
      forget: async (tx, now) => {
        const { history } = (await programs.in(tx)).program
        return history === undefined ? 0 : tx.forgetEvents(now - history.keepMs, BATCH)
      },
    },
    {
      name: 'delivery-retention',
      keepMs: () => deliveriesMs,
      forget: async (tx, now) => (deliveriesMs === undefined ? 0 : tx.forgetDeliveries(now - deliveriesMs, BATCH)),
    },
    {
      name: 'decision-retention',
      keepMs: () => decisionsMs,
      forget: async (tx, now) => (decisionsMs === undefined ? 0 : tx.forgetDecisions(now - decisionsMs, BATCH)),
    },
  ]
  return keepings.map((keeping) => workOf(keeping, store, clock))
}

/** Forgets a batch at a time; once nothing is left, it looks again after an hour, or when it is to be kept for another time. */
function workOf({ name, keepMs, forget }: Keeping, store: Store, clock: Clock): Work {
  let lookedFor: number | undefined
  let nextLook = 0
  const isPending = () => {
    const kept = keepMs()
    return kept !== undefined && (kept !== lookedFor || clock.now() >= nextLook)
  }
  const pass = async () => {
    if (!isPending()) return 0
    const [kept, now] = [keepMs(), clock.now()]
    const count = await store.transaction(async (tx) => forget(tx, (await tx.now()) ?? now))
    if (count === 0) {
      lookedFor = kept
      nextLook = now + PAUSE_MS
    }
    return count
  }
  return { name, isPending, pass }
}

function keepMsOf(name: keyof RetentionOptions, { [name]: text }: RetentionOptions): number | undefined {
  if (text === undefined) return undefined
  const keepMs = parseDuration(text)
  if (keepMs !== undefined && keepMs >= SHORTEST_MS) return keepMs
  const message = `\`retention.${name}\` is ${JSON.stringify(text)}, and should be a duration of at least "1d": ${DURATION_FORMS}.`
  throw new EngineError('retention.invalid', message, { [name]: text })
}
