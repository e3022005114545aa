import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { atLeast, count, tag, traitIs } from '../../testing/rules.js'
import { group, NOON, track, worldOf } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { delegate } from '../testing/delegate.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined)
  console.warn('SKIPPED: joining a community that turns meanwhile; there is no PostgreSQL.')

const LIVELY = tag('lively', atLeast(3, 'order', { of: 'community', within: '7d' }))

/** A store that, once told to, does the work of a transaction and waits for `goOn` before it commits. */
function holdingBack(store: Store) {
  let [isHolding, hasWorked, goOn] = [false, () => {}, () => {}]
  const worked = new Promise<void>((resolve) => {
    hasWorked = resolve
  })
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const held = delegate<Store>(store, {
    transaction: (work) =>
      store.transaction(async (tx) => {
        const result = await work(tx)
        if (isHolding) {
          hasWorked()
          await gate
        }
        return result
      }),
  })
  return { store: held, worked, goOn: () => goOn(), hold: () => (isHolding = true) }
}

describe.skipIf(postgresUrl === undefined)('somebody who joins a community', () => {
  it('is told when a condition about it turned before anybody else could know of them', async () => {
    const rules = definePack([LIVELY])
    const clock = virtualClock(NOON)
    const options = { schema: `join_${randomBytes(6).toString('hex')}`, clock: 'engine', concurrency: 1 } as const
    const slow = holdingBack(await openStore(postgresUrl ?? '', options))
    const other = await createEngine({ rules, clock, database: await openStore(postgresUrl ?? '', options) })
    const one = await createEngine({ rules, clock, database: slow.store })
    const orders = [1, 2, 3].map(() => track('order', 'u1'))
    await other.ingest([group('u1', 'c1')])
    await other.ingest(orders)
    await other.settle()
    expect((await other.subject('user', 'u1'))?.tags).toEqual(['lively'])

    slow.hold()
    const joins = one.ingest([group('u2', 'c1')])
    await slow.worked
    clock.moveTo('2026-03-08T12:00:00+08:00')
    await other.settle()
    slow.goOn()
    await joins
    await other.settle()

    for (const id of ['u1', 'u2']) expect((await other.subject('user', id))?.tags).toEqual([])
    await Promise.all([one.close(), other.close()])
  })
})

describe('a condition about a leader of whom nothing is known', () => {
  it('is that about one who has done nothing', async () => {
    const world = await worldOf([
      tag('quiet-leader', count('order', 'equal', 0, { of: 'leader' })),
      tag('busy-leader', atLeast(1, 'order', { of: 'leader' })),
      tag('not-far', { not: { ...traitIs('far', true), params: { name: 'far', of: 'leader' } } }),
    ])

    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }))
    expect((await world.engine.subject('user', 'u1'))?.tags.toSorted()).toEqual(['not-far', 'quiet-leader'])

    await world.ingest(track('order', 'u1'))
    expect((await world.engine.subject('user', 'u1'))?.tags.toSorted()).toEqual(['busy-leader', 'not-far'])
    await world.close()
  })
})
