import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { ReusedSchema, sharedPglite } from '../../testing/database.js'
import { journey, send, template } from '../../testing/rules.js'
import { Several } from '../../testing/several.js'
import { log, type Shop, shopOf, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import type { Channel } from '../ports/channel.js'
import type { Store } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { openStore } from '../storage/open.js'
import { letThrough } from './rate.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: rates on PostgreSQL; there is no database.')

const HELLO = template('hello')
const SECOND = 1000
const RATE = { max: 4, perMs: SECOND }

/** A channel with a rate, and when its provider was called. */
function rated(now: () => number, more: Partial<Channel> = {}) {
  const calls: number[] = []
  const channel: Channel = {
    name: 'sms',
    repeat: { kind: 'none' },
    rate: RATE,
    send: () => {
      calls.push(now())
      return Promise.resolve({ status: 'accepted' })
    },
    ...more,
  }
  return { calls, channel }
}

function mostInAWindow(calls: readonly number[], perMs: number): number {
  const sorted = calls.toSorted((one, other) => one - other)
  return Math.max(0, ...sorted.map((from) => sorted.filter((at) => at >= from && at < from + perMs).length))
}

const carts = (count: number) => Array.from({ length: count }, (_, index) => track('cart', `u${index}`))

let pgliteSchema: ReusedSchema | undefined

const STORES: readonly (readonly [name: string, create: () => Promise<Store>])[] = [
  ['memory', async () => memoryStore()],
  [
    'PGlite',
    async () => {
      const db = await sharedPglite()
      pgliteSchema ??= new ReusedSchema(db)
      return openStore(db, { schema: await pgliteSchema.emptied(), clock: 'engine', concurrency: 1 })
    },
  ],
  ...(postgresUrl === undefined
    ? []
    : [
        [
          'PostgreSQL',
          () => openStore(postgresUrl, { schema: `rates_${randomBytes(6).toString('hex')}`, clock: 'engine' }),
        ] as const,
      ]),
]

