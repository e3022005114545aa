import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { beforeEach, describe, expect, inject, it } from 'vitest'
import { freePort } from '../../../../test/free-port.js'
import { type PrivateRedis, startPrivateRedis } from '../../../../test/private-redis.js'
import { journey, send, template } from '../../testing/rules.js'
import { Several } from '../../testing/several.js'
import { identify, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import type { Channel } from '../ports/channel.js'
import type { Copywriter } from '../ports/copywriter.js'
import { type MemoryChannel, memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl')
const redisUrl = inject('redisUrl')
const isThere = postgresUrl !== undefined && redisUrl !== undefined
if (!isThere) console.warn('SKIPPED: work shared by Redis; there is no database or no Redis.')

const HELLO = template('hello', "{{ traits.name | default: '邻居' }}，您好")
const RULES = [HELLO, journey('remind', [send('push')])]
const LONG = 30_000
const carts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => track('cart', `u${from + index}`))
const different = (channel: MemoryChannel) => new Set(channel.calls.map(({ message }) => message.deliveryKey)).size

async function states(engine: Engine): Promise<readonly string[]> {
  return [...new Set((await engine.deliveries()).map(({ state }) => state))]
}

const several = new Several(postgresUrl ?? '')
let sms: MemoryChannel

beforeEach(() => {
  several.begin(redisUrl)
  sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
})

/** Two engines at work, as two processes would be. */
async function two(
  rules: readonly unknown[] = RULES,
  channels: readonly Channel[] = [sms],
): Promise<readonly [Engine, Engine]> {
  const engines = [await several.open(rules, channels), await several.open(rules, channels)] as const
  for (const engine of engines) engine.start()
  return engines
}

/** Waits until so many messages were sent, each once, and nothing is left to do. */
async function sentOnce(count: number, engine: Engine): Promise<void> {
  await expect.poll(() => sms.calls.length, { timeout: LONG }).toBe(count)
  await expect.poll(() => states(engine), { timeout: LONG }).toEqual(['accepted'])
  expect(different(sms)).toBe(count)
}

describe.skipIf(!isThere)('work shared by Redis', () => {
  it('sends each message once, whichever process takes it', async () => {
    const [first] = await two()
    await first.ingest(carts(0, 500))
    await sentOnce(500, first)
    expect(several.errors).toEqual([])
  })

  it('is begun by a process that only takes events in', async () => {
    const web = await several.open(RULES, [sms])
    const worker = await several.open(RULES, [sms])
    worker.start()
    await web.ingest(carts(0, 5))
    await sentOnce(5, web)
  })

  it('loses nothing when Redis is emptied in the middle', async () => {
    const slow = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
    const send = slow.send.bind(slow)
    sms = Object.assign(slow, {
      send: async (...call: Parameters<typeof send>) => {
        await sleep(20)
        return send(...call)
      },
    })
    const [first] = await two()
    await first.ingest(carts(0, 500))
    await expect.poll(() => sms.calls.length, { interval: 5 }).toBeGreaterThan(50)
    await several.forgetRedis()
    await sentOnce(500, first)
  })

  it('keeps to the rate of a channel in every window, however many processes send and whatever Redis forgets', async () => {
    const [max, perMs] = [10, 500]
    const times: number[] = []
    const rated = {
      name: 'sms',
      repeat: { kind: 'none' as const },
      rate: { max, perMs },
      send: () => {
        times.push(performance.now())
        return Promise.resolve({ status: 'accepted' as const })
      },
    }
    const [first] = await two(RULES, [rated])
    await first.ingest(carts(0, 60))
    await expect.poll(() => times.length, { timeout: LONG, interval: 5 }).toBeGreaterThan(15)
    await several.forgetRedis()
    await expect.poll(() => times.length, { timeout: LONG }).toBe(60)

    const crowds = times.filter((at, index) => (times[index + max] ?? Number.POSITIVE_INFINITY) - at < perMs)
    expect(crowds).toEqual([])
    expect(several.errors).toEqual([])
  })

  it('has a text written for each message first, a few at a time in each process', async () => {
    const copy = { instructions: '问候{{ traits.name | default: "邻居" }}', fallback: '您好' }
    const rules = [{ kind: 'template', id: 'hello', body: '{{ copy }}', copy }, ...RULES.slice(1)]
    const asked: string[] = []
    const write: Copywriter['write'] = async ({ key }) => {
      asked.push(key)
      await sleep(20)
      return '早上好，邻居'
    }
    const options = { copywriter: { name: 'model', write } }
    const engines = [await several.open(rules, [sms], options), await several.open(rules, [sms], options)]
    for (const engine of engines) engine.start()

    await engines[0]?.ingest(carts(0, 60))
    await sentOnce(60, engines[0] as Engine)

    expect(new Set(asked).size).toBe(60)
    expect(asked).toHaveLength(60)
    expect(new Set(sms.sent.map(({ content }) => content.body))).toEqual(new Set(['早上好，邻居']))
    expect(several.errors).toEqual([])
  })

  it('tells Redis nothing of people or of what they are written', async () => {
    sms.respond(...Array.from({ length: 20 }, () => 'hang' as const))
    const first = await several.open(RULES, [sms], { callTimeoutMs: 1000 })
    first.start()
    const canary = { name: '李canary', phone: '13800009999', openid: 'o-canary' }
    await first.ingest(Array.from({ length: 20 }, (_, index) => identify(`canary-${index}`, canary)))
    await first.ingest(Array.from({ length: 20 }, (_, index) => track('cart', `canary-${index}`)))
    await expect.poll(() => sms.calls.length, { timeout: LONG }).toBe(20)
    expect(sms.calls[0]?.message.content.body).toContain('李canary')

    const kept = await several.inRedis()
    expect(kept).toContain('channel.sms')
    for (const word of ['canary', '13800009999', '您好', '李']) {
      expect(kept).not.toContain(Buffer.from(word).toString('latin1'))
    }
  })
})

describe.skipIf(!isThere)('a Redis that comes and goes', () => {
  let port: number
  let redis: PrivateRedis | undefined
  const start = async (settings = {}) => {
    redis = await startPrivateRedis({ port, settings })
  }
  const stop = () => redis?.stop()

  beforeEach(async () => {
    port = await freePort()
    several.begin(`redis://127.0.0.1:${port}`)
    return async () => {
      await several.close()
      await stop()
    }
  })

  it('is done without while it is away, also while a text takes long to be written', async () => {
    await start()
    const copy = { instructions: '问候', fallback: '您好' }
    const written = { kind: 'template', id: 'written', body: '{{ copy }}', copy }
    const greet = { ...journey('greet', [send('push', { template: 'written' })]), entry: { on: 'event', event: 'met' } }
    let finish: (text: string) => void = () => {}
    let asked = 0
    const write = () => {
      asked += 1
      return new Promise<string>((resolve) => {
        finish = resolve
      })
    }
    const options = { copywriter: { name: 'model', write }, callTimeoutMs: 50_000 }
    const engine = await several.open([...RULES, written, greet], [sms], options)
    engine.start()
    await engine.ingest([track('met', 'u0')])
    await expect.poll(() => asked, { timeout: LONG }).toBe(1)
    // It looks at Redis once a second.
    await sleep(1_500)

    await stop()
    await expect.poll(() => several.codes(), { timeout: LONG }).toEqual(['redis.away'])
    await engine.ingest(carts(1, 10))
    await expect.poll(() => sms.sent.length, { timeout: LONG }).toBe(9)
    finish('早上好')
    await expect.poll(() => sms.sent.length, { timeout: LONG }).toBe(10)
    await start()
    await expect.poll(() => several.inRedis(), { timeout: LONG }).toContain('memory')
  })

  it('is done without while it is away, and used again when it is back', async () => {
    await start()
    const [first] = await two()
    await first.ingest(carts(0, 100))
    await sentOnce(100, first)

    await stop()
    await first.ingest(carts(100, 200))
    await sentOnce(200, first)
    // Each process looks once a second.
    await expect.poll(() => several.codes(), { timeout: LONG }).toEqual(['redis.away', 'redis.away'])

    await start()
    await expect.poll(() => several.inRedis(), { timeout: LONG }).toContain('memory')
    await first.ingest(carts(200, 300))
    await sentOnce(300, first)
  })

  it('need not be there at the start', async () => {
    const [first] = await two()
    await first.ingest(carts(0, 50))
    await sentOnce(50, first)
    // Each process looks once a second.
    await expect.poll(() => several.codes(), { timeout: LONG }).toEqual(['redis.away', 'redis.away'])
  })

  it('is refused when it may throw away work', async () => {
    await start({ 'maxmemory-policy': 'allkeys-lru' })
    await expect(several.open(RULES, [sms])).rejects.toMatchObject({
      code: 'redis.eviction',
      message: expect.stringContaining('config set maxmemory-policy noeviction'),
    })
  })

  it('may be a cluster', async () => {
    await start({ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' })
    const client = new Redis(port)
    await client.call('cluster', 'addslotsrange', '0', '16383')
    await expect.poll(() => client.call('cluster', 'info'), { timeout: LONG }).toContain('cluster_state:ok')
    client.disconnect()
    several.begin([`redis://127.0.0.1:${port}`])

    const [first] = await two()
    await first.ingest(carts(0, 100))
    await sentOnce(100, first)
    expect(several.errors).toEqual([])
  })
})

describe('an engine with Redis', () => {
  it('is refused on an embedded database', async () => {
    several.begin('redis://127.0.0.1:1')
    await expect(several.open(RULES, [sms], { database: 'memory' })).rejects.toMatchObject({ code: 'redis.database' })
  })
})
