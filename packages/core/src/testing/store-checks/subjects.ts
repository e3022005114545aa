import assert from 'node:assert/strict'
import { LazyMap } from '../../domain/lazy-map.js'
import { type Run, type SubjectKey, UNBORN } from '../../domain/subject.js'
import type { Store } from '../../ports/store.js'
import {
  deliveryOf,
  gate,
  idsOf,
  increment,
  meanwhile,
  ODD,
  plain,
  type StoreCheck,
  save,
  stateOf,
  together,
  user,
  users,
} from './material.js'

export const subjectChecks: readonly StoreCheck[] = [
  ['gives a subject without a row unborn, and as new', givesUnborn],
  ['gives subjects back as they were saved', roundTrip],
  ['gives locked subjects in the order asked for', asAskedFor],
  ['tells subjects of different kinds apart', kindsApart],
  ['loses no change of a subject, however many make it at once and in whatever order', losesNothing],
  ['loses no change of a subject that many create at once', createsOnce],
  ['peeks at subjects, leaving out those without a row', peeks],
  ['peeks at a subject without waiting for its lock', peeksAtLocked],
  ['removes a subject with all that points to it', removes],
  ['takes subjects that are due, the longest due first', takesDue],
  ['takes subjects that are due at one instant by kind and id', takesByName],
  ['takes a due subject once, however many take at once', takesOnce],
  ['passes over due subjects that another transaction holds', passesOver],
  ['leaves out subjects that another transaction holds, when asked to', leavesOut],
  ['tells the time as of when a lock was got, not when it was asked for', tellsTimeOfLock],
  ['finds the subjects of a kind that are related to a subject', findsRelated],
  ['follows subjects to other relations', followsRelations],
  ['knows when the next subject or delivery is due', knowsNext],
  ['finds who is in a journey, page by page, and whose a run is', findsRuns],
]

async function givesUnborn(store: Store): Promise<void> {
  const [subject] = await store.transaction((tx) => tx.lockSubjects([user('u-1')]))
  assert.deepEqual(subject, { key: user('u-1'), state: UNBORN, dueAt: undefined, isNew: true, version: 0 })
  assert.equal(await store.readSubject(user('u-1')), undefined, 'Locking creates nothing.')
  assert.deepEqual(await store.transaction((tx) => tx.lockSubjects([])), [])
}

async function roundTrip(store: Store): Promise<void> {
  const state = stateOf({
    at: 1_700_000_000_123,
    features: LazyMap.of([
      ['f-1', [ODD, 1.5, null, [true]]],
      ['常买', []],
    ]),
    traits: { city: [ODD, 5], nothing: [null, 6] },
    relations: { community: [ODD, 1], leader: ['l-1', 2] },
    tags: LazyMap.of([['vip', [5, 0]]]),
    runs: [{ id: 'r-1', journey: 'j', hash: 'h', enteredAt: 1, step: 's', until: 9 }],
    consent: { 'sms|*': [false, 3] },
    sends: [[1, 'sms', 'promotion', 'd-1']],
    also: [ODD, 'anon:a-1'],
    left: ['community:c-1'],
    apart: [ODD],
  })
  const key: SubjectKey = { kind: 'community', id: ODD }
  await store.transaction((tx) => save(tx, [key], { state, dueAt: 1_700_000_000_999 }))
  assert.deepEqual(plain(await store.readSubject(key)), plain(state))
  const [subject] = await store.transaction((tx) => tx.lockSubjects([key]))
  assert.deepEqual(plain(subject), plain({ key, state, dueAt: 1_700_000_000_999, isNew: false, version: 0 }))
  assert.deepEqual([...(subject?.state.features.keys() ?? [])], ['f-1', '常买'], 'Members stay in their order.')
  await store.transaction((tx) => save(tx, [key], { state: UNBORN, dueAt: undefined }))
  const [after] = await store.transaction((tx) => tx.lockSubjects([key]))
  assert.deepEqual(after, { key, state: UNBORN, dueAt: undefined, isNew: false, version: 0 })
  await store.transaction((tx) => save(tx, [key], { state: { into: ODD }, dueAt: undefined }))
  assert.deepEqual(await store.readSubject(key), { ...UNBORN, into: ODD })
}

