/**
 * Years of orders loaded with `mode: 'history'`, against the same events taken in live, with 100 tags and 20 journeys.
 *
 *     npm run bench:history [-- --events 100000 --rounds 3]
 */
import { parseArgs } from 'node:util'
import { benchEngine, benchServer, ingestAll, run } from './databases.js'
import { number, seconds, spread } from './measure.js'
import { shopEvents, shopJourneys, shopTags } from './shop.js'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    users: { type: 'string', default: '5000' },
    communities: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
  },
})
const [users, communities] = [Number(values.users), Number(values.communities)]
const events = shopEvents({ events: Number(values.events), users, communities })
const rules = [...shopTags(), ...shopJourneys()]
const server = await benchServer()
console.log(`${number(events.length)} events of ${number(users)} people; PostgreSQL ${server.source}`)
const ratios: number[] = []
for (let round = 1; round <= Number(values.rounds); round++) {
  const speed = async (mode: 'live' | 'history') => {
    await run(server.url, 'drop schema if exists bench_history cascade', 'checkpoint')
    const engine = await benchEngine(server.url, 'bench_history', rules)
    const took = await seconds(() => ingestAll(engine, events, { mode, size: mode === 'history' ? 10_000 : 1000 }))
    await engine.close()
    return events.length / took
  }
  const [live, history] = [await speed('live'), await speed('history')]
  ratios.push(history / live)
  console.log(
    `round ${round}: live ${number(live)} events/s, history ${number(history)} events/s, ratio ${number(history / live, 2)}`,
  )
}
await run(server.url, 'drop schema if exists bench_history cascade')
await server.stop()
console.log(`history / live: ${spread(ratios, 2)}`)
