import type { Clock } from '../ports/clock.js'
import type { Queue } from '../ports/queue.js'
import type { FirstDue, Store } from '../ports/store.js'

/** How an engine is, for monitoring. Nothing in it is about a person. */
export interface Health {
  /** Whether the database answers and due work is less than a minute late. Work goes on without Redis, so Redis does not count. */
  readonly ok: boolean
  readonly database: { readonly ok: boolean; readonly tookMs: number }
  /** Whether Redis shares the work now; left out where the engine was given none. */
  readonly redis?: { readonly ok: boolean }
  /** By how much what has been due the longest is late, in milliseconds; 0 when nothing is. */
  readonly lateMs: number
  /** What is due now and has not been taken: `subject`, `baseline`, `delivery`, `delivery:` with a channel, and `inbox`, of which the age is not known. */
  readonly due: readonly { readonly line: string; readonly lateMs?: number }[]
  /** Deliveries that somebody has to look at: nobody knows whether they arrived. `unknown` may still be found out. */
  readonly attention: { readonly parked: number; readonly unknown: number }
}

/** Later than this, an engine is not well. */
const LATE_MS = 60_000

export async function healthOf(store: Store, clock: Clock, queue: Queue, hasRedis: boolean): Promise<Health> {
  const redis = hasRedis && { redis: { ok: queue.sharing === 'redis' } }
  const started = performance.now()
  try {
    const now = await store.transaction(async (tx) => (await tx.now()) ?? clock.now())
    const tookMs = Math.round(performance.now() - started)
    const due = (await store.readFirstDue()).filter(({ dueAt }) => dueAt <= now).map((first) => lateness(first, now))
    const lateMs = Math.max(0, ...due.map((line) => line.lateMs ?? 0))
    const { parked, unknown } = await store.countDoubtful()
    return {
      ok: lateMs < LATE_MS,
      database: { ok: true, tookMs },
      ...redis,
      lateMs,
      due,
      attention: { parked, unknown },
    }
  } catch {
    const database = { ok: false, tookMs: Math.round(performance.now() - started) }
    return { ok: false, database, ...redis, lateMs: 0, due: [], attention: { parked: 0, unknown: 0 } }
  }
}

function lateness({ kind, line, dueAt }: FirstDue, now: number): Health['due'][number] {
  return kind === 'inbox' ? { line } : { line, lateMs: now - dueAt }
}
