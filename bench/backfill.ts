/**
 * One new tag over a log of 1,000,000 events: how fast its feature is filled, alone and beside live traffic, and how fast
 * live events come in meanwhile, against how fast they come in when nothing is filled.
 *
 *     npm run bench:backfill [-- --events 1000000 --users 50000 --live 60000]
 */
import { parseArgs } from 'node:util'
import { definePack, type Engine } from '@linli/core'
import { benchEngine, benchServer, ingestAll, run } from './databases.js'
import { number, seconds } from './measure.js'
import { shopEvents, shopTags } from './shop.js'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '50000' },
    live: { type: 'string', default: '60000' },
  },
})
const users = Number(values.users)
const rules = shopTags(10)
const server = await benchServer()
await run(server.url, 'drop schema if exists bench_backfill cascade')
const engine = await benchEngine(server.url, 'bench_backfill', rules)
let logged = 0
for (let seed = 1; logged < Number(values.events); seed++) {
  const events = shopEvents({ events: 100_000, users, communities: seed === 1 ? 200 : 0, seed })
  await ingestAll(engine, events, { mode: 'history' })
  logged += events.length
}
await engine.settle()
await run(server.url, 'vacuum analyze', 'checkpoint')
console.log(`${number(logged)} events of ${number(users)} people; PostgreSQL ${server.source}`)

/** A tag that no pack before had, over all orders and views. */
function withNewTag(days: number) {
  const params = { event: ['order_paid', 'product_viewed', 'cart_added'], within: `${days}d` }
  const condition = { fact: 'eventCount', operator: 'greaterThanInclusive', value: 25, params }
  return definePack([...rules, { kind: 'tag', id: `active-${days}`, conditions: condition }])
}

async function liveSpeed(live: Engine, seed: number): Promise<number> {
  const events = shopEvents({ events: Number(values.live), users, seed })
  return events.length / (await seconds(() => ingestAll(live, events)))
}

const quiet = await liveSpeed(engine, 1001)
console.log(`live events, nothing to fill: ${number(quiet)} events/s`)

await engine.publish(withNewTag(30))
const alone = await seconds(() => engine.settle())
console.log(`filled alone: ${number(logged / alone)} events/s (${number(alone, 1)} s)`)

await engine.publish(withNewTag(60))
engine.start()
const begun = performance.now()
const filled = (async () => {
  for (;;) {
    const { done, total } = await engine.publication()
    if (done === total) return (performance.now() - begun) / 1000
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
})()
const speeds: number[] = []
for (let seed = 2001, isOver = false; !isOver; seed++) {
  const speed = await liveSpeed(engine, seed)
  isOver = await Promise.race([filled.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 0, false))])
  if (!isOver || speeds.length === 0) speeds.push(speed)
}
const beside = await filled
await engine.close()
await run(server.url, 'drop schema if exists bench_backfill cascade')
await server.stop()
const live = speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length
console.log(`filled beside live events: ${number(logged / beside)} events/s (${number(beside, 1)} s)`)
console.log(
  `live events meanwhile: ${number(live)} events/s, ${number(live / quiet, 2)} of those when nothing is filled`,
)
