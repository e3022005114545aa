import assert from 'node:assert/strict'
import type { Store } from '../../ports/store.js'
import { eventOf, ODD, type StoreCheck, together } from './material.js'

export const eventChecks: readonly StoreCheck[] = [
  ['gives events back as they were', roundTrip],
  ['tells which events are new: across transactions and within one', tellsNew],
  ['keeps the first event of an id', firstStands],
  ['takes an event as new once, however many add it at once', newOnce],
  ["gives a user's events in the order they happened, equal instants by message id", inOrder],
  ['gives the events of everybody page by page, in the order they happened', wholeLog],
  ["gives users' events inside a transaction, with what it did itself", ofUsers],
  ['gives events by their ids, with what the transaction added itself', byId],
  ['marks contradicted events once, however many mark them at once', marksOnce],
  ['knows whom a name belongs to, and conflicts where somebody else says so at once', linksOnce],
  ['gives names to another user', relinks],
  ['forgets events that are old, so many at once, with their ids', forgets],
]

async function roundTrip(store: Store): Promise<void> {
  const full = eventOf('m-1', {
    type: 'identify',
    event: ODD,
    properties: { [ODD]: [ODD, { deep: [null, 1.5, -0.25, true, '\u0000 \ud800'] }], amount: 12.3 },
    traits: { city: '上海', none: null },
    groupId: ODD,
    anonymousId: 'a-1',
    previousId: 'p-1',
    identifiers: [{ type: 'openid', id: ODD }],
    at: 1_700_000_000_123,
    saidAt: 1_600_000_000_000,
    receivedAt: 1_700_000_000_456,
  })
  const plain = eventOf(ODD, { userId: ODD })
  await store.transaction((tx) => tx.addEvents([full, plain]))
  assert.deepEqual(await store.readEvents({ userIds: ['u-1'] }), [full])
  assert.deepEqual(await store.readEvents({ userIds: [ODD] }), [plain])
  assert.deepEqual(await store.readEvents({ userIds: ['nobody'] }), [])
}

async function tellsNew(store: Store): Promise<void> {
  assert.deepEqual([...(await store.transaction((tx) => tx.addEvents([])))], [])
  const first = await store.transaction((tx) => tx.addEvents([eventOf('m-2'), eventOf('m-1')]))
  assert.deepEqual([...first].sort(), ['m-1', 'm-2'])
  await store.transaction(async (tx) => {
    const second = await tx.addEvents([eventOf('m-1'), eventOf('m-3'), eventOf('m-2')])
    assert.deepEqual([...second], ['m-3'])
    const third = await tx.addEvents([eventOf('m-3'), eventOf('m-4')])
    assert.deepEqual([...third], ['m-4'], 'An event that the transaction added itself is not new to it.')
    assert.deepEqual([...(await tx.addEvents([eventOf('m-3')]))], [])
  })
}

async function firstStands(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addEvents([eventOf('m-1', { event: 'first' })]))
  await store.transaction((tx) => tx.addEvents([eventOf('m-1', { event: 'second', userId: 'u-2' })]))
  const events = await store.readEvents({ userIds: ['u-1'] })
  assert.deepEqual(
    events.map(({ event }) => event),
    ['first'],
  )
  assert.deepEqual(await store.readEvents({ userIds: ['u-2'] }), [])
}

async function newOnce(store: Store): Promise<void> {
  const ids = Array.from({ length: 50 }, (_, index) => `m-${index}`)
  const answers = await together(6, (index) => {
    const events = ids.map((id) => eventOf(id))
    return store.transaction((tx) => tx.addEvents(index % 2 === 0 ? events : events.reverse()))
  })
  const added = answers.flatMap((answer) => [...answer])
  assert.deepEqual(added.sort(), ids.sort(), 'Each event must be new to exactly one of the transactions.')
}

