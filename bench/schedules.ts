/**
 * What it costs that many enter a journey at one instant: to say when a schedule next comes, and, on PostgreSQL, to have
 * everybody in that waits for it.
 *
 *     npm run bench:schedules [-- --people 100000]
 */
import { parseArgs } from 'node:util'
import { createEngine, definePack, virtualClock } from '@linli/core'
import { compileProgram } from '@linli/rules'
import { benchServer, run } from './databases.js'
import { median, number, seconds } from './measure.js'

const { values } = parseArgs({ options: { people: { type: 'string', default: '100000' } } })
const people = Number(values.people)
const SCHEMA = 'bench_schedules'
const FRIDAY = Date.UTC(2030, 0, 4, 2)
const RULES = definePack([
  {
    kind: 'journey',
    id: 'friday',
    entry: { on: 'schedule', schedule: 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0' },
    steps: [{ id: 'later', wait: '1h' }],
  },
])

/** In microseconds: of one who asks first, and of all others who wait for the same. */
async function costOfNext(): Promise<{ first: number; others: number }> {
  const firsts: number[] = []
  const others: number[] = []
  for (let round = 0; round < 20; round++) {
    const entry = compileProgram(RULES).journeys.get('friday')?.entry
    if (entry?.on !== 'schedule') throw new Error('no schedule')
    const ask = (at: number) => entry.schedule({ traits: {} }, at)
    ask(FRIDAY - 400 * 86_400_000)
    firsts.push((await seconds(async () => void ask(FRIDAY - 3_600_000))) * 1e6)
    const all = await seconds(async () => {
      for (let asked = 0; asked < 10_000; asked++) ask(FRIDAY - 3_600_000 + asked)
    })
    others.push((all * 1e6) / 10_000)
  }
  return { first: median(firsts), others: median(others) }
}

async function enterAll(url: string): Promise<{ took: number; entered: number }> {
  await run(url, `drop schema if exists ${SCHEMA} cascade`)
  const clock = virtualClock(FRIDAY - 3_600_000)
  const engine = await createEngine({ rules: RULES, database: url, schema: SCHEMA, clock })
  for (let from = 0; from < people; from += 5000) {
    const count = Math.min(5000, people - from)
    await engine.ingest(
      Array.from({ length: count }, (_, index) => ({
        event: 'order',
        userId: `u-${from + index}`,
        messageId: `m-${from + index}`,
      })),
    )
  }
  await engine.settle()
  clock.moveTo(FRIDAY)
  const took = await seconds(() => engine.settle())
  const entered = (await engine.decisions()).filter(({ decision }) => decision === 'journey.entered').length
  await engine.close()
  await run(url, `drop schema ${SCHEMA} cascade`)
  return { took, entered }
}

const { first, others } = await costOfNext()
console.log(`next time: ${number(first)} µs for the first who asks, ${number(others, 2)} µs for each other in the zone`)
const server = await benchServer()
const { took, entered } = await enterAll(server.url)
await server.stop()
console.log(
  `${number(entered)} entered at one instant in ${number(took, 1)} s: ${number((took * 1e6) / entered)} µs each`,
)
