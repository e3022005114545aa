import { definePack } from '@linli/rules'
import { expect, it } from 'vitest'
import { atLeast, tag } from '../../testing/rules.js'
import { group, track, worldOf } from '../../testing/shop.js'
import { memoryStore } from '../storage/memory/store.js'

const KEEP = { kind: 'history', keep: '30d' }
const REGULAR = tag('regular', atLeast(2, 'order', { within: '30d' }))

it('events that are older than the rules keep them are forgotten, and tags stay right', async () => {
  const store = memoryStore()
  const world = await worldOf([KEEP, REGULAR], { database: store })
  await world.ingest(track('order', 'u1'))
  await world.advanceTo('2026-03-20T12:00:00+08:00')
  await world.ingest(track('order', 'u1'))

  await world.advanceTo('2026-03-31T11:59:59+08:00')
  await world.engine.settle()
  expect(await store.readEvents({ userIds: ['u1'] })).toHaveLength(2)
  expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])

  await world.advanceTo('2026-03-31T13:00:00+08:00')
  await world.engine.settle()
  expect(await store.readEvents({ userIds: ['u1'] })).toHaveLength(1)
  expect((await world.engine.subject('user', 'u1'))?.tags).toEqual([])

  await world.engine.publish(definePack([KEEP, tag('once', atLeast(1, 'order', { within: '30d' }))]))
  expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['once'])
  await world.close()
})

it('events that are too old to be kept are refused, live and as history; who people are may be said at any time', async () => {
  const world = await worldOf([KEEP, REGULAR])
  const old = { timestamp: '2026-01-30T11:59:59+08:00' }

  for (const mode of ['live', 'history'] as const) {
    const events = [track('order', 'u1'), group('u1', 'c1')].map((event) => ({ ...event, ...old }))
    const { results } = await world.engine.ingest(events, { mode })
    expect(results).toMatchObject([{ status: 'rejected', code: 'event.too_old' }, { status: 'accepted' }])
  }

  const { results } = await world.engine.ingest([{ ...track('order', 'u1'), timestamp: '2026-01-30T12:00:01+08:00' }])
  expect(results).toMatchObject([{ status: 'accepted' }])
  await world.close()
})
