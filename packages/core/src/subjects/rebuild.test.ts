import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../engine.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'

const START = Date.parse('2026-03-01T08:00:00Z')

function orders(id: string, atLeast: number, subject = 'user') {
  const params = { event: 'order_paid', within: '30d' }
  const condition = { fact: 'eventCount', operator: 'greaterThanInclusive', value: atLeast, params }
  return { kind: 'tag', id, subject, conditions: { all: [condition] } }
}

/** An engine over what another one left, as a restarted process finds it. */
async function start(store: Store, rules: readonly unknown[]) {
  return createEngine({ rules: definePack(rules), database: store, clock: virtualClock(START) })
}

async function shopWithOrders(): Promise<Store> {
  const store = memoryStore()
  const engine = await start(store, [orders('two', 2)])
  const joins = ['a', 'b'].map(
    (userId) => ({ type: 'group', userId, groupId: 'c-1', messageId: `join-${userId}` }) as const,
  )
  const paid = ['a', 'a', 'a', 'a', 'b'].map((userId, index) => {
    return { event: 'order_paid', userId, messageId: `m-${index}`, timestamp: START - index * 1000 }
  })
  await engine.ingest([...joins, ...paid])
  await engine.settle()
  return store
}

describe('starting with other rules than before', () => {
  it('fills new features from the event log', async () => {
    const store = await shopWithOrders()
    const engine = await start(store, [orders('two', 2), { ...orders('paid', 1), conditions: { all: [spent()] } }])
    expect((await engine.subject('user', 'a'))?.tags).toEqual(['two', 'paid'])
  })

  it('refills a feature that must now remember more', async () => {
    const store = await shopWithOrders()
    const engine = await start(store, [orders('two', 2), orders('four', 4)])
    expect((await engine.subject('user', 'a'))?.tags).toEqual(['two', 'four'])
    expect((await engine.subject('user', 'b'))?.tags).toEqual([])
  })

  it('works out a score that is new, or whose terms have changed, and takes away one that is gone', async () => {
    const loyalty = (points: number) => ({ kind: 'score', id: 'loyalty', terms: [{ points, event: 'order_paid' }] })
    const store = await shopWithOrders()
    const scoresWith = async (...rules: readonly unknown[]) => {
      const engine = await start(store, [orders('two', 2), ...rules])
      return (await engine.subject('user', 'a'))?.scores
    }

    expect(await scoresWith(loyalty(10))).toEqual({ loyalty: { value: 40 } })
    expect(await scoresWith(loyalty(5))).toEqual({ loyalty: { value: 20 } })
    expect(await scoresWith()).toEqual({})
    expect((await store.readSubject({ kind: 'user', id: 'a' }))?.scores).toEqual({})
  })

  it('fills the features of communities and tells their members', async () => {
    const store = await shopWithOrders()
    const ofCommunity = { fact: 'tag', params: { id: 'five', of: 'community' }, operator: 'equal', value: true }
    const engine = await start(store, [
      orders('five', 5, 'community'),
      { kind: 'tag', id: 'busy-estate', conditions: { all: [ofCommunity] } },
    ])
    await engine.settle()
    expect((await engine.subject('community', 'c-1'))?.tags).toEqual(['five'])
    expect((await engine.subject('user', 'b'))?.tags).toEqual(['busy-estate'])
  })

  it('looks again at a tag whose conditions changed, and takes off one that is gone', async () => {
    const store = await shopWithOrders()
    const engine = await start(store, [orders('three', 3)])
    expect((await engine.subject('user', 'a'))?.tags).toEqual(['three'])
    const said = await engine.decisions({ subject: ['user', 'a'] })
    expect(said.map(({ decision, rule }) => `${decision} ${rule}`)).toEqual([
      'tag.added two',
      'tag.removed two',
      'tag.added three',
    ])
  })

  it('enters nobody into a journey for what is long past', async () => {
    const store = await shopWithOrders()
    const journey = {
      kind: 'journey',
      id: 'welcome',
      entry: { on: 'tag.added', tag: 'four' },
      steps: [{ id: 'wait', wait: '1d' }],
    }
    const engine = await start(store, [orders('four', 4), journey])
    const entered = (await engine.decisions()).filter(({ decision }) => decision === 'journey.entered')
    expect(entered).toEqual([])
  })

  it('does nothing when the rules are the same', async () => {
    const store = await shopWithOrders()
    const before = await (await start(store, [orders('two', 2)])).decisions()
    expect(before.filter(({ decision }) => decision === 'tag.added')).toHaveLength(1)
  })
})

function spent() {
  const params = { event: 'order_paid', item: { all: [] } }
  return { fact: 'itemCount', operator: 'equal', value: 0, params }
}
