import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { group, NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { type MemoryChannel, type MemoryOutcome, memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: several workers on PostgreSQL; there is no database.')

const WORKERS = 3
const USERS = Array.from({ length: 150 }, (_, index) => `u${index}`)
const HELLO = template('hello')
const CAP = { kind: 'policy', id: 'one-a-week', cap: { max: 1, within: '7d' } }
const purse = (budget: object) => ({ kind: 'policy', id: 'purse', budget })
const ten = { kind: 'policy', id: 'ten', budget: { messages: 10, of: 'community' } }
const OFFER = { kind: 'offer', id: 'trial', total: 10 }
const THREE = ['a', 'b', 'c'].map((id) => journey(id, [wait('a-while', '1h'), send('push')]))
const COUPON = journey('trial', [wait('a-while', '1h'), { id: 'coupon', issue: { offer: 'trial' } }])

/** A provider that would not take every third message. */
function refuseEveryThird(): () => MemoryOutcome {
  let calls = 0
  return () => (++calls % 3 === 0 ? { status: 'refused', reason: 'other' } : { status: 'accepted' })
}

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

  it('keep to a budget, of everybody and of each community', async () => {
    const groups = USERS.map((id, index) => group(id, `c-${index % 3}`))
    const first = await open(HELLO, ...THREE, purse({ money: 2.5, costs: { sms: 0.05 } }), ten)
    await first.ingest([...groups, ...USERS.map((id) => track('cart', id))])

    await workAtOnce()

    expect(sms.calls).toHaveLength(30)
    const reasons = (await first.deliveries({ state: 'suppressed' })).map(({ reason }) => reason)
    expect(reasons).toEqual(Array(3 * USERS.length - 30).fill('budget'))
  })

  it('spend all of a budget, and no more, where providers refuse some of it', async () => {
    sms = memoryChannel({ name: 'sms', outcome: refuseEveryThird() })
    const first = await open(HELLO, ...THREE, purse({ messages: 100 }))
    await first.ingest(USERS.map((id) => track('cart', id)))

    for (let round = 0; round < 3; round++) {
      await workAtOnce()
      await first.ingest(USERS.map((id) => track('cart', `${id}-${round}`)))
    }
    await workAtOnce()

    expect(sms.sent).toHaveLength(100)
  })

  it('keep promotions to their share of what a community gets', async () => {
    const SERVE = journey('serve', [wait('a-while', '1h'), send('push', { class: 'service' })])
    const mix = { kind: 'policy', id: 'fifth', mix: { share: 0.2, of: 'community' } }
    const first = await open(HELLO, ...THREE, SERVE, mix)
    await first.ingest([...USERS.map((id) => group(id, 'c-1')), ...USERS.map((id) => track('cart', id))])
    await workAtOnce()
    const others = () => sms.sent.filter((message) => message.class === 'service').length
    const promotions = () => sms.sent.filter((message) => message.class === 'promotion').length
    expect(promotions()).toBeLessThanOrEqual(others() / 4)

    await first.ingest(USERS.map((id) => track('cart', `${id}-2`)))
    await first.ingest(USERS.map((id) => group(`${id}-2`, 'c-1')))
    await workAtOnce()

    expect(others()).toBe(2 * USERS.length)
    expect(promotions()).toBeLessThanOrEqual(others() / 4)
    // Room that was made an hour before is all used up.
    expect(promotions()).toBeGreaterThanOrEqual(Math.floor(USERS.length / 4))
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
