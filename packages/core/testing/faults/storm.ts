import { type ChildProcess, execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hashShare } from '@linli/rules'
import pg from 'pg'
import { createEngine } from '../../src/engine.js'
import { openStore } from '../../src/storage/open.js'
import type { FailpointPlan } from '../../src/testing/faults/failpoints.js'
import { type FaultProxy, startFaultProxy } from '../../src/testing/faults/proxy.js'
import { checkTown, type Finding } from './checks.js'
import { Shop, type ShopOptions } from './shop.js'
import { townClock } from './town.js'

/** What happens to a shop. */
export interface Storm extends ShopOptions {
  /** How many processes there are at a time. */
  readonly processes: number
  /** How many happenings each takes in at most. */
  readonly events: number
  /** How often a process is killed, stopped for longer than a lease, loses its connections, or the answer to a commit. */
  readonly kills: number
  readonly stops: number
  readonly terminations: number
  readonly lostCommits: number
  /** How often the database crashes and comes back. */
  readonly databaseCrashes: number
  readonly crashDatabase: () => Promise<void>
  /** How long it is at most until all is done once nothing fails any more, in seconds of the machine. */
  readonly patience: number
}

/** What a storm was, and what it left. */
export interface Aftermath extends Readonly<Record<Blow, number>> {
  readonly accepted: number
  readonly deliveries: number
  readonly sent: number
  readonly facts: number
  readonly findings: readonly Finding[]
}

/** Longer than a lease lasts. */
const STOP_MS = 70_000

/** Lets a storm pass over a shop, waits until all is done, and looks at what there is. */
export async function weather(storm: Storm): Promise<Aftermath> {
  const shop = await Shop.open(storm)
  const { hostname, port } = new URL(storm.database)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  try {
    const happened = await blow(shop, storm, proxy)
    proxy.become({ kind: 'pass' })
    return { ...happened, ...(await lookAround(shop, storm)) }
  } finally {
    await shop.close()
    await proxy.close()
  }
}

const BLOWS = ['kills', 'stops', 'terminations', 'lostCommits', 'databaseCrashes'] as const
type Blow = (typeof BLOWS)[number]

async function blow(shop: Shop, storm: Storm, proxy: FaultProxy) {
  const through = new URL(storm.database)
  through.port = String(proxy.port)
  const start = (plan?: FailpointPlan) => shop.start(storm.events, plan, through.href)
  const blows = Object.fromEntries(BLOWS.map((kind) => [kind, storm[kind]])) as Record<Blow, number>
  const left = { ...blows }
  await Promise.all(Array.from({ length: storm.processes }, () => start()))
  const total = Object.values(left).reduce((sum, one) => sum + one, 0)
  for (let turn = 0; turn < total; turn++) {
    const pick = (what: string, from: number) => Math.floor(hashShare(`${storm.seed}|${turn}|${what}`) * from)
    await sleep(50 + pick('pause', 200))
    const kinds = BLOWS.filter((kind) => left[kind] > 0)
    const kind = kinds[pick('kind', kinds.length)] ?? 'kills'
    left[kind] -= 1
    const victim = shop.running[pick('victim', shop.running.length)]
    if (kind === 'terminations') await terminate(storm)
    else if (kind === 'databaseCrashes') await storm.crashDatabase()
    else if (kind === 'lostCommits')
      await Promise.race([proxy.dropReplyTo((said) => said.includes('commit')), sleep(500)])
    else if (kind === 'kills' && pick('where', 2) === 0) {
      victim?.child.kill('SIGKILL')
      await victim?.ended
    } else if (kind === 'kills') {
      // The provider has answered, and nobody will ever hear it.
      const { child, ended } = await start({ point: 'send:after', hit: 1 + pick('hit', 20), does: 'crash' })
      await Promise.race([ended, sleep(LONGEST_WAIT_MS)])
      child.kill('SIGKILL')
      await ended
    } else {
      // In the middle of a call: the provider has answered, and nobody has heard it.
      const { child } = await start({ point: 'send:after', hit: 1 + pick('hit', 20), does: 'stop' })
      await untilStopped(child)
      await sleep(STOP_MS / storm.speed)
      child.kill('SIGCONT')
    }
    while (shop.running.length < storm.processes) await start()
  }
  shop.calm()
  return blows
}

/** Ends about half of the sessions that the shop's processes have. */
async function terminate({ database, schema }: Pick<Storm, 'database' | 'schema'>): Promise<void> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and random() < 0.5',
    [schema],
  )
  await client.end()
}

/** Waits until a process stands still or is gone, but not for ever: it may never come to its point. */
async function untilStopped({ pid }: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + LONGEST_WAIT_MS
  while (performance.now() < giveUpAt) {
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: 'T' }))
    if (stdout.startsWith('T')) return
    await sleep(20)
  }
}

const LONGEST_WAIT_MS = 5_000
const run = promisify(execFile)

/** Waits until nothing is due and nobody is in a journey, then looks at everything. */
export async function lookAround(shop: Shop, storm: Pick<Storm, 'database' | 'schema' | 'patience'>) {
  const clock = townClock(shop.time)
  const open = () => openStore(storm.database, { schema: storm.schema, clock: 'engine' })
  const store = await open()
  const engine = await createEngine({ rules: 'published', database: store, clock, channels: channelNames() })
  try {
    await Promise.all(shop.running.map(({ done }) => done))
    const calmed = performance.now()
    while (!(await isQuiet(engine)) && performance.now() - calmed < storm.patience * 1000) await sleep(100)
    const seconds = (performance.now() - calmed) / 1000
    const verification = await engine.verify({ recompute: 1000 })
    const deliveries = await engine.deliveries()
    const findings = await checkTown({
      engine,
      verification,
      deliveries,
      decisions: await engine.decisions(),
      accepted: shop.accepted(),
      sent: shop.sent(),
      isQuiet: await isQuiet(engine),
      seconds,
    })
    return {
      accepted: shop.accepted().length,
      deliveries: deliveries.length,
      sent: shop.sent().filter(({ did }) => did === 'sent').length,
      facts: verification.checked.facts,
      findings,
    }
  } finally {
    await engine.close()
  }
}

function channelNames() {
  return ['sms', 'wecom', 'app'].map((name) => ({
    name,
    repeat: { kind: 'none' as const },
    send: () => Promise.reject(new Error('This engine only looks.')),
  }))
}

async function isQuiet(
  engine: Pick<Awaited<ReturnType<typeof createEngine>>, 'deliveries' | 'runs'>,
): Promise<boolean> {
  const open = (await engine.deliveries()).filter(({ dueAt }) => dueAt !== undefined)
  const runs = await Promise.all(['cart', 'trial'].map((journey) => engine.runs({ journey })))
  return open.length === 0 && runs.every(({ runs: found }) => found.length === 0)
}
