import { describe, expect, it } from 'vitest'
import { atLeast, eventHas, journey, tag, tagged, traitIs } from '../../testing/rules.js'
import { group, track, worldOf } from '../../testing/shop.js'

const orderId = { fact: 'event', params: { property: 'orderId' } }

describe('a step that says something', () => {
  it('says nothing for a run that has ended, and leaves word of it', async () => {
    const emit = [{ id: 'tell', emit: { event: 'left_cart' } }]
    const world = await worldOf([journey('remind', emit, { exit: { on: 'event', event: 'order' } })])

    await world.engine.ingest([track('cart', 'u1'), track('order', 'u1')])
    await world.engine.settle()

    const decisions = await world.decisions()
    expect(decisions.filter(({ decision }) => decision === 'event.rejected')).toMatchObject([
      { rule: 'remind', step: 'tell', event: 'left_cart', reason: 'run ended' },
    ])
    await world.close()
  })

  it('cannot set off more and more journeys: what branches without end is cut off, and it is said', async () => {
    const emit = [{ id: 'again', emit: { event: 'echo' } }]
    const byEcho = { entry: { on: 'event', event: ['cart', 'echo'] }, reentry: 'always' }
    const world = await worldOf([journey('one', emit, byEcho), journey('two', emit, byEcho)])

    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))

    const decisions = await world.engine.decisions({ subject: ['user', 'u1'] })
    // The two that the cart began, and a thousand that followed.
    expect(decisions.filter(({ decision }) => decision === 'journey.entered')).toHaveLength(1002)
    expect(decisions.find(({ decision }) => decision === 'journey.held')).toMatchObject({
      reason: 'chain',
      limit: 1000,
    })
    expect((await world.engine.subject('user', 'u1'))?.runs).toEqual([])
    await world.advanceTo('2026-03-01T14:00:00+08:00')
    await world.ingest(track('cart', 'u1'))
    expect((await world.engine.decisions({ subject: ['user', 'u1'], order: 'latest', limit: 1 }))[0]).toMatchObject({
      decision: 'journey.exited',
    })
    await world.close()
  })

  it('adds an event to the log: rules count it, journeys begin by it, it is kept', async () => {
    const emit = { id: 'tell', emit: { event: 'big_order', properties: { orderId } } }
    const world = await worldOf([
      tag('big', atLeast(1, 'big_order')),
      tag('busy', atLeast(2, 'big_order'), { subject: 'community' }),
      journey('watch', [emit], { reentry: 'always' }),
      journey('thank', [{ id: 'end', exit: { reason: 'thanked' } }], {
        entry: { on: 'event', event: 'big_order', conditions: eventHas('orderId', 'o-2') },
      }),
    ])
    await world.ingest(
      group('u1', 'c1'),
      track('cart', 'u1', { orderId: 'o-1' }),
      track('cart', 'u1', { orderId: 'o-2' }),
    )

    const subject = await world.engine.subject('user', 'u1')
    expect(subject).toMatchObject({ tags: ['big'], runs: [] })
    expect(await world.engine.subject('community', 'c1')).toMatchObject({ tags: ['busy'] })
    const decisions = await world.decisions()
    const exits = decisions.filter(({ decision }) => decision === 'journey.exited').map(({ reason }) => reason)
    expect(exits.sort()).toEqual(['completed', 'completed', 'thanked'])
    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'big' })
    expect(explained).toMatchObject({ holds: true, conditions: { actual: 2 } })
    await world.close()
  })

  it('sets a trait before the next step looks at it', async () => {
    const steps = [
      { id: 'note', set: { trait: 'lastOrder', value: orderId } },
      {
        id: 'which',
        branch: [{ conditions: traitIs('lastOrder', 'o-1'), then: [{ id: 'yes', exit: { reason: 'known' } }] }],
        else: [{ id: 'no', exit: { reason: 'unknown' } }],
      },
    ]
    const world = await worldOf([tag('noted', traitIs('lastOrder', 'o-1')), journey('watch', steps)])
    await world.ingest(track('cart', 'u1', { orderId: 'o-1' }))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ traits: { lastOrder: 'o-1' }, tags: ['noted'] })
    const decisions = await world.decisions()
    expect(decisions.filter(({ decision }) => decision === 'journey.exited')).toMatchObject([{ reason: 'known' }])
    expect(await world.engine.explain({ subject: ['user', 'u1'], rule: 'noted' })).toMatchObject({ holds: true })
    await world.close()
  })

  it('does not go round for ever: a chain of journeys ends at a hundred, and it is said', async () => {
    const emit = (event: string) => [{ id: 'tell', emit: { event } }]
    const entry = (event: string) => ({ entry: { on: 'event', event }, reentry: 'always' })
    const world = await worldOf([
      journey('ping', emit('pong'), { entry: { on: 'event', event: ['ping', 'cart'] }, reentry: 'always' }),
      journey('pong', emit('ping'), entry('pong')),
      journey('set', [{ id: 'note', set: { trait: 'seen', value: true } }], entry('identify')),
    ])
    await world.ingest(track('cart', 'u1'))

    const decisions = await world.decisions()
    const held = decisions.filter(({ decision }) => decision === 'journey.held')
    expect(held).toMatchObject([{ rule: 'ping', reason: 'chain', limit: 100 }])
    expect(decisions.filter(({ decision }) => decision === 'journey.entered')).toHaveLength(100)
    await world.close()
  })

  it('is of who its user turned out to be before it was said', async () => {
    const steps = [{ id: 'note', set: { trait: 'seen', value: true } }]
    const world = await worldOf([journey('watch', steps)])
    await world.engine.ingest([track('view', 'u1'), track('cart', 'u2')])
    await world.ingest({ type: 'alias', userId: 'u1', previousId: 'u2', messageId: 'one' })

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ traits: { seen: true }, runs: [] })
    expect((await world.decisions()).filter(({ decision }) => decision === 'journey.exited')).toMatchObject([
      { reason: 'completed' },
    ])
    await world.close()
  })

  it('says nothing once its run has ended', async () => {
    const emit = { id: 'tell', emit: { event: 'big_order' } }
    const world = await worldOf([
      tag('big', atLeast(1, 'big_order')),
      tag('stop', atLeast(1, 'cart')),
      journey('watch', [emit], { exit: { on: 'tag.added', tag: 'stop' }, entry: { on: 'event', event: 'cart' } }),
      journey('other', [{ id: 'end', exit: {} }], {
        entry: { on: 'tag.added', tag: 'big', conditions: tagged('stop') },
      }),
    ])
    await world.ingest(track('cart', 'u1'))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({ tags: ['stop'] })
    expect(await world.engine.deliveries()).toMatchObject([{ kind: 'event', state: 'suppressed', reason: 'run ended' }])
    await world.close()
  })
})
