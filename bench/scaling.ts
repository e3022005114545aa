/**
 * The same durable ingest with 10, 1,000 and 10,000 rules of which an event touches ten. Aim: the cost of an event grows
 * less than 1.3 times from the first to the last.
 *
 *     npm run bench:scaling [-- --events 60000 --rounds 3]
 */
import { parseArgs } from 'node:util'
import type { IncomingEvent } from '@linli/core'
import { benchEngine, benchServer, ingestAll, run } from './databases.js'
import { median, number, seconds } from './measure.js'
import { mulberry32 } from './shop.js'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '60000' }, rounds: { type: 'string', default: '3' } },
})
const RULES_OF_A_CATEGORY = 10
const USERS = 20_000
const SIZES = [10, 1000, 10_000]

/** Ten rules for each category: counts and sums of its orders in windows of different lengths. */
function rules(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => {
    const category = `category-${Math.floor(index / RULES_OF_A_CATEGORY)}`
    const days = 3 + (index % RULES_OF_A_CATEGORY)
    const item = { all: [{ fact: 'category', operator: 'equal', value: category }] }
    const params = { event: 'order_paid', within: `${days}d`, item }
    const condition = { fact: 'eventCount', operator: 'greaterThanInclusive', value: 2, params }
    return { kind: 'tag', id: `tag-${index}`, conditions: { all: [condition] } }
  })
}

/** People keep to what they like: each buys of one category, so states are equally large whatever the number of rules. */
function events(count: number, ruleCount: number): IncomingEvent[] {
  const random = mulberry32(7)
  const end = Date.now() - 60_000
  return Array.from({ length: count }, (_, index) => {
    const user = Math.floor(random() * USERS)
    const category = `category-${user % (ruleCount / RULES_OF_A_CATEGORY)}`
    const properties = { orderId: `o-${index}`, items: [{ sku: `s-${index % 500}`, category, amount: 12.5 }] }
    const timestamp = end - (count - index) * 1000
    return { event: 'order_paid', userId: `u-${user}`, messageId: `m-${index}`, timestamp, properties }
  })
}

const server = await benchServer()
const costs = new Map<number, number[]>(SIZES.map((size) => [size, []]))
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const size of SIZES) {
    await run(server.url, 'drop schema if exists bench_scaling cascade', 'checkpoint')
    const engine = await benchEngine(server.url, 'bench_scaling', rules(size))
    const taken = events(Number(values.events), size)
    const took = await seconds(() => ingestAll(engine, taken))
    await engine.close()
    // The first round warms up.
    if (round > 0) costs.get(size)?.push((took / taken.length) * 1e6)
  }
}
await run(server.url, 'drop schema if exists bench_scaling cascade')
await server.stop()
const [first = 1, ...rest] = SIZES.map((size) => median(costs.get(size) ?? []))
console.log(`PostgreSQL ${server.source}; ${values.events} events a run, ten rules touched by each`)
for (const [index, cost] of [first, ...rest].entries()) {
  console.log(
    `${number(SIZES[index] ?? 0)} rules: ${number(cost, 1)} us an event, ${number(cost / first, 2)} times the first`,
  )
}
console.log('(aim: less than 1.3 times)')
