import { describe, expect, it } from 'vitest'
import { atLeast, journey, score, send, tag, template, wait } from '../../testing/rules.js'
import { group, shopOf, track } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'

const RULES = [
  template('hello'),
  { kind: 'offer', id: 'trial', total: 1 },
  journey('remind', [
    wait('later', '1h'),
    { id: 'coupon', issue: { offer: 'trial' } },
    send('push'),
    wait('end', '2d'),
  ]),
  tag('buyer', atLeast(1, 'order')),
  score('orders', [{ points: 1, per: { fact: 'eventCount', params: { event: 'order' } } }]),
]
const HOUR = 3_600_000

/** A shop that has been busy for two hours, and in which the store did what `damage` says. */
async function after(damage: (tx: StoreTransaction) => Partial<StoreTransaction> = () => ({})) {
  const store = withTransactions(memoryStore(), damage)
  return busy(store)
}

async function busy(store: Store) {
  const shop = shopOf(RULES, { store })
  const engine = await shop.start({ channels: [memoryChannel({ name: 'sms' })], onError: () => undefined })
  await engine.ingest([track('cart', 'u1'), track('cart', 'u2'), track('order', 'u1')])
  for (let hour = 0; hour < 2; hour++) {
    shop.clock.moveTo(shop.clock.now() + HOUR)
    await engine.settle()
  }
  const found = await engine.verify()
  await engine.close()
  return found
}

const invariants = ({ violations }: Awaited<ReturnType<typeof after>>) => [
  ...new Set(violations.map(({ invariant }) => invariant)),
]

describe('verify', () => {
  it('finds nothing where all is as it must be, and says how much it has looked at', async () => {
    const { checked, violations } = await after()

    expect(violations).toEqual([])
    expect(checked).toEqual({ subjects: 2, deliveries: 4, facts: 4 })
  })

  it('finds nothing where the clock was put back, and people are ahead of it', async () => {
    const shop = shopOf(RULES)
    const engine = await shop.start({ channels: [memoryChannel({ name: 'sms' })] })
    await engine.ingest([track('order', 'u1')])
    await engine.settle()
    const behind = await shopOf(RULES, { store: shop.store }).start({ channels: [memoryChannel({ name: 'sms' })] })
    shop.clock.moveTo(shop.clock.now() + HOUR)
    await engine.ingest([track('order', 'u1')])
    await engine.settle()

    expect((await behind.verify()).violations).toEqual([])
    await engine.close()
  })

  it('finds a wait that nobody will look at', async () => {
    const found = await after((tx) => ({
      saveSubjects: (subjects) => tx.saveSubjects(subjects.map((one) => ({ ...one, dueAt: undefined }))),
    }))

    expect(invariants(found)).toEqual(['wait.lost'])
    expect(found.violations[0]).toMatchObject({ subject: 'user:u1' })
  })

  it('finds what is due and not done', async () => {
    const found = await after(() => ({ takeDueSubjects: async () => [] }))

    expect(invariants(found)).toEqual(['due.late'])
  })

  it('finds a run whose delivery is gone', async () => {
    const found = await after(() => ({ addDeliveries: async () => undefined }))

    expect(invariants(found)).toEqual(['run.orphaned'])
  })

  it('finds a delivery that has ended and is looked at again', async () => {
    const found = await after((tx) => ({
      saveDeliveries: (all) =>
        tx.saveDeliveries(
          all.map((one) => (one.dueAt === undefined ? { ...one, dueAt: Date.parse('2099-01-01') } : one)),
        ),
    }))

    expect(invariants(found)).toEqual(['delivery.stuck'])
  })

  it('finds messages of whose end nothing is said, and those that have ended twice', async () => {
    const silent = await after((tx) => ({
      addDecisions: (decisions) => tx.addDecisions(decisions.filter(({ decision }) => decision === 'journey.entered')),
    }))
    const forgotten = await after(() => ({ addDecisions: async () => undefined }))
    const twice = await after((tx) => ({
      addDecisions: async (decisions) => {
        await tx.addDecisions(decisions)
        await tx.addDecisions(decisions)
      },
    }))

    expect(invariants(silent)).toEqual(['decision.missing'])
    expect(invariants(forgotten)).toEqual([])
    expect(invariants(twice)).toEqual(['decision.repeated'])
  })

  it('finds coupons that no pool knows of', async () => {
    const found = await after((tx) => ({
      takeFromPool: async (offer, total) => {
        await tx.takeFromPool(offer, total)
        return true
      },
    }))

    expect(invariants(found)).toEqual(['coupon.miscounted'])
  })

  it('finds tags and scores that are not what the log says', async () => {
    const found = await after((tx) => ({
      addEvents: async (events) => {
        await tx.addEvents(events)
        return new Set(events.filter(({ event }) => event !== 'order').map(({ messageId }) => messageId))
      },
    }))

    expect(found.violations).toMatchObject([
      { invariant: 'fact.wrong', subject: 'user:u1', found: 'buyer is false, and true by the log' },
      { invariant: 'fact.wrong', subject: 'user:u1', found: 'orders is 0, and 1 by the log' },
    ])
  })

  it('lets a suggestion wait for its leader', async () => {
    const rules = [
      template('hello'),
      journey('tell', [{ id: 'say', suggest: { to: 'leader', template: 'hello', expires: '1d' } }]),
    ]
    const shop = shopOf(rules)
    const engine = await shop.start()
    await engine.ingest([group('u1', 'c1', { leaderId: 'l1' }), track('cart', 'u1')])
    await engine.settle()
    expect(await engine.suggestions()).toHaveLength(1)

    expect((await engine.verify()).violations).toEqual([])
    await engine.close()
  })

  it('takes what goes on meanwhile for what it is', async () => {
    const store = memoryStore()
    const shop = shopOf(RULES, { store })
    const engine = await shop.start({ channels: [memoryChannel({ name: 'sms' })] })
    await engine.ingest([track('cart', 'u1')])
    shop.clock.moveTo(shop.clock.now() + HOUR)
    // The run goes on while its deliveries are being read.
    let isFirst = true
    const looked = delegate<Store>(store, {
      readDeliveries: async (filter) => {
        const first = isFirst
        isFirst = false
        if (first) await engine.settle()
        return store.readDeliveries(filter)
      },
    })
    const watcher = await shop.start({ channels: [memoryChannel({ name: 'sms' })], database: looked })

    expect((await watcher.verify({ lateMs: 10 * HOUR })).violations).toEqual([])
    await engine.close()
  })
})
