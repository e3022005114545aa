/**
 * A full hour on PostgreSQL: the baseline of all communities is worked out, and each of them compared anew by three rules.
 * Against one that only reads the same rows, in the same run.
 *
 *     npm run bench:baselines [-- --communities 2000 --orders 100000 --rounds 5]
 */
import { parseArgs } from 'node:util'
import { createEngine, definePack } from '@linli/core'
import pg from 'pg'
import { benchServer, ingestAll, run } from './databases.js'
import { median, number, seconds, spread } from './measure.js'
import { shopEvents } from './shop.js'

const { values } = parseArgs({
  options: {
    communities: { type: 'string', default: '2000' },
    orders: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
  },
})
const [communities, orders] = [Number(values.communities), Number(values.orders)]
const HOUR_MS = 3_600_000
const SCHEMA = 'bench_baselines'

const within = { event: 'order_paid', within: '30d' }
const dairy = { item: { fact: 'category', operator: 'equal', value: 'dairy' } }
const ranked = { by: { fact: 'eventSum', params: { ...within, property: 'total' } } }
const buyers = { fact: 'userCount', params: within, operator: 'greaterThanInclusive', value: 5 }
const rules = Object.entries({
  dairy: { fact: 'lift', params: { ...within, ...dairy }, operator: 'greaterThanInclusive', value: 1.5 },
  best: { fact: 'rank', params: ranked, operator: 'lessThanInclusive', value: 10 },
  upper: { fact: 'rank', params: { ...ranked, as: 'percentile' }, operator: 'greaterThanInclusive', value: 50 },
}).map(([id, compared]) => ({ kind: 'tag', id, subject: 'community', conditions: { all: [compared, buyers] } }))

// Of the shop's events a fifth are orders.
const events = shopEvents({ events: orders * 5, users: communities * 10, communities }).filter(
  ({ type, event }) => type === 'group' || event === 'order_paid',
)
let now = Date.now()
const clock = { now: () => now, sleep: () => Promise.resolve() }
const server = await benchServer()
console.log(`${number(events.length)} events, ${number(communities)} communities; PostgreSQL ${server.source}`)
await run(server.url, `drop schema if exists ${SCHEMA} cascade`)
const engine = await createEngine({ rules: definePack(rules), database: server.url, schema: SCHEMA, clock })
await ingestAll(engine, events)
await engine.settle()
const client = new pg.Client({ connectionString: server.url })
await client.connect()
const times: number[] = []
const ratios: number[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  // An order in between, so that there is something to work out.
  await engine.ingest([{ event: 'order_paid', userId: `u-${round}`, messageId: `round-${round}`, properties: {} }])
  await engine.settle()
  now = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS
  const read = await seconds(() => client.query(`select id, state from ${SCHEMA}.subject where kind = 'community'`))
  const hour = await seconds(() => engine.settle())
  times.push(hour * 1000)
  ratios.push(hour / read)
  console.log(`round ${round + 1}: the hour ${number(hour * 1000)} ms, reading the rows ${number(read * 1000)} ms`)
}
const compared = (await engine.decisions()).filter(({ decision }) => decision === 'tag.added').length
await client.end()
await engine.close()
await run(server.url, `drop schema ${SCHEMA} cascade`)
await server.stop()
console.log(`tags put on: ${number(compared)}`)
console.log(`a full hour: ${number(median(times))} ms; to reading the rows ${spread(ratios, 1)}`)
