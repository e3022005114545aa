import { describe, expect, it } from 'vitest'
import { atLeast, tag } from '../../testing/rules.js'
import { NOON, worldOf } from '../../testing/shop.js'
import type { IncomingEvent } from './event.js'
import { FUTURE_MS, placeInTime } from './event-time.js'

const NOW = Date.parse(NOON)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const iso = (at: number) => new Date(at).toISOString()

const RULES = [tag('today', atLeast(1, 'order', { within: '1d' }))]
const order = (more: Partial<IncomingEvent>): IncomingEvent => ({
  event: 'order',
  userId: 'u1',
  messageId: 'm1',
  ...more,
})

/** When the tag of an event's day ends: a day after it happened, whenever that was. */
async function endOf(event: IncomingEvent): Promise<number | undefined> {
  const world = await worldOf(RULES)
  await world.ingest(event)
  const due = await world.engine.nextDue()
  await world.close()
  return due
}

describe('when an event happened', () => {
  it('is when it arrives, where it says no time', async () => {
    expect(await endOf(order({}))).toBe(NOW + DAY)
    expect(placeInTime({}, NOW)).toEqual({ ok: true, at: NOW, saidAt: undefined })
  })

  it('is its `timestamp`, however late it comes', async () => {
    expect(await endOf(order({ timestamp: iso(NOW - 23 * HOUR) }))).toBe(NOW + HOUR)
  })

  it('is the same in whatever order events come', async () => {
    const times = [NOW - 20 * HOUR, NOW - 3 * HOUR, NOW - 9 * HOUR]
    for (const arrival of [
      [0, 1, 2],
      [1, 0, 2],
      [2, 1, 0],
    ]) {
      const world = await worldOf([tag('twice', atLeast(2, 'order', { within: '1d' }))])
      for (const index of arrival) await world.ingest(order({ messageId: `m${index}`, timestamp: times[index] ?? 0 }))
      await world.advanceTo(NOW - 9 * HOUR + DAY - 1)
      expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['twice'])
      await world.advanceTo(NOW - 9 * HOUR + DAY)
      expect((await world.engine.subject('user', 'u1'))?.tags).toEqual([])
      await world.close()
    }
  })

  it('is now, where it claims to be up to five minutes ahead of the clock', async () => {
    expect(await endOf(order({ timestamp: NOW + FUTURE_MS }))).toBe(NOW + DAY)
  })

  it('cannot be more than five minutes ahead: the event is refused', () => {
    expect(placeInTime({ timestamp: NOW + FUTURE_MS + 1 }, NOW)).toMatchObject({ ok: false, code: 'event.future' })
  })
})

describe('a device whose clock is wrong', () => {
  it('says so by `sentAt`: the event is moved by as much', async () => {
    // An hour behind: it happened ten minutes before it was sent.
    const event = order({ timestamp: NOW - HOUR - 10 * MINUTE, sentAt: NOW - HOUR })
    expect(await endOf(event)).toBe(NOW - 10 * MINUTE + DAY)
  })

  it('may be years behind or ahead', () => {
    for (const wrong of [-30 * 365 * DAY, 30 * 365 * DAY]) {
      const placed = placeInTime({ timestamp: NOW + wrong - MINUTE, sentAt: NOW + wrong }, NOW)
      expect(placed).toEqual({ ok: true, at: NOW - MINUTE, saidAt: NOW + wrong - MINUTE })
    }
  })

  it('that sends an event before it happens has it counted as now, up to five minutes', () => {
    expect(placeInTime({ timestamp: NOW + MINUTE, sentAt: NOW }, NOW)).toMatchObject({ at: NOW })
    const placed = placeInTime({ timestamp: NOW - DAY + FUTURE_MS + 1, sentAt: NOW - DAY }, NOW)
    expect(placed).toMatchObject({ ok: false, code: 'event.future' })
  })

  it('is compared with `receivedAt`, where the event waited at the host before it came here', () => {
    const event = { timestamp: NOW - 4 * HOUR, sentAt: NOW - 3 * HOUR, receivedAt: NOW - 2 * HOUR }
    expect(placeInTime(event, NOW)).toMatchObject({ at: NOW - 3 * HOUR })
    expect(placeInTime({ receivedAt: NOW - 2 * HOUR }, NOW)).toMatchObject({ at: NOW - 2 * HOUR })
  })

  it('is left alone where somebody has corrected `timestamp` before: there is an `originalTimestamp`', () => {
    const event = { timestamp: NOW - HOUR, originalTimestamp: NOW - 5 * HOUR, sentAt: NOW - 4 * HOUR }
    expect(placeInTime(event, NOW)).toMatchObject({ at: NOW - HOUR })
  })

  it('is refused where it leads to no time', () => {
    expect(placeInTime({ timestamp: 5, sentAt: NOW + DAY }, NOW)).toMatchObject({ ok: false, code: 'event.time' })
    expect(placeInTime({ timestamp: NOW, sentAt: 'soon' }, NOW)).toMatchObject({ ok: false, code: 'event.time' })
    expect(placeInTime({ timestamp: NOW, receivedAt: '' }, NOW)).toMatchObject({ ok: false, code: 'event.time' })
  })

  it('is taken at its word in a recording that does not say when events were received', async () => {
    const world = await worldOf(RULES)
    await world.play([order({ timestamp: NOW + HOUR, sentAt: NOW + 3 * HOUR })])
    expect(await world.engine.nextDue()).toBe(NOW + HOUR + DAY)
    await world.close()
  })
})
