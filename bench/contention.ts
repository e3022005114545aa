/**
 * Two processes take events in at once, every person in one of 200 communities whose rules look at every order. Aim:
 * under 10% of the processes' time is spent waiting for locks.
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
  options: { events: { type: 'string', default: '100000' }, worker: { type: 'string' }, url: { type: 'string' } },
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

if (values.worker === undefined) await measure()
else await work(values.worker, values.url ?? '')

/** One of the two processes: the same people as the other, other events. */
async function work(name: string, url: string): Promise<void> {
  const events = shopEvents({
    events: Number(values.events),
    users: 20_000,
    communities: 200,
    seed: Number(name),
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
  process.disconnect()
}

async function measure(): Promise<void> {
  const server = await benchServer()
  await run(server.url, `drop schema if exists ${SCHEMA} cascade`)
  await (await benchEngine(server.url, SCHEMA, rules)).close()
  const children = ['1', '2'].map((name) =>
    fork(fileURLToPath(import.meta.url), ['--worker', name, '--url', server.url, '--events', values.events]),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const results = children.map(async (child) => ((await once(child, 'message')) as [{ rate: number }])[0].rate)
  for (const child of children) child.send('go')
  let running = true
  const finished = Promise.all(results).then((rates) => {
    running = false
    return rates
  })
  const samples = await sampleWaits(server.url, () => running)
  const rates = await finished
  await run(server.url, `drop schema if exists ${SCHEMA} cascade`)
  await server.stop()
  console.log(`two processes: ${rates.map((rate) => number(rate)).join(' and ')} events/s`)
  console.log(
    `waiting for locks: ${number((100 * samples.waiting) / samples.open, 1)}% of the time in transactions, ${number((100 * samples.processesWaiting) / samples.processes, 1)}% of the processes' time  (aim: under 10%)`,
  )
}

/** Looks at the sessions of the two processes every few milliseconds. */
async function sampleWaits(url: string, isRunning: () => boolean) {
  const client = new pg.Client({ connectionString: url, application_name: 'linli-bench-sampler' })
  await client.connect()
  const seen = { open: 0, waiting: 0, processes: 0, processesWaiting: 0 }
  while (isRunning()) {
    const { rows } = await client.query<{ open: string; waiting: string }>(
      `select count(*) filter (where state <> 'idle') as open, count(*) filter (where state = 'active' and wait_event_type = 'Lock') as waiting
       from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and datname = current_database()`,
    )
    const { open = '0', waiting = '0' } = rows[0] ?? {}
    seen.open += Number(open)
    seen.waiting += Number(waiting)
    // A process waits when all its transactions under way do; counted as if each held two.
    seen.processes += 2
    seen.processesWaiting += Number(waiting) / 2
    await sleep(10)
  }
  await client.end()
  return seen
}
