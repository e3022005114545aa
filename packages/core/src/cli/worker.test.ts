import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { definePack } from '@linli/rules'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { journey, send, template } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'
import { track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl') ?? ''
const redisUrl = inject('redisUrl')
const BIN = fileURLToPath(new URL('../../bin/linli.js', import.meta.url))
const isBuilt = existsSync(fileURLToPath(new URL('../../dist/cli/worker.js', import.meta.url)))
const isThere = postgresUrl !== '' && isBuilt
if (!isThere) console.warn('SKIPPED: linli worker as a process; there is no database, or it is not built.')

const RULES = [template('hello'), journey('remind', [send('push')])]
const scratch = scratchFolder()
const LONG = { timeout: 20_000 }

describe.skipIf(!isThere)('linli worker', () => {
  const database = `worker_${randomBytes(6).toString('hex')}`
  const url = Object.assign(new URL(postgresUrl || 'postgres://x/y'), { pathname: `/${database}` }).href
  let engine: Engine
  let worker: ChildProcess | undefined
  let said: string

  beforeEach(async () => {
    await onServer(`create database ${database} template template0`)
    const channels = [memoryChannel({ name: 'sms' })]
    engine = await createEngine({ rules: definePack(RULES), database: url, channels })
  })
  afterEach(async () => {
    worker?.kill('SIGKILL')
    await engine.close()
    await onServer(`drop database ${database} with (force)`)
  })

  async function onServer(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: postgresUrl })
    await client.connect()
    await client.query(statement)
    await client.end()
  }

  /** Starts a worker whose channel takes a moment and writes down what it does. */
  async function startWorker(...flags: readonly string[]): Promise<ChildProcess> {
    const channels = scratch.write(
      'channels.mjs',
      `import { appendFileSync } from 'node:fs'
      const note = (word) => appendFileSync(${JSON.stringify(scratch.path('log'))}, word + '\\n')
      export default () => [{ name: 'sms', repeat: { kind: 'none' }, async send() {
        note('begun'); await new Promise((done) => setTimeout(done, 500)); note('sent'); return { status: 'accepted' }
      } }]`,
    )
    const child = spawn(process.execPath, [BIN, 'worker', '--db', url, '--channels', channels, ...flags])
    worker = child
    said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await expect.poll(() => said, LONG).toContain('at work')
    return child
  }
  const log = () => (existsSync(scratch.path('log')) ? readFileSync(scratch.path('log'), 'utf8') : '')

  const shared = redisUrl === undefined ? [] : ['--redis', redisUrl, '--redis-prefix', database]
  it.each([
    { by: 'PostgreSQL alone', flags: [] },
    { by: 'Redis', flags: shared },
  ])('works by $by, and ends what is under way when it is told to stop', async ({ flags }) => {
    const child = await startWorker(...flags)
    await engine.ingest([track('cart', 'u1')])
    await expect.poll(log, LONG).toBe('begun\n')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(log()).toBe('begun\nsent\n')
    expect(await engine.deliveries()).toMatchObject([{ state: 'accepted' }])
  })

  it('ends at once when it is told a second time, and what was under way is unknown', async () => {
    const child = await startWorker()
    await engine.ingest([track('cart', 'u1')])
    await expect.poll(log, LONG).toBe('begun\n')
    child.kill('SIGTERM')
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(log()).toBe('begun\n')
    expect(await engine.deliveries()).toMatchObject([{ state: 'calling' }])
  })

  it('says how it is', async () => {
    await startWorker('--health', '0')
    const port = /on port (\d+)/.exec(said)?.[1]
    const response = await fetch(`http://127.0.0.1:${port}/health`)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ ok: true, database: { ok: true } })
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
  })
})

it.each(['--keep-deliveries', '--keep-decisions'])(
  'linli worker refuses a time of %s that is too short',
  async (flag) => {
    const rules = scratch.write('hello.json', JSON.stringify({ kind: 'template', id: 'hello', body: '您好' }))
    const channels = scratch.write('channels.mjs', 'export default []')
    const place = ['--db', scratch.path('data'), '--rules', rules, '--channels', channels]
    const { code, stderr } = await linli('worker', ...place, flag, '2h')
    expect(code).toBe(1)
    expect(stderr).toContain('retention.invalid')
    expect(stderr).toContain('"2h"')
  },
)

it('linli worker refuses a module without channels', async () => {
  const file = scratch.write('channels.mjs', 'export default 5')
  const { code, stderr } = await linli('worker', '--db', scratch.path('data'), '--channels', file)
  expect(code).toBe(1)
  expect(stderr).toContain('channel.invalid')
})
