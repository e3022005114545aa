import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { freePort } from '../../../../test/free-port.js'
import { type PrivateRedis, startPrivateRedis } from '../../../../test/private-redis.js'
import { type FaultProxy, startFaultProxy } from '../../src/testing/faults/proxy.js'

/** A Redis of a shop's own, which comes and goes, forgets, and is full; all of it behind a proxy. */
export class StormyRedis {
  private constructor(
    private server: PrivateRedis,
    readonly proxy: FaultProxy,
  ) {}

  static async start(): Promise<StormyRedis> {
    const server = await startPrivateRedis({ port: await freePort() })
    return new StormyRedis(server, await startFaultProxy({ host: '127.0.0.1', port: server.port }))
  }

  /** Where the shop finds it. */
  get url(): string {
    return `redis://127.0.0.1:${this.proxy.port}`
  }

  /** Kills it, and starts it again: at once, or after so many milliseconds. */
  async restart(afterMs = 0): Promise<void> {
    await this.ask(async (client) => {
      const pid = /process_id:(\d+)/.exec(await client.info('server'))?.[1]
      process.kill(Number(pid), 'SIGKILL')
    })
    await this.server.stop()
    await sleep(afterMs)
    this.server = await startPrivateRedis({ port: this.server.port })
  }

  flush(): Promise<void> {
    return this.ask((client) => client.flushall())
  }

  /** It takes nothing more for so many milliseconds: OOM. */
  fill(ms: number): Promise<void> {
    return this.ask(async (client) => {
      await client.config('SET', 'maxmemory', '1')
      await sleep(ms)
      await client.config('SET', 'maxmemory', '0')
    })
  }

  /** The cable is pulled for so many milliseconds; connections that were open stay so. */
  async silence(ms: number): Promise<void> {
    this.proxy.become({ kind: 'swallow' })
    await sleep(ms)
    this.proxy.become({ kind: 'reset' })
    this.proxy.become({ kind: 'pass' })
  }

  /** Nothing gets out of the queues of channels for so many milliseconds, as if all who work them off were stuck. */
  async hold(ms: number): Promise<void> {
    await this.ask(async (client) => {
      const keys = await client.keys('*:channel.*:meta')
      const queues = keys.map((key) => {
        const [prefix = '', name = ''] = key.split(':')
        return new Queue(name, { prefix, connection: { host: '127.0.0.1', port: this.server.port } })
      })
      for (const queue of queues) await queue.pause()
      await sleep(ms)
      for (const queue of queues) {
        await queue.resume()
        await queue.close()
      }
    })
  }

  /** The names and contents of all keys, as text. */
  async contents(): Promise<string> {
    let text = ''
    await this.ask(async (client) => {
      for (const key of await client.keys('*')) text += `${key} ${(await client.dumpBuffer(key))?.toString('latin1')}\n`
    })
    return text
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.server.stop()
  }

  private async ask(question: (client: Redis) => Promise<unknown>): Promise<void> {
    const client = new Redis(this.server.url, { retryStrategy: () => null })
    client.on('error', () => undefined)
    try {
      await question(client)
    } finally {
      client.disconnect()
    }
  }
}
