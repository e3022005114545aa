import assert from 'node:assert/strict'
import type { Delivery, DeliveryName, DeliveryState, Store } from '../../ports/store.js'
import { deliveryOf, meanwhile, ODD, type StoreCheck, together, user } from './material.js'

export const deliveryChecks: readonly StoreCheck[] = [
  ['gives deliveries back as they were added', roundTrip],
  ['leaves a delivery whose key is there as it is', leavesKnown],
  ['claims deliveries that are due, the longest due first', claimsDue],
  ['gives a claimed delivery a new claim, a lease and the state it then has', claimMarks],
  ['claims no more of a channel than there is room for, and all of the others', claimsByRoom],
  ['tells what comes first of each line of what is due', tellsFirstDue],
  ['counts the deliveries of which nobody knows whether they arrived', countsDoubtful],
  ['makes what is reserved due again when it is handed back', handsBack],
  ['claims a delivery once, however many claim at once', claimsOnce],
  ['passes over due deliveries that another transaction holds', passesOver],
  ['leaves out deliveries whose claim was overtaken', fences],
  ['locks deliveries in the order of their keys', locksInOrder],
  ['locks deliveries by their keys, and by what providers call them', locksNamed],
  ['tells which channels have messages under way', tellsUnderWay],
  ['writes what became of deliveries, and nothing else of them', saves],
  ['finds deliveries by subject, kind, state and leader', finds],
  ['forgets deliveries that have ended, and of which nothing was heard for long', forgets],
  ['makes paused deliveries due, but for those that something still pauses', releases],
  ['releases a paused delivery once, however many release at once', releasesOnce],
]

const keysOf = (deliveries: readonly Delivery[]) => deliveries.map(({ key }) => key)

function add(store: Store, ...deliveries: readonly Delivery[]): Promise<void> {
  return store.transaction((tx) => tx.addDeliveries(deliveries))
}

async function roundTrip(store: Store): Promise<void> {
  const full = deliveryOf('d-1', {
    kind: 'suggestion',
    state: 'awaiting_person',
    subject: { kind: 'community', id: ODD },
    source: { journey: ODD, run: 'r', step: 's' },
    dueAt: undefined,
    claim: 3,
    attempt: 2,
    plannedAt: 1_700_000_000_123,
    body: { what: ODD, to: ODD, text: ODD, fallbacks: [ODD], expiresAt: 5, variables: { entry: { a: [ODD] } } },
    providerId: ODD,
    reason: ODD,
  })
  const plain = deliveryOf('d-2')
  await add(store, plain, full)
  await add(store)
  assert.deepEqual(
    [...(await store.readDeliveries({}))].sort((a, b) => (a.key < b.key ? -1 : 1)),
    [full, plain],
  )
}

async function leavesKnown(store: Store): Promise<void> {
  await add(store, deliveryOf('d-1', { attempt: 1 }))
  await together(4, () => add(store, deliveryOf('d-2'), deliveryOf('d-1', { attempt: 9, dueAt: 1 })))
  const found = await store.readDeliveries({})
  assert.deepEqual(
    found.map(({ key, attempt, dueAt }) => [key, attempt, dueAt]),
    [
      ['d-1', 1, 1000],
      ['d-2', 0, 1000],
    ],
  )
}

async function claimsDue(store: Store): Promise<void> {
  const due = (key: string, dueAt: number | undefined) => deliveryOf(key, { dueAt })
  await add(store, due('c', 30), due('a', 10), due('final', undefined), due('d', 40), due('b', 20))
  const claim = (until: number, limit: number) =>
    store.transaction((tx) => tx.claimDeliveries(until, limit, 1000)).then(keysOf)
  assert.deepEqual(await claim(9, 10), [])
  assert.deepEqual(await claim(40, 2), ['a', 'b'])
  assert.deepEqual(await claim(30, 10), ['c'], 'Due at `until` itself is due; what was claimed is not.')
  assert.deepEqual(await claim(40, 10), ['d'])
  await add(store, due('y', 50), due('x', 50), due('z', 50))
  assert.deepEqual(await claim(50, 2), ['x', 'y'], 'Those of one instant come by key.')
}

