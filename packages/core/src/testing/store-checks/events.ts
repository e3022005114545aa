import assert from 'node:assert/strict'
import type { Store } from '../../ports/store.js'
import { eventOf, ODD, type StoreCheck, together } from './material.js'

export const eventChecks: readonly StoreCheck[] = [
  ['gives events back as they were', roundTrip],
  ['tells which events are new: across transactions and within one', tellsNew],
  ['keeps the first event of an id', firstStands],
  ['takes an event as new once, however many add it at once', newOnce],
  ["gives a user's events in the order they happened, equal instants by message id", inOrder],
  ["gives users' events inside a transaction, with what it did itself", ofUsers],
  ['gives events by their ids, with what the transaction added itself', byId],
  ['marks contradicted events once, however many mark them at once', marksOnce],
  ["gives a visitor's events to a user", reassigns],
  ['knows whom an anonymous id belongs to: the first word stands', firstWord],
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
    at: 1_700_000_000_123,
    saidAt: 1_600_000_000_000,
    receivedAt: 1_700_000_000_456,
  })
  const plain = eventOf(ODD, { userId: ODD })
  await store.transaction((tx) => tx.addEvents([full, plain]))
  assert.deepEqual(await store.readEvents({ userId: 'u-1' }), [full])
  assert.deepEqual(await store.readEvents({ userId: ODD }), [plain])
  assert.deepEqual(await store.readEvents({ userId: 'nobody' }), [])
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
  const events = await store.readEvents({ userId: 'u-1' })
  assert.deepEqual(
    events.map(({ event }) => event),
    ['first'],
  )
  assert.deepEqual(await store.readEvents({ userId: 'u-2' }), [])
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
  const read = await store.readEvents({ userId: 'u-1' })
  assert.deepEqual(
    read.map(({ messageId }) => messageId),
    ['m-9', 'm-1', 'm-2', 'm-\uff01', 'm-🍎', 'm-0'],
  )
}

async function ofUsers(store: Store): Promise<void> {
  const of = (messageId: string, userId: string, at: number) => eventOf(messageId, { userId, at })
  await store.transaction((tx) =>
    tx.addEvents([of('m-4', 'a', 4), of('m-1', 'a', 1), of('m-2', 'b', 2), of('m-9', 'c', 9)]),
  )
  await store.transaction(async (tx) => {
    await tx.addEvents([of('m-3', 'a', 3), of('m-5', 'anonymous', 3), of('m-6', 'anonymous', 0)])
    await tx.reassignEvents('anonymous', 'a')
    const events = await tx.eventsOf(['b', 'a', 'stranger', 'a'])
    const idsOf = (userId: string) => events.filter((event) => event.userId === userId).map((event) => event.messageId)
    assert.deepEqual(idsOf('a'), ['m-6', 'm-1', 'm-3', 'm-5', 'm-4'])
    assert.deepEqual(idsOf('b'), ['m-2'])
    assert.equal(events.length, 6)
    assert.deepEqual(await tx.eventsOf(['anonymous']), [])
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
    await store.readEvents({ userId: 'u-1' }),
    ids.toSorted().map((id) => eventOf(id)),
  )
}

async function reassigns(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addEvents([eventOf('m-1', { userId: 'anonymous' })]))
  await store.transaction(async (tx) => {
    await tx.addEvents([eventOf('m-2', { userId: 'anonymous' }), eventOf('m-3')])
    await tx.reassignEvents('anonymous', 'u-1')
    await tx.reassignEvents('nobody', 'u-1')
  })
  assert.deepEqual(await store.readEvents({ userId: 'anonymous' }), [])
  assert.deepEqual(await store.readEvents({ userId: 'u-1' }), [eventOf('m-1'), eventOf('m-2'), eventOf('m-3')])
}

async function firstWord(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.linkIdentities([])
    await tx.linkIdentities([
      { anonymousId: 'a-1', userId: 'first' },
      { anonymousId: ODD, userId: ODD },
      { anonymousId: 'a-1', userId: 'second' },
    ])
  })
  await together(3, () =>
    store.transaction((tx) =>
      tx.linkIdentities([
        { anonymousId: 'a-2', userId: 'u-2' },
        { anonymousId: 'a-1', userId: 'third' },
      ]),
    ),
  )
  const known = await store.transaction((tx) => tx.resolveIdentities(['a-1', 'a-2', ODD, 'stranger']))
  assert.deepEqual(
    known,
    new Map([
      ['a-1', 'first'],
      ['a-2', 'u-2'],
      [ODD, ODD],
    ]),
  )
  assert.deepEqual(await store.transaction((tx) => tx.resolveIdentities([])), new Map())
}
