/**
 * Two processes take events in at once, every person in one of 200 communities whose rules look at every order. Aim:
 * under 10% of the time in transactions is spent waiting for locks.
 *
 * Measured twice: with people of their own in each process, so that only the communities are shared; and with the same
 * 50,000 people in both, each of whom then has an event every few seconds in either process.
 *
 *     npm run bench:contention [-- --events 100000]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { benchEngine, benchServer, ingestAll, run } from './databases.js'
import { number, seconds } from './measure.js'
import { shopEvents, shopJourneys, shopTags } from './shop.js'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    worker: { type: 'string' },
    url: { type: 'string' },
    people: { type: 'string' },
  },
})
const SCHEMA = 'bench_contention'
const dairy = { all: [{ fact: 'category', operator: 'equal', value: 'dairy' }] }
const ofCommunity = [
  {
    fact: 'eventCount',
    operator: 'greaterThanInclusive',
    value: 50,
    params: { event: 'order_paid', within: '7d', item: dairy },
  },
  {
    fact: 'eventSum',
    operator: 'greaterThan',
    value: 5000,
    params: { event: 'order_paid', within: '7d', property: 'total' },
  },
].map((condition, index) => ({
  kind: 'tag',
  id: `community-${index}`,
  subject: 'community',
  conditions: { all: [condition] },
}))
const rules = [...shopTags(), ...shopJourneys(), ...ofCommunity]

if (values.worker === undefined) {
  const server = await benchServer()
  await measure(server.url, 'people of their own', ['a', 'b'])
  await measure(server.url, 'the same people', ['u', 'u'])
  await server.stop()
} else await work(values.worker, values.url ?? '', values.people ?? 'u')

/** One of the two processes. */
async function work(name: string, url: string, people: string): Promise<void> {
  const events = shopEvents({
    events: Number(values.events),
    users: 50_000,
    communities: 200,
    seed: Number(name),
    people,
  })
  const engine = await benchEngine(url, SCHEMA, rules)
  engine.start()
  process.send?.('ready')
  await once(process, 'message')
  const took = await seconds(async () => {
    await ingestAll(engine, events)
    await engine.settle()
  })
  process.send?.({ rate: events.length / took })
  await engine.close()
  if (process.connected) process.disconnect()
}

async function measure(url: string, title: string, people: readonly [string, string]): Promise<void> {
  await run(url, `drop schema if exists ${SCHEMA} cascade`)
  await (await benchEngine(url, SCHEMA, rules)).close()
  const children = people.map((own, index) => {
    const flags = { worker: String(index + 1), url, people: own, events: values.events }
    return fork(
      fileURLToPath(import.meta.url),
      Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    )
  })
  await Promise.all(children.map((child) => once(child, 'message')))
  const results = children.map(async (child) => ((await once(child, 'message')) as [{ rate: number }])[0].rate)
  const gone = children.map((child) => once(child, 'exit'))
  for (const child of children) child.send('go')
  let running = true
  const finished = Promise.all(results).then((rates) => {
    running = false
    return rates
  })
  const { open, waiting } = await sampleWaits(url, () => running)
  const rates = await finished
  await Promise.all(gone)
  await run(url, `drop schema if exists ${SCHEMA} cascade`)
  const speeds = rates.map((rate) => number(rate)).join(' and ')
  console.log(
    `${title}: ${speeds} events/s; ${number((100 * waiting) / open, 1)}% of the time in transactions waiting for locks`,
  )
}

/** Looks at the sessions of the two processes every few milliseconds. */
async function sampleWaits(url: string, isRunning: () => boolean) {
  const client = new pg.Client({ connectionString: url, application_name: 'linli-bench-sampler' })
  await client.connect()
  const seen = { open: 0, waiting: 0 }
  while (isRunning()) {
    const { rows } = await client.query<{ open: string; waiting: string }>(
      `select count(*) filter (where state <> 'idle') as open, count(*) filter (where state = 'active' and wait_event_type = 'Lock') as waiting
       from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and datname = current_database()`,
    )
    const { open = '0', waiting = '0' } = rows[0] ?? {}
    seen.open += Number(open)
    seen.waiting += Number(waiting)
    await sleep(10)
  }
  await client.end()
  return seen
}