async function claimMarks(store: Store): Promise<void> {
  const after: Readonly<Partial<Record<DeliveryState, DeliveryState>>> = {
    planned: 'reserved',
    reserved: 'reserved',
    retry_at: 'reserved',
    awaiting_person: 'reserved',
    calling: 'unknown',
    unknown: 'unknown',
  }
  const before = Object.keys(after) as DeliveryState[]
  const added = before.map((state) => deliveryOf(state, { state, claim: 4, attempt: 2, reason: 'before' }))
  await add(store, ...added)
  const claimed = await store.transaction((tx) => tx.claimDeliveries(1000, 10, 5000))
  const expected = added.map((one) => ({ ...one, state: after[one.state] ?? one.state, claim: 5, dueAt: 5000 }))
  const sorted = (all: readonly Delivery[]) => [...all].sort((a, b) => (a.key < b.key ? -1 : 1))
  assert.deepEqual(sorted(claimed), sorted(expected))
  assert.deepEqual(sorted(await store.readDeliveries({})), sorted(expected))
}

async function claimsByRoom(store: Store): Promise<void> {
  const by = (key: string, dueAt: number, channel?: string) =>
    deliveryOf(key, { dueAt, body: { what: 'hello', ...(channel !== undefined && { channel }) } })
  const all = [
    by('a', 1, 'slow'),
    by('b', 2, 'slow'),
    by('c', 3, 'slow'),
    by('d', 4, ODD),
    by('e', 5),
    by('f', 6, 'sms'),
  ]
  await add(store, ...all)
  assert.equal(await store.nextDue(), 1)
  const claim = (limit: number, room: ReadonlyMap<string, number>) =>
    store.transaction((tx) => tx.claimDeliveries(10, limit, 1000, room)).then(keysOf)
  assert.deepEqual(
    await claim(
      10,
      new Map([
        ['slow', 0],
        ['sms', 0],
      ]),
    ),
    ['d', 'e'],
  )
  assert.deepEqual(
    await claim(
      2,
      new Map([
        ['slow', 1],
        ['stranger', 5],
      ]),
    ),
    ['a', 'f'],
  )
  assert.deepEqual(await claim(10, new Map([['slow', 9]])), ['b', 'c'])
}

async function tellsFirstDue(store: Store): Promise<void> {
  assert.deepEqual(await store.readFirstDue(), [])
  const by = (key: string, dueAt: number | undefined, channel?: string) =>
    deliveryOf(key, { dueAt, body: { what: 'hello', ...(channel !== undefined && { channel }) } })
  await add(store, by('a', 5, 'sms'), by('c', 3, 'sms'), by('b', 3, 'sms'), by('d', 9), by('e', undefined, 'push'))
  await store.transaction(async (tx) => {
    await tx.addInbox([{ key: user('u-1'), input: { kind: 'instant', at: 1 } }])
    await tx.scheduleBaseline('community', 7)
  })
  const told = async () => (await store.readFirstDue()).map(({ line, dueAt }) => `${line} ${dueAt}`).sort()
  const nameOf = async (wanted: string) => (await store.readFirstDue()).find(({ line }) => line === wanted)?.name
  assert.deepEqual(await told(), ['baseline 7', 'delivery 9', 'delivery:sms 3', 'inbox 0'])
  const before = await nameOf('delivery:sms')
  await store.transaction((tx) => tx.claimDeliveries(3, 1, 3))
  assert.notEqual(
    await nameOf('delivery:sms'),
    before,
    'What was dealt with is first no more, even at the same instant.',
  )
}

async function countsDoubtful(store: Store): Promise<void> {
  assert.deepEqual(await store.countDoubtful(), { parked: 0, unknown: 0 })
  const states: readonly DeliveryState[] = ['parked', 'unknown', 'accepted', 'parked', 'planned', 'calling']
  await add(store, ...states.map((state, index) => deliveryOf(`d-${index}`, { state })))
  assert.deepEqual(await store.countDoubtful(), { parked: 2, unknown: 1 })
}

