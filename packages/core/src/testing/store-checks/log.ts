import assert from 'node:assert/strict'
import type { Decision, Input } from '../../domain/decision.js'
import type { InboxEntry, Store } from '../../ports/store.js'
import { meanwhile, ODD, type StoreCheck, together, user } from './material.js'

export const logChecks: readonly StoreCheck[] = [
  ['gives decisions in the order they were made', decisionsInOrder],
  ["gives one subject's decisions, at most as many as asked for", decisionsOfSubject],
  ['gives inbox entries as they were added, in order, and removes them', inboxInOrder],
  ['puts taken inbox entries back when the work throws', inboxPutsBack],
  ['gives an inbox entry to one taker, however many take at once', inboxOnce],
  ['gives no inbox entry while another transaction takes', inboxOneTaker],
  ['forgets decisions about what was long ago, a few at a time', forgetsDecisions],
  ['counts what a journey decided, by reason and step, within times', countsDecisions],
]

function decision(subject: string, at: number): Decision {
  return { at, subject, decision: 'tag.added', rule: 'vip', why: { [ODD]: [1, null, ODD] } }
}

async function decisionsInOrder(store: Store): Promise<void> {
  const made = [decision('user:b', 3), decision('user:a', 2), decision('user:b', 1), decision(`user:${ODD}`, 5)]
  await store.transaction(async (tx) => {
    await tx.addDecisions([])
    await tx.addDecisions(made.slice(0, 3))
    await tx.addDecisions(made.slice(3))
  })
  await store.transaction((tx) => tx.addDecisions(made.slice(0, 1)))
  assert.deepEqual(await store.readDecisions({}), [...made, ...made.slice(0, 1)])
}

async function decisionsOfSubject(store: Store): Promise<void> {
  const made = Array.from({ length: 10 }, (_, index) => decision(index % 2 === 0 ? 'user:a' : 'user:b', index))
  await store.transaction((tx) => tx.addDecisions(made))
  const ofB = made.filter(({ subject }) => subject === 'user:b')
  assert.deepEqual(await store.readDecisions({ subjects: ['user:b'] }), ofB)
  assert.deepEqual(await store.readDecisions({ subjects: ['user:b'], limit: 2 }), ofB.slice(0, 2))
  assert.deepEqual(await store.readDecisions({ subjects: ['user:a', 'user:b', 'user:c'] }), made)
  assert.deepEqual(await store.readDecisions({ limit: 3 }), made.slice(0, 3))
  assert.deepEqual(await store.readDecisions({ subjects: ['user:stranger'] }), [])
  assert.deepEqual(await store.readDecisions({ limit: 3, order: 'latest' }), made.toReversed().slice(0, 3))
  assert.deepEqual(await store.readDecisions({ subjects: ['user:b'], order: 'latest' }), ofB.toReversed())
}

async function forgetsDecisions(store: Store): Promise<void> {
  const made = [3, 20, 10, 11, 5, 10].map((at, index) => decision(index % 2 === 0 ? 'user:a' : 'user:b', at))
  await store.transaction((tx) => tx.addDecisions(made))
  const forget = (until: number) => store.transaction((tx) => tx.forgetDecisions(until, 3))
  assert.equal(await forget(2), 0)
  assert.deepEqual([await forget(10), await forget(10), await forget(10)], [3, 1, 0])
  assert.deepEqual(
    await store.readDecisions({}),
    made.filter(({ at }) => at > 10),
  )
}

function entry(number: number, input?: Input): InboxEntry {
  return { key: { kind: 'community', id: `c-${number % 3}` }, input: input ?? { kind: 'instant', at: number } }
}

function entries(count: number): readonly InboxEntry[] {
  return Array.from({ length: count }, (_, index) => entry(index))
}

async function inboxInOrder(store: Store): Promise<void> {
  const event = { messageId: 'm-1', event: ODD, at: 5, properties: { [ODD]: ODD } }
  const all = [...entries(5), entry(6, { kind: 'event', at: 5, event, changes: { traits: { a: ODD } } })]
  await store.transaction(async (tx) => {
    await tx.addInbox([])
    await tx.addInbox(all.slice(0, 4))
    await tx.addInbox(all.slice(4))
  })
  const take = (limit: number) => store.transaction((tx) => tx.takeInbox(limit))
  assert.deepEqual(await take(2), all.slice(0, 2))
  assert.deepEqual(await take(3), all.slice(2, 5))
  assert.deepEqual(await take(10), all.slice(5))
  assert.deepEqual(await take(10), [])
}

async function inboxPutsBack(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addInbox(entries(3)))
  const failure = new Error('The work gives up.')
  const work = store.transaction(async (tx) => {
    await tx.takeInbox(2)
    throw failure
  })
  await assert.rejects(work, (error) => error === failure)
  assert.deepEqual(await store.transaction((tx) => tx.takeInbox(10)), entries(3))
}

async function inboxOnce(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addInbox(entries(60)))
  const taken: number[] = []
  const takeAll = async () => {
    while ((await store.nextDue()) === 0) {
      const part = await store.transaction((tx) => tx.takeInbox(7))
      taken.push(...part.map(({ input }) => input.at))
    }
  }
  await together(4, takeAll)
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    entries(60).map(({ input }) => input.at),
  )
}

async function inboxOneTaker(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addInbox(entries(10)))
  const taken = await meanwhile(
    store,
    (tx) => tx.takeInbox(1),
    async (tx) => {
      const none = await tx.takeInbox(10)
      await tx.addInbox([entry(10)])
      await tx.lockSubjects([user('u-1')])
      return none
    },
  )
  if (taken !== undefined) assert.deepEqual(taken, [])
}

async function countsDecisions(store: Store): Promise<void> {
  const said = (decision: Decision['decision'], rule: string, more: object = {}): Decision => {
    return { at: 1000, subject: 'user:u-1', decision, rule, ...more }
  }
  await store.transaction((tx) =>
    tx.addDecisions([
      said('journey.stepped', 'welcome', { run: 'r-1', step: 'greet' }),
      said('journey.stepped', 'welcome', { run: 'r-1', step: 'greet' }),
      said('journey.stepped', 'welcome', { run: 'r-2', step: 'greet' }),
      said('journey.held', 'welcome', { reason: ODD }),
      said('message.suppressed', 'night', { journey: 'welcome', run: 'r-1', step: 'greet', reason: 'cap' }),
      said('journey.held', 'welcome', { reason: 'early', at: 999 }),
      said('journey.held', 'welcome', { reason: 'late', at: 2000 }),
      said('journey.held', 'welcomes', { reason: 'welcome' }),
    ]),
  )
  const byName = (counts: readonly object[]) => counts.map((one) => JSON.stringify(one)).sort()
  assert.deepEqual(
    byName(await store.countDecisions({ journey: 'welcome', since: 1000, until: 2000 })),
    byName([
      { decision: 'journey.stepped', step: 'greet', decisions: 3, runs: 2 },
      { decision: 'journey.held', reason: ODD, decisions: 1, runs: 0 },
      { decision: 'message.suppressed', reason: 'cap', step: 'greet', decisions: 1, runs: 1 },
    ]),
  )
  assert.equal((await store.countDecisions({ journey: 'welcome' })).length, 5)
  assert.deepEqual(await store.countDecisions({ journey: 'nothing' }), [])
}
