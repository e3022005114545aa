import { expect, it } from 'vitest'
import type { LockOptions } from '../ports/store.js'
import type { IngestMode } from './batch.js'
import { Batches, type Waiting } from './batches.js'

/** Batches that end when they are told to, and what was in them: `u1.2` is the second event of `u1`. */
function world(concurrency = 3) {
  const begun: { readonly names: readonly string[]; readonly options: LockOptions }[] = []
  const ends: ((held: readonly Waiting[]) => void)[] = []
  const batches = new Batches<Waiting>((batch, options) => {
    begun.push({ names: batch.map(({ event }) => event.messageId), options })
    return new Promise((resolve) => ends.push((held) => resolve(held)))
  }, concurrency)
  const counts = new Map<string, number>()
  const events = (user: string, count: number, mode: IngestMode = 'live') =>
    Array.from({ length: count }, (): Waiting => {
      const number = (counts.get(user) ?? 0) + 1
      counts.set(user, number)
      const event = { messageId: `${user}.${number}`, userId: user, event: 'view', type: 'track', at: 1, receivedAt: 1 }
      return { event: { ...event, type: 'track', properties: {} }, call: { mode }, tries: 0 }
    })
  const end = async (index: number, held: readonly Waiting[] = []) => {
    ends[index]?.(held)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { batches, begun, events, end, sizes: () => begun.map(({ names }) => names.length) }
}

it('begin at once, and gather what comes in meanwhile', async () => {
  const { batches, begun, events, end } = world()
  batches.add(events('u1', 1))
  batches.add(events('u2', 1))
  batches.add(events('u1', 1))
  expect(begun.map(({ names }) => names)).toEqual([['u1.1']])
  await end(0)
  expect(begun[1]?.names).toEqual(['u2.1', 'u1.2'])
  expect(batches.isBusy).toBe(true)
  await end(1)
  expect(batches.isBusy).toBe(false)
})

it('go beside each other where much waits, never more than may, and never with the same user', async () => {
  const { batches, begun, events, end, sizes } = world(2)
  batches.add(events('u1', 1))
  batches.add([...events('u1', 60), ...events('u2', 39)])
  expect(sizes()).toEqual([1])
  batches.add(events('u2', 1))
  expect(sizes()).toEqual([1, 40])
  batches.add(events('u3', 200))
  expect(sizes(), 'Two are under way.').toEqual([1, 40])
  await end(1)
  expect(begun[2]?.names.slice(0, 2)).toEqual(['u3.1', 'u3.2'])
  expect(sizes()).toEqual([1, 40, 200])
  // Nobody waits for a large one.
  await end(0)
  expect(begun[3]?.names, 'In their order, once the first is over.').toEqual(
    Array.from({ length: 60 }, (_, index) => `u1.${index + 2}`),
  )
})

it('put what is held in front again; after five tries it is waited for, and holds up nobody else', async () => {
  const { batches, begun, events, end } = world()
  let held: readonly Waiting[] = events('u1', 1)
  batches.add(held)
  batches.add([...events('u1', 1), ...events('u2', 1)])
  for (let index = 0; index < 5; index++) {
    await end(index, held)
    held = held.map((one) => ({ ...one, tries: one.tries + 1 }))
  }
  expect(begun.slice(0, 3).map(({ names }) => names)).toEqual([['u1.1'], ['u1.1', 'u1.2', 'u2.1'], ['u1.1']])
  expect(begun.at(-1)).toEqual({ names: ['u1.1'], options: { passOver: false } })

  batches.add([...events('u1', 1), ...events('u3', 1)])
  expect(begun.at(-1)).toEqual({ names: ['u3.1'], options: { passOver: true } })
  await end(5)
  await end(6)
  expect(begun.at(-1)?.names).toEqual(['u1.3'])
})

it('wait for no more than leave room for others', async () => {
  const { batches, begun, events } = world(2)
  const tired = (user: string) => events(user, 1).map((one) => ({ ...one, tries: 5 }))
  batches.add(tired('u1'))
  batches.add(tired('u2'))
  batches.add(events('u2', 1))
  batches.add(events('u3', 1))
  expect(begun.map(({ names }) => names)).toEqual([['u1.1'], ['u3.1']])
})

it('are of one mode each, and of history larger', async () => {
  const { batches, events, end, sizes } = world(1)
  batches.add([...events('u1', 1200), ...events('u2', 6000, 'history'), ...events('u3', 1)])
  for (const index of [0, 1, 2, 3]) await end(index)
  expect(sizes()).toEqual([1000, 200, 5000, 1000, 1])
})
