/**
 * The home-grown way against linli, in the same run: a transaction for each event that inserts it, counts what the rules
 * need in SQL, asks json-rules-engine, and writes the tags. Aim: linli takes in 50 times as many events.
 *
 *     npm run bench:home-grown [-- --events 3000]
 */
import { parseArgs } from 'node:util'
import type { IncomingEvent } from '@linli/core'
import { Engine } from 'json-rules-engine'
import pg from 'pg'
import { benchEngine, benchServer, copyEvents, copyLine, eventTable, ingestAll, run } from './databases.js'
import { number, seconds } from './measure.js'
import { CATEGORIES, shopEvents, shopJourneys, shopTags } from './shop.js'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '3000' }, history: { type: 'string', default: '200000' } },
})
const USERS = 50_000
const CONNECTIONS = 4
const history = shopEvents({ events: Number(values.history), users: USERS, seed: 1 })
const fresh = shopEvents({ events: Number(values.events), users: USERS, seed: 2 })
const server = await benchServer()

/** A hundred rules over counted facts, as linli's tags are. */
function rulesEngine(): Engine {
  const engine = new Engine([], { allowUndefinedFacts: true })
  for (let index = 0; index < 100; index++) {
    const category = CATEGORIES[index % CATEGORIES.length]
    const fact = `${['count30', 'count7', 'sum30', 'count', 'stores30', 'age', 'views3', 'carts1', 'items14', 'count30'][Math.floor(index / 10)]}:${category}`
    const conditions = { all: [{ fact, operator: 'greaterThanInclusive', value: 2 }] }
    engine.addRule({ name: `tag-${index}`, conditions, event: { type: `tag-${index}` } })
  }
  return engine
}

/** All that the rules ask about one person, by category: two statements, each over the index of the person's events. */
const ORDERS = `
  select item->>'category' as category,
    count(distinct e.message_id) as count,
    count(distinct e.message_id) filter (where e.at > $2::int8 - 30 * 86400000::int8) as count30,
    count(distinct e.message_id) filter (where e.at > $2::int8 - 7 * 86400000::int8) as count7,
    count(*) filter (where e.at > $2::int8 - 14 * 86400000::int8) as items14,
    sum((item->>'amount')::numeric) filter (where e.at > $2::int8 - 30 * 86400000::int8) as sum30,
    count(distinct e.body::jsonb->'properties'->>'storeId') filter (where e.at > $2::int8 - 30 * 86400000::int8) as stores30,
    $2::int8 - max(e.at) as age
  from bench_home.event e, jsonb_array_elements(e.body::jsonb->'properties'->'items') item
  where e.user_id = $1 and e.body::jsonb->>'event' = 'order_paid' group by 1`
const BROWSING = `
  select body::jsonb->'properties'->>'category' as category,
    count(*) filter (where body::jsonb->>'event' = 'product_viewed' and at > $2::int8 - 3 * 86400000::int8) as views3,
    count(*) filter (where body::jsonb->>'event' = 'cart_added' and at > $2::int8 - 86400000::int8) as carts1
  from bench_home.event where user_id = $1 and body::jsonb->>'event' <> 'order_paid' group by 1`

async function takeIn(client: pg.Client, engine: Engine, event: IncomingEvent): Promise<void> {
  const { userId, messageId, timestamp, type = 'track', event: name, properties } = event
  const at = Date.parse(String(timestamp))
  await client.query('begin')
  const body = JSON.stringify({ type, event: name, properties })
  await client.query('insert into bench_home.event values ($1, $2, $3, $4) on conflict do nothing', [
    messageId,
    userId,
    at,
    body,
  ])
  const facts: Record<string, number> = {}
  for (const statement of [ORDERS, BROWSING]) {
    const { rows } = await client.query<Record<string, string>>(statement, [userId, at])
    for (const { category, ...counts } of rows) {
      for (const [fact, value] of Object.entries(counts)) facts[`${fact}:${category}`] = Number(value)
    }
  }
  const { events } = await engine.run(facts)
  const tags = events.map((one) => one.type)
  await client.query(
    'insert into bench_home.tags values ($1, $2) on conflict (user_id) do update set tags = excluded.tags',
    [userId, JSON.stringify(tags)],
  )
  await client.query('commit')
}

async function homeGrown(): Promise<number> {
  await run(server.url, 'drop schema if exists bench_home cascade', ...eventTable('bench_home'))
  await run(server.url, 'create table bench_home.tags (user_id text primary key, tags jsonb not null)')
  await copyEvents(server.url, 'bench_home.event', history.map(copyLine))
  await run(server.url, 'analyze bench_home.event')
  const took = await seconds(async () => {
    let next = 0
    const worker = async () => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      const engine = rulesEngine()
      for (let event = fresh[next++]; event !== undefined; event = fresh[next++]) await takeIn(client, engine, event)
      await client.end()
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  })
  await run(server.url, 'drop schema bench_home cascade')
  return fresh.length / took
}

async function linli(): Promise<number> {
  await run(server.url, 'drop schema if exists bench_linli cascade')
  const engine = await benchEngine(server.url, 'bench_linli', [...shopTags(), ...shopJourneys()])
  const took = await seconds(() => ingestAll(engine, history))
  await engine.close()
  await run(server.url, 'drop schema bench_linli cascade')
  return history.length / took
}

const home = await homeGrown()
const own = await linli()
await server.stop()
console.log(
  `home-grown: ${number(home)} events/s; linli: ${number(own)} events/s; ${number(own / home, 1)} times  (aim: 50)`,
)
