import { describe, expect, it } from 'vitest'
import { atLeast, journey, send, tag, template } from '../../testing/rules.js'
import { shopOf, track, worldOf } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import { memoryStore } from '../storage/memory/store.js'

const RULES = [
  tag('once', atLeast(1, 'order')),
  tag('twice', atLeast(2, 'order')),
  template('hello'),
  journey('thank', [send('push')], { entry: { on: 'event', event: 'order' }, reentry: 'always' }),
]

describe('a second event of the same messageId', () => {
  it('in one call is a duplicate and changes nothing', async () => {
    const world = await worldOf(RULES)
    const order = track('order', 'u1')

    const report = await world.ingest(order, { ...order, userId: 'u2' }, order)

    expect(report).toMatchObject({ accepted: 1, duplicates: 2, rejected: 0 })
    expect(report.results.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'duplicate'])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['once'])
    expect(await world.engine.subject('user', 'u2')).toBeUndefined()
    expect(world.sent).toHaveLength(1)
    await world.close()
  })

  it('in a later call is a duplicate and changes nothing', async () => {
    const world = await worldOf(RULES)
    const order = track('order', 'u1')
    await world.ingest(order)
    await world.advanceTo('2026-06-01T00:00:00Z')

    const report = await world.ingest({ ...order, properties: { other: true } }, track('view', 'u1'))

    expect(report).toMatchObject({ accepted: 1, duplicates: 1 })
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['once'])
    expect(world.sent).toHaveLength(1)
    await world.close()
  })

  it('in calls at the same time is accepted by exactly one of them', async () => {
    const world = await worldOf(RULES)
    const orders = [track('order', 'u1'), track('order', 'u2')]

    const reports = await Promise.all(Array.from({ length: 5 }, () => world.engine.ingest(orders)))

    expect(reports.reduce((sum, report) => sum + report.accepted, 0)).toBe(2)
    expect(reports.reduce((sum, report) => sum + report.duplicates, 0)).toBe(8)
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['once'])
    await world.close()
  })
})

describe('a call', () => {
  it('without events does nothing', async () => {
    const world = await worldOf(RULES)

    expect(await world.engine.ingest([])).toEqual({ accepted: 0, duplicates: 0, rejected: 0, results: [] })
    await world.close()
  })

  it('of more events than one transaction takes is taken in whole', async () => {
    const world = await worldOf([tag('many', atLeast(2500, 'order'))])

    const report = await world.ingest(...Array.from({ length: 2500 }, () => track('order', 'u1')))

    expect(report.accepted).toBe(2500)
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['many'])
    await world.close()
  })
})

describe('an event that the database cannot take', () => {
  const dataException = Object.assign(new Error('invalid byte sequence'), { code: '22021' })
  const refusing = () =>
    withTransactions(memoryStore(), (tx) => ({
      addEvents: (events) => {
        if (events.some(({ event }) => event === 'poison')) throw dataException
        return tx.addEvents(events)
      },
    }))

  it('is rejected by itself; its neighbours are taken in', async () => {
    const engine = await shopOf([tag('many', atLeast(20, 'order'))], { store: refusing() }).start()
    const orders = Array.from({ length: 20 }, () => track('order', 'u1'))

    const report = await engine.ingest([...orders.slice(0, 7), track('poison', 'u1'), ...orders.slice(7)])

    expect(report).toMatchObject({ accepted: 20, rejected: 1 })
    expect(report.results[7]).toMatchObject({ status: 'rejected', code: 'event.failed' })
    expect((await engine.subject('user', 'u1'))?.tags).toEqual(['many'])
    expect((await engine.decisions()).filter(({ decision }) => decision === 'event.rejected')).toHaveLength(1)
  })

  it('does not stop later events when the database fails while it is written down', async () => {
    let isDown = false
    const store = withTransactions(refusing(), (tx) => ({
      addDecisions: (decisions) => {
        if (isDown) throw new Error('connection lost')
        return tx.addDecisions(decisions)
      },
    }))
    const engine = await shopOf(RULES, { store }).start({ channels: [SMS] })
    isDown = true
    await expect(engine.ingest([track('poison', 'u1')])).rejects.toThrow('connection lost')

    isDown = false
    expect(await engine.ingest([track('order', 'u1')])).toMatchObject({ accepted: 1 })
  })
})

describe('a database that fails', () => {
  it('has the call rejected, for the host to send the events again', async () => {
    let isDown = true
    const store = withTransactions(memoryStore(), (tx) => ({
      addEvents: (events) => {
        if (isDown) throw new Error('connection lost')
        return tx.addEvents(events)
      },
    }))
    const engine = await shopOf(RULES, { store }).start({ channels: [SMS] })
    const order = track('order', 'u1')
    await expect(engine.ingest([order])).rejects.toThrow('connection lost')

    isDown = false
    expect(await engine.ingest([order])).toMatchObject({ accepted: 1, duplicates: 0 })
    expect((await engine.subject('user', 'u1'))?.tags).toEqual(['once'])
  })
})

const SMS = {
  name: 'sms',
  repeat: { kind: 'none' as const },
  send: () => Promise.resolve({ status: 'accepted' as const }),
}
