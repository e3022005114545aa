/**
 * Durable ingest on PostgreSQL, 100 tags and 20 journeys live, against COPY of the same events into the same indexed
 * table in the same run. Aim: 0.25 or better.
 *
 *     npm run bench:ingest [-- --events 200000 --rounds 3]
 */
import { parseArgs } from 'node:util'
import { benchEngine, benchServer, copyEvents, copyLine, eventTable, ingestAll, run } from './databases.js'
import { number, seconds, spread } from './measure.js'
import { shopEvents, shopJourneys, shopTags } from './shop.js'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    users: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '3' },
  },
})
const events = shopEvents({ events: Number(values.events), users: Number(values.users) })
const lines = events.map(copyLine)
const rules = [...shopTags(), ...shopJourneys()]
const server = await benchServer()
console.log(`${number(events.length)} events of ${values.users} people; PostgreSQL ${server.source}`)
const ratios: number[] = []
for (let round = 1; round <= Number(values.rounds); round++) {
  await run(server.url, 'drop schema if exists bench_copy cascade', ...eventTable('bench_copy'), 'checkpoint')
  const copy = await seconds(() => copyEvents(server.url, 'bench_copy.event', lines))
  await run(server.url, 'drop schema if exists bench_linli cascade', 'checkpoint')
  const engine = await benchEngine(server.url, 'bench_linli', rules)
  const linli = await seconds(() => ingestAll(engine, events))
  await engine.close()
  ratios.push(copy / linli)
  const speeds = `COPY ${number(events.length / copy)} events/s, linli ${number(events.length / linli)} events/s`
  console.log(`round ${round}: ${speeds}, ratio ${number(copy / linli, 3)}`)
}
await run(server.url, 'drop schema if exists bench_copy cascade', 'drop schema if exists bench_linli cascade')
await server.stop()
console.log(`linli / COPY: ${spread(ratios, 3)}  (aim: 0.25 or better)`)
