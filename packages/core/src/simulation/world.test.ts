import { describe, expect, it } from 'vitest'
import { atLeast, journey, send, tag, template, wait } from '../../testing/rules.js'
import { NOON, track, worldOf } from '../../testing/shop.js'
import type { IncomingEvent } from '../ingest/event.js'

const RULES = [
  tag('regular', atLeast(2, 'order', { within: '1d' })),
  template('hello'),
  journey('remind', [wait('later', '1h'), send('push')], { exit: { on: 'event', event: 'order' } }),
]
const at = (event: string, timestamp: string): IncomingEvent => ({ ...track(event, 'u1'), timestamp })

describe('a world', () => {
  it('lets everything happen at its own instant when time moves on', async () => {
    const world = await worldOf(RULES)
    await world.ingest(track('cart', 'u1'))

    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect((await world.decisions()).filter(({ decision }) => decision === 'message.accepted')).toMatchObject([
      { at: Date.parse('2026-03-01T13:00:00+08:00') },
    ])
    expect(world.clock.now()).toBe(Date.parse('2026-03-02T12:00:00+08:00'))
    await world.close()
  })

  it('never goes back in time', async () => {
    const world = await worldOf(RULES)

    await world.advanceTo('2020-01-01T00:00:00Z')

    expect(world.clock.now()).toBe(Date.parse(NOON))
    await world.close()
  })

  it('plays events one by one, each at its own time', async () => {
    const world = await worldOf(RULES)

    await world.play([
      at('cart', '2026-03-01T05:00:00Z'),
      at('order', '2026-03-01T05:30:00Z'),
      at('order', '2026-03-01T06:00:00Z'),
    ])

    expect(world.sent).toEqual([])
    expect(
      (await world.decisions()).map(({ at: when, decision }) => `${new Date(when).toISOString()} ${decision}`),
    ).toEqual([
      '2026-03-01T05:00:00.000Z journey.entered',
      '2026-03-01T05:00:00.000Z journey.stepped',
      '2026-03-01T05:30:00.000Z journey.exited',
      '2026-03-01T06:00:00.000Z tag.added',
    ])
    await world.close()
  })

  it('plays events of one stretch of time together, when it is over', async () => {
    const world = await worldOf(RULES)

    await world.play(
      [at('order', '2026-03-01T05:10:00Z'), at('order', '2026-03-01T05:50:00Z'), at('order', '2026-03-01T06:10:00Z')],
      {
        everyMs: 3_600_000,
      },
    )

    expect(await world.decisions()).toMatchObject([{ decision: 'tag.added', at: Date.parse('2026-03-01T06:00:00Z') }])
    expect(world.clock.now()).toBe(Date.parse('2026-03-01T07:00:00Z'))
    await world.close()
  })

  it('plays on after events that are none, and is not led astray by a mistaken time', async () => {
    const world = await worldOf(RULES)
    const none = null as unknown as IncomingEvent

    await world.play([
      at('order', '2026-03-01T05:00:00Z'),
      none,
      at('order', '3000-01-01T00:00:00Z'),
      at('order', '2026-03-01T06:00:00Z'),
    ])

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect((await world.decisions()).filter(({ decision }) => decision === 'event.rejected')).toMatchObject([
      { reason: 'event.shape' },
      { reason: 'event.future' },
    ])
    await world.close()
  })
})