async function handsBack(store: Store): Promise<void> {
  await add(
    store,
    deliveryOf('a', { state: 'reserved', claim: 2, dueAt: 9000 }),
    deliveryOf('b', { state: 'calling', dueAt: 9000 }),
    deliveryOf('c', { state: 'planned', dueAt: 9000 }),
    deliveryOf('d', { state: 'reserved', dueAt: 10 }),
  )
  assert.equal(await store.transaction((tx) => tx.handBackDeliveries(500)), 1)
  const claimed = await store.transaction((tx) => tx.claimDeliveries(500, 10, 8000))
  assert.deepEqual(
    claimed.map(({ key, claim, state }) => [key, claim, state]),
    [
      ['d', 1, 'reserved'],
      ['a', 3, 'reserved'],
    ],
  )
}

async function claimsOnce(store: Store): Promise<void> {
  const deliveries = Array.from({ length: 60 }, (_, index) => deliveryOf(`d-${index}`))
  await add(store, ...deliveries)
  const claimed: string[] = []
  await together(4, async () => {
    for (;;) {
      const part = await store.transaction((tx) => tx.claimDeliveries(1000, 7, 5000))
      if (part.length === 0) return
      claimed.push(...keysOf(part))
    }
  })
  assert.deepEqual(claimed.sort(), keysOf(deliveries).sort())
}

async function passesOver(store: Store): Promise<void> {
  await add(store, deliveryOf('a'), deliveryOf('b'), deliveryOf('c'))
  const claimed = await meanwhile(
    store,
    (tx) =>
      tx.lockDeliveries([
        { key: 'a', claim: 0 },
        { key: 'b', claim: 0 },
      ]),
    (tx) => tx.claimDeliveries(1000, 10, 5000),
  )
  if (claimed !== undefined) assert.deepEqual(keysOf(claimed), ['c'])
}

async function fences(store: Store): Promise<void> {
  await add(store, deliveryOf('a'), deliveryOf('b'))
  await store.transaction((tx) => tx.claimDeliveries(1000, 1, 2000))
  await store.transaction((tx) => tx.claimDeliveries(2000, 10, 3000))
  const held = await store.transaction((tx) =>
    tx.lockDeliveries([
      { key: 'a', claim: 1 },
      { key: 'b', claim: 1 },
      { key: 'stranger', claim: 1 },
    ]),
  )
  assert.deepEqual(keysOf(held), ['b'], '"a" was claimed again when its lease was over.')
  assert.deepEqual(await store.transaction((tx) => tx.lockDeliveries([])), [])
}

async function locksInOrder(store: Store): Promise<void> {
  const keys = Array.from({ length: 12 }, (_, index) => `d-${index}`)
  await add(store, ...keys.map((key) => deliveryOf(key)))
  const claims = keys.map((key) => ({ key, claim: 0 }))
  const held = await store.transaction((tx) => tx.lockDeliveries(claims))
  assert.deepEqual(keysOf(held), [...keys].sort())
  await together(8, (index) =>
    store.transaction(async (tx) => {
      const mine = await tx.lockDeliveries(index % 2 === 0 ? claims : claims.toReversed())
      await tx.saveDeliveries(mine.map((one) => ({ ...one, attempt: one.attempt + 1 })))
    }),
  )
  for (const { attempt } of await store.readDeliveries({})) assert.equal(attempt, 8)
}

