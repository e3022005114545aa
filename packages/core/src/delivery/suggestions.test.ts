import { describe, expect, it } from 'vitest'
import { journey, template } from '../../testing/rules.js'
import { group, identify, track, worldOf } from '../../testing/shop.js'

describe('a suggestion', () => {
  const rules = [
    template('tip', 'Ask {{ traits.name }}'),
    journey('tell', [{ id: 'tell', suggest: { to: 'leader', template: 'tip', expires: '24h' } }]),
  ]

  it('is for the leader of the user, who is known through the community', async () => {
    const world = await worldOf(rules)
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'), identify('u2', { name: 'Wang' }))

    await world.ingest(track('cart', 'u2'))

    expect(await world.engine.suggestions()).toMatchObject([{ leader: 'l1', text: 'Ask Wang', about: 'user:u2' }])
    expect(await world.engine.suggestions({ leader: 'l2' })).toEqual([])
    expect((await world.decisions()).filter(({ decision }) => decision === 'suggestion.made')).toMatchObject([
      { subject: 'user:u2', rule: 'tell', to: 'leader:l1', expires: '2026-03-02T04:00:00.000Z' },
    ])
    await world.close()
  })

  it('is gone when it has expired', async () => {
    const world = await worldOf(rules)
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), identify('u1', { name: 'Wang' }), track('cart', 'u1'))

    await world.advanceTo('2026-03-02T11:59:59.999+08:00')
    expect(await world.engine.suggestions()).toHaveLength(1)

    await world.advanceTo('2026-03-02T12:00:00+08:00')
    expect(await world.engine.suggestions()).toEqual([])
    expect(await world.engine.deliveries()).toMatchObject([
      { kind: 'suggestion', state: 'rejected', reason: 'expired' },
    ])
    await world.close()
  })

  it('that cannot be rendered is suppressed with a reason', async () => {
    const world = await worldOf(rules)
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }))

    await world.ingest(track('cart', 'u1'))

    expect(await world.engine.suggestions()).toEqual([])
    expect((await world.decisions()).filter(({ decision }) => decision === 'message.suppressed')).toMatchObject([
      { reason: 'template' },
    ])
    await world.close()
  })
})
