/**
 * How long it is from an event to the call of the provider, events coming one by one at a steady rate: with one process on
 * PostgreSQL alone, and by Redis. Says as well how many events a second came through.
 *
 *     npm run bench:latency [-- --rates 50,1000 --seconds 10]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createEngine, definePack, type EngineOptions } from '@linli/core'
import { startPrivateRedis } from '../test/private-redis.js'
import { benchServer, run } from './databases.js'
import { number } from './measure.js'

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '50,1000' },
    seconds: { type: 'string', default: '10' },
  },
})
const RULES = definePack([
  { kind: 'template', id: 'hello', body: '您好' },
  {
    kind: 'journey',
    id: 'remind',
    entry: { on: 'event', event: 'cart' },
    steps: [{ id: 'push', send: { template: 'hello', channel: 'push', class: 'service' } }],
  },
])
/** What a process has compiled after so long is compiled. */
const WARM_UP_MS = 3_000

interface Latency {
  readonly half: number
  readonly most: number
  /** Calls a second, from the first event to the last call. */
  readonly throughput: number
}

async function latency(rate: number, options: Pick<EngineOptions, 'redis'>): Promise<Latency> {
  await run(server.url, 'drop schema if exists linli cascade')
  const begun = new Map<string, number>()
  const took: number[] = []
  const push = {
    name: 'push',
    repeat: { kind: 'none' } as const,
    send: ({ to }: { readonly to: { readonly id: string } }) => {
      took.push(performance.now() - (begun.get(to.id) ?? 0))
      return Promise.resolve({ status: 'accepted' } as const)
    },
  }
  const engine = await createEngine({ rules: RULES, database: server.url, channels: [push], ...options })
  engine.start()
  const send = async (name: string, ms: number) => {
    const started = performance.now()
    let count = 0
    for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - started) {
      for (; count < (elapsed * rate) / 1000; count++) {
        const userId = `${name}${count}`
        begun.set(userId, performance.now())
        void engine.ingest([{ event: 'cart', userId, messageId: userId }])
      }
      await sleep(Math.max(1, 1000 / rate))
    }
    while (took.length < count) await sleep(10)
    return (count / (performance.now() - started)) * 1000
  }
  await send('warm', WARM_UP_MS)
  took.length = 0
  const throughput = await send('u', Number(values.seconds) * 1000)
  await engine.close()
  took.sort((a, b) => a - b)
  const at = (share: number) => took[Math.floor(took.length * share)] ?? 0
  return { half: at(0.5), most: at(0.99), throughput }
}

const server = await benchServer()
const redis = await startPrivateRedis({ settings: { appendonly: 'yes' } })
for (const rate of values.rates.split(',').map(Number)) {
  for (const [name, options] of [
    ['PostgreSQL alone', {}],
    ['Redis', { redis: redis.url }],
  ] as const) {
    const { half, most, throughput } = await latency(rate, options)
    const found = `p50 ${number(half, 1)} ms, p99 ${number(most, 1)} ms; ${number(throughput)} events/s came through`
    console.log(`from event to call at ${rate}/s, ${name}: ${found}`)
  }
}
await redis.stop()
await server.stop()
process.exit()
