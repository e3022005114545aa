import { fileURLToPath } from 'node:url'
import { checkPack, type IncomingEvent, loadPack } from '@linli/core'
import { createWorld, ruleCases } from '@linli/core/testing'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../packages/rules/packs/community-group-buying', import.meta.url))
const BEGIN = '2026-03-02T10:00:00+08:00'

let sequence = 0
const event = (name: string, properties: Readonly<Record<string, unknown>> = {}): IncomingEvent => ({
  event: name,
  userId: 'u1',
  messageId: `m${++sequence}`,
  properties,
})
const group: IncomingEvent = { type: 'group', userId: 'u1', messageId: 'g1', groupId: 'c1', traits: { leaderId: 'l1' } }

async function newWorld() {
  const world = await createWorld({ rules: folder, now: BEGIN })
  await world.ingest(group, event('consent_granted', { class: 'promotion' }))
  return world
}

describe('the tests of the community group-buying pack', async () => {
  for (const { title, run } of ruleCases(await loadPack(folder))) it(title, run)
})

describe('the community group-buying pack', () => {
  it('is right, without a warning', async () => {
    expect(await checkPack(folder)).toMatchObject({ files: 10, problems: [] })
  })

  it('reminds of a cart after two hours, once', async () => {
    const world = await newWorld()
    await world.ingest(event('cart_added', { cartId: 'a', name: '有机番茄' }))
    await world.advanceTo('2026-03-02T11:59:59+08:00')
    expect(world.sent).toEqual([])
    await world.advanceTo('2026-03-02T12:00:00+08:00')
    expect(world.sent).toMatchObject([{ to: { id: 'u1' }, content: { template: 'cart-reminder' } }])
    await world.close()
  })

  it('does not remind of a cart that was paid for, and reminds of the other one', async () => {
    const world = await newWorld()
    await world.ingest(
      event('cart_added', { cartId: 'a', name: '番茄' }),
      event('cart_added', { cartId: 'b', name: '米' }),
    )
    await world.advanceTo('2026-03-02T10:30:00+08:00')
    await world.ingest(event('order_paid', { cartId: 'a' }))
    await world.advanceTo('2026-03-02T20:00:00+08:00')
    expect(world.sent.map(({ content }) => content.body)).toEqual([expect.stringContaining('米')])
    await world.close()
  })

  it('calls a reminder off that waits for the morning when the order comes in the night', async () => {
    const world = await newWorld()
    await world.advanceTo('2026-03-02T21:30:00+08:00')
    await world.ingest(event('cart_added', { cartId: 'a', name: '番茄' }))
    await world.advanceTo('2026-03-03T06:00:00+08:00')
    await world.ingest(event('order_paid', { cartId: 'a' }))
    await world.advanceTo('2026-03-03T12:00:00+08:00')
    expect(world.sent).toEqual([])
    await world.close()
  })

  it('welcomes a new neighbour with a coupon, and tells the leader after three days without an order', async () => {
    const world = await newWorld()
    await world.ingest(event('member_joined'))
    expect(world.sent).toMatchObject([{ content: { body: expect.stringContaining('新邻居见面券') } }])
    await world.advanceTo('2026-03-05T10:00:00+08:00')
    expect(await world.engine.suggestions({ leader: 'l1' })).toMatchObject([{ about: 'user:u1', journey: 'welcome' }])
    await world.close()
  })
})