async function inOrder(store: Store): Promise<void> {
  const events = [eventOf('m-2', { at: 5 }), eventOf('m-\uff01', { at: 5 }), eventOf('m-🍎', { at: 5 })]
  await store.transaction((tx) => tx.addEvents([eventOf('m-9', { at: 4 }), ...events.toReversed()]))
  await store.transaction((tx) => tx.addEvents([eventOf('m-1', { at: 5 }), eventOf('m-0', { at: 6 })]))
  const read = await store.readEvents({ userIds: ['u-1'] })
  assert.deepEqual(
    read.map(({ messageId }) => messageId),
    ['m-9', 'm-1', 'm-2', 'm-\uff01', 'm-🍎', 'm-0'],
  )
}

async function wholeLog(store: Store): Promise<void> {
  const events = [
    eventOf('m-3', { at: 3, userId: 'u-1' }),
    eventOf('m-1', { at: 1, userId: 'u-2', community: 'c-1' }),
    eventOf('m-2b', { at: 2, userId: 'u-1' }),
    eventOf('M-2', { at: 2, userId: 'u-3' }),
    eventOf('m-0', { at: -5, userId: 'u-3' }),
  ]
  await store.transaction((tx) => tx.addEvents(events))
  const ids = async (filter: Parameters<Store['readLog']>[0]) =>
    (await store.readLog(filter)).map(({ messageId }) => messageId)
  assert.deepEqual(await ids({ limit: 10 }), ['m-0', 'm-1', 'M-2', 'm-2b', 'm-3'])
  assert.deepEqual(await ids({ limit: 3 }), ['m-0', 'm-1', 'M-2'])
  assert.deepEqual(await ids({ limit: 9, after: { at: 2, messageId: 'M-2' } }), ['m-2b', 'm-3'])
  assert.deepEqual(await ids({ limit: 9, after: { at: 0, messageId: '' }, before: 3 }), ['m-1', 'M-2', 'm-2b'])
  assert.deepEqual(await ids({ limit: 9, after: { at: 3, messageId: 'm-3' } }), [])
  assert.deepEqual(await store.readLog({ limit: 1, after: { at: 0, messageId: '' } }), [events[1]])
}

async function ofUsers(store: Store): Promise<void> {
  const of = (messageId: string, userId: string, at: number) => eventOf(messageId, { userId, at })
  await store.transaction((tx) =>
    tx.addEvents([of('m-4', 'a', 4), of('m-1', 'a', 1), of('m-2', 'b', 2), of('m-9', 'c', 9)]),
  )
  await store.transaction(async (tx) => {
    await tx.addEvents([of('m-3', 'a', 3), of('m-5', 'anonymous', 3), of('m-6', 'anonymous', 0)])
    const events = await tx.eventsOf(['b', 'a', 'stranger', 'a'])
    const idsOf = (userId: string) => events.filter((event) => event.userId === userId).map((event) => event.messageId)
    assert.deepEqual(idsOf('a'), ['m-1', 'm-3', 'm-4'])
    assert.deepEqual(idsOf('b'), ['m-2'])
    assert.equal(events.length, 4)
    assert.deepEqual(
      (await tx.eventsOf(['anonymous'])).map(({ messageId }) => messageId),
      ['m-6', 'm-5'],
    )
    assert.deepEqual(await tx.eventsOf([]), [])
  })
}

async function byId(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addEvents([eventOf('m-1'), eventOf(ODD, { userId: 'u-2' })]))
  await store.transaction(async (tx) => {
    await tx.addEvents([eventOf('m-2')])
    const found = await tx.eventsById(['m-2', 'stranger', ODD, 'm-1', 'm-2'])
    const byMessageId = new Map(found.map((event) => [event.messageId, event]))
    assert.equal(found.length, 3)
    assert.deepEqual(byMessageId.get(ODD), eventOf(ODD, { userId: 'u-2' }))
    assert.deepEqual(byMessageId.get('m-2'), eventOf('m-2'))
    assert.deepEqual(await tx.eventsById([]), [])
  })
}

