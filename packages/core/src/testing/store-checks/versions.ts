import assert from 'node:assert/strict'
import type { SubjectKey } from '../../domain/subject.js'
import { UNBORN } from '../../domain/subject.js'
import type { Store, StoreTransaction, Version } from '../../ports/store.js'
import { eventOf, gate, idsOf, ODD, type StoreCheck, save, together, user, users } from './material.js'

export const versionChecks: readonly StoreCheck[] = [
  ['gives versions of the rules back as they were added', roundTrip],
  ['gives the operations that made versions, the latest first', operations],
  ['marks subjects with the version that the transaction holds', marks],
  ['lets nobody add a version while another transaction holds one', holds],
  ['adds each version once, however many add at once', addsOnce],
  ['takes subjects that an older version kept, a batch at a time', takesOutdated],
  ['takes an outdated subject once, however many take at once', takesOnce],
  ['remembers journeys with the version that they came with: the first word stands', remembersJourneys],
  ['gives the events that count for a subject, page by page', pages],
  ['gives communities and leaders of the log a row', addsMissing],
  ['knows which events wait in the inbox for a subject', knowsWaiting],
]

const NOTHING = { user: [], community: [], leader: [] }

function versionOf(number: number, version: Partial<Version> = {}): Version {
  const goodSince = { user: number, community: 1, leader: 1 }
  return {
    ...{
      number,
      hash: `h-${number}`,
      definitions: [],
      kept: NOTHING,
      goodSince,
      publishedAt: 1000,
      greet: false,
      fates: [],
      halts: [],
    },
    ...version,
  }
}

/** Adds the version that comes next. */
async function publish(tx: StoreTransaction): Promise<number> {
  const number = (await tx.lockVersions()) + 1
  await tx.addVersion(versionOf(number))
  return number
}

async function roundTrip(store: Store): Promise<void> {
  const version = versionOf(1, {
    definitions: [{ kind: 'tag', id: 'vip', name: ODD }],
    kept: { ...NOTHING, user: [ODD, 'f/1'] },
    publishedAt: 1_700_000_000_123,
    greet: true,
    fates: [{ journey: ODD, hash: 'h', then: { moveTo: ODD } }, { then: 'stop' }],
    halts: [{ target: { channel: ODD }, state: 'paused', at: 5, by: ODD, reason: ODD }],
    operation: { does: 'pause', target: { channel: ODD }, by: ODD, reason: ODD },
  })
  assert.equal(await store.transaction((tx) => tx.holdVersion()), 0)
  await store.transaction(async (tx) => {
    assert.equal(await tx.lockVersions(), 0)
    await tx.addVersion(version)
  })
  assert.equal(await store.transaction((tx) => tx.holdVersion()), 1)
  assert.deepEqual(await store.transaction((tx) => tx.readVersion(1)), version)
  assert.equal(await store.transaction((tx) => tx.readVersion(2)), undefined)
}

async function operations(store: Store): Promise<void> {
  const does = ['pause', undefined, 'stop', 'resume'] as const
  for (const [index, one] of does.entries()) {
    const operation = one && { operation: { does: one, target: 'everything' as const } }
    await store.transaction(async (tx) => {
      await tx.addVersion(versionOf((await tx.lockVersions()) + 1, { publishedAt: 1000 + index, ...operation }))
    })
  }
  const read = await store.readOperations(2)
  assert.deepEqual(read, [
    { version: 4, at: 1003, operation: { does: 'resume', target: 'everything' } },
    { version: 3, at: 1002, operation: { does: 'stop', target: 'everything' } },
  ])
}

async function marks(store: Store): Promise<void> {
  await store.transaction((tx) => save(tx, [user('before')], {}))
  await store.transaction(publish)
  await store.transaction(async (tx) => {
    await tx.holdVersion()
    await save(tx, [user('after')], { dueAt: 5 })
  })
  const locked = await store.transaction((tx) => tx.lockSubjects([user('after'), user('before'), user('nobody')]))
  assert.deepEqual(
    locked.map(({ version }) => version),
    [1, 0, 0],
  )
  const [due] = await store.transaction((tx) => tx.takeDueSubjects(5, 1))
  assert.equal(due?.version, 1)
  assert.deepEqual(await store.readVersions(user('after')), { ofSubject: 1, newest: 1 })
  await store.transaction(async (tx) => {
    await publish(tx)
    await save(tx, [user('before')], {})
  })
  assert.deepEqual(await store.readVersions(user('after')), { ofSubject: 1, newest: 2 })
  assert.deepEqual(await store.readVersions(user('before')), { ofSubject: 2, newest: 2 })
  assert.deepEqual(await store.readVersions(user('nobody')), { ofSubject: 0, newest: 2 })
}

async function holds(store: Store): Promise<void> {
  if (store.concurrency < 2) return
  const [held, mayEnd] = [gate(), gate()]
  const order: string[] = []
  const holder = store.transaction(async (tx) => {
    await tx.holdVersion()
    held.open()
    await mayEnd.opened
    order.push('held')
  })
  await Promise.race([held.opened, holder])
  const other = await store.transaction((tx) => tx.holdVersion())
  assert.equal(other, 0, 'Many may hold it at once.')
  const adder = store.transaction(async (tx) => {
    await publish(tx)
    order.push('added')
  })
  mayEnd.open()
  await Promise.all([holder, adder])
  assert.deepEqual(order, ['held', 'added'])
}

async function addsOnce(store: Store): Promise<void> {
  const numbers = await together(4, () => store.transaction(publish))
  assert.deepEqual(numbers.toSorted(), [1, 2, 3, 4])
}