async function locksNamed(store: Store): Promise<void> {
  const by = (key: string, channel: string, providerId?: string) =>
    deliveryOf(key, { body: { what: 'hello', channel }, ...(providerId !== undefined && { providerId }) })
  const all = [by('d', 'sms', 'p-1'), by('a', 'push', 'p-1'), by('c', 'sms', ODD), by('b', 'sms', ODD), by('e', 'sms')]
  await add(store, ...all)
  const lock = (...names: readonly DeliveryName[]) =>
    store.transaction((tx) => tx.lockNamedDeliveries(names)).then(keysOf)
  assert.deepEqual(await lock(), [])
  assert.deepEqual(await lock({ key: 'e' }, { key: 'stranger' }, { key: 'a' }), ['a', 'e'], 'In the order of keys.')
  assert.deepEqual(await lock({ channel: 'sms', providerId: 'p-1' }), ['d'], 'Of its own channel only.')
  assert.deepEqual(await lock({ channel: 'sms', providerId: ODD }), ['b', 'c'])
  assert.deepEqual(await lock({ channel: 'mail', providerId: 'p-1' }, { channel: 'sms', providerId: '' }), [])
  assert.deepEqual(await lock({ key: 'd' }, { channel: 'sms', providerId: 'p-1' }, { key: 'd' }), ['d'], 'Each once.')
  const found = await store.transaction(async (tx) => {
    const [first] = await tx.lockNamedDeliveries([{ key: 'e' }])
    if (first !== undefined) await tx.saveDeliveries([{ ...first, providerId: 'p-9' }])
    return tx.lockNamedDeliveries([{ channel: 'sms', providerId: 'p-9' }])
  })
  assert.deepEqual(found, [{ ...by('e', 'sms'), providerId: 'p-9' }], 'What the transaction has written itself.')
  await together(8, () =>
    store.transaction(async (tx) => {
      const mine = await tx.lockNamedDeliveries([{ channel: 'sms', providerId: ODD }, { key: 'a' }])
      await tx.saveDeliveries(mine.map((one) => ({ ...one, attempt: one.attempt + 1 })))
    }),
  )
  const attempts = (await store.readDeliveries({})).map(({ key, attempt }) => `${key} ${attempt}`)
  assert.deepEqual(attempts, ['a 8', 'b 8', 'c 8', 'd 0', 'e 0'])
}

async function tellsUnderWay(store: Store): Promise<void> {
  const by = (key: string, state: DeliveryState, channel: string) =>
    deliveryOf(key, { state, body: { what: 'hello', channel } })
  await add(
    store,
    by('a', 'calling', 'sms'),
    by('b', 'accepted', 'push'),
    by('c', 'unknown', ODD),
    by('d', 'reserved', 'x'),
  )
  const ask = (...channels: readonly string[]) => store.transaction((tx) => tx.channelsUnderWay(channels))
  assert.deepEqual(await ask(), new Set())
  assert.deepEqual(await ask('sms', 'push', ODD, 'x', 'stranger', 'sms'), new Set(['sms', ODD]))
}

async function saves(store: Store): Promise<void> {
  const before = deliveryOf('a', { kind: 'suggestion', body: { what: 'x', to: 'l-1' }, claim: 2 })
  await add(store, before, deliveryOf('b'))
  const change = {
    state: 'calling',
    dueAt: 9,
    attempt: 3,
    body: { what: 'y', to: 'l-2' },
    providerId: ODD,
    reason: ODD,
  } as const
  await store.transaction(async (tx) => {
    await tx.saveDeliveries([])
    await tx.saveDeliveries([
      { ...before, ...change, subject: user('other'), kind: 'message', claim: 9, plannedAt: 1 },
      deliveryOf('stranger'),
    ])
  })
  assert.deepEqual(await store.readDeliveries({ to: 'l-2' }), [{ ...before, ...change }])
  await store.transaction((tx) => tx.saveDeliveries([{ ...before, state: 'parked', dueAt: undefined }]))
  assert.deepEqual(await store.readDeliveries({ to: 'l-1' }), [{ ...before, state: 'parked', dueAt: undefined }])
  assert.deepEqual(keysOf(await store.readDeliveries({})), ['a', 'b'])
}

async function finds(store: Store): Promise<void> {
  const leader = { kind: 'leader', id: 'u-1' } as const
  await add(
    store,
    deliveryOf('a', { plannedAt: 3 }),
    deliveryOf('b', { plannedAt: 2, kind: 'coupon', state: 'accepted' }),
    deliveryOf('c', { plannedAt: 1, subject: leader, kind: 'suggestion', body: { what: 'x', to: 'l-1' } }),
    deliveryOf('d', { plannedAt: 1, subject: user('u-2'), state: 'accepted' }),
  )
  const find = (filter: Parameters<Store['readDeliveries']>[0]) => store.readDeliveries(filter).then(keysOf)
  assert.deepEqual(await find({}), ['c', 'd', 'b', 'a'], 'In the order they were planned.')
  assert.deepEqual(await find({ subjects: [user('u-1')] }), ['b', 'a'])
  assert.deepEqual(await find({ subjects: [leader] }), ['c'])
  assert.deepEqual(await find({ subjects: [user('u-1'), leader, user('u-2')] }), ['c', 'd', 'b', 'a'])
  assert.deepEqual(await find({ subjects: [] }), [])
  assert.deepEqual(await find({ kind: 'message' }), ['d', 'a'])
  assert.deepEqual(await find({ state: 'accepted' }), ['d', 'b'])
  assert.deepEqual(await find({ to: 'l-1' }), ['c'])
  assert.deepEqual(await find({ subjects: [user('u-1')], state: 'accepted', kind: 'coupon' }), ['b'])
  assert.deepEqual(await find({ to: 'stranger' }), [])
}