async function asAskedFor(store: Store): Promise<void> {
  await store.transaction((tx) => increment(tx, [user('b'), user('d')]))
  const keys = ['c', 'd', 'a', 'b'].map(user)
  const locked = await store.transaction((tx) => tx.lockSubjects(keys))
  assert.deepEqual(idsOf(locked), ['c', 'd', 'a', 'b'])
  assert.deepEqual(
    locked.map(({ isNew }) => isNew),
    [true, false, true, false],
  )
}

async function kindsApart(store: Store): Promise<void> {
  const keys = (['user', 'community', 'leader'] as const).map((kind) => ({ kind, id: 'same' }))
  for (const [index, key] of keys.entries()) await store.transaction((tx) => save(tx, [key], { state: { at: index } }))
  const locked = await store.transaction((tx) => tx.lockSubjects(keys))
  assert.deepEqual(
    locked.map(({ key, state }) => [key.kind, state.at]),
    [
      ['user', 0],
      ['community', 1],
      ['leader', 2],
    ],
  )
}

async function losesNothing(store: Store): Promise<void> {
  const keys = users(20)
  await store.transaction((tx) => increment(tx, keys))
  await together(16, (index) =>
    store.transaction((tx) =>
      increment(tx, index % 2 === 0 ? keys : [...keys.slice(7).reverse(), ...keys.slice(0, 7)]),
    ),
  )
  for (const key of keys) assert.equal((await store.readSubject(key))?.at, 17)
}

async function createsOnce(store: Store): Promise<void> {
  const keys = users(10)
  await together(8, (index) => store.transaction((tx) => increment(tx, index % 2 === 0 ? keys : keys.toReversed())))
  for (const key of keys) assert.equal((await store.readSubject(key))?.at, 8)
}

async function peeks(store: Store): Promise<void> {
  await store.transaction((tx) => increment(tx, [user('a'), user('b')]))
  const seen = await store.transaction((tx) => tx.peekSubjects([user('b'), user('stranger'), user('a')]))
  assert.deepEqual([...idsOf(seen)].sort(), ['a', 'b'])
  assert.deepEqual(seen[0]?.state, stateOf({ at: 1 }))
  assert.deepEqual(await store.transaction((tx) => tx.peekSubjects([])), [])
}

async function peeksAtLocked(store: Store): Promise<void> {
  await store.transaction((tx) => increment(tx, [user('a')]))
  const seen = await meanwhile(
    store,
    (tx) => increment(tx, [user('a')]),
    (tx) => tx.peekSubjects([user('a')]),
  )
  if (seen !== undefined) assert.equal(seen[0]?.state.at, 1, 'What is not committed must not be seen.')
}

async function removes(store: Store): Promise<void> {
  const state = { at: 1, relations: { community: ['c-1', 1] } } as const
  await store.transaction((tx) => save(tx, [user('a'), user('b')], { state, dueAt: 5 }))
  await store.transaction(async (tx) => {
    await tx.lockSubjects([user('a')])
    await tx.removeSubject(user('a'))
    await tx.removeSubject(user('stranger'))
  })
  assert.equal(await store.readSubject(user('a')), undefined)
  await store.transaction(async (tx) => {
    assert.deepEqual(idsOf(await tx.takeDueSubjects(10, 10)), ['b'])
    assert.deepEqual(await tx.relatedTo('user', 'community', 'c-1'), [user('b')])
    const [again] = await tx.lockSubjects([user('a')])
    assert.equal(again?.isNew, true)
  })
}

async function takesDue(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    for (const [id, dueAt] of Object.entries({ c: 30, a: 10, never: undefined, d: 40, b: 20 })) {
      await save(tx, [user(id)], { state: { at: 1 }, dueAt })
    }
  })
  await store.transaction(async (tx) => {
    assert.deepEqual(idsOf(await tx.takeDueSubjects(9, 10)), [])
    assert.deepEqual(idsOf(await tx.takeDueSubjects(30, 10)), ['a', 'b', 'c'], 'Due at `until` itself is due.')
    const [first, ...others] = await tx.takeDueSubjects(40, 1)
    assert.deepEqual(others, [])
    assert.deepEqual(first, { key: user('a'), state: stateOf({ at: 1 }), dueAt: 10, isNew: false, version: 0 })
    await save(tx, [user('a')], { dueAt: undefined })
    await save(tx, [user('c')], { dueAt: 15 })
    assert.deepEqual(idsOf(await tx.takeDueSubjects(40, 2)), ['c', 'b'])
  })
  assert.deepEqual(idsOf(await store.transaction((tx) => tx.takeDueSubjects(40, 10))), ['c', 'b', 'd'])
}

