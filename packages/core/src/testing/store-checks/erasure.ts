import assert from 'node:assert/strict'
import type { Decision } from '../../domain/decision.js'
import type { InboxEntry, MergeRecord, Store, Tombstone } from '../../ports/store.js'
import {
  couponOf,
  deliveryOf,
  eventOf,
  meanwhile,
  ODD,
  plain,
  type StoreCheck,
  save,
  stateOf,
  together,
  user,
} from './material.js'

export const erasureChecks: readonly StoreCheck[] = [
  ['removes all that is kept under ids of users, and nothing else', removesUsers],
  ['keeps all of a user when the work throws', keepsWhenWorkThrows],
  ['keeps one key for tombstones, however many are made at once', keepsOneKey],
  ['finds tombstones by their hashes until the person is readmitted', findsTombstones],
  ['revises entries of the inbox that have a text in them, and keeps their order', revisesInbox],
  ['lets nobody take from the inbox while it is held', holdsInbox],
  ['revises decisions by an event, or that speak of a user', revisesDecisions],
  ['revises the states that were recorded of merges', revisesMerges],
  ['gives the coupons and deliveries of some subjects', givesOwn],
]

const mergeOf = (id: string, into: string, from: string): MergeRecord => {
  const before = { into: stateOf({ at: 1, apart: [ODD, 'c'] }), from: stateOf({ at: 2 }) }
  return { id, at: 9, into, from, by: 'openid', messageId: `by-${id}`, names: [], before }
}

const decisionOf = (subject: string, more: Partial<Decision> = {}): Decision => {
  return { at: 1, subject, decision: 'tag.added', rule: 'vip', ...more }
}

/** Everything that a store can keep of a user. */
async function fill(store: Store, id: string): Promise<void> {
  const subject = user(id)
  await store.transaction(async (tx) => {
    await tx.addEvents([eventOf(`m-${id}`, { userId: id, community: 'c-1' })])
    await tx.linkIdentities([{ name: `id:openid:${id}`, userId: id }])
    await tx.addMerge(mergeOf(`merge-${id}`, id, `anon:${id}`))
    await save(tx, [subject], { state: { at: 5, relations: { community: ['c-1', 1] } }, dueAt: 7 })
    await tx.addInbox([{ key: subject, input: { kind: 'instant', at: 1 } }])
    await tx.addDecisions([decisionOf(`user:${id}`)])
    await tx.addDeliveries([
      deliveryOf(`d-${id}`, { subject }),
      deliveryOf(`p-${id}`, { subject, state: 'paused', dueAt: undefined, reason: 'paused' }),
    ])
    await tx.takeFromPool('fruit', 100)
    await tx.addCoupon(couponOf(`g-${id}`, { subject }))
  })
}

/** What is left of a user. */
async function found(store: Store, id: string) {
  const key = user(id)
  const inTransaction = await store.transaction(async (tx) => ({
    identities: [...(await tx.resolveIdentities([`id:openid:${id}`, id]))],
    coupons: (await tx.couponsOf([key])).length + (await tx.countCoupons([key], 'fruit')),
    related: (await tx.relatedTo('user', 'community', 'c-1')).filter((one) => one.id === id),
    counted: (await tx.eventsFor({ kind: 'community', id: 'c-1' }, undefined, 10)).filter((one) => one.userId === id),
    due: (await tx.takeDueSubjects(10, 10)).filter((one) => one.key.id === id),
  }))
  return [
    ...Object.values(inTransaction).flat(),
    ...(await store.readEvents({ userIds: [id] })),
    ...(await store.readMerges({ userIds: [id] })),
    ...(await store.readDecisions({ subjects: [`user:${id}`] })),
    ...(await store.readDeliveries({ subjects: [key] })),
    await store.readSubject(key),
  ].filter((one) => one !== undefined && one !== 0).length
}

async function removesUsers(store: Store): Promise<void> {
  for (const id of ['a', ODD, 'c']) await fill(store, id)
  const before = await found(store, 'c')
  assert.deepEqual(await store.transaction((tx) => tx.removeUsers(['a', ODD, 'stranger'])), {
    events: 2,
    decisions: 2,
    deliveries: 4,
    coupons: 2,
  })
  assert.equal(await found(store, 'a'), 0)
  assert.equal(await found(store, ODD), 0)
  assert.equal(await found(store, 'c'), before)
  assert.deepEqual(await store.transaction((tx) => tx.takeInbox(10)), [
    { key: user('c'), input: { kind: 'instant', at: 1 } },
  ])
  assert.equal((await store.readPools()).get('fruit')?.issued, 3, 'What was given away stays given away.')
  const claimed = await store.transaction((tx) => tx.claimDeliveries(2000, 10, 3000))
  assert.deepEqual(
    claimed.map(({ key }) => key),
    ['d-c'],
  )
  assert.equal(await store.transaction((tx) => tx.releaseDeliveries([], 1, 10)), 1)
  const again = await store.transaction((tx) => tx.addEvents([eventOf('m-a'), eventOf('m-c')]))
  assert.deepEqual([...again], ['m-a'], 'The log does not know the ids any more.')
}

async function keepsWhenWorkThrows(store: Store): Promise<void> {
  await fill(store, 'a')
  const before = await found(store, 'a')
  const work = store.transaction(async (tx) => {
    await tx.removeUsers(['a'])
    await tx.addTombstones([{ hash: 'h', person: 'p', at: 1 }])
    throw new Error('The work gives up.')
  })
  await assert.rejects(work)
  assert.equal(await found(store, 'a'), before)
  assert.deepEqual(await store.transaction((tx) => tx.readTombstones(['h'])), [])
}

