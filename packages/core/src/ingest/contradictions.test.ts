import { describe, expect, it } from 'vitest'
import { atLeast, tag } from '../../testing/rules.js'
import { shopOf, track, worldOf } from '../../testing/shop.js'

const RULES = [tag('once', atLeast(1, 'order')), tag('twice', atLeast(2, 'order'))]
const conflict = { status: 'duplicate', conflict: true }

describe('an event that says something else than the first of its messageId', () => {
  it('changes nothing, and is told so: the first stands', async () => {
    const world = await worldOf(RULES)
    const order = track('order', 'u1', { total: 10 })
    await world.ingest(order)

    const report = await world.ingest({ ...order, properties: { total: 99 } }, { ...order, properties: { total: 10 } })

    expect(report.results).toMatchObject([conflict, { status: 'duplicate' }])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['once'])
    await world.close()
  })

  it('is written down once, with what differs and without what it said', async () => {
    const world = await worldOf([])
    const order = track('order', 'u1', { phone: '138-0000' })
    await world.ingest(order)

    for (const phone of ['139-1111', '139-2222']) await world.ingest({ ...order, userId: 'u2', properties: { phone } })

    const log = await world.decisions()
    expect(log).toMatchObject([
      {
        subject: 'user:u2',
        decision: 'event.rejected',
        reason: 'event.conflict',
        messageId: order.messageId,
        differs: ['userId', 'properties'],
      },
    ])
    expect(JSON.stringify(log)).not.toContain('139')
    await world.close()
  })

  it('is known within one call, and among calls at the same time', async () => {
    const { start } = shopOf(RULES)
    const engine = await start()
    const order = track('order', 'u1')
    const other = { ...order, properties: { total: 1 } }

    const within = await engine.ingest([order, other, order])
    expect(within.results).toMatchObject([{ status: 'accepted' }, conflict, { status: 'duplicate' }])
    expect(within.results[2]).not.toHaveProperty('conflict')

    const next = track('order', 'u1')
    const reports = await Promise.all([
      engine.ingest([next]),
      engine.ingest([{ ...next, event: 'view' }]),
      engine.ingest([next]),
    ])
    expect(reports.map(({ results }) => results[0])).toMatchObject([
      { status: 'accepted' },
      conflict,
      { status: 'duplicate' },
    ])
    expect((await engine.decisions()).filter(({ reason }) => reason === 'event.conflict')).toHaveLength(2)
  })

  it('may say another time: what is left out is no contradiction, nor is when it was sent', async () => {
    const world = await worldOf(RULES)
    const timestamp = '2026-03-01T03:00:00Z'
    const order = { ...track('order', 'u1'), timestamp, sentAt: '2026-03-01T03:01:00Z' }
    await world.ingest(order)

    const { timestamp: _, ...withoutTime } = order
    const again = { ...order, timestamp: Date.parse(timestamp), sentAt: '2026-03-01T03:30:00Z' }
    const report = await world.ingest(again)
    const untimed = await world.ingest(withoutTime)
    const moved = await world.ingest({ ...order, timestamp: '2026-03-01T02:00:00Z' })

    expect(report.results[0]).not.toHaveProperty('conflict')
    expect(untimed.results[0]).not.toHaveProperty('conflict')
    expect(moved.results).toMatchObject([conflict])
    await world.close()
  })

  it('is the same event when only the order of its keys differs', async () => {
    const world = await worldOf([])
    const order = track('order', 'u1', { a: 1, b: { c: [1, 2], d: null } })
    await world.ingest(order)

    const report = await world.ingest({ ...order, properties: { b: { d: null, c: [1, 2] }, a: 1 } })

    expect(report.results[0]).toEqual({ status: 'duplicate', messageId: order.messageId })
    await world.close()
  })
})