async function takesByName(store: Store): Promise<void> {
  const keys = [
    user('b'),
    { kind: 'leader', id: 'a' } as const,
    user('Z'),
    { kind: 'community', id: 'z' } as const,
    user('\uffee'),
    user('\u{1f34e}'),
    user('a'),
  ]
  await store.transaction((tx) => save(tx, keys, { dueAt: 5 }))
  await store.transaction(async (tx) => {
    await save(tx, [user('last')], { dueAt: 6 })
    await save(tx, [user('aa')], { dueAt: 5 })
    const right = ['z', 'a', 'Z', 'a', 'aa', 'b', '\uffee', '\u{1f34e}', 'last']
    assert.deepEqual(idsOf(await tx.takeDueSubjects(10, 20)), right)
    assert.deepEqual(idsOf(await tx.takeDueSubjects(10, 3)), right.slice(0, 3))
  })
}

async function takesOnce(store: Store): Promise<void> {
  const keys = users(60)
  await store.transaction((tx) => save(tx, keys, { dueAt: 5 }))
  const takeAll = async () => {
    for (;;) {
      const taken = await store.transaction(async (tx) => {
        const due = await tx.takeDueSubjects(5, 7)
        await tx.saveSubjects(
          due.map((one) => ({ ...one, state: { ...one.state, at: one.state.at + 1 }, dueAt: undefined })),
        )
        return due
      })
      if (taken.length === 0) return
    }
  }
  await together(4, takeAll)
  await takeAll()
  for (const key of keys) assert.equal((await store.readSubject(key))?.at, 1)
}

async function passesOver(store: Store): Promise<void> {
  await store.transaction((tx) => save(tx, users(5), { dueAt: 5 }))
  await store.transaction((tx) => save(tx, users(1), { dueAt: 4 }))
  const taken = await meanwhile(
    store,
    (tx) => tx.lockSubjects(users(3)),
    (tx) => tx.takeDueSubjects(5, 10),
  )
  if (taken !== undefined) assert.deepEqual([...idsOf(taken)].sort(), ['u-003', 'u-004'])
}

async function leavesOut(store: Store): Promise<void> {
  await store.transaction((tx) => save(tx, users(3), {}))
  const alone = await store.transaction((tx) => tx.lockSubjects([...users(3), user('new')], { passOver: true }))
  assert.deepEqual(idsOf(alone), ['u-000', 'u-001', 'u-002', 'new'])
  const locked = await meanwhile(
    store,
    (tx) => tx.lockSubjects(users(2)),
    (tx) => tx.lockSubjects([user('new'), ...users(3)], { passOver: true }),
  )
  if (locked !== undefined) assert.deepEqual(idsOf(locked), ['new', 'u-002'])
}

async function findsRelated(store: Store): Promise<void> {
  const [c1, c2] = [{ community: ['c-1', 1] }, { community: ['c-2', 1], leader: ['c-1', 1] }] as const
  await store.transaction(async (tx) => {
    await save(tx, [user('b'), user('a')], { state: { relations: c1 } })
    await save(tx, [user('c')], { state: { relations: c2 } })
    await save(tx, [{ kind: 'community', id: 'c-9' }], { state: { relations: { leader: ['c-1', 1] } } })
    await save(tx, [user('d')], {})
  })
  await store.transaction(async (tx) => {
    assert.deepEqual(await tx.relatedTo('user', 'community', 'c-1'), [user('a'), user('b')], 'They come by id.')
    assert.deepEqual(await tx.relatedTo('user', 'leader', 'c-1'), [user('c')])
    assert.deepEqual(await tx.relatedTo('community', 'leader', 'c-1'), [{ kind: 'community', id: 'c-9' }])
    assert.deepEqual(await tx.relatedTo('leader', 'community', 'c-1'), [])
  })
}