async function forgets(store: Store): Promise<void> {
  const ended = (key: string, delivery: Partial<Delivery> = {}) =>
    deliveryOf(key, { state: 'accepted', dueAt: undefined, plannedAt: 10, ...delivery })
  const withBody = (key: string, body: Partial<Delivery['body']>) => ended(key, { body: { what: ODD, ...body } })
  const open: readonly DeliveryState[] = [
    'planned',
    'calling',
    'unknown',
    'retry_at',
    'parked',
    'awaiting_person',
    'paused',
  ]
  const kept = [
    ...open.map((state) => ended(`open-${state}`, { state })),
    ended('open-due', { state: 'reserved', dueAt: 5 }),
    ended('young', { plannedAt: 11 }),
    withBody('called', { firstCalledAt: 11 }),
    withBody('heard', {
      firstCalledAt: 5,
      receipts: [
        { says: 'delivered', at: 6 },
        { says: 'opened', at: 11 },
      ],
    }),
  ]
  const gone = [
    ...(['accepted', 'rejected', 'failed', 'suppressed'] as const).map((state) => ended(`a-${state}`, { state })),
    withBody('b', { firstCalledAt: 10, receipts: [{ says: 'delivered', at: 10 }] }),
  ]
  await add(store, ...kept, ...gone)
  const forget = (limit: number) => store.transaction((tx) => tx.forgetDeliveries(10, limit))
  assert.deepEqual([await forget(3), await forget(3), await forget(3)], [3, 2, 0])
  assert.deepEqual(keysOf(await store.readDeliveries({})).sort(), keysOf(kept).sort())
  await add(store, ended('a-failed'))
  assert.equal((await store.readDeliveries({})).length, kept.length + 1, 'The key is free again.')
}

async function releases(store: Store): Promise<void> {
  const paused = (key: string, reason: string) => deliveryOf(key, { state: 'paused', dueAt: undefined, reason })
  const added = [
    paused('a', ODD),
    paused('b', 'x'),
    paused('c', ODD),
    paused('d', 'y'),
    deliveryOf('e', { dueAt: 9000 }),
  ]
  await store.transaction((tx) => tx.addDeliveries(added))
  assert.equal(await store.nextDue(), 9000, 'Nothing that is paused is due.')
  assert.equal(await store.transaction((tx) => tx.releaseDeliveries(['x'], 7000, 2)), 2)
  assert.equal(await store.transaction((tx) => tx.releaseDeliveries(['x'], 7000, 2)), 1)
  assert.equal(await store.transaction((tx) => tx.releaseDeliveries(['x'], 7000, 2)), 0)
  const claimed = await store.transaction((tx) => tx.claimDeliveries(7000, 10, 8000))
  assert.deepEqual(
    claimed.map(({ key, state, dueAt }) => [key, state, dueAt]),
    ['a', 'c', 'd'].map((key) => [key, 'reserved', 8000]),
  )
  assert.equal(await store.transaction((tx) => tx.releaseDeliveries([], 7000, 9)), 1)
}

async function releasesOnce(store: Store): Promise<void> {
  const paused = { state: 'paused', dueAt: undefined, reason: 'x' } as const
  await add(store, ...Array.from({ length: 30 }, (_, index) => deliveryOf(`d-${index}`, paused)))
  const counts = await together(4, () => store.transaction((tx) => tx.releaseDeliveries([], 1000, 10)))
  const last = await store.transaction((tx) => tx.releaseDeliveries([], 1000, 100))
  assert.equal(
    counts.reduce((sum, count) => sum + count, last),
    30,
  )
}
