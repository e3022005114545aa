import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { Redis } from 'ioredis'
import { afterEach } from 'vitest'
import type { Engine, EngineOptions } from '../src/door.js'
import { createEngine } from '../src/engine.js'
import type { Channel } from '../src/ports/channel.js'

/** Engines that share a database, and a Redis: each as a process of its own would have it. Closed after each test. */
export class Several {
  readonly errors: unknown[] = []
  #redis: { readonly url: string | readonly string[]; readonly prefix: string } | undefined
  #schema = ''
  #engines: Engine[] = []

  constructor(private readonly database: string) {
    afterEach(() => this.close())
  }

  /** Where the tables are. */
  get schema(): string {
    return this.#schema
  }

  /** Begins with tables and a prefix of its own. */
  begin(redis: string | readonly string[] | undefined): void {
    const name = randomBytes(6).toString('hex')
    this.#schema = `several_${name}`
    this.#redis = redis === undefined ? undefined : { url: redis, prefix: `test-${name}` }
    this.errors.length = 0
  }

  /** Opens one more engine; `start` has it work. */
  async open(
    rules: readonly unknown[],
    channels: readonly Channel[],
    more: Partial<EngineOptions> = {},
  ): Promise<Engine> {
    const engine = await createEngine({
      rules: definePack(rules),
      channels,
      database: this.database,
      schema: this.#schema,
      ...(this.#redis && { redis: this.#redis }),
      onError: (error) => this.errors.push(error),
      ...more,
    })
    this.#engines.push(engine)
    return engine
  }

  /** The codes of what was reported. */
  codes(): readonly unknown[] {
    return this.errors.map((error) => (error as { code?: unknown }).code)
  }

  /** The names and contents of all keys in Redis, as text. */
  inRedis(): Promise<string> {
    return this.#withKeys(async (client, keys) => {
      const dumps = keys.map(async (key) => `${key} ${(await client.dumpBuffer(key))?.toString('latin1') ?? ''}`)
      return (await Promise.all(dumps)).join('\n')
    })
  }

  /** Removes all of it from Redis, as FLUSHALL does. */
  forgetRedis(): Promise<unknown> {
    return this.#withKeys((client, keys) => client.del(keys))
  }

  async #withKeys<T>(work: (client: Redis, keys: string[]) => Promise<T>): Promise<T> {
    const { url = '', prefix } = this.#redis ?? {}
    const client = new Redis(typeof url === 'string' ? url : (url[0] ?? ''))
    try {
      return await work(client, await client.keys(`{${prefix}}*`))
    } finally {
      client.disconnect()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()))
    this.#engines = []
  }
}
