import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Cluster, Redis } from 'ioredis'
import { EngineError } from '../errors.js'

/** Where Redis is, for the work of several processes. */
export interface RedisOptions {
  /** `redis://…` or `rediss://…`; several for the nodes of a Redis Cluster. */
  readonly url: string | readonly string[]
  /**
   * What the names of all keys begin with; `linli` when left out. One for each database: engines with the same prefix share
   * their work.
   */
  readonly prefix?: string
}

type BullMQ = typeof import('bullmq')

/** The packages that speak to Redis, which a host installs only when it uses it. */
export interface RedisPackages {
  readonly bullmq: Pick<BullMQ, 'Queue' | 'Worker'>
  readonly ioredis: Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>
}

const OLDEST_BULLMQ = '6.7.0'
const OLDEST_REDIS = '6.2.0'
/** How long a start waits for Redis before it goes on without. */
const CONNECT_TIMEOUT_MS = 2_000
const LONGEST_RECONNECT_PAUSE_MS = 1_000

/** Loads the packages. Throws `redis.missing` where they are not installed, `redis.bullmq` for an old BullMQ. */
export async function loadPackages(): Promise<RedisPackages> {
  const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]).catch((cause: unknown) => {
    const message = 'The option `redis` needs packages that are not installed: npm install bullmq@6 ioredis'
    throw new EngineError('redis.missing', message, {}, { cause })
  })
  const { version } = createRequire(import.meta.url)('bullmq/package.json') as { version: string }
  checkBullmq(version)
  return { bullmq, ioredis }
}

/** Before 6.7 a worker could stop for good when Redis had been away. */
export function checkBullmq(version: string): void {
  if (!isOlder(version, OLDEST_BULLMQ)) return
  const message = `BullMQ ${version} is installed; linli needs ${OLDEST_BULLMQ} or newer: npm install bullmq@6`
  throw new EngineError('redis.bullmq', message, { found: version, needed: OLDEST_BULLMQ })
}

/** Why a server cannot be used, by its answer to INFO; undefined when it can. */
export function whyUnfit(info: string): EngineError | undefined {
  const lines = info.split('\n').map((line) => line.trim())
  const said = (name: string) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1) ?? ''
  const version = said('redis_version')
  if (isOlder(version, OLDEST_REDIS)) {
    const message = `Redis ${version} is too old; linli needs ${OLDEST_REDIS} or newer.`
    return new EngineError('redis.version', message, { found: version, needed: OLDEST_REDIS })
  }
  const policy = said('maxmemory_policy')
  if (policy === 'noeviction') return undefined
  const message = `Redis has the maxmemory-policy ${JSON.stringify(policy)}, by which it throws away work when memory is short. Set "maxmemory-policy noeviction" in its configuration, or run: redis-cli config set maxmemory-policy noeviction`
  return new EngineError('redis.eviction', message, { found: policy, needed: 'noeviction' })
}

function isOlder(version: string, than: string): boolean {
  const [parts, others] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0))
  for (const [index, other] of (others ?? []).entries()) {
    const difference = (parts?.[index] ?? 0) - other
    if (difference !== 0) return difference < 0
  }
  return false
}

export interface OpenedRedis {
  readonly packages: RedisPackages
  readonly connections: RedisConnections
}

/**
 * Opens Redis beside a database. Where it does not answer, work is done without it until it does.
 *
 * @throws EngineError `redis.database`, `redis.missing`, `redis.bullmq`, `redis.version`, `redis.eviction`
 */
export async function openRedis(options: string | RedisOptions, database: unknown): Promise<OpenedRedis> {
  if (database === undefined || (typeof database === 'string' && !/^postgres(ql)?:\/\//.test(database))) {
    const message =
      'The option `redis` shares work among processes, and the embedded database serves only one: give a postgres:// URL as `database`.'
    throw new EngineError('redis.database', message)
  }
  const packages = await loadPackages()
  const connections = new RedisConnections(packages, typeof options === 'string' ? { url: options } : options)
  try {
    await connections.connect()
    return { packages, connections }
  } catch (error) {
    connections.close()
    throw error
  }
}

/** Connections to one Redis, or to one cluster. */
export class RedisConnections {
  /** Of all keys. In braces, so that a cluster keeps them together. */
  readonly prefix: string
  /** For what gives up at once when Redis is away. */
  readonly commands: Redis | Cluster
  private workers: Redis | Cluster | undefined
  private readonly opened: (Redis | Cluster)[] = []

  constructor(
    private readonly packages: RedisPackages,
    private readonly options: RedisOptions,
  ) {
    this.prefix = `{${options.prefix ?? 'linli'}}`
    this.commands = this.open({ enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  }

  get isReady(): boolean {
    return this.commands.status === 'ready'
  }

  /** For workers, which wait until Redis is there. */
  get forWorkers(): Redis | Cluster {
    this.workers ??= this.open({ enableOfflineQueue: true, maxRetriesPerRequest: null })
    return this.workers
  }

  private open(how: { readonly enableOfflineQueue: boolean; readonly maxRetriesPerRequest: number | null }) {
    const { Redis, Cluster } = this.packages.ioredis
    const { url } = this.options
    const retry = (times: number) => Math.min(times * 50, LONGEST_RECONNECT_PAUSE_MS)
    const connection =
      typeof url === 'string'
        ? new Redis(url, { ...how, retryStrategy: retry, connectTimeout: CONNECT_TIMEOUT_MS })
        : new Cluster([...url], {
            clusterRetryStrategy: retry,
            enableOfflineQueue: how.enableOfflineQueue,
            redisOptions: { maxRetriesPerRequest: how.maxRetriesPerRequest, connectTimeout: CONNECT_TIMEOUT_MS },
          })
    // That Redis is away is noticed by those who use it. Unheard, an error would end the process.
    connection.on('error', () => undefined)
    this.opened.push(connection)
    return connection
  }

  /** Waits a moment for Redis. Whether it is there; throws when it cannot be used. */
  async connect(): Promise<boolean> {
    const { commands } = this
    // Rejects at the first failure to connect: Redis is away, and ioredis goes on trying.
    const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS)
    if (!this.isReady) await once(commands, 'ready', { signal }).catch(() => undefined)
    if (!this.isReady) return false
    const nodes = 'nodes' in commands ? commands.nodes('master') : [commands]
    for (const node of nodes) {
      const unfit = whyUnfit(await node.info())
      if (unfit !== undefined) throw unfit
    }
    return true
  }

  /** Whether Redis still has what it was given. */
  async remembers(): Promise<boolean> {
    return (await this.commands.get(this.memory)) !== null
  }

  /** Has Redis remember that it was given everything. */
  async mark(): Promise<void> {
    await this.commands.set(this.memory, '1')
  }

  private get memory(): string {
    return `${this.prefix}:memory`
  }

  close(): void {
    for (const connection of this.opened) connection.disconnect()
  }
}
