import { describe, expect, it } from 'vitest'
import { atLeast, journey, tag } from '../../testing/rules.js'
import { worldOf } from '../../testing/shop.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { StoredEvent } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { loggedEvents } from './logged-events.js'

const DAY = 86_400_000
const said = (messageId: string, more: Partial<IncomingEvent>): IncomingEvent => ({
  messageId,
  type: 'track',
  event: 'order',
  timestamp: Date.parse('2026-03-01T00:00:00Z'),
  properties: {},
  ...more,
})

async function all(events: AsyncIterable<IncomingEvent>): Promise<IncomingEvent[]> {
  const found: IncomingEvent[] = []
  for await (const event of events) found.push(event)
  return found
}

describe('the events of a log', () => {
  it('are those that were sent, whoever they are of, without those of steps', async () => {
    const store = memoryStore({ keepEvents: true, keepDecisions: true })
    const emit = { id: 'said', emit: { event: 'noticed' } }
    const rules = [
      tag('regular', atLeast(1, 'order')),
      journey('notice', [emit], { entry: { on: 'event', event: 'order' } }),
    ]
    const world = await worldOf(rules, { database: store })
    const sent = [
      said('m1', { userId: 'u1', properties: { total: 5 } }),
      said('m2', { anonymousId: 'a1' }),
      said('m3', { context: { externalIds: [{ type: 'openid', id: 'o-1' }] } }),
      said('m4', { type: 'group', event: 'group', userId: 'u1', groupId: 'c-1', traits: { leaderId: 'l-1' } }),
      said('m5', { type: 'alias', event: 'alias', userId: 'u1', previousId: 'a1' }),
    ]
    await world.ingest(...sent)

    const { event: _, ...group } = sent[3] ?? {}
    const { event: __, ...alias } = sent[4] ?? {}
    expect(await all(loggedEvents(store))).toEqual([...sent.slice(0, 3), group, alias])
    expect((await store.readEvents({ userIds: ['u1'] })).map(({ event }) => event)).toContain('noticed')
    await world.close()
  })

  it('come page by page in time order, however close together or far apart they are', async () => {
    const times = [0, 1, 2 * DAY, 900 * DAY, ...Array.from({ length: 12_000 }, (_, index) => 1000 * DAY + (index % 7))]
    const events = times.map((at, index): StoredEvent => {
      return { messageId: `m${index}`, type: 'track', event: 'order', userId: 'u1', at, receivedAt: at, properties: {} }
    })
    const store = memoryStore({ keepEvents: true, keepDecisions: false })
    await store.transaction((tx) => tx.addEvents(events))

    const found = await all(loggedEvents(store))

    expect(found.map(({ timestamp }) => timestamp)).toEqual(times.toSorted((a, b) => a - b))
    expect(new Set(found.map(({ messageId }) => messageId)).size).toBe(times.length)
    await store.close()
  })

  it('of an empty log are none', async () => {
    expect(await all(loggedEvents(memoryStore({ keepEvents: true, keepDecisions: false })))).toEqual([])
  })
})
