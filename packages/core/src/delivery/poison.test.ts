import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { shopOf, track } from '../../testing/shop.js'
import type { Delivery, Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { Gatherer } from './gatherer.js'

const RULES = [template('hello'), journey('remind', [send('push'), wait('later', '2d')])]
const EVERYBODY = ['u1', 'u2', 'u3', 'u4', 'u5']

/** A store that cannot write what becomes of u3's messages in some state. */
function storeWithPoison(state: Delivery['state'], error: Error): Store {
  const store = memoryStore()
  const saveDeliveries = (tx: StoreTransaction) => async (deliveries: readonly Delivery[]) => {
    if (deliveries.some((one) => one.state === state && one.subject.id === 'u3')) throw error
    return tx.saveDeliveries(deliveries)
  }
  const poisoned = (tx: StoreTransaction) => delegate(tx, { saveDeliveries: saveDeliveries(tx) })
  return delegate(store, { transaction: (work) => store.transaction((tx) => work(poisoned(tx))) })
}

async function sentTo(store: Store): Promise<{ readonly told: unknown; readonly sent: readonly string[] }> {
  const sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
  const engine = await shopOf(RULES, { store }).start({ channels: [sms] })
  await engine.ingest(EVERYBODY.map((user) => track('cart', user)))
  const told = await engine.settle().catch((error: unknown) => error)
  await engine.settle()
  const accepted = await engine.deliveries({ state: 'accepted' })
  await engine.close()
  return { told, sent: accepted.map(({ subject }) => subject.id).sort() }
}

describe('a message that cannot be carried out', () => {
  it.each(['calling', 'accepted'] as const)('holds up no other where it cannot become `%s`', async (state) => {
    const poison = new TypeError('poison')

    const { told, sent } = await sentTo(storeWithPoison(state, poison))

    expect(told).toBe(poison)
    expect(sent).toEqual(['u1', 'u2', 'u4', 'u5'])
  })

  it('is not looked for where the database is at fault', async () => {
    const gone = Object.assign(new Error('the server has gone away'), { code: '57P01' })

    const { told, sent } = await sentTo(storeWithPoison('calling', gone))

    expect(told).toBe(gone)
    expect(sent).toEqual([])
  })
})

describe('what is gathered', () => {
  it('fails alone where one of it is poison', async () => {
    const batches: number[] = []
    const doubled = new Gatherer(async (items: readonly number[]) => {
      batches.push(items.length)
      if (items.includes(3)) throw new RangeError('3')
      return items.map((item) => item * 2)
    }, 10)

    const results = await Promise.allSettled([1, 2, 3, 4, 5].map((item) => doubled.add(item)))

    expect(results.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      ...[2, 4, 'RangeError: 3', 8, 10],
    ])
    // The first came alone; then all the others, and half by half what was left.
    expect(batches).toEqual([1, 4, 2, 1, 1, 2])
  })
})
