import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVENING_RULES, eveningArb, MORNING_AFTER, type Slot, USERS } from '../../testing/evening.js'
import { EveningRun, playEvening } from '../../testing/evening-run.js'
import { atLeast, count, journey, putTag, score, tag, tagged, traitIs, wait } from '../../testing/rules.js'
import { group, identify, track, worldOf } from '../../testing/shop.js'
import { programOf } from '../../testing/subject.js'
import { memoryStore } from '../storage/memory/store.js'

const TAGS = programOf(...EVENING_RULES).subjects.user.tags.map(({ id }) => id)

async function disagreements(slots: readonly Slot[]): Promise<readonly string[]> {
  const run = new EveningRun(memoryStore(), slots[0]?.at ?? 0)
  await playEvening(run, slots)
  const engine = await run.start()
  const found: string[] = []
  for (const id of USERS) {
    const subject = await engine.subject('user', id)
    if (subject === undefined) continue
    for (const rule of TAGS) {
      const { holds } = await engine.explain({ subject: ['user', id], rule, at: MORNING_AFTER })
      if (holds !== subject.tags.includes(rule)) found.push(`${id} ${rule}: explained as ${holds}`)
    }
  }
  return found
}

describe('an explanation', () => {
  it('agrees with what the engine has decided, for everybody and every tag', async () => {
    await fc.assert(
      fc.asyncProperty(eveningArb, async (slots) => {
        expect(await disagreements(slots)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('of an instant in the past shows what was so then', async () => {
    const world = await worldOf([tag('regular', atLeast(2, 'order', { within: '7d' }))])
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-03T12:00:00+08:00')
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-20T12:00:00+08:00')

    const then = (at: string) => world.engine.explain({ subject: ['user', 'u1'], rule: 'regular', at })

    expect(await then('2026-03-02T12:00:00+08:00')).toMatchObject({ holds: false, conditions: { actual: 1 } })
    expect(await then('2026-03-03T12:00:00+08:00')).toMatchObject({ holds: true, until: '2026-03-08T04:00:00.000Z' })
    expect(await then('2026-03-08T12:00:00+08:00')).toMatchObject({ holds: false, conditions: { actual: 1 } })
    expect((await then('2026-03-05T12:00:00+08:00')).decisions).toHaveLength(1)
    await world.close()
  })

  it('of a tag that journeys put on has no conditions, but what was decided', async () => {
    const world = await worldOf([tag('greeted'), journey('greet', [putTag('mark', 'greeted')])])
    await world.ingest(track('cart', 'u1'))

    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'greeted' })

    expect(explained).toMatchObject({ kind: 'tag', holds: true, decisions: [{ decision: 'tag.added' }] })
    expect(explained).not.toHaveProperty('conditions')
    await world.close()
  })

  it('shows the events that were counted, the newest first, with what was read of them, and how many they are', async () => {
    const spent = {
      fact: 'eventSum',
      operator: 'greaterThan',
      value: 50,
      params: { event: 'order', property: 'total' },
    }
    const world = await worldOf([tag('spends', spent)])
    await world.ingest(
      ...Array.from({ length: 12 }, (_, index) => ({
        ...track('order', 'u1', { total: index + 1 }),
        timestamp: Date.parse('2026-03-01T11:00:00+08:00') + index * 1000,
      })),
    )
    await world.ingest(track('view', 'u1', { total: 1 }), track('order', 'u1', { total: 'much' }))

    const { conditions } = await world.engine.explain({ subject: ['user', 'u1'], rule: 'spends' })

    expect(conditions).toMatchObject({ kind: 'fact', actual: 78, eventsTotal: 12 })
    expect(conditions).toHaveProperty('events.length', 10)
    expect(conditions).toHaveProperty('events.0', {
      messageId: expect.any(String),
      event: 'order',
      at: '2026-03-01T03:00:11.000Z',
      value: 12,
      userId: 'u1',
    })
    await world.close()
  })

  it('of a tag that reads another one says why that one is on, and when it follows it by itself', async () => {
    const world = await worldOf([
      tag('recent', atLeast(1, 'order', { within: '7d' })),
      tag('local', traitIs('city', 'Shanghai')),
      tag('near-and-recent', { all: [tagged('recent'), tagged('local'), { not: tagged('recent', false) }] }),
    ])
    await world.ingest(identify('u1', { city: 'Shanghai' }), track('order', 'u1'))

    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'near-and-recent' })

    expect(explained).toMatchObject({
      holds: true,
      since: '2026-03-01T04:00:00.000Z',
      until: '2026-03-08T04:00:00.000Z',
      timeZone: 'Asia/Shanghai',
      conditions: {
        parts: [
          { fact: 'tag', reads: { kind: 'tag', id: 'recent' }, because: { fact: 'eventCount', actual: 1 } },
          { fact: 'tag', because: { fact: 'trait', actual: 'Shanghai' } },
          { part: { fact: 'tag', reads: { kind: 'tag', id: 'recent' } } },
        ],
      },
    })
    expect(explained.conditions).not.toHaveProperty('parts.2.part.because')
    await world.close()
  })

  it('of a score adds up what its terms give, with their events, and says when it changes', async () => {
    const world = await worldOf([
      score(
        'warmth',
        [
          { points: 10, event: 'order', halfLife: '7d' },
          { points: 5, conditions: traitIs('city', 'Shanghai') },
        ],
        {
          tiers: [{ id: 'warm', from: 10 }],
        },
      ),
    ])
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-10T12:00:00+08:00')

    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'warmth' })

    expect(explained).toMatchObject({
      kind: 'score',
      holds: true,
      since: '2026-03-08T04:00:00.000Z',
      until: '2026-03-15T04:00:00.000Z',
      score: {
        value: 5,
        terms: [
          { contribution: 5, actual: 1, eventsTotal: 1, events: [{ event: 'order' }] },
          { contribution: 0, conditions: { holds: false } },
        ],
      },
      decisions: [{ to: 10, tier: 'warm' }, { to: 5 }],
    })
    await world.close()
  })

  it('of a journey shows why somebody was let in: the event, and the conditions as they were then', async () => {
    const bigCart = { fact: 'event', operator: 'greaterThan', value: 100, params: { property: 'total' } }
    const world = await worldOf([
      tag('new', count('order', 'equal', 0)),
      journey('welcome', [wait('a-day', '1d'), wait('another', '3d')], {
        entry: { on: 'event', event: 'cart', conditions: { all: [bigCart, tagged('new')] } },
      }),
    ])
    const cart = track('cart', 'u1', { total: 120 })
    await world.ingest(cart)
    await world.advanceTo('2026-03-03T12:00:00+08:00')
    await world.ingest(track('order', 'u1'), track('cart', 'u1', { total: 5 }))
    const explained = (at?: string) =>
      world.engine.explain({ subject: ['user', 'u1'], rule: 'welcome', ...(at !== undefined && { at }) })

    expect(await explained()).toMatchObject({
      holds: true,
      since: '2026-03-01T04:00:00.000Z',
      until: '2026-03-05T04:00:00.000Z',
      askedAt: '2026-03-01T04:00:00.000Z',
      event: { messageId: cart.messageId, properties: { total: 120 } },
      runs: [{ step: 'another', until: '2026-03-05T04:00:00.000Z' }],
      conditions: { holds: true, parts: [{ actual: 120 }, { actual: true, because: { actual: 0 } }] },
    })
    expect(await explained('2026-03-01T13:00:00+08:00')).toMatchObject({ runs: [{ step: 'a-day' }] })
    await world.advanceTo('2026-03-06T12:00:00+08:00')
    expect(await explained()).toMatchObject({
      holds: false,
      since: '2026-03-05T04:00:00.000Z',
      until: null,
      event: { properties: { total: 5 } },
      runs: [],
      conditions: { holds: false, parts: [{ actual: 5 }, { actual: false }] },
    })
    await world.close()
  })

  it('knows what the community decides, and the leader that is known through it', async () => {
    const world = await worldOf([
      tag('lively', atLeast(2, 'order', { of: 'community' })),
      tag('led', { fact: 'relation', operator: 'equal', value: 'l1', params: { name: 'leader' } }),
      tag('local', traitIs('city', 'Shanghai')),
    ])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'), identify('u2', { city: 'Shanghai' }))
    await world.ingest(track('order', 'u1'), track('order', 'u1'))

    for (const rule of ['lively', 'led', 'local']) {
      expect(await world.engine.explain({ subject: ['user', 'u2'], rule }), rule).toMatchObject({ holds: true })
    }
    await world.close()
  })

  it('is refused for somebody unknown and for a rule that there is not', async () => {
    const world = await worldOf([tag('local', traitIs('city', 'Shanghai'))])
    await world.ingest(identify('u1', {}))

    await expect(world.engine.explain({ subject: ['user', 'u9'], rule: 'local' })).rejects.toMatchObject({
      code: 'subject.unknown',
    })
    await expect(world.engine.explain({ subject: ['user', 'u1'], rule: 'lokal' })).rejects.toMatchObject({
      code: 'rule.unknown',
      facts: { known: ['local'] },
    })
    await expect(world.engine.explain({ subject: ['user', 'u1'], rule: 'local', at: 'never' })).rejects.toThrow(
      RangeError,
    )
    await world.close()
  })
})