async function followsRelations(store: Store): Promise<void> {
  const relate = (community: string | undefined) =>
    store.transaction((tx) =>
      save(tx, [user('a')], { state: { relations: community === undefined ? {} : { community: [community, 1] } } }),
    )
  const members = (id: string) => store.transaction((tx) => tx.relatedTo('user', 'community', id))
  await relate('c-1')
  await relate('c-2')
  assert.deepEqual([await members('c-1'), await members('c-2')], [[], [user('a')]])
  await relate(undefined)
  assert.deepEqual(await members('c-2'), [])
}

async function knowsNext(store: Store): Promise<void> {
  assert.equal(await store.nextDue(), undefined)
  await store.transaction((tx) => save(tx, [user('a'), user('b')], { dueAt: 50 }))
  assert.equal(await store.nextDue(), 50)
  await store.transaction((tx) => save(tx, [user('b')], { dueAt: 40 }))
  assert.equal(await store.nextDue(), 40)
  await store.transaction((tx) => tx.addDeliveries([deliveryOf('d-1', { dueAt: 30 })]))
  assert.equal(await store.nextDue(), 30)
  await store.transaction((tx) => tx.claimDeliveries(30, 1, 60))
  assert.equal(await store.nextDue(), 40)
  await store.transaction((tx) => tx.removeSubject(user('b')))
  assert.equal(await store.nextDue(), 50)
  await store.transaction((tx) => save(tx, [user('a')], { dueAt: undefined }))
  assert.equal(await store.nextDue(), 60)
  await store.transaction((tx) => tx.addInbox([{ key: user('a'), input: { kind: 'instant', at: 70 } }]))
  assert.equal(await store.nextDue(), 0, 'What waits in the inbox is due now.')
  await store.transaction((tx) => tx.takeInbox(1))
  assert.equal(await store.nextDue(), 60)
  await store.transaction((tx) => tx.saveDeliveries([deliveryOf('d-1', { state: 'accepted', dueAt: undefined })]))
  assert.equal(await store.nextDue(), undefined)
}

async function tellsTimeOfLock(store: Store): Promise<void> {
  if (store.concurrency < 2) return
  await store.transaction((tx) => save(tx, [user('u-1')], {}))
  const [holds, mayEnd] = [gate(), gate()]
  const holder = store.transaction(async (tx) => {
    await tx.lockSubjects([user('u-1')])
    holds.open()
    await mayEnd.opened
    await tx.peekSubjects([user('u-1')])
    return tx.now()
  })
  await Promise.race([holds.opened, holder])
  const waiting = store.transaction(async (tx) => {
    await tx.holdVersion()
    await tx.now()
    setTimeout(() => mayEnd.open(), 100)
    await tx.lockSubjects([user('u-1')])
    return tx.now()
  })
  const [released = 0, got = 0] = await Promise.all([holder, waiting])
  assert.ok(got >= released, 'The holder was still there then.')
}

async function findsRuns(store: Store): Promise<void> {
  const run = (id: string, journey: string): Run => {
    return { id, journey, hash: 'h', enteredAt: 1, step: 's', until: 5 }
  }
  const put = (key: SubjectKey, runs: readonly Run[]) => store.transaction((tx) => save(tx, [key], { state: { runs } }))
  const community: SubjectKey = { kind: 'community', id: ODD }
  await put(user('b'), [run('r-1', '欢迎'), run('r-2', 'other')])
  await put(user('a'), [run('r-3', '欢迎'), run('r-4', '欢迎')])
  await put(user('c'), [])
  await put(community, [run('r-5', '欢迎')])
  const found = async (of: { journey: string } | { run: string }, after?: SubjectKey, limit = 10) =>
    (await store.readSubjectsInRuns(of, after, limit)).map(({ key, state }) => `${key.id} ${state.runs.length}`)
  assert.deepEqual(await found({ journey: '欢迎' }), [`${ODD} 1`, 'a 2', 'b 2'])
  assert.deepEqual(await found({ journey: '欢迎' }, community, 1), ['a 2'])
  assert.deepEqual(await found({ journey: '欢迎' }, user('a')), ['b 2'])
  assert.deepEqual(await found({ run: 'r-2' }), ['b 2'])
  assert.deepEqual(await found({ run: '欢迎' }), [])
  await put(user('b'), [run('r-2', 'other')])
  assert.deepEqual([await found({ journey: '欢迎' }, user('a')), await found({ run: 'r-1' })], [[], []])
}
