import { beforeEach, describe, expect, it } from 'vitest'
import { type MemoryStore, memoryStore } from '../storage/memory/store.js'
import { deliveryOf } from '../testing/store-checks/material.js'
import { virtualClock } from './clocks.js'
import { PATIENCE_MS, Watchdog } from './watchdog.js'

describe('the watchdog', () => {
  let store: MemoryStore
  const clock = virtualClock(5_000)
  let elapsed = 0
  let said: unknown[]
  let watchdog: Watchdog

  beforeEach(() => {
    said = []
    store = memoryStore()
    elapsed = 0
    watchdog = new Watchdog({ store, clock, elapsed: () => elapsed, onError: (error) => said.push(error) })
  })

  const lookAfter = async (ms: number, ...heads: readonly string[]) => {
    elapsed += ms
    return watchdog.isStuck(heads)
  }

  it('says once that nobody takes what is due, and is content when somebody does', async () => {
    await store.transaction((tx) => tx.addDeliveries([deliveryOf('a'), deliveryOf('b')]))
    expect(await lookAfter(0)).toBe(false)
    expect(await lookAfter(PATIENCE_MS - 1)).toBe(false)
    expect(await lookAfter(1)).toBe(true)
    expect(await lookAfter(1000)).toBe(true)
    expect(said).toMatchObject([{ code: 'work.overdue', facts: { lines: ['delivery:console'] } }])

    await store.transaction((tx) => tx.claimDeliveries(5_000, 1, 65_000))
    expect(await lookAfter(1000), '"b" is first now.').toBe(false)
    await store.transaction((tx) => tx.claimDeliveries(5_000, 1, 65_000))
    expect(await lookAfter(PATIENCE_MS)).toBe(false)
  })

  it('does not wait for what is not due yet', async () => {
    await store.transaction((tx) => tx.addDeliveries([deliveryOf('later', { dueAt: 90_000 })]))
    await lookAfter(0)
    expect(await lookAfter(2 * PATIENCE_MS)).toBe(false)
  })

  it('notices a queue that nobody works off', async () => {
    await lookAfter(0, 'queue:sms/a-1')
    expect(await lookAfter(PATIENCE_MS, 'queue:sms/a-2')).toBe(false)
    expect(await lookAfter(PATIENCE_MS, 'queue:sms/a-2')).toBe(true)
  })
})
