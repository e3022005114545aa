import { setTimeout as sleep } from 'node:timers/promises'
import { hashShare } from '@linli/rules'
import pg from 'pg'
import type { Engine } from '../../src/door.js'
import { createEngine } from '../../src/engine.js'
import type { Store } from '../../src/ports/store.js'
import { openStore } from '../../src/storage/open.js'
import { type FaultProxy, startFaultProxy } from '../../src/testing/faults/proxy.js'
import { BLOWS, type Blow, type Target } from './blows.js'
import { checkTown, type Finding } from './checks.js'
import type { Tried } from './orders.js'
import { untilDone } from './patience.js'
import { Shop, type ShopOptions } from './shop.js'
import { type Picker, Staff } from './staff.js'
import { StormyRedis } from './stormy-redis.js'
import { ISSUER, SHOP_JOURNEYS, townClock } from './town.js'

/** What happens to a shop. */
export interface Storm extends ShopOptions {
  /** How many processes there are at a time. */
  readonly processes: number
  /** How many happenings each takes in at most. */
  readonly events: number
  /** How often what happens. */
  readonly blows: Readonly<Partial<Record<Blow, number>>>
  /** The storm lasts at least until the provider has failed so often. Default 0. */
  readonly providerFaults?: number
  /** The storm lasts at least until the provider was called so often. Default 0. */
  readonly calls?: number
  readonly crashDatabase: () => Promise<void>
  /** How many of the blows may be under way at a time. Default 1. */
  readonly hands?: number
  /** Whether Redis shares the work. */
  readonly withRedis?: boolean
  /** Once nothing fails any more: for how long what is left to do may not become less, in seconds of the machine. */
  readonly patience: number
}

/** How long a storm lasts on at most for the sake of what the provider is to see. */
const LONGEST_STORM_MS = 300_000

/** What was there once the storm was over. */
export interface Remains {
  readonly accepted: number
  readonly deliveries: number
  readonly sent: number
  /** Requests that the provider met with a fault. */
  readonly faults: number
  readonly facts: number
  readonly findings: readonly Finding[]
}

/** What has happened indeed, and what it left. */
export interface Aftermath extends Remains {
  readonly blows: Readonly<Partial<Record<Blow, number>>>
}

/** Lets a storm pass over a shop, waits until all is done, and looks at what there is. */
export async function weather(storm: Storm): Promise<Aftermath> {
  const shop = await Shop.open(storm)
  const redis = storm.withRedis === true ? await StormyRedis.start() : undefined
  const toDatabase = await proxyTo(storm.database)
  const toProvider = await proxyTo(shop.providerUrl)
  try {
    const blows = await blow(shop, storm, { toDatabase, toProvider, redis })
    for (const proxy of [toDatabase, toProvider]) proxy.become({ kind: 'pass' })
    return { blows, ...(await lookAround(shop, storm)) }
  } finally {
    await shop.close()
    await redis?.close()
    await toDatabase.close()
    await toProvider.close()
  }
}

async function proxyTo(url: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(url)
  return startFaultProxy({ host: hostname, port: Number(port) })
}

function through(url: string, { port }: FaultProxy): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

async function blow(shop: Shop, storm: Storm, links: Pick<Target, 'toDatabase' | 'toProvider' | 'redis'>) {
  const ways = {
    database: through(storm.database, links.toDatabase),
    provider: through(shop.providerUrl, links.toProvider).replace(/\/$/, ''),
    ...(links.redis && { redis: links.redis.url }),
  }
  const staff = new Staff(shop, storm, ways)
  const left = new Map(Object.entries(storm.blows) as [Blow, number][])
  const happened: Partial<Record<Blow, number>> = {}
  // Some wait in vain for what they are to strike, and are tried again.
  let turns = 2 * [...left.values()].reduce((sum, one) => sum + one, 0)
  const strike = async (): Promise<void> => {
    for (let turn = turns--; turn > 0; turn = turns--) {
      const pick: Picker = (what, from) => Math.floor(hashShare(`${storm.seed}|${turn}|${what}`) * from)
      const kinds = [...left.keys()].filter((kind) => (left.get(kind) ?? 0) > 0)
      const kind = kinds[pick('kind', kinds.length)]
      if (kind === undefined) return
      left.set(kind, (left.get(kind) ?? 0) - 1)
      await sleep(20 + pick('pause', 100))
      const hasHappened = await staff.strike(pick, (victim) =>
        BLOWS[kind]({ ...storm, ...links, victim, arm: staff.arm.bind(staff), pick }),
      )
      if (hasHappened) happened[kind] = (happened[kind] ?? 0) + 1
      else left.set(kind, (left.get(kind) ?? 0) + 1)
      staff.fill()
    }
  }
  staff.fill()
  await staff.areStarted()
  await Promise.all(Array.from({ length: storm.hands ?? 1 }, strike))
  const giveUpAt = performance.now() + LONGEST_STORM_MS
  const { providerFaults = 0, calls = 0 } = storm
  const hasSeenAll = () => {
    const sent = shop.sent()
    return sent.length >= calls && sent.filter(({ fault }) => fault !== undefined).length >= providerFaults
  }
  while (!hasSeenAll() && performance.now() < giveUpAt) await sleep(500)
  await staff.areStarted()
  shop.calm()
  return happened
}

