import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { type MemoryChannel, memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: several workers on PostgreSQL; there is no database.')

const WORKERS = 3
const USERS = Array.from({ length: 150 }, (_, index) => `u${index}`)
const HELLO = template('hello')
const CAP = { kind: 'policy', id: 'one-a-week', cap: { max: 1, within: '7d' } }
const OFFER = { kind: 'offer', id: 'trial', total: 10 }
const THREE = ['a', 'b', 'c'].map((id) => journey(id, [wait('a-while', '1h'), send('push')]))
const COUPON = journey('trial', [wait('a-while', '1h'), { id: 'coupon', issue: { offer: 'trial' } }])

describe.skipIf(postgresUrl === undefined)('several workers on one database', () => {
  let engines: Engine[]
  let sms: MemoryChannel
  let clock: VirtualClock

  beforeEach(() => {
    engines = []
    sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
    clock = virtualClock(NOON)
  })
  afterEach(() => Promise.all(engines.map((engine) => engine.close())))

  async function open(...rules: readonly unknown[]): Promise<Engine> {
    const schema = `workers_${randomBytes(6).toString('hex')}`
    for (let worker = 0; worker < WORKERS; worker++) {
      const store = await openStore(postgresUrl ?? '', { schema, clock: 'engine' })
      engines.push(await createEngine({ rules: definePack(rules), database: store, clock, channels: [sms] }))
    }
    const [first] = engines
    if (first === undefined) throw new Error('there is no engine')
    return first
  }

  /** An hour passes, and all workers do at once what is due. */
  async function workAtOnce(): Promise<void> {
    clock.moveTo(clock.now() + 3_600_000)
    await Promise.all(engines.map((engine) => engine.settle()))
  }

  it('send each message once', async () => {
    const first = await open(HELLO, ...THREE)
    await first.ingest(USERS.map((id) => track('cart', id)))

    await workAtOnce()

    const keys = sms.calls.map(({ message }) => message.deliveryKey)
    expect(keys).toHaveLength(3 * USERS.length)
    expect(new Set(keys).size).toBe(keys.length)
    expect(new Set((await first.deliveries()).map(({ state }) => state))).toEqual(new Set(['accepted']))
  })

  it('keep to a cap', async () => {
    const first = await open(HELLO, ...THREE, CAP)
    await first.ingest(USERS.map((id) => track('cart', id)))

    await workAtOnce()

    expect(sms.calls.map(({ message }) => message.to.id).sort()).toEqual([...USERS].sort())
    expect(await first.deliveries({ state: 'suppressed' })).toHaveLength(2 * USERS.length)
  })

  it('never issue more coupons than there are', async () => {
    const first = await open(OFFER, COUPON)
    await first.ingest(USERS.map((id) => track('cart', id)))

    await workAtOnce()

    expect(await first.pools()).toEqual(new Map([['trial', { issued: 10, total: 10 }]]))
    expect((await first.decisions()).filter(({ decision }) => decision === 'coupon.issued')).toHaveLength(10)
  })

  it('send nothing to those who opted out before it was due', async () => {
    const first = await open(HELLO, ...THREE)
    await first.ingest(USERS.map((id) => track('cart', id)))
    const out = USERS.slice(0, 50)

    await engines[1]?.ingest(out.map((id) => track('consent_withdrawn', id)))
    await workAtOnce()

    expect(sms.calls.filter(({ message }) => out.includes(message.to.id))).toEqual([])
    expect(sms.calls).toHaveLength(3 * (USERS.length - out.length))
  })

  it('lose and repeat nothing when an opt-out comes while they work', async () => {
    const first = await open(HELLO, ...THREE)
    await first.ingest(USERS.map((id) => track('cart', id)))

    await Promise.all([workAtOnce(), engines[1]?.ingest(USERS.map((id) => track('consent_withdrawn', id)))])

    const keys = sms.calls.map(({ message }) => message.deliveryKey)
    expect(new Set(keys).size).toBe(keys.length)
    const suppressed = await first.deliveries({ state: 'suppressed' })
    expect(keys.length + suppressed.length).toBe(3 * USERS.length)
  })
})
