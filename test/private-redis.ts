import { constants } from 'node:fs'
import { access, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import { startKeeper } from './keep.js'

const startTimeoutMs = 20_000
const programs = ['redis-server', 'valkey-server']
const folders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

export interface PrivateRedisOptions {
  /** Where it listens on 127.0.0.1; a free port when left out. */
  port?: number
  /** Settings of redis.conf, over our own. */
  settings?: Record<string, string>
}

export interface PrivateRedis {
  url: string
  port: number
  /** For people: which program it is. */
  source: string
  /** Stops the server and deletes all it wrote. This happens too when the process ends without calling it. */
  stop(): Promise<void>
}

/** This machine has no Redis. */
export class NoRedisError extends Error {
  override readonly name = 'NoRedisError'
}

/** Starts a Redis of our own, which keeps nothing: temporary directory, port of 127.0.0.1. */
export async function startPrivateRedis({ port, settings = {} }: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const command = await findRedis()
  const keeper = startKeeper()
  try {
    const directory = await mkdtemp(path.join(tmpdir(), 'linli-redis-'))
    keeper.tell({ directory })
    const listening = port ?? (await freePort())
    const own = { bind: '127.0.0.1', port: String(listening), save: '', appendonly: 'no', dir: directory }
    const args = Object.entries({ ...own, ...settings }).flatMap(([name, value]) => [`--${name}`, value])
    const log = path.join(directory, 'server.log')
    keeper.tell({ start: { command, args, cwd: directory, env: process.env as Record<string, string>, log } })
    const url = `redis://127.0.0.1:${listening}`
    const giveUpAt = performance.now() + startTimeoutMs
    while (!(await answers(url))) {
      if (keeper.serverExits > 0 || performance.now() > giveUpAt) {
        const said = await readFile(log, 'utf8').catch(() => '')
        throw new Error(`A private Redis (${command}) did not start. Its log ends:\n${said.slice(-2000)}`)
      }
      await sleep(20)
    }
    return { url, port: listening, source: command, stop: () => keeper.finish() }
  } catch (error) {
    await keeper.finish()
    throw error
  }
}

async function findRedis(): Promise<string> {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).filter(path.isAbsolute)
  for (const folder of [...onPath, ...folders]) {
    for (const program of programs) {
      const file = path.join(folder, program)
      if (
        await access(file, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return file
    }
  }
  throw new NoRedisError('no redis-server or valkey-server on PATH')
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}