/** Waits until nothing is due and nobody is in a journey, then looks at everything. */
export async function lookAround(shop: Shop, storm: Pick<Storm, 'database' | 'schema' | 'patience'>): Promise<Remains> {
  const clock = townClock(shop.time)
  const open = () => openStore(storm.database, { schema: storm.schema, clock: 'engine' })
  const store = await open()
  const engine = await createEngine({
    rules: 'published',
    database: store,
    clock,
    channels: channelNames(),
    issuers: [{ name: ISSUER, repeat: { kind: 'none' }, issue: onlyLooks }],
  })
  try {
    await Promise.all(shop.running.map(({ done }) => done))
    const calmed = performance.now()
    await untilDone(() => countLeft(engine, storm), { standstillMs: storm.patience * 1000 })
    const seconds = (performance.now() - calmed) / 1000
    const verification = await engine.verify({ recompute: 1000 })
    const deliveries = await engine.deliveries()
    const sent = shop.sent()
    const accepted = shop.accepted()
    const findings = await checkTown({
      engine,
      verification,
      deliveries,
      decisions: await engine.decisions(),
      accepted,
      unanswered: await unansweredOf(shop.tried(), accepted, store),
      sent,
      isQuiet: (await countLeft(engine, storm)) === 0,
      seconds,
    })
    return {
      accepted: accepted.length,
      deliveries: deliveries.length,
      sent: sent.filter(({ did }) => did === 'sent').length,
      faults: sent.filter(({ fault }) => fault !== undefined).length,
      facts: verification.checked.facts,
      findings,
    }
  } finally {
    await engine.close()
  }
}

/** What is in the log although nobody was told that it was taken in. */
async function unansweredOf(
  tried: readonly Tried[],
  accepted: readonly Tried[],
  store: Store,
): Promise<readonly Tried[]> {
  const answered = new Set(accepted.map(({ messageId }) => messageId))
  const open = tried.filter(({ messageId }) => !answered.has(messageId))
  const logged = await store.readEvents({ userIds: [...new Set(open.map(({ userId }) => String(userId)))] })
  const taken = new Set(logged.map(({ messageId }) => messageId))
  return open.filter(({ messageId }) => taken.has(String(messageId)))
}

function channelNames() {
  return ['sms', 'wecom', 'app'].map((name) => ({
    name,
    repeat: { kind: 'none' as const },
    send: onlyLooks,
  }))
}

function onlyLooks(): Promise<never> {
  return Promise.reject(new Error('This engine only looks.'))
}

/** How many deliveries are under way, which is asked often and so of the database itself, and how many runs. */
async function countLeft(engine: Engine, { database, schema }: Pick<Storm, 'database' | 'schema'>): Promise<number> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query(`select count(*)::int as left from ${schema}.delivery where due_at is not null`)
  await client.end()
  const runs = await Promise.all(SHOP_JOURNEYS.map((journey) => countRuns(engine, journey)))
  return runs.reduce((sum, one) => sum + one, Number(rows[0]?.left))
}

async function countRuns(engine: Engine, journey: string): Promise<number> {
  let count = 0
  let after: string | undefined
  do {
    const page = await engine.runs({ journey, limit: 1000, ...(after !== undefined && { after }) })
    count += page.runs.length
    after = page.next
  } while (after !== undefined)
  return count
}