describe.each(STORES)('the rate of a channel, on %s', (_, create) => {
  let engines: Engine[] = []
  afterEach(async () => {
    await Promise.all(engines.map((engine) => engine.close()))
    engines = []
  })

  async function open(rules: readonly unknown[]): Promise<Shop> {
    const shop = shopOf(rules, { store: await create() })
    return {
      ...shop,
      start: async (options) => {
        const engine = await shop.start(options)
        engines.push(engine)
        return engine
      },
    }
  }

  /** Time passes from one thing that is due to the next. */
  async function passTime({ clock, store }: Shop, workers: readonly Engine[], ms: number): Promise<void> {
    for (const until = clock.now() + ms; ; ) {
      await Promise.all(workers.map((engine) => engine.settle()))
      const next = await store.nextDue()
      if (next === undefined || next > until) break
      expect(next).toBeGreaterThan(clock.now())
      clock.moveTo(next)
    }
  }

  it('is kept in every window and used to the full, and what waits for it leaves no word', async () => {
    const shop = await open([HELLO, journey('remind', [send('push')])])
    const { calls, channel } = rated(shop.clock.now)
    const engine = await shop.start({ channels: [channel] })
    const start = shop.clock.now()
    await engine.ingest(carts(14))

    await passTime(shop, [engine], 10 * SECOND)

    expect(calls.map((at) => at - start)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3].map((s) => s * SECOND))
    expect(new Set(await log(engine, 'message.'))).toEqual(new Set(['message.planned', 'message.accepted']))
  })

  it('is kept by several engines together, and by one that was started anew', async () => {
    const shop = await open([HELLO, journey('remind', [send('push')])])
    const { calls, channel } = rated(shop.clock.now)
    const first = await shop.start({ channels: [channel] })
    const second = await shop.start({ channels: [channel] })
    await first.ingest(carts(20))

    await passTime(shop, [first, second], 1500)
    expect(calls).toHaveLength(8)
    const third = await shop.start({ channels: [channel] })
    await passTime(shop, [third], 10 * SECOND)

    expect(calls).toHaveLength(20)
    expect(mostInAWindow(calls, SECOND)).toBe(RATE.max)
  })

  it('holds up no other channel', async () => {
    const shop = await open([
      HELLO,
      journey('remind', [send('push')]),
      journey('mail', [send('m', { channel: 'mail' })]),
    ])
    const { calls, channel } = rated(shop.clock.now)
    const mail = rated(shop.clock.now, { name: 'mail' })
    const engine = await shop.start({ channels: [channel, Object.assign(mail.channel, { rate: undefined })] })
    await engine.ingest(carts(30))

    await engine.settle()

    expect(calls).toHaveLength(4)
    expect(mail.calls).toHaveLength(30)
  })

  it('is not used up by messages that a policy keeps back', async () => {
    const night = { kind: 'policy', id: 'night', quietHours: { from: '11:00', to: '13:00' } }
    const ad = journey('ad', [send('push')])
    const notice = journey('notice', [send('push', { class: 'service' })], { entry: { on: 'event', event: 'paid' } })
    const shop = await open([HELLO, night, ad, notice])
    const { calls, channel } = rated(shop.clock.now)
    const engine = await shop.start({ channels: [channel] })
    await engine.ingest(carts(9))
    await engine.ingest([track('paid', 'u1'), track('paid', 'u2')])

    await engine.settle()

    expect(await log(engine, 'message.deferred')).toHaveLength(9)
    expect(calls).toHaveLength(2)
  })

  it('is used to the full by what has piled up, also after several processes have died', async () => {
    const shop = await open([HELLO, journey('remind', [send('push')])])
    const { calls, channel } = rated(shop.clock.now)
    const engine = await shop.start({ channels: [channel] })
    await engine.ingest(carts(60))
    const from = shop.clock.now()
    for (const died of ['one', 'two', 'three'])
      await shop.store.transaction(async (tx) => {
        const [kept] = await tx.lockCalls(['sms'])
        if (kept === undefined) throw new Error('nothing is kept')
        await tx.saveCalls([letThrough(kept, RATE, died, 1, from).kept])
      })

    await passTimeInSteps(shop, engine, 30 * SECOND)

    // Three of the four of a window are kept free for those that died, for as long as they might call.
    expect(calls).toHaveLength(60)
    expect(mostInAWindow(calls, SECOND)).toBeLessThanOrEqual(RATE.max)
    expect(calls.filter((at) => at < from + 6 * SECOND)).toHaveLength(6)
    expect(Math.max(...calls)).toBeLessThan(from + 21 * SECOND)
  })

  it('counts calls of a process that has died before it told when they began', async () => {
    const shop = await open([HELLO, journey('remind', [send('push')])])
    const { calls, channel } = rated(shop.clock.now)
    const engine = await shop.start({ channels: [channel] })
    const from = shop.clock.now()
    await shop.store.transaction(async (tx) => {
      const [kept] = await tx.lockCalls(['sms'])
      if (kept === undefined) throw new Error('nothing is kept')
      await tx.saveCalls([letThrough(kept, RATE, 'died', 4, from).kept])
    })
    await engine.ingest(carts(4))
    const start = shop.clock.now()

    await passTimeInSteps(shop, engine, 8 * SECOND)

    expect(calls.map((at) => at - start)).toEqual([6, 6, 6, 6].map((s) => s * SECOND))
  })

  async function passTimeInSteps({ clock }: Shop, engine: Engine, ms: number): Promise<void> {
    for (const until = clock.now() + ms; clock.now() <= until; clock.moveTo(clock.now() + 500)) await engine.settle()
  }
})

describe.skipIf(postgresUrl === undefined)('the rate of a channel, by the clocks of database and processes', () => {
  const several = new Several(postgresUrl ?? '')

  it('is kept by engines that race', async () => {
    several.begin(undefined)
    const rate = { max: 10, perMs: 400 }
    const { calls, channel } = rated(() => performance.now(), { rate })
    const rules = [HELLO, journey('remind', [send('push')])]
    const engines = await Promise.all([1, 2, 3].map(() => several.open(rules, [channel])))
    for (const engine of engines) engine.start()
    await engines[0]?.ingest(carts(60))

    await expect.poll(() => calls.length, { timeout: 30_000 }).toBe(60)

    expect(mostInAWindow(calls, rate.perMs)).toBeLessThanOrEqual(rate.max)
    expect(several.errors).toEqual([])
  })
})
