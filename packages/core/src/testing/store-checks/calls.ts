import assert from 'node:assert/strict'
import type { ChannelCalls, Store } from '../../ports/store.js'
import { deliveryOf, ODD, type StoreCheck, together } from './material.js'

export const callChecks: readonly StoreCheck[] = [
  ['keeps the calls of channels as they were saved', roundTrip],
  ['lets one after the other change the calls of a channel', locks],
  ['takes a channel without room for due when there is some', holdsBack],
]

const never = (channel: string): ChannelCalls => ({ channel, calls: [], freeAt: 0 })

async function roundTrip(store: Store): Promise<void> {
  const odd = {
    channel: ODD,
    freeAt: 1_700_000_000_123,
    calls: [
      { from: 5, count: 3 },
      { from: 9, count: 1, group: ODD },
    ],
  }
  await store.transaction(async (tx) => {
    assert.deepEqual(await tx.readCalls(['a', ODD]), [])
    assert.deepEqual(await tx.lockCalls(['b', 'a', 'a']), [never('a'), never('b')], 'In the order of the names.')
    await tx.lockCalls([ODD])
    await tx.saveCalls([odd])
    await tx.saveCalls([])
  })
  await store.transaction(async (tx) => {
    assert.deepEqual(await tx.readCalls([ODD, 'stranger']), [odd])
    assert.deepEqual(await tx.lockCalls([ODD]), [odd])
  })
  const undone = store.transaction(async (tx) => {
    await tx.lockCalls([ODD])
    await tx.saveCalls([never(ODD)])
    throw new Error('undo')
  })
  await assert.rejects(undone)
  assert.deepEqual(await store.transaction((tx) => tx.readCalls([ODD])), [odd])
}

async function locks(store: Store): Promise<void> {
  await together(16, (index) =>
    store.transaction(async (tx) => {
      const kept = await tx.lockCalls(index % 2 === 0 ? ['a', 'b'] : ['b', 'a'])
      await tx.saveCalls(kept.map((one) => ({ ...one, calls: [...one.calls, { from: index, count: 1 }] })))
    }),
  )
  for (const { calls } of await store.transaction((tx) => tx.readCalls(['a', 'b']))) assert.equal(calls.length, 16)
}

async function holdsBack(store: Store): Promise<void> {
  const by = (key: string, dueAt: number, channel: string) =>
    deliveryOf(key, { dueAt, body: { what: 'hello', channel } })
  await store.transaction(async (tx) => {
    await tx.addDeliveries([by('a', 10, 'slow'), by('b', 50, 'sms')])
    await tx.lockCalls(['slow'])
    await tx.saveCalls([{ ...never('slow'), freeAt: 40 }])
  })
  assert.equal(await store.nextDue(), 40)
  assert.equal(await store.nextDue(['delivery']), 40)
  const told = (await store.readFirstDue()).map(({ line, dueAt, heldUntil }) => [line, dueAt, heldUntil])
  assert.deepEqual(told.sort(), [
    ['delivery:slow', 10, 40],
    ['delivery:sms', 50, 0],
  ])
  await store.transaction((tx) => tx.saveCalls([{ ...never('slow'), freeAt: 60 }]))
  assert.equal(await store.nextDue(), 50)
}
