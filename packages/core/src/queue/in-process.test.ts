import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Clock } from '../ports/clock.js'
import { memoryStore } from '../storage/memory/store.js'
import { InProcessQueue, type Work } from './in-process.js'

/** Nobody is woken by time. */
const ENDLESS: Clock = {
  now: () => 0,
  sleep: async (_, signal) => {
    if (signal !== undefined && !signal.aborted) await once(signal, 'abort')
  },
}

function queueOf(...work: readonly Work[]): InProcessQueue {
  return new InProcessQueue({ store: memoryStore(), clock: ENDLESS, work, onError: () => undefined })
}

/** Work that is there to do, so many times. */
function todo(name: string, more: Partial<Work> = {}) {
  const given = { count: 0, done: 0 }
  const pass = async () => {
    if (given.count === 0) return 0
    given.count -= 1
    given.done += 1
    return 1
  }
  return { given, work: { name, pass, ...more } }
}

it('is woken at once, however long it would sleep', async () => {
  const { given, work } = todo('one')
  const queue = queueOf(work)
  queue.start()
  for (const times of [1, 2]) {
    given.count += 1
    queue.wake()
    await expect.poll(() => given.done).toBe(times)
  }
  await queue.stop()
})

it('looks no more often than it is to while it is woken in vain', async () => {
  let looks = 0
  const sleeps: number[] = []
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) => {
      sleeps.push(ms)
      return ENDLESS.sleep(ms, signal)
    },
  }
  const rare: Work = {
    name: 'rare',
    restMs: 10,
    pass: async () => {
      looks += 1
      return 0
    },
  }
  const queue = new InProcessQueue({ store: memoryStore(), clock, work: [rare], onError: () => undefined })
  queue.start()
  await expect.poll(() => looks).toBe(1)
  queue.wake()
  await expect.poll(() => sleeps).toEqual([500, 10])
  queue.wake()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(looks, 'It rests.').toBe(1)
  await queue.stop()
})

it('wakes what goes on beside when something was done', async () => {
  const beside = todo('beside', { lanes: 1 })
  const first: Work = {
    name: 'first',
    pass: async () => {
      if (beside.given.count > 0 || beside.given.done > 0) return 0
      beside.given.count += 1
      return 1
    },
  }
  const queue = queueOf(first, beside.work)
  queue.start()
  await expect.poll(() => beside.given.done).toBe(1)
  await queue.stop()
})

it('has so many passes under way at once, and other work beside them', async () => {
  let underWay = 0
  let release = (): void => undefined
  const held = new Promise<number>((resolve) => {
    release = () => resolve(0)
  })
  const slow: Work = {
    name: 'slow',
    lanes: 2,
    pass: () => {
      underWay += 1
      return held
    },
  }
  const { given, work } = todo('other')
  given.count = 3
  const queue = queueOf(work, slow)
  queue.start()
  await expect.poll(() => [underWay, given.done]).toEqual([2, 3])
  release()
  await queue.stop()
})

it('does everything in its order for whoever waits for all of it', async () => {
  const order: string[] = []
  const once_ = (name: string, more: Partial<Work> = {}): Work => ({
    name,
    pass: async () => {
      if (order.includes(name)) return 0
      order.push(name)
      return 1
    },
    ...more,
  })
  await queueOf(once_('one'), once_('two', { lanes: 2 }), once_('three')).settle()
  expect(order).toEqual(['one', 'two', 'three'])
})

it('asks nothing of work that knows that there is none', async () => {
  let asked = 0
  let isPending = false
  const pass = async () => {
    asked += 1
    isPending = false
    return 1
  }
  const queue = queueOf({ name: 'one', isPending: () => isPending, pass })
  await queue.settle()
  expect(asked).toBe(0)

  isPending = true
  await queue.settle()
  expect(asked).toBe(1)
})

it('does all other work where poison is among one kind, and tells', async () => {
  const failing: Work = { name: 'failing', pass: () => Promise.reject(new TypeError('failed')) }
  const { given, work } = todo('other')
  given.count = 1

  await expect(queueOf(failing, work).settle()).rejects.toThrow('failed')

  expect(given.done).toBe(1)
})

it('does nothing else where the database is at fault', async () => {
  const gone = Object.assign(new Error('the server has gone away'), { code: '57P01' })
  const { given, work } = todo('other')
  given.count = 1

  await expect(queueOf({ name: 'failing', pass: () => Promise.reject(gone) }, work).settle()).rejects.toBe(gone)

  expect(given.done).toBe(0)
})

it('tells of poison also where the database is at fault afterwards', async () => {
  const poison = new TypeError('failed')
  const gone = Object.assign(new Error('the server has gone away'), { code: '57P01' })
  const failing = (error: Error): Work => ({ name: error.name, pass: () => Promise.reject(error) })

  const told = await queueOf(failing(poison), failing(gone))
    .settle()
    .catch((error: unknown) => error)

  expect((told as AggregateError).errors).toEqual([poison, gone])
})
