import assert from 'node:assert/strict'
import type { SubjectKind } from '@linli/rules'
import type { Baseline } from '../../domain/baseline.js'
import type { Store } from '../../ports/store.js'
import { gate, idsOf, meanwhile, ODD, plain, type StoreCheck, save, stateOf, users } from './material.js'

export const baselineChecks: readonly StoreCheck[] = [
  ['gives a baseline as it was saved last', givesBaseline],
  ['takes a baseline when it is due, and when it is due the earliest of what was said', takesDueBaseline],
  ['gives a due baseline to one taker', oneTaker],
  ['keeps what is scheduled while another transaction works a baseline out', keepsSchedule],
  ['lists the subjects of one kind in the order of their ids, page by page', listsSubjects],
]

function baseline(kind: SubjectKind, at: number, figures: Baseline['figures'] = {}): Baseline {
  return { kind, at, figures }
}

const take = (store: Store, until: number) => store.transaction((tx) => tx.takeDueBaseline(until))

async function givesBaseline(store: Store): Promise<void> {
  assert.deepEqual(await store.readBaselines(['community', 'leader']), [])
  const odd = baseline('community', 5, { [ODD]: [[ODD, 1, 0.1]], empty: [] })
  await store.transaction(async (tx) => {
    await tx.scheduleBaseline('community', 5)
    await tx.saveBaseline(baseline('community', 4), undefined)
    await tx.saveBaseline(odd, undefined)
    await tx.saveBaseline(baseline('leader', 7), 9)
    assert.deepEqual(plain(await tx.readBaselines(['community'])), [plain(odd)])
  })
  assert.deepEqual(plain(await store.readBaselines(['community'])), [plain(odd)])
  assert.deepEqual(plain(await store.readBaselines(['leader', 'user'])), [plain(baseline('leader', 7))])
  assert.deepEqual(await store.readBaselines([]), [])
}

async function takesDueBaseline(store: Store): Promise<void> {
  const schedule = (at: number) => store.transaction((tx) => tx.scheduleBaseline('community', at))
  assert.equal(await take(store, 100), undefined)
  await schedule(20)
  await schedule(10)
  await schedule(30)
  assert.equal(await store.nextDue(), 10)
  // One that has never been worked out is none yet.
  assert.deepEqual(await store.readBaselines(['community']), [])
  assert.equal(await take(store, 9), undefined)
  assert.equal(await take(store, 10), 'community')
  await store.transaction((tx) => tx.saveBaseline(baseline('community', 10), 40))
  assert.equal(await store.nextDue(), 40)
  await schedule(50)
  assert.equal(await take(store, 39), undefined)
  await store.transaction((tx) => tx.saveBaseline(baseline('community', 40), undefined))
  assert.equal(await take(store, 100), undefined)
  assert.equal(await store.nextDue(), undefined)
  await schedule(60)
  assert.equal(await store.nextDue(), 60)
  assert.deepEqual(plain(await store.readBaselines(['community'])), [plain(baseline('community', 40))])
}

async function oneTaker(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.scheduleBaseline('community', 10)
    await tx.scheduleBaseline('leader', 20)
  })
  const other = await meanwhile(
    store,
    (tx) => tx.takeDueBaseline(100),
    (tx) => tx.takeDueBaseline(100),
  )
  if (other !== undefined) assert.equal(other, 'leader')
  assert.equal(await take(store, 100), 'community')
}

async function keepsSchedule(store: Store): Promise<void> {
  if (store.concurrency < 2) return
  await store.transaction((tx) => tx.scheduleBaseline('community', 10))
  const [taken, mayEnd] = [gate(), gate()]
  const worker = store.transaction(async (tx) => {
    await tx.takeDueBaseline(10)
    taken.open()
    await mayEnd.opened
    await tx.saveBaseline(baseline('community', 10), undefined)
  })
  await taken.opened
  let isScheduled = false
  const other = store
    .transaction((tx) => tx.scheduleBaseline('community', 30))
    .then(() => {
      isScheduled = true
    })
  await store.readBaselines(['community'])
  assert.equal(isScheduled, false)
  mayEnd.open()
  await Promise.all([worker, other])
  assert.equal(await store.nextDue(), 30)
}

async function listsSubjects(store: Store): Promise<void> {
  const communities = ['c-3', ODD, 'c-1', 'c-2'].map((id) => ({ kind: 'community', id }) as const)
  await store.transaction(async (tx) => {
    await save(tx, [...users(3), ...communities], { state: stateOf({ at: 7 }) })
    await save(tx, [{ kind: 'community', id: 'c-10' }], { state: stateOf({ at: 8 }) })
    await tx.removeSubject({ kind: 'community', id: 'c-2' })
    assert.deepEqual(idsOf(await tx.listSubjects('community', 'c-1', 2)), ['c-10', 'c-3'])
  })
  await store.transaction(async (tx) => {
    const first = await tx.listSubjects('community', undefined, 2)
    assert.deepEqual(
      first.map(({ key, state }) => [key, state.at]),
      [
        [{ kind: 'community', id: 'c-1' }, 7],
        [{ kind: 'community', id: 'c-10' }, 8],
      ],
    )
    assert.deepEqual(idsOf(await tx.listSubjects('community', 'c-10', 10)), ['c-3', ODD])
    assert.deepEqual(await tx.listSubjects('community', ODD, 10), [])
    assert.deepEqual(await tx.listSubjects('leader', undefined, 10), [])
  })
}
