import { appendFileSync } from 'node:fs'
import type { Engine } from '../../src/door.js'
import { createEngine } from '../../src/engine.js'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Channel } from '../../src/ports/channel.js'
import type { Store } from '../../src/ports/store.js'
import { openStore } from '../../src/storage/open.js'
import {
  channelWithFailpoints,
  type Failpoint,
  failAt,
  type OnFailpoint,
  withFailpoints,
} from '../../src/testing/faults/failpoints.js'
import { providerChannel, providerIssuer } from '../../src/testing/faults/provider-channel.js'
import { MUTANTS } from './mutants.js'
import type { Orders, Reported, Told } from './orders.js'
import { CHANNELS, happening, ISSUER, OWN_CODES, PROVIDER_WINDOW_MS, RATES, shopRules, townClock } from './town.js'

// One process of a shop: takes events in as fast as it can and does what is due, until it is told to stop or dies.

const orders = JSON.parse(process.env['LINLI_SHOP'] ?? '') as Orders
const clock = townClock(orders.time)
const reached = new Set<Failpoint>()
let fail = failAt(orders.plan)
const reach: OnFailpoint = (point) => {
  reached.add(point)
  return fail(point)
}
/** Whatever interrupts a start, it does not do so every time. */
const MOST_STARTS = 20
const mutate = MUTANTS.find(({ name }) => name === orders.mutant)?.mutate ?? {}

let isBusy = orders.events > 0
let ends = false
process.on('message', (word: Told) => {
  if (word === 'calm') isBusy = false
  if (word === 'end') ends = true
  if (typeof word === 'object') fail = failAt(word.plan)
})
process.on('disconnect', () => process.exit(0))

const engine = await startSoon()
engine.start()
tell({ kind: 'started' })

for (let count = 0; isBusy && count < orders.events; count++) {
  await takeIn(`${orders.name}-${count}`)
  await new Promise((resolve) => setTimeout(resolve, orders.restMs))
}
tell({ kind: 'done', reached: [...reached] })
while (!ends) await new Promise((resolve) => setTimeout(resolve, 10))
await engine.close()
process.disconnect?.()

/** Tries until its start is not interrupted: a host whose supervisor starts it again. */
async function startSoon(): Promise<Engine> {
  for (let turn = 1; ; turn++) {
    const store = await open()
    try {
      const engine = await openEngine(store)
      // Those that are there already are left as they are.
      await engine.addCodes('own', OWN_CODES)
      return engine
    } catch (error) {
      await store.close().catch(() => undefined)
      if (turn === MOST_STARTS) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

function open(): Promise<Store> {
  return openStore(orders.database, {
    schema: orders.schema,
    clock: 'engine',
    pool: {
      application_name: orders.schema,
      max: 5,
      connectionTimeoutMillis: 2000,
      statement_timeout: 4000,
      query_timeout: 5000,
      lock_timeout: 3000,
    },
  })
}

function openEngine(opened: Store): Promise<Engine> {
  const store = withFailpoints(opened, reach)
  const channels = Object.entries(CHANNELS).map(([name, repeat]): Channel => {
    const rate = RATES[name as keyof typeof CHANNELS]
    const channel = { ...providerChannel({ name, url: orders.provider, repeat }), ...(rate && { rate }) }
    return channelWithFailpoints(mutate.channel?.(channel) ?? channel, reach)
  })
  const repeat = { kind: 'idempotent', windowMs: PROVIDER_WINDOW_MS } as const
  const issuer = providerIssuer({ name: ISSUER, url: orders.provider, repeat })
  return createEngine({
    rules: shopRules(),
    database: mutate.store?.(store, clock) ?? store,
    ...(orders.redis !== undefined && { redis: { url: orders.redis, prefix: orders.schema } }),
    clock,
    channels,
    issuers: [mutate.issuer?.(issuer) ?? issuer],
    callTimeoutMs: 400,
    onError: () => undefined,
  })
}

/** Tries until it is told that the events were taken in: a client that repeats what nobody has answered. */
async function takeIn(name: string): Promise<void> {
  const from = clock.now()
  // Some come late: the phone was off.
  const events = happening(name).map((event, index) => ({
    ...event,
    timestamp: from - ((index * 7 + name.length) % 3) * 3000,
  }))
  note(orders.tried, events, { from })
  for (;;) {
    try {
      await engine.ingest(events)
      note(orders.accepted, events, { from, until: clock.now() })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

function note(file: string, events: readonly IncomingEvent[], when: object): void {
  appendFileSync(file, events.map((event) => `${JSON.stringify({ ...event, ...when })}\n`).join(''))
}

function tell(report: Reported): void {
  process.send?.(report)
}