async function keepsOneKey(store: Store): Promise<void> {
  assert.equal(await store.transaction((tx) => tx.tombstoneKey()), undefined)
  const keys = await together(4, (index) => store.transaction((tx) => tx.tombstoneKey(`key-${index}`)))
  assert.equal(new Set(keys).size, 1)
  assert.equal(await store.transaction((tx) => tx.tombstoneKey()), keys[0])
}

async function findsTombstones(store: Store): Promise<void> {
  const stone = (hash: string, person: string): Tombstone => ({ hash, person, at: 1_700_000_000_123 })
  await store.transaction((tx) => tx.addTombstones([stone('h-1', 'p'), stone(ODD, 'p'), stone('h-3', ODD)]))
  await store.transaction((tx) => tx.addTombstones([stone('h-1', 'other')]))
  const read = (...hashes: string[]) => store.transaction((tx) => tx.readTombstones(hashes))
  assert.deepEqual(await read('h-1', 'stranger'), [stone('h-1', 'p')])
  assert.deepEqual(await read(), [])
  await store.transaction((tx) => tx.removeTombstones('p'))
  assert.deepEqual(await read('h-1', ODD, 'h-3'), [stone('h-3', ODD)])
}

async function revisesInbox(store: Store): Promise<void> {
  const entry = (text: string): InboxEntry => {
    const event = { messageId: text, event: 'order', at: 1, properties: {} }
    return { key: { kind: 'community', id: 'c-1' }, input: { kind: 'event', at: 1, event } }
  }
  const seen: string[] = []
  await store.transaction((tx) => tx.addInbox(['a', 'b', ODD, 'aa'].map(entry)))
  await store.transaction(async (tx) => {
    await tx.holdInbox()
    await tx.reviseInbox([JSON.stringify('a'), JSON.stringify('b'), JSON.stringify(ODD)], (one) => {
      const { messageId = '' } = 'event' in one.input ? one.input.event : {}
      seen.push(messageId)
      if (messageId === 'b') return undefined
      return messageId === ODD ? entry(`new ${ODD}`) : one
    })
  })
  assert.deepEqual(seen, ['a', 'b', ODD])
  assert.deepEqual(await store.transaction((tx) => tx.takeInbox(10)), ['a', `new ${ODD}`, 'aa'].map(entry))
}

async function holdsInbox(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addInbox([{ key: user('a'), input: { kind: 'instant', at: 1 } }]))
  const taken = await meanwhile(
    store,
    (tx) => tx.holdInbox(),
    (tx) => tx.takeInbox(10),
  )
  if (taken !== undefined) assert.deepEqual(taken, [])
}

async function revisesDecisions(store: Store): Promise<void> {
  const made = [
    decisionOf('community:c', { messageId: ODD, key: 'k' }),
    decisionOf('community:c', { messageId: 'm-2' }),
    decisionOf('community:d', { messageId: ODD }),
    decisionOf('user:b', { decision: 'identity.merged', into: 'b', from: 'a' }),
    decisionOf('user:b', { decision: 'score.changed', from: 1, to: 2 }),
  ]
  await store.transaction((tx) => tx.addDecisions(made))
  await store.transaction((tx) =>
    tx.reviseDecisions({ subjects: ['community:c', 'user:b'], messageIds: [ODD, 'm-3'], users: ['a'] }, (decision) => {
      const { messageId: _, key: __, ...rest } = decision
      return decision.decision === 'identity.merged' ? undefined : rest
    }),
  )
  assert.deepEqual(await store.readDecisions({}), [decisionOf('community:c'), made[1], made[2], made[4]])
}

async function revisesMerges(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.addMerge(mergeOf('m-1', 'a', 'b'))
    await tx.addMerge(mergeOf('m-2', 'c', 'd'))
  })
  await store.transaction((tx) =>
    tx.reviseMerges(['b'], ({ into, from }) => ({ into: { ...into, apart: ['c'] }, from: { ...from, also: [ODD] } })),
  )
  const [revised, other] = await store.readMerges({})
  assert.deepEqual(
    plain(revised?.before),
    plain({ into: stateOf({ at: 1, apart: ['c'] }), from: stateOf({ at: 2, also: [ODD] }) }),
  )
  assert.deepEqual(plain(other), plain(mergeOf('m-2', 'c', 'd')))
}

async function givesOwn(store: Store): Promise<void> {
  const [a, b] = [user('a'), { kind: 'community', id: 'a' } as const]
  const coupons = [
    couponOf('g-2', { subject: a, issuedAt: 5 }),
    couponOf('g-1', { subject: a, issuedAt: 5 }),
    couponOf('g-3', { subject: b, issuedAt: 4 }),
  ]
  await store.transaction(async (tx) => {
    for (const coupon of coupons) await tx.addCoupon(coupon)
    await tx.addDeliveries([deliveryOf('d-1', { subject: a }), deliveryOf('d-2', { subject: b })])
  })
  await store.transaction(async (tx) => {
    assert.deepEqual(await tx.couponsOf([a]), [coupons[1], coupons[0]])
    assert.deepEqual(await tx.couponsOf([]), [])
    assert.deepEqual(await tx.deliveriesOf([b]), [deliveryOf('d-2', { subject: b })])
  })
}
