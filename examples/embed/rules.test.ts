import { createWorld, type World } from '@linli/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

describe('the cart reminder', () => {
  let world: World

  beforeEach(async () => {
    world = await createWorld({ rules: `${import.meta.dirname}/rules`, now: '2026-03-02T21:00:00+08:00' })
    await world.ingest({ event: 'consent_granted', messageId: 'm1', userId: 'u1', properties: { class: 'promotion' } })
    await world.ingest({
      event: 'cart_added',
      messageId: 'm2',
      userId: 'u1',
      properties: { cartId: 'c1', name: '草莓' },
    })
  })

  afterEach(() => world.close())

  it('comes two hours later, but not at night', async () => {
    await world.advanceTo('2026-03-03T07:59:59+08:00')
    expect(world.sent).toEqual([])

    await world.advanceTo('2026-03-03T08:00:00+08:00')
    expect(world.sent).toMatchObject([
      { to: { id: 'u1' }, content: { body: '邻居，草莓还在购物车里，今天 20 点截单。' } },
    ])
  })

  it('does not come after an order of the same cart', async () => {
    await world.ingest({ event: 'order_paid', messageId: 'm3', userId: 'u1', properties: { cartId: 'c1' } })

    await world.advanceTo('2026-03-04T12:00:00+08:00')
    expect(world.sent).toEqual([])
  })

  it('does not come when promotions are no longer wanted', async () => {
    await world.advanceTo('2026-03-03T01:00:00+08:00')
    await world.ingest({
      event: 'consent_withdrawn',
      messageId: 'm4',
      userId: 'u1',
      properties: { class: 'promotion' },
    })

    await world.advanceTo('2026-03-04T12:00:00+08:00')
    expect(world.sent).toEqual([])
    expect(await world.decisions()).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ decision: 'message.suppressed', reason: 'opted out' })]),
    )
  })
})
