import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, score, send, tag, template } from '../../testing/rules.js'
import { group, identify, log, NOON, track, worldOf } from '../../testing/shop.js'
import type { IncomingEvent } from './event.js'

const HISTORY = { mode: 'history' } as const
const REGULAR = tag('regular', atLeast(2, 'order', { within: '365d' }))
const LIVELY = tag('lively', atLeast(2, 'order', { within: '365d', of: 'community' }))
const greet = (on: string) => journey(`greet-${on}`, [send('push')], { entry: { on: 'tag.added', tag: on } })
const long = (event: IncomingEvent, days: number): IncomingEvent => {
  return { ...event, timestamp: Date.parse(NOON) - days * 86_400_000 }
}

describe('events of the past', () => {
  it('give tags at once, each with its reason, and send nothing to anybody', async () => {
    const world = await worldOf([template('hello'), REGULAR, LIVELY, greet('regular'), greet('lively')])
    await world.ingest(group('u1', 'c1'), group('u2', 'c1'))

    const past = [200, 100].map((days) => long(track('order', 'u1'), days))
    expect(await world.engine.ingest(past, HISTORY)).toMatchObject({ accepted: 2 })
    await world.engine.settle()

    expect((await world.engine.subject('user', 'u1'))?.tags.toSorted()).toEqual(['lively', 'regular'])
    expect((await world.engine.subject('user', 'u2'))?.tags).toEqual(['lively'])
    expect(await log(world.engine, 'tag')).toEqual(['tag.added history', 'tag.added history', 'tag.added history'])
    expect([world.sent, await log(world.engine, 'journey')]).toEqual([[], []])
    await world.close()
  })

  it('greet nobody who becomes known by them, also not for what such a person has never done', async () => {
    const idle = tag('idle', count('order', 'equal', 0, { within: '30d' }))
    const world = await worldOf([template('hello'), idle, greet('idle')])

    await world.engine.ingest([long(track('view', 'u1'), 300)], HISTORY)
    await world.engine.settle()

    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['idle'])
    expect(await log(world.engine, 'journey')).toEqual([])
    await world.close()
  })

  it('move no run, end none, and reach no goal', async () => {
    const bought = { id: 'bought', waitFor: { event: 'order', timeout: '2d' } }
    const world = await worldOf([journey('remind', [bought], { exit: { on: 'event', event: 'cart_cleared' } })])
    await world.ingest(track('cart', 'u1'))

    await world.engine.ingest([track('order', 'u1'), track('cart_cleared', 'u1')], HISTORY)

    expect((await world.engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'bought' }])
    await world.close()
  })

  it('say who people are, where they belong, and what they do not want', async () => {
    const world = await worldOf([
      template('hello'),
      { kind: 'policy', id: 'consent', consent: {} },
      journey('remind', [send('push')]),
    ])
    const past = [
      identify('u1', { city: '上海' }),
      group('u1', 'c1', { leaderId: 'l1' }),
      track('consent_withdrawn', 'u1'),
    ]
    await world.engine.ingest(past, HISTORY)
    await world.engine.settle()

    await world.ingest(track('cart', 'u1'))

    expect(await world.engine.subject('user', 'u1')).toMatchObject({
      traits: { city: '上海' },
      relations: { community: 'c1', leader: 'l1' },
    })
    expect(world.sent).toEqual([])
    await world.close()
  })

  it('count once, however often they are sent, and in whatever way', async () => {
    const world = await worldOf([tag('thrice', atLeast(3, 'order'))])
    const orders = [track('order', 'u1'), track('order', 'u1')]

    const reports = await Promise.all([
      world.engine.ingest(orders, HISTORY),
      world.engine.ingest(orders),
      world.engine.ingest(orders, HISTORY),
    ])

    expect(reports.map(({ accepted }) => accepted)).toEqual([2, 0, 0])
    expect((await world.engine.subject('user', 'u1'))?.tags).toEqual([])
    await world.close()
  })
})

it('what is known is the same, whether events come as history, as they happen, or in turn', async () => {
  const rules = [
    tag('two', atLeast(2, 'order', { within: '2d' })),
    tag('idle', count('order', 'equal', 0, { within: '1d' })),
    tag('lively', atLeast(3, 'order', { within: '3d', of: 'community' })),
    tag('busy', atLeast(3, 'order'), { subject: 'community' }),
    score('heat', [{ points: 4, event: 'order', halfLife: '1d' }]),
  ]
  const eventArb = fc.record({
    kind: fc.constantFrom('order', 'order', 'order', 'group', 'view'),
    user: fc.constantFrom('u1', 'u2'),
    community: fc.constantFrom('c1', 'c2'),
    hours: fc.nat(100),
    asHistory: fc.boolean(),
    alone: fc.boolean(),
  })
  const play = async (
    events: readonly (typeof eventArb extends fc.Arbitrary<infer T> ? T : never)[],
    mixed: boolean,
  ) => {
    const world = await worldOf(rules)
    for (const [index, { kind, user, community, hours, asHistory, alone }] of events.entries()) {
      const base = { messageId: `m-${index}`, userId: user, timestamp: Date.parse(NOON) - hours * 3_600_000 }
      const event =
        kind === 'group' ? { ...base, type: 'group' as const, groupId: community } : { ...base, event: kind }
      await world.engine.ingest([event], { mode: mixed && asHistory ? 'history' : 'live' })
      if (alone) await world.engine.settle()
    }
    await world.engine.settle()
    await world.advanceTo(Date.parse(NOON) + 30 * 3_600_000)
    const names = [
      ['user', 'u1'],
      ['user', 'u2'],
      ['community', 'c1'],
      ['community', 'c2'],
    ] as const
    const found = await Promise.all(names.map(([kind, id]) => world.engine.subject(kind, id)))
    await world.close()
    return found.map((one) => one && { ...one, tags: one.tags.toSorted() })
  }
  await fc.assert(
    fc.asyncProperty(fc.array(eventArb, { maxLength: 15 }), async (events) => {
      expect(await play(events, true)).toEqual(await play(events, false))
    }),
    { numRuns: 60 },
  )
})
