import assert from 'node:assert/strict'
import type { Tally } from '../../domain/tallies.js'
import type { Store } from '../../ports/store.js'
import { ODD, type StoreCheck, together } from './material.js'

const tally = (counter: string, from: number, taken: number, made = 0): Tally => ({
  ...{ counter, from, until: from + 10, taken, made },
})

export const tallyChecks: readonly StoreCheck[] = [
  ['adds up what is counted, each stretch by itself', addsUp],
  ['says which counters have begun a stretch', saysWhatBegan],
  ['takes away from stretches that are there, and begins none for it', takesAway],
  ['counts nothing when the work throws', forgets],
  ['drops stretches that have ended, and no others', drops],
  ['lets nobody take more than there is, however many lock the same counters', neverExceeds],
  ['lets those who add and take away wait for nobody in a circle', addsAtOnce],
]

async function addsUp(store: Store): Promise<void> {
  const forEver = { counter: 'a', from: 0, until: Number.MAX_SAFE_INTEGER, taken: 9_000_000_000_000, made: 0 }
  await store.transaction((tx) => tx.addTallies([tally(ODD, 0, 1), tally('a', 10, 2, 1), forEver]))
  await store.transaction((tx) => tx.addTallies([tally('a', 10, 3, 4), tally('a', 0, 1), tally('b', 0, 1)]))

  const all = [forEver, tally('a', 0, 1), tally('a', 10, 5, 5), tally('b', 0, 1), tally(ODD, 0, 1)]
  assert.deepEqual(new Set((await store.readTallies()).map(text)), new Set(all.map(text)))
  const asked = await store.transaction((tx) => tx.lockTallies(['b', ODD, 'stranger', 'b']))
  assert.deepEqual(new Set(asked.map(text)), new Set([tally('b', 0, 1), tally(ODD, 0, 1)].map(text)))
  assert.deepEqual(await store.transaction((tx) => tx.lockTallies([])), [])
}

function text({ counter, from, until, taken, made }: Tally): string {
  return JSON.stringify([counter, from, until, taken, made])
}

async function saysWhatBegan(store: Store): Promise<void> {
  const add = (...changes: Tally[]) => store.transaction((tx) => tx.addTallies(changes))
  assert.deepEqual([...(await add(tally('a', 0, 1), tally('b', 0, 1)))].sort(), ['a', 'b'])
  assert.deepEqual([...(await add(tally('a', 0, 1), tally('b', 10, 0, 1)))], ['b'])
  assert.deepEqual([...(await add(tally('a', 0, -1)))], [])
}

async function takesAway(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addTallies([tally('a', 0, 5, 2), tally('b', 0, 1)]))
  await store.transaction(async (tx) => {
    await tx.addTallies([tally('a', 0, -2, 1), tally('gone', 0, -1), tally('b', 0, 3)])
    assert.deepEqual(await tx.lockTallies(['a']), [tally('a', 0, 3, 3)])
  })
  assert.deepEqual(await store.readTallies(), [tally('a', 0, 3, 3), tally('b', 0, 4)])
}

async function forgets(store: Store): Promise<void> {
  const work = store.transaction(async (tx) => {
    await tx.lockTallies(['a'])
    await tx.addTallies([tally('a', 0, 1)])
    throw new Error('The work gives up.')
  })
  await assert.rejects(work)
  assert.deepEqual(await store.readTallies(), [])
}

async function drops(store: Store): Promise<void> {
  const kept = [tally('a', 20, 1), tally('b', 0, 1)]
  await store.transaction((tx) => tx.addTallies([tally('a', 0, 1), tally('a', 10, 1), ...kept]))
  await store.transaction((tx) => tx.dropTallies([{ counter: 'a', until: 20 }]))
  await store.transaction((tx) => tx.dropTallies([]))
  assert.deepEqual(await store.readTallies(), kept)
}

async function neverExceeds(store: Store): Promise<void> {
  const take = () =>
    store.transaction(async (tx) => {
      const known = await tx.lockTallies(['b', 'a'])
      const fits = known.reduce((sum, { taken }) => sum + taken, 0) < 10
      if (fits) await tx.addTallies([tally('a', 0, 1)])
      return fits
    })
  const answers = await together(16, () => together(4, take))
  assert.equal(answers.flat().filter(Boolean).length, 10)
  assert.deepEqual(await store.readTallies(), [tally('a', 0, 10)])
}

async function addsAtOnce(store: Store): Promise<void> {
  const names = ['a', 'b', 'c', 'd']
  await store.transaction((tx) => tx.addTallies(names.map((name) => tally(name, 0, 64))))
  await together(16, (index) =>
    together(4, () => {
      const order = index % 2 === 0 ? names : names.toReversed()
      const changes = order.map((name, place) => tally(name, 0, place < 2 ? -1 : 0, place < 2 ? 0 : 1))
      return store.transaction((tx) => tx.addTallies([...changes, tally(`new-${index}`, 0, 1)]))
    }),
  )
  const found = (await store.readTallies()).filter(({ counter }) => names.includes(counter))
  assert.deepEqual(
    found.map(({ taken, made }) => [taken, made]),
    names.map(() => [32, 32]),
  )
}
