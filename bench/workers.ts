/**
 * Messages that `linli worker` processes send a second, with a provider that answers at once, against jobs that do nothing in
 * plain BullMQ; and how long it is from an event to the call of the provider.
 *
 *     npm run bench:workers [-- --messages 10000 --rounds 3 --rate 50 --seconds 10]
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createEngine, definePack, type EngineOptions } from '@linli/core'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startPrivateRedis } from '../test/private-redis.js'
import { benchServer, ingestAll, run } from './databases.js'
import { median, number, seconds } from './measure.js'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
  },
})
const MESSAGES = Number(values.messages)
const BIN = fileURLToPath(new URL('../packages/core/bin/linli.js', import.meta.url))
const RULES = definePack([
  { kind: 'template', id: 'hello', body: '您好' },
  {
    kind: 'journey',
    id: 'remind',
    entry: { on: 'event', event: 'cart' },
    steps: [{ id: 'push', send: { template: 'hello', channel: 'push', class: 'service' } }],
  },
])
const repeat = { kind: 'none' } as const
const accepted = { status: 'accepted' } as const

const server = await benchServer()
const redis = await startPrivateRedis({ settings: { appendonly: 'yes' } })
const folder = mkdtempSync(path.join(tmpdir(), 'linli-bench-'))
const channels = path.join(folder, 'channels.mjs')
writeFileSync(
  channels,
  `export default [{ name: 'push', repeat: { kind: 'none' }, send: async () => ({ status: 'accepted' }) }]`,
)

/** Seconds from the first message to the last, all of them due when the workers start. */
async function send(workers: number, flags: readonly string[]): Promise<number> {
  await run(server.url, 'drop schema if exists linli cascade')
  const engine = await createEngine({
    rules: RULES,
    database: server.url,
    channels: [{ name: 'push', repeat, send: () => Promise.resolve(accepted) }],
  })
  const carts = Array.from({ length: MESSAGES }, (_, index) => ({
    event: 'cart',
    userId: `u${index}`,
    messageId: `m${index}`,
  }))
  await ingestAll(engine, carts)
  await engine.close()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const sent = async () => {
    const { rows } = await client.query(`select count(*) from linli.delivery where state = 'accepted'`)
    return Number(rows[0].count)
  }
  const children = Array.from({ length: workers }, () =>
    spawn(process.execPath, [BIN, 'worker', '--db', server.url, '--channels', channels, ...flags], { stdio: 'ignore' }),
  )
  let before = 0
  while (before === 0) {
    await sleep(10)
    before = await sent()
  }
  const took = await seconds(async () => {
    while ((await sent()) < MESSAGES) await sleep(20)
  })
  await Promise.all(
    children.map((child) => {
      child.kill('SIGTERM')
      return new Promise((ended) => child.once('exit', ended))
    }),
  )
  await client.end()
  return (MESSAGES - before) / took
}

/** Jobs that do nothing, a second. */
async function plainJobs(): Promise<number> {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue('plain', { connection })
  const jobs = Array.from({ length: MESSAGES }, () => ({ name: 'job', data: {}, opts: { removeOnComplete: true } }))
  await queue.addBulk(jobs)
  let done = 0
  const rate = await new Promise<number>((resolve) => {
    const started = performance.now()
    const work = async () => {
      done += 1
      if (done === MESSAGES) resolve((MESSAGES / (performance.now() - started)) * 1000)
    }
    const worker = new Worker('plain', work, { connection, concurrency: 100 })
    worker.on('error', () => undefined)
  })
  await sleep(200)
  connection.disconnect()
  return rate
}

/** Milliseconds from an event to the call of the provider, events coming at a steady rate. */
async function latency(options: Pick<EngineOptions, 'redis'>): Promise<{ half: number; most: number }> {
  await run(server.url, 'drop schema if exists linli cascade')
  const begun = new Map<string, number>()
  const took: number[] = []
  const push = {
    name: 'push',
    repeat,
    send: ({ to }: { readonly to: { readonly id: string } }) => {
      took.push(performance.now() - (begun.get(to.id) ?? 0))
      return Promise.resolve(accepted)
    },
  }
  const engine = await createEngine({ rules: RULES, database: server.url, channels: [push], ...options })
  engine.start()
  await sleep(2000)
  const count = Number(values.rate) * Number(values.seconds)
  for (let index = 0; index < count; index++) {
    const userId = `u${index}`
    begun.set(userId, performance.now())
    void engine.ingest([{ event: 'cart', userId, messageId: `m${index}` }])
    await sleep(1000 / Number(values.rate))
  }
  while (took.length < count) await sleep(50)
  await engine.close()
  took.sort((a, b) => a - b)
  return { half: took[Math.floor(count * 0.5)] ?? 0, most: took[Math.floor(count * 0.99)] ?? 0 }
}

const byRedis = ['--redis', redis.url]
const ways = [
  ['1 worker, PostgreSQL alone', 1, []],
  ['2 workers, PostgreSQL alone', 2, []],
  ['1 worker, Redis', 1, byRedis],
  ['2 workers, Redis', 2, byRedis],
  ['4 workers, Redis', 4, byRedis],
] as const
const rates = new Map<string, number[]>()
const plain: number[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  plain.push(await plainJobs())
  for (const [name, workers, flags] of ways) {
    rates.set(name, [...(rates.get(name) ?? []), await send(workers, flags)])
  }
}
console.log(`${number(MESSAGES)} messages; plain BullMQ, one process: ${number(median(plain))} jobs/s`)
for (const [name, found] of rates) {
  console.log(
    `${name}: ${number(median(found))} messages/s, ${number(median(found) / median(plain), 2)} of plain BullMQ`,
  )
}
for (const [name, options] of [
  ['in this process', {}],
  ['by Redis', { redis: redis.url }],
] as const) {
  const { half, most } = await latency(options)
  console.log(`from event to call at ${values.rate}/s, ${name}: p50 ${number(half, 1)} ms, p99 ${number(most, 1)} ms`)
}
rmSync(folder, { recursive: true })
await redis.stop()
await server.stop()
process.exit()
