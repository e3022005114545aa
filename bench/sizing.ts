/**
 * What a shop takes: bytes on disk for each thing that is kept, indexes included, and the time of a process. A hundred tags,
 * twenty journeys that wait, and one that thanks for large orders.
 *
 *     npm run bench:sizing [-- --events 200000 --users 20000]
 */
import { parseArgs } from 'node:util'
import pg from 'pg'
import { benchEngine, benchServer, ingestAll, run } from './databases.js'
import { number, seconds } from './measure.js'
import { shopEvents, shopJourneys, shopTags } from './shop.js'

const SCHEMA = 'bench_sizing'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, users: { type: 'string', default: '20000' } },
})
const users = Number(values.users)
const events = shopEvents({ events: Number(values.events), users, communities: Math.ceil(users / 100) })

const isLarge = { fact: 'event', params: { property: 'total' }, operator: 'greaterThan', value: 50 }
const thanks = {
  kind: 'journey',
  id: 'thanks',
  entry: { on: 'event', event: 'order_paid', conditions: { all: [isLarge] } },
  reentry: 'always',
  steps: [{ id: 'thank', send: { template: 'hello', channel: 'push', class: 'service' } }],
}

/** Bytes of a table with its indexes, and rows. */
async function sizeOf(client: pg.Client, table: string): Promise<{ rows: number; bytes: number }> {
  const { rows } = await client.query<{ rows: string; bytes: string }>(
    `select (select count(*) from ${SCHEMA}.${table}) as rows, pg_total_relation_size('${SCHEMA}.${table}') as bytes`,
  )
  return { rows: Number(rows[0]?.rows), bytes: Number(rows[0]?.bytes) }
}

const server = await benchServer()
const client = new pg.Client({ connectionString: server.url })
await client.connect()
await run(server.url, `drop schema if exists ${SCHEMA} cascade`)
const engine = await benchEngine(server.url, SCHEMA, [...shopTags(), ...shopJourneys(), thanks])
const before = process.cpuUsage()
const took = await seconds(async () => {
  await ingestAll(engine, events)
  await engine.settle()
})
const { user, system } = process.cpuUsage(before)
await engine.close()
await run(server.url, `vacuum (analyze) ${SCHEMA}.subject`, `vacuum (analyze) ${SCHEMA}.delivery`)

console.log(`${number(events.length)} events of ${number(users)} people; PostgreSQL ${server.source}`)
for (const [table, name] of [
  ['event', 'an event'],
  ['decision', 'a decision'],
  ['delivery', 'a delivery that has ended'],
  ['subject', 'a person, community or leader'],
] as const) {
  const { rows, bytes } = await sizeOf(client, table)
  console.log(
    `${name}: ${number(bytes / rows)} bytes; ${number(rows)} rows, ${number(rows / events.length, 2)} for each event`,
  )
}
console.log(
  `${number(events.length / took)} events/s, ${number((user + system) / events.length)} µs of this process each`,
)
await run(server.url, `drop schema if exists ${SCHEMA} cascade`)
await client.end()
await server.stop()
