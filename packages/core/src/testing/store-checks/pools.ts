import assert from 'node:assert/strict'
import type { Store, StoreTransaction } from '../../ports/store.js'
import { couponOf, ODD, type StoreCheck, together } from './material.js'

export const poolChecks: readonly StoreCheck[] = [
  ['puts one back into a pool, and never more than were taken', givesBack],
  ['keeps what budgets have spent, and forgets what no longer counts', keepsSpending],
  ['spends no more than the budget, however many spend at once', neverOverspends],
  ['loads codes once, and counts those that are left', loadsCodes],
  ['gives codes away in their order, each to one, however many take at once', givesCodes],
  ['gives a code away again that was put back', givesCodeAgain],
]

async function givesBack(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    assert.equal(await tx.takeFromPool('fruit', 1), true)
    await tx.returnToPool('fruit')
    await tx.returnToPool('fruit')
    await tx.returnToPool('stranger')
  })
  assert.deepEqual([...(await store.readPools())], [['fruit', { issued: 0, total: 1 }]])
  assert.equal(await store.transaction((tx) => tx.takeFromPool('fruit', 1)), true)
  assert.equal(await store.transaction((tx) => tx.takeFromPool('fruit', 1)), false)
}

async function keepsSpending(store: Store): Promise<void> {
  const spend = (amount: number, slot: number, from = 0) =>
    store.transaction((tx) => tx.spend(ODD, { amount, slot, from, limit: 10 }))
  assert.deepEqual(await spend(4, 100), { granted: true, spent: 0 })
  assert.deepEqual(await spend(4, 200), { granted: true, spent: 4 })
  assert.deepEqual(await spend(3, 200), { granted: false, spent: 8 })
  assert.deepEqual(await spend(2, 200), { granted: true, spent: 8 })
  assert.equal(await store.readSpent(ODD, 0), 10)
  assert.equal(await store.readSpent(ODD, 101), 6)
  await store.transaction((tx) => tx.unspend(ODD, { amount: 2, slot: 200 }))
  await store.transaction((tx) => tx.unspend(ODD, { amount: 2, slot: 300 }))
  assert.equal(await store.readSpent(ODD, 0), 8)
  assert.deepEqual(await spend(6, 300, 200), { granted: true, spent: 4 })
  assert.equal(await store.readSpent(ODD, 0), 10, 'What was spent before no longer counts.')
  assert.equal(await store.readSpent('stranger', 0), 0)
  await assert.rejects(
    store.transaction(async (tx) => {
      await tx.unspend(ODD, { amount: 6, slot: 300 })
      throw new Error('The work gives up.')
    }),
  )
  assert.equal(await store.readSpent(ODD, 0), 10)
}

/** As the issue of a coupon does it: the pool's row first. */
async function takeAndSpend(tx: StoreTransaction): Promise<boolean> {
  if (!(await tx.takeFromPool('fruit', 100))) return false
  const { granted } = await tx.spend('fruit', { amount: 3, slot: 1, from: 1, limit: 10 })
  if (!granted) await tx.returnToPool('fruit')
  return granted
}

async function neverOverspends(store: Store): Promise<void> {
  const answers = await together(8, () => together(3, () => store.transaction(takeAndSpend)))
  assert.equal(answers.flat().filter(Boolean).length, 3)
  assert.equal(await store.readSpent('fruit', 1), 9)
  assert.equal((await store.readPools()).get('fruit')?.issued, 3)
}

async function loadsCodes(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addCoupon(couponOf('g-1')))
  const add = (offer: string, ...codes: string[]) => store.transaction((tx) => tx.addCodes(offer, codes))
  assert.equal(await add('fruit', 'a', 'b', 'a', ODD), 3)
  assert.equal(await add('fruit', 'b', 'c'), 1)
  assert.equal(await add('rice', 'a', 'd', 'code-g-1'), 1, 'A code of another offer, or that is issued, is none.')
  assert.equal(await add('none'), 0)
  const pools = await store.readPools()
  assert.deepEqual(pools.get('fruit'), { issued: 0, total: 4, codes: { loaded: 4, left: 4 } })
  assert.deepEqual(pools.get('rice'), { issued: 0, total: 1, codes: { loaded: 1, left: 1 } })
  assert.deepEqual(pools.get('none'), { issued: 0, total: 0 })
  assert.equal(await store.transaction((tx) => tx.countLoaded('fruit')), 4)
  assert.equal(await store.transaction((tx) => tx.countLoaded('stranger')), 0)
}

async function take(tx: StoreTransaction): Promise<string | undefined> {
  return (await tx.takeFromPool('fruit', 5)) ? tx.takeCode('fruit') : undefined
}

async function givesCodes(store: Store): Promise<void> {
  const codes = ['e', 'd', 'c', 'b', 'a']
  await store.transaction((tx) => tx.addCodes('fruit', codes))
  assert.equal(await store.transaction(take), 'e')
  const given = await together(16, () => store.transaction(take))
  assert.deepEqual(given.filter((code) => code !== undefined).sort(), ['a', 'b', 'c', 'd'])
  assert.equal(await store.transaction((tx) => tx.takeCode('fruit')), undefined)
  assert.deepEqual((await store.readPools()).get('fruit'), { issued: 5, total: 5, codes: { loaded: 5, left: 0 } })
}

async function givesCodeAgain(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.addCodes('fruit', ['a', 'b', 'c'])
    assert.equal(await tx.takeCode('fruit'), 'a')
    assert.equal(await tx.takeCode('fruit'), 'b')
  })
  await store.transaction(async (tx) => {
    await tx.returnCode('a')
    assert.equal(await tx.takeCode('fruit'), 'a')
    await tx.returnCode('a')
  })
  await assert.rejects(
    store.transaction(async (tx) => {
      assert.equal(await tx.takeCode('fruit'), 'a')
      throw new Error('The work gives up.')
    }),
  )
  assert.equal(await store.transaction((tx) => tx.takeCode('fruit')), 'a')
  assert.equal(await store.transaction((tx) => tx.takeCode('fruit')), 'c')
}
