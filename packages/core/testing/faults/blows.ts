import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { FailpointPlan } from '../../src/testing/faults/failpoints.js'
import type { FaultProxy } from '../../src/testing/faults/proxy.js'
import type { ShopProcess } from './shop.js'
import type { Picker } from './staff.js'
import type { StormyRedis } from './stormy-redis.js'

/** All that can happen to a shop in a storm. */
export type Blow =
  /** A process is killed, anywhere or right after a provider has answered. */
  | 'kills'
  /** A process stands still for longer than a lease: in the middle of a call, before it, or after a commit. */
  | 'stops'
  /** About half of the sessions with the database are ended. */
  | 'terminations'
  /** A COMMIT is kept, and nobody hears of it. */
  | 'lost answers to COMMIT'
  /** The database crashes and comes back. */
  | 'database crashes'
  /** Nothing gets through to the provider, or from it, and no connection is closed. */
  | 'black holes'
  /** Redis takes a message for a queue, and nobody hears of it. */
  | 'lost answers to queue adds'
  | 'Redis kills'
  | 'FLUSHALLs'
  /** Redis has no memory left for a while. */
  | 'times Redis was full'
  | 'absences of Redis'
  /** Nothing gets through to Redis, or from it, and no connection is closed. */
  | 'silences of Redis'
  /** Nobody gets anything out of the queues of Redis for so long that the processes send by themselves. */
  | 'queues that stood still'

/** What blows strike. */
export interface Target {
  readonly database: string
  /** By which the processes' sessions are known. */
  readonly schema: string
  readonly speed: number
  readonly toDatabase: FaultProxy
  readonly toProvider: FaultProxy
  readonly redis: StormyRedis | undefined
  readonly crashDatabase: () => Promise<void>
  /** One of those that work, and that nothing else strikes just now. */
  victim(): Promise<ShopProcess | undefined>
  /** Has it fail at a point to come. */
  arm(victim: ShopProcess, plan: FailpointPlan): void
  readonly pick: Picker
}

/** Longer than a lease lasts. */
const STOP_MS = 70_000
/** How long a process may take to come to a point, and an answer to be lost. */
const LONGEST_WAIT_MS = 20_000
/** Longer than a call of the provider may take. */
const SILENCE_MS = 700
const FULL_MS = 2_000
/** Longer than a command to Redis may take. */
const REDIS_SILENCE_MS = 6_000
const ABSENCE_MS = 30_000
/** Until the processes have noticed, and some more: messages leave nevertheless. */
const UNNOTICED_MS = 35_000
const NOTICED_MS = 10_000

/** Strikes. Gives whether it has happened: some wait in vain for what they are to strike. */
export const BLOWS: Readonly<Record<Blow, (target: Target) => Promise<boolean>>> = {
  kills: async (target) => {
    const victim = await target.victim()
    if (victim === undefined) return false
    if (target.pick('where', 2) === 0) {
      target.arm(victim, { point: 'send:after', hit: 1 + target.pick('hit', 8), does: 'crash' })
      await Promise.race([victim.ended, sleep(LONGEST_WAIT_MS)])
    }
    victim.child.kill('SIGKILL')
    await victim.ended
    return true
  },
  stops: async (target) => {
    const point = (['send:after', 'send:before', 'commit:after'] as const)[target.pick('point', 3)] ?? 'send:after'
    const victim = await target.victim()
    if (victim === undefined) return false
    // It shares the calls with others: what it is to stop at must come soon.
    target.arm(victim, { point, hit: 1 + target.pick('hit', 2), does: 'stop' })
    const isStopped = await untilStopped(victim)
    if (isStopped) await sleep(STOP_MS / target.speed)
    // One that has not come to its point would stop there later, for ever.
    victim.child.kill(isStopped ? 'SIGCONT' : 'SIGKILL')
    return isStopped
  },
  terminations: async ({ database, schema }) => {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    const which = 'application_name = $1 and random() < 0.5'
    const text = `select pg_terminate_backend(pid) from pg_stat_activity where ${which}`
    const { rowCount } = await client.query(text, [schema])
    await client.end()
    return rowCount !== 0
  },
  'lost answers to COMMIT': ({ toDatabase }) => dropped(toDatabase, (said) => said.includes('commit')),
  'database crashes': async ({ crashDatabase }) => {
    await crashDatabase()
    return true
  },
  'black holes': async ({ toProvider }) => {
    toProvider.become({ kind: 'swallow' })
    await sleep(SILENCE_MS)
    toProvider.become({ kind: 'reset' })
    toProvider.become({ kind: 'pass' })
    return true
  },
  // Only what is handed to a channel's queue has these words.
  'lost answers to queue adds': async ({ redis }) =>
    redis !== undefined && dropped(redis.proxy, (said) => said.includes('channel.') && said.includes('"claim"')),
  'Redis kills': ({ redis }) => toRedis(redis, (there) => there.restart()),
  FLUSHALLs: ({ redis }) => toRedis(redis, (there) => there.flush()),
  'times Redis was full': ({ redis }) => toRedis(redis, (there) => there.fill(FULL_MS)),
  'silences of Redis': ({ redis }) => toRedis(redis, (there) => there.silence(REDIS_SILENCE_MS)),
  'queues that stood still': async ({ redis, database, schema }) => {
    if (redis === undefined) return false
    const held = redis.hold(UNNOTICED_MS + NOTICED_MS)
    await sleep(UNNOTICED_MS)
    const before = await acceptedIn(database, schema)
    await held
    return (await acceptedIn(database, schema)) > before
  },
  'absences of Redis': ({ redis }) => toRedis(redis, (there) => there.restart(ABSENCE_MS)),
}

/** How many messages are on record as sent. */
async function acceptedIn(database: string, schema: string): Promise<number> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query<{ count: string }>(
    `select count(*) from ${client.escapeIdentifier(schema)}.delivery where state = 'accepted'`,
  )
  await client.end()
  return Number(rows[0]?.count)
}

async function toRedis(redis: StormyRedis | undefined, strike: (redis: StormyRedis) => Promise<void>) {
  if (redis === undefined) return false
  await strike(redis)
  return true
}

async function dropped(proxy: FaultProxy, matches: (said: Buffer) => boolean): Promise<boolean> {
  const happened = proxy.dropReplyTo(matches).then(() => true)
  const hasHappened = await Promise.race([happened, sleep(LONGEST_WAIT_MS, false)])
  if (!hasHappened) void proxy.dropReplyTo(() => false)
  return hasHappened
}

const run = promisify(execFile)

/** Whether a process has come to stand still; it may have died, and it may never come to its point. */
async function untilStopped({ child: { pid } }: ShopProcess): Promise<boolean> {
  const giveUpAt = performance.now() + LONGEST_WAIT_MS
  while (performance.now() < giveUpAt) {
    const state = await stateOf(Number(pid)).catch(() => undefined)
    if (state === undefined) return false
    if (state.startsWith('T')) return true
    await sleep(20)
  }
  return false
}

/** `S`, `R`, `T` …, as `ps` says; where there is `/proc`, for much less. */
async function stateOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return /\) (.)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? ''
  return (await run('ps', ['-o', 'stat=', '-p', String(pid)])).stdout
}
