import assert from 'node:assert/strict'
import type { Store } from '../../ports/store.js'
import { couponOf, deliveryOf, eventOf, increment, type StoreCheck, save, stateOf, together, user } from './material.js'

export const transactionChecks: readonly StoreCheck[] = [
  ['gives what the work of a transaction gave', givesResult],
  ['keeps nothing of work that throws, and throws the same', keepsNothing],
  ['shows nobody what work that throws had written', showsNothing],
  ['shows a transaction what it wrote itself', showsOwn],
  ['goes on after work that threw', goesOn],
  ['creates its tables however often and by however many it is asked', migratesTogether],
  ['says a useful number of concurrent transactions', saysConcurrency],
  ['can be closed twice', closesTwice],
]

async function givesResult(store: Store): Promise<void> {
  assert.equal(await store.transaction(async () => 'result'), 'result')
}

const FAILURE = new Error('The work gives up.')

async function writeEverything(store: Store, end: () => void | Promise<void>): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.addEvents([eventOf('m-1')])
    await tx.linkIdentities([{ name: 'a-1', userId: 'u-1' }])
    await save(tx, [user('u-1')], { state: { relations: { community: ['c-1', 1] } }, dueAt: 5 })
    await tx.addInbox([{ key: user('u-1'), input: { kind: 'instant', at: 1 } }])
    await tx.addDecisions([{ at: 1, subject: 'user:u-1', decision: 'tag.added', rule: 'vip' }])
    await tx.addDeliveries([deliveryOf('d-1')])
    await tx.takeFromPool('fruit', 1)
    await tx.scheduleBaseline('leader', 6)
    await tx.saveBaseline({ kind: 'community', at: 5, figures: {} }, 6)
    await tx.addCoupon(couponOf('g-1'))
    await end()
  })
}

async function assertEmpty(store: Store): Promise<void> {
  assert.deepEqual(await store.readEvents({ userIds: ['u-1'] }), [])
  assert.equal(await store.readSubject(user('u-1')), undefined)
  assert.deepEqual(await store.readDecisions({}), [])
  assert.deepEqual(await store.readDeliveries({}), [])
  assert.deepEqual([...(await store.readPools())], [])
  assert.deepEqual(await store.readBaselines(['community']), [])
  assert.equal(await store.nextDue(), undefined)
  await store.transaction(async (tx) => {
    assert.deepEqual([...(await tx.resolveIdentities(['a-1']))], [])
    assert.deepEqual(await tx.relatedTo('user', 'community', 'c-1'), [])
    assert.deepEqual(await tx.takeInbox(10), [])
    assert.deepEqual(await tx.readCoupons(['g-1']), [])
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 0)
  })
}

async function keepsNothing(store: Store): Promise<void> {
  const work = writeEverything(store, () => {
    throw FAILURE
  })
  await assert.rejects(work, (error) => error === FAILURE)
  await assertEmpty(store)
  const added = await store.transaction((tx) => tx.addEvents([eventOf('m-1')]))
  assert.deepEqual([...added], ['m-1'], 'An event whose transaction failed is still new.')
}

async function showsNothing(store: Store): Promise<void> {
  // Not awaited inside: a store with one connection answers when the transaction is over.
  let seen: Promise<unknown> = Promise.resolve()
  const work = writeEverything(store, () => {
    seen = store.readSubject(user('u-1'))
    throw FAILURE
  })
  await assert.rejects(work)
  assert.equal(await seen, undefined)
}

async function showsOwn(store: Store): Promise<void> {
  await writeEverything(store, () => undefined)
  await store.transaction(async (tx) => {
    await tx.linkIdentities([{ name: 'a-2', userId: 'u-2' }])
    assert.equal((await tx.resolveIdentities(['a-2'])).get('a-2'), 'u-2')
    await increment(tx, [user('u-1'), user('u-2')])
    await increment(tx, [user('u-1'), user('u-2')])
    const peeked = await tx.peekSubjects([user('u-2')])
    assert.equal(peeked[0]?.state.at, 2)
    const [known, created] = await tx.lockSubjects([user('u-1'), user('u-2')])
    assert.deepEqual([known?.state.at, known?.isNew, created?.state.at, created?.isNew], [2, false, 2, false])
    await save(tx, [user('u-2')], { state: { relations: { community: ['c-1', 1] } }, dueAt: 3 })
    const due = await tx.takeDueSubjects(10, 10)
    assert.deepEqual(
      due.map(({ key }) => key.id),
      ['u-2'],
    )
    assert.equal((await tx.relatedTo('user', 'community', 'c-1')).length, 2)
    await tx.addDeliveries([deliveryOf('d-2')])
    assert.equal((await tx.claimDeliveries(1000, 10, 2000)).length, 2)
    assert.equal(await tx.takeFromPool('fruit', 1), false)
    await tx.addCoupon(couponOf('g-2'))
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 2)
    assert.equal((await tx.takeInbox(1)).length, 1)
    assert.equal((await tx.takeInbox(1)).length, 0)
  })
}

async function goesOn(store: Store): Promise<void> {
  const outcomes = await together(6, (index) =>
    store
      .transaction(async (tx) => {
        await increment(tx, [user('u-1')])
        if (index % 2 === 0) throw FAILURE
      })
      .catch((error: unknown) => error),
  )
  assert.equal(outcomes.filter((outcome) => outcome === FAILURE).length, 3)
  assert.deepEqual(await store.readSubject(user('u-1')), stateOf({ at: 3 }))
}

async function migratesTogether(store: Store): Promise<void> {
  await store.transaction((tx) => increment(tx, [user('u-1')]))
  await together(4, () => store.migrate())
  assert.deepEqual(await store.readSubject(user('u-1')), stateOf({ at: 1 }))
  assert.equal(await store.tables(), 'current')
}

async function saysConcurrency(store: Store): Promise<void> {
  assert.ok(Number.isInteger(store.concurrency) && store.concurrency >= 1, `concurrency is ${store.concurrency}.`)
}

async function closesTwice(store: Store): Promise<void> {
  await store.close()
  await store.close()
}
