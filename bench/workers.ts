/**
 * Messages that `linli worker` processes send a second, with a provider that answers at once, against jobs that do nothing in
 * plain BullMQ.
 *
 *     npm run bench:workers [-- --messages 10000 --rounds 3]
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createEngine, definePack } from '@linli/core'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startPrivateRedis } from '../test/private-redis.js'
import { benchServer, ingestAll, run } from './databases.js'
import { median, number } from './measure.js'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
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

const server = await benchServer()
const redis = await startPrivateRedis({ settings: { appendonly: 'yes' } })
const folder = mkdtempSync(path.join(tmpdir(), 'linli-bench-'))
const channels = path.join(folder, 'channels.mjs')
writeFileSync(
  channels,
  `export default [{ name: 'push', repeat: { kind: 'none' }, send: async () => ({ status: 'accepted' }) }]`,
)

/** Messages a second, from when the first were written down as sent to the last, all of them due when the workers start. */
async function send(workers: number, flags: readonly string[]): Promise<number> {
  await run(server.url, 'drop schema if exists linli cascade')
  const engine = await createEngine({
    rules: RULES,
    database: server.url,
    channels: [{ name: 'push', repeat: { kind: 'none' }, send: () => Promise.resolve({ status: 'accepted' }) }],
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
  const children = Array.from({ length: workers }, () =>
    spawn(process.execPath, [BIN, 'worker', '--db', server.url, '--channels', channels, ...flags], { stdio: 'ignore' }),
  )
  // Each look costs the database little: it must not be what is measured.
  const isDone = async () => {
    const { rows } = await client.query('select from linli.delivery where due_at is not null limit 1')
    return rows.length === 0
  }
  while (!(await isDone())) await sleep(100)
  await Promise.all(
    children.map((child) => {
      child.kill('SIGTERM')
      return new Promise((ended) => child.once('exit', ended))
    }),
  )
  const { rows } = await client.query<{ at: string; count: string }>(
    `select at, count(*) from linli.event where message_id like 'linli:%' group by at order by at`,
  )
  await client.end()
  const [first, last] = [rows[0], rows.at(-1)]
  const after = rows.slice(1).reduce((sum, { count }) => sum + Number(count), 0)
  return (after / (Number(last?.at) - Number(first?.at))) * 1000
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
rmSync(folder, { recursive: true })
await redis.stop()
await server.stop()
process.exit()
