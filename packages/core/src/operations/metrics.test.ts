import { expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { shopOf, track } from '../../testing/shop.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { metricsBy } from './metrics.js'

type Attributes = Readonly<Record<string, unknown>>

/** A meter that keeps sums, by name and attributes. */
function meterThatKeeps() {
  const sums = new Map<string, number>()
  const callbacks = new Set<(result: never) => void>()
  const nameOf = (name: string, attributes: Attributes = {}) => [name, ...Object.values(attributes)].join(' ')
  const meter = {
    createCounter: (name: string) => ({
      add(value: number, attributes?: Attributes) {
        const key = nameOf(name, attributes)
        sums.set(key, (sums.get(key) ?? 0) + value)
      },
    }),
    createObservableGauge: (name: string) => ({
      name,
      addCallback: (callback: (result: never) => void) => void callbacks.add(callback),
      removeCallback: (callback: (result: never) => void) => void callbacks.delete(callback),
    }),
  }
  return { sums, callbacks, meter: meter as unknown as Parameters<typeof metricsBy>[0] }
}

it('counts what is decided and what becomes of messages once it is committed, and says nothing of people', async () => {
  const { sums, meter } = meterThatKeeps()
  const rules = [template('hello'), journey('remind', [send('push')])]
  const store = metricsBy(meter).measured(memoryStore())
  const engine = await shopOf(rules, { store }).start({ channels: [memoryChannel({ name: 'sms' })] })
  await engine.ingest([track('cart', 'u-secret'), track('cart', 'u-other')])
  await engine.settle()

  expect(Object.fromEntries(sums)).toMatchObject({
    'linli.decisions journey.entered': 2,
    'linli.decisions message.accepted': 2,
    'linli.deliveries accepted message sms': 2,
  })
  expect([...sums.keys()].join()).not.toContain('secret')
})

it('counts receipts, those that were refused by why', () => {
  const { sums, meter } = meterThatKeeps()
  const refused = (code: 'receipt.early' | 'receipt.unknown') => ({ status: 'rejected', code, message: '' }) as const
  const results = [refused('receipt.early'), refused('receipt.early'), refused('receipt.unknown')]
  const accepted = { status: 'accepted', deliveryKey: 'd-1' } as const
  metricsBy(meter).received({ accepted: 1, duplicates: 0, rejected: 3, results: [accepted, ...results] })

  expect(Object.fromEntries(sums)).toEqual({
    'linli.receipts accepted': 1,
    'linli.receipts rejected receipt.early': 2,
    'linli.receipts rejected receipt.unknown': 1,
  })
})

it('counts nothing of a transaction that fails', async () => {
  const { sums, meter } = meterThatKeeps()
  const store = metricsBy(meter).measured(memoryStore())
  const failing = store.transaction(async (tx) => {
    await tx.addDecisions([{ at: 1, subject: 'user:u1', decision: 'tag.added' }])
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect([...sums]).toEqual([])
})

it('tells how late work is while the engine is open', async () => {
  const { callbacks, meter } = meterThatKeeps()
  const seen: unknown[] = []
  const health = { due: [{ line: 'delivery:sms', lateMs: 1500 }, { line: 'inbox' }] }
  const end = metricsBy(meter).observe(() => Promise.resolve(health as never))
  for (const callback of callbacks) await callback({ observe: (...told: unknown[]) => seen.push(told) } as never)
  expect(seen).toEqual([
    [1500, { line: 'delivery:sms' }],
    [0, { line: 'inbox' }],
  ])
  end()
  expect(callbacks.size).toBe(0)
})
