/**
 * What waiting costs on PostgreSQL: to ask when something is next due, and to take those whose time has come, with few and
 * with a million people waiting. Aim: the million costs no more.
 *
 *     npm run bench:due [-- --people 1000000 --due 10000]
 */
import { parseArgs } from 'node:util'
import { virtualClock } from '@linli/core'
import { benchServer, run } from './databases.js'
import { median, number, seconds } from './measure.js'
import { fillWith, openEngine } from './waiting.js'

const { values } = parseArgs({
  options: { people: { type: 'string', default: '1000000' }, due: { type: 'string', default: '10000' } },
})
const SCHEMA = 'bench_due'
const FROM = Date.UTC(2030, 0, 1)
const server = await benchServer()

async function measure(people: number) {
  // So many a minute, however many wait.
  const over = (people / Number(values.due)) * 60_000
  await fillWith(server.url, SCHEMA, { people, from: FROM, over })
  const clock = virtualClock(FROM - 60_000)
  const engine = await openEngine({ database: server.url, schema: SCHEMA, clock })
  const asked: number[] = []
  for (let round = 0; round < 50; round++) asked.push((await seconds(() => engine.nextDue())) * 1000)
  clock.moveTo(FROM + 60_000)
  const took = await seconds(() => engine.settle())
  const taken = (await engine.decisions()).length
  await engine.close()
  await run(server.url, `drop schema ${SCHEMA} cascade`)
  return { asked: median(asked), each: (took * 1e6) / taken, taken }
}

const few = await measure(2 * Number(values.due))
const many = await measure(Number(values.people))
await server.stop()
for (const [people, { asked, each, taken }] of [
  [2 * Number(values.due), few],
  [Number(values.people), many],
] as const) {
  const took = `${number(taken)} taken at ${number(each)} µs each`
  console.log(`${number(people)} waiting: next due asked in ${number(asked, 2)} ms, ${took}`)
}
console.log(`a million against few: ${number(many.asked / few.asked, 2)} and ${number(many.each / few.each, 2)}`)