async function marksOnce(store: Store): Promise<void> {
  const ids = ['m-1', ODD, 'm-2']
  await store.transaction((tx) => tx.addEvents(ids.map((id) => eventOf(id))))
  const answers = await together(3, (index) =>
    store.transaction((tx) => tx.markContradicted(index % 2 === 0 ? [...ids, 'stranger'] : ids.toReversed())),
  )
  assert.deepEqual(answers.flatMap((answer) => [...answer]).sort(), ids.toSorted())
  assert.deepEqual(await store.transaction((tx) => tx.markContradicted([])), new Set())
  assert.deepEqual(
    await store.readEvents({ userIds: ['u-1'] }),
    ids.toSorted().map((id) => eventOf(id)),
  )
}

async function forgets(store: Store): Promise<void> {
  const events = [1, 2, 3, 4].map((at) => eventOf(`m-${at}`, { at, userId: at === 1 ? 'u-2' : 'u-1' }))
  await store.transaction((tx) => tx.addEvents(events))
  const forget = (until: number, limit: number) => store.transaction((tx) => tx.forgetEvents(until, limit))
  assert.deepEqual([await forget(0, 10), await forget(3, 2), await forget(3, 2), await forget(3, 2)], [0, 2, 1, 0])
  assert.deepEqual(await store.readEvents({ userIds: ['u-1'] }), events.slice(3))
  assert.deepEqual(await store.readEvents({ userIds: ['u-2'] }), [])
  const fresh = await store.transaction((tx) => tx.addEvents([eventOf('m-2'), eventOf('m-4')]))
  assert.deepEqual([...fresh], ['m-2'])
}

async function linksOnce(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.linkIdentities([])
    await tx.linkIdentities([
      { name: 'anon:1', userId: 'first' },
      { name: ODD, userId: ODD },
    ])
    assert.equal((await tx.resolveIdentities(['anon:1'])).get('anon:1'), 'first')
  })
  // As every caller does: it asks, links who is not known, and is run again where that was too late.
  await together(3, (index) =>
    store.transaction(async (tx) => {
      const known = await tx.resolveIdentities(['anon:2'])
      if (!known.has('anon:2')) await tx.linkIdentities([{ name: 'anon:2', userId: `u-${index}` }])
    }),
  )
  const known = await store.transaction((tx) => tx.resolveIdentities(['anon:1', 'anon:2', ODD, 'stranger']))
  assert.equal(known.get('anon:1'), 'first')
  assert.match(known.get('anon:2') ?? '', /^u-\d$/)
  assert.equal(known.get(ODD), ODD)
  assert.equal(known.size, 3)
  assert.deepEqual(await store.transaction((tx) => tx.resolveIdentities([])), new Map())
}

async function relinks(store: Store): Promise<void> {
  const names = ['id:openid:1', ODD, 'id:phone:2']
  await store.transaction((tx) =>
    tx.linkIdentities([...names.map((name) => ({ name, userId: 'a' })), { name: 'anon:1', userId: 'b' }]),
  )
  await store.transaction(async (tx) => {
    await tx.linkIdentities([{ name: 'id:new:3', userId: 'a' }])
    assert.deepEqual([...(await tx.namesOf('a'))].sort(), [...names, 'id:new:3'].sort())
    await tx.relinkIdentities([...names, 'id:new:3', 'stranger'], 'c')
    await tx.relinkIdentities([], 'd')
    assert.deepEqual(await tx.namesOf('a'), [])
  })
  await store.transaction((tx) => tx.relinkIdentities([ODD], 'd'))
  const all = [...names, 'id:new:3', 'anon:1', 'stranger']
  const known = await store.transaction((tx) => tx.resolveIdentities(all))
  assert.deepEqual(
    all.map((name) => known.get(name)),
    ['c', 'd', 'c', 'c', 'b', undefined],
  )
  assert.deepEqual(await store.transaction((tx) => tx.namesOf('d')), [ODD])
}