async function takesOutdated(store: Store): Promise<void> {
  const keys: SubjectKey[] = [...users(5), { kind: 'community', id: 'c-1' }]
  await store.transaction((tx) => save(tx, keys, { state: { at: 7 }, dueAt: 9 }))
  assert.equal(await store.countOutdated('user', 1), 5)
  await store.transaction(publish)
  const take = (limit: number) =>
    store.transaction(async (tx) => {
      const version = await tx.holdVersion()
      const taken = await tx.takeOutdatedSubjects('user', version, limit)
      await tx.saveSubjects(taken)
      assert.ok(taken.every(({ state, dueAt, isNew }) => state.at === 7 && dueAt === 9 && !isNew))
      return idsOf(taken)
    })
  const taken = [...(await take(2)), ...(await take(10))]
  assert.deepEqual(taken.toSorted(), idsOf(users(5).map((key) => ({ key }))))
  assert.deepEqual(await take(10), [])
  assert.equal(await store.countOutdated('user', 1), 0)
  assert.equal(await store.countOutdated('community', 1), 1)
}

async function takesOnce(store: Store): Promise<void> {
  await store.transaction((tx) => save(tx, users(40), {}))
  await store.transaction(publish)
  const taken = await together(4, () =>
    store.transaction(async (tx) => {
      const outdated = await tx.takeOutdatedSubjects('user', await tx.holdVersion(), 10)
      await tx.saveSubjects(outdated)
      return idsOf(outdated)
    }),
  )
  assert.equal(new Set(taken.flat()).size, taken.flat().length)
}

async function remembersJourneys(store: Store): Promise<void> {
  const known = (hash: string, since: number) => {
    return { hash, since, definition: { kind: 'journey', id: hash, entry: { on: 'event', event: ODD }, steps: [] } }
  }
  await store.transaction((tx) => tx.rememberJourneys([]))
  await store.transaction((tx) => tx.rememberJourneys([known('h-1', 1)] as never))
  await store.transaction((tx) => tx.rememberJourneys([known('h-1', 2), known('h-2', 2)] as never))
  const until = async (number: number) => {
    const found = await store.transaction((tx) => tx.readJourneys(number))
    return found.map(({ hash, since, definition }) => `${hash} ${since} ${definition.id}`).sort()
  }
  assert.deepEqual(await until(0), [])
  assert.deepEqual(await until(1), ['h-1 1 h-1'])
  assert.deepEqual(await until(2), ['h-1 1 h-1', 'h-2 2 h-2'])
}

async function pages(store: Store): Promise<void> {
  const of = (messageId: string, at: number, community?: string, leader?: string) =>
    eventOf(messageId, { at, ...(community && { community }), ...(leader && { leader }) })
  const all = [of('a', 1, 'c-1', 'l-1'), of('d', 5, 'c-1'), of('b', 5, 'c-1'), of('c', 5, 'c-2', 'l-1'), of('e', 9)]
  await store.transaction((tx) => tx.addEvents(all))
  const ids = (key: SubjectKey, after: { at: number; messageId: string } | undefined, limit = 10) =>
    store.transaction(async (tx) => (await tx.eventsFor(key, after, limit)).map(({ messageId }) => messageId))
  const community: SubjectKey = { kind: 'community', id: 'c-1' }
  assert.deepEqual(await ids(community, undefined), ['a', 'b', 'd'])
  assert.deepEqual(await ids(community, undefined, 2), ['a', 'b'])
  assert.deepEqual(await ids(community, { at: 5, messageId: 'b' }), ['d'])
  assert.deepEqual(await ids(community, { at: 5, messageId: 'd' }), [])
  assert.deepEqual(await ids({ kind: 'leader', id: 'l-1' }, undefined), ['a', 'c'])
  assert.deepEqual(await ids(user('u-1'), { at: 1, messageId: 'a' }, 3), ['b', 'c', 'd'])
  const [first] = await store.transaction((tx) => tx.eventsFor(community, undefined, 1))
  assert.deepEqual(first, all[0])
}

async function addsMissing(store: Store): Promise<void> {
  const events = ['l-1', 'l-2', ODD].map((leader, index) => eventOf(`m-${index}`, { leader, community: 'c-1' }))
  await store.transaction((tx) => tx.addEvents(events))
  const known: SubjectKey = { kind: 'leader', id: 'l-2' }
  await store.transaction((tx) => save(tx, [known], { state: { at: 4 } }))
  await store.transaction((tx) => tx.addMissingRelated())
  assert.equal((await store.readSubject(known))?.at, 4)
  for (const key of [
    { kind: 'leader', id: 'l-1' },
    { kind: 'leader', id: ODD },
    { kind: 'community', id: 'c-1' },
  ]) {
    assert.deepEqual(await store.readSubject(key as SubjectKey), UNBORN)
  }
}

async function knowsWaiting(store: Store): Promise<void> {
  const key: SubjectKey = { kind: 'community', id: ODD }
  const entry = (messageId: string, to = key) => {
    return {
      key: to,
      input: { kind: 'event', at: 5, event: { messageId, event: ODD, at: 5, properties: {} } },
    } as const
  }
  await store.transaction((tx) => tx.addInbox([entry('m-1'), entry(ODD), entry('m-2', user(ODD))]))
  await store.transaction(async (tx) => {
    await tx.addInbox([{ key, input: { kind: 'instant', at: 6 } }, entry('m-3')])
    assert.deepEqual([...(await tx.waitingFor(key))].sort(), [ODD, 'm-1', 'm-3'].sort())
    await tx.takeInbox(1)
    assert.deepEqual([...(await tx.waitingFor(key))].sort(), [ODD, 'm-3'].sort())
  })
}
