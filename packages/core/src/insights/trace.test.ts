import { describe, expect, it } from 'vitest'
import { atLeast, journey, send, tag, template, wait } from '../../testing/rules.js'
import { track, worldOf } from '../../testing/shop.js'
import type { Decision } from '../domain/decision.js'

const RULES = [
  tag('regular', atLeast(2, 'order', { within: '7d' }), { name: '常客' }),
  template('hello'),
  journey('remind', [wait('a-while', '2h'), send('push')], { exit: { on: 'event', event: 'order' } }),
]

const found = (decisions: readonly Decision[], kind: string) => {
  const decision = decisions.findLast((one) => one.decision === kind)
  if (decision === undefined) throw new Error(`no ${kind}`)
  return decision
}

describe('the trace of a decision', () => {
  it('has the rule, the event that brought it about, and the conditions at that instant', async () => {
    const world = await worldOf(RULES)
    const second = track('order', 'u1')
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')
    await world.ingest(second)
    await world.advanceTo('2026-03-20T12:00:00+08:00')
    const decisions = await world.decisions()

    expect(await world.engine.trace(found(decisions, 'tag.added'))).toMatchObject({
      rule: { id: 'regular', name: '常客' },
      event: { messageId: second.messageId },
      explained: { holds: true, conditions: { actual: 2 } },
      earlier: [],
    })
    const ended = await world.engine.trace(found(decisions, 'tag.removed'))
    expect(ended).toMatchObject({
      explained: { holds: false, conditions: { actual: 1 } },
      earlier: [{ decision: 'tag.added' }],
    })
    expect(ended).not.toHaveProperty('event')
    await world.close()
  })

  it('of a message has the journey as it was when the run began, and what went before in that run', async () => {
    const world = await worldOf(RULES)
    const cart = track('cart', 'u1')
    await world.ingest(cart)
    await world.advanceTo('2026-03-01T15:00:00+08:00')

    const trace = await world.engine.trace(found(await world.decisions(), 'message.accepted'))

    expect(trace).toMatchObject({ rule: { kind: 'journey', id: 'remind' } })
    expect(trace.earlier.map(({ decision, step }) => [decision, step])).toEqual([
      ['journey.entered', undefined],
      ['journey.stepped', 'a-while'],
      ['journey.stepped', 'push'],
      ['message.planned', 'push'],
    ])
    await world.close()
  })

  it('is refused for what was never decided', async () => {
    const world = await worldOf(RULES)
    await world.ingest(track('cart', 'u1'))
    const decision = { ...found(await world.decisions(), 'journey.entered'), at: 5 }

    await expect(world.engine.trace(decision)).rejects.toMatchObject({ code: 'decision.unknown' })
    await world.close()
  })
})

describe('decisions', () => {
  it('can be asked for from the latest on', async () => {
    const world = await worldOf(RULES)
    await world.ingest(track('cart', 'u1'), track('order', 'u1'))

    const latest = await world.engine.decisions({ order: 'latest', limit: 2 })

    expect(latest.map(({ decision }) => decision)).toEqual(['journey.exited', 'journey.stepped'])
    await world.close()
  })
})
