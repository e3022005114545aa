import { describe, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { atLeast, journey, tag, template } from '../../testing/rules.js'
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
    expect((await world.decisions()).filter(({ decision }) => decision === 'suggestion.expired')).toMatchObject([
      { at: Date.parse('2026-03-02T12:00:00+08:00'), subject: 'user:u1', rule: 'tell', to: 'leader:l1' },
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

describeOnEveryStore('a leader marks a suggestion', (open) => {
  const rules = [
    template('tip'),
    journey('tell', [{ id: 'tell', suggest: { to: 'leader', template: 'tip', expires: '24h' } }]),
    tag('visited', atLeast(1, 'suggestion_done')),
    { ...tag('busy', atLeast(1, 'suggestion_done')), subject: 'leader' },
  ]
  const mark = { by: 'l1', outcome: 'done', note: '已上门' } as const

  async function suggested() {
    const store = await open()
    const world = await worldOf(rules, { database: store })
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), track('cart', 'u1'))
    const [suggestion] = await world.engine.suggestions()
    return { store, world, key: suggestion?.key ?? '' }
  }

  it('as done: it waits no more, and rules about the person and the leader know', async () => {
    const { store, world, key } = await suggested()

    await world.engine.markSuggestion(key, mark)
    await world.engine.settle()

    expect(await world.engine.suggestions()).toEqual([])
    expect(await world.engine.deliveries()).toMatchObject([{ kind: 'suggestion', state: 'accepted' }])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['visited'])
    expect((await world.engine.subject('leader', 'l1'))?.tags).toEqual(['busy'])
    expect((await world.decisions()).filter(({ decision }) => decision === 'suggestion.done')).toMatchObject([
      { subject: 'user:u1', rule: 'tell', step: 'tell', to: 'leader:l1', by: 'l1', note: '已上门' },
    ])
    const event = (await store.readEvents({ userIds: ['u1'] })).find((one) => one.event === 'suggestion_done')
    expect(event?.properties).toMatchObject({ template: 'tip', leader: 'l1', by: 'l1', journey: 'tell', step: 'tell' })
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  it('as dismissed, and nobody marks it again', async () => {
    const { world, key } = await suggested()

    const both = await Promise.allSettled([
      world.engine.markSuggestion(key, { by: 'l1', outcome: 'dismissed' }),
      world.engine.markSuggestion(key, { by: 'l1', outcome: 'dismissed' }),
    ])

    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(world.engine.markSuggestion(key, mark)).rejects.toMatchObject({
      code: 'delivery.settled',
      facts: { state: 'dismissed' },
    })
    await expect(world.engine.markSuggestion('stranger', mark)).rejects.toMatchObject({ code: 'delivery.unknown' })
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'rejected', reason: 'dismissed' }])
    await world.close()
  })

  it('not when it has expired', async () => {
    const { world, key } = await suggested()

    world.clock.moveTo('2026-03-02T12:00:00+08:00')
    const late = () => world.engine.markSuggestion(key, mark)
    await expect(late()).rejects.toMatchObject({ code: 'delivery.settled', facts: { state: 'expired' } })
    await world.engine.settle()

    await expect(late()).rejects.toMatchObject({ code: 'delivery.settled', facts: { state: 'expired' } })
    await world.close()
  })
})
