import assert from 'node:assert/strict'
import type { MergeRecord, Store } from '../../ports/store.js'
import { ODD, plain, type StoreCheck, stateOf, together } from './material.js'

export const mergeChecks: readonly StoreCheck[] = [
  ['gives merges back as they were recorded, in order', roundTrip],
  ['undoes a merge once, however many undo it at once', undoesOnce],
]

function mergeOf(id: string, merge: Partial<MergeRecord> = {}): MergeRecord {
  const before = { into: stateOf({ at: 5, also: [ODD] }), from: stateOf({ at: 7, traits: { city: [ODD, 3] } }) }
  return {
    id,
    at: 9,
    into: 'a',
    from: 'b',
    by: 'openid',
    messageId: ODD,
    names: ['id:openid:1', ODD],
    before,
    ...merge,
  }
}

async function roundTrip(store: Store): Promise<void> {
  const [one, other, odd] = [
    mergeOf('m-1'),
    mergeOf('m-2', { at: 3, into: 'c' }),
    mergeOf(ODD, { into: ODD, from: 'd' }),
  ]
  for (const merge of [one, other, odd]) await store.transaction((tx) => tx.addMerge(merge))
  const find = async (userIds?: readonly string[]) => plain(await store.readMerges(userIds ? { userIds } : {}))
  assert.deepEqual(await find(['a']), plain([one]))
  assert.deepEqual(await find(['b', 'c']), plain([one, other]))
  assert.deepEqual(await find([ODD]), plain([odd]))
  assert.deepEqual(await find([]), [])
  assert.equal((await store.readMerges({})).length, 3)
}

async function undoesOnce(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addMerge(mergeOf('m-1')))
  const answers = await together(3, (index) => store.transaction((tx) => tx.undoMerge('m-1', 20 + index)))
  const undone = answers.filter((answer) => answer !== undefined)
  assert.equal(undone.length, 1)
  assert.deepEqual(plain(await store.readMerges({})), plain(undone))
  assert.equal(await store.transaction((tx) => tx.undoMerge('stranger', 1)), undefined)
}
