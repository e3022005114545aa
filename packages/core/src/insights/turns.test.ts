import { definePack, type Turn } from '@linli/rules'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, score, tag, tagged, traitIs, wait } from '../../testing/rules.js'
import { group, identify, NOON, track, worldOf } from '../../testing/shop.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { World } from '../simulation/world.js'
import { createWorld } from '../testing/create-world.js'

const turnOf = async (world: World, rule: string, id = 'u1') =>
  (await world.engine.explain({ subject: ['user', id], rule })).toTurn

describe('what would have to happen', () => {
  it('is so many more events while those that count still do', async () => {
    const world = await worldOf([tag('regular', atLeast(3, 'order', { within: '7d' }))])
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')

    expect(await turnOf(world, 'regular')).toMatchObject({
      kind: 'fact',
      fact: 'eventCount',
      holds: true,
      more: 2,
      before: '2026-03-08T04:00:00.000Z',
    })
    await world.ingest(track('order', 'u1'), track('order', 'u1'))
    expect(await turnOf(world, 'regular')).toEqual({ kind: 'time', at: '2026-03-08T04:00:00.000Z' })
    await world.close()
  })

  it('is how much more, and how much less', async () => {
    const spent = (operator: string, value: number) => ({
      fact: 'eventSum',
      operator,
      value,
      params: { event: 'order', property: 'total' },
    })
    const world = await worldOf([tag('exactly', spent('equal', 20)), tag('little', spent('lessThan', 20))])
    await world.ingest(track('order', 'u1', { total: 12.3 }))

    expect(await turnOf(world, 'exactly')).toMatchObject({ more: 7.7, holds: true })
    expect(await turnOf(world, 'little')).toMatchObject({ more: 7.7, holds: false })
    await world.ingest(track('order', 'u1', { total: 7.7 }))
    expect(await turnOf(world, 'exactly')).toMatchObject({
      kind: 'any',
      parts: [{ more: 0.000001 }, { more: -0.000001 }],
    })
    await world.close()
  })

  it('is an event, or none for a while', async () => {
    const silent = { fact: 'sinceLastEvent', operator: 'greaterThan', value: '21d', params: { event: 'order' } }
    const world = await worldOf([tag('silent', silent), tag('never', count('order', 'equal', 0))])
    await world.ingest(track('view', 'u1'))

    expect(await turnOf(world, 'never')).toMatchObject({ more: 1, holds: false })
    expect(await turnOf(world, 'silent')).toMatchObject({ more: 1, from: '2026-03-22T04:00:00.001Z' })
    await world.ingest(track('order', 'u1'))
    expect(await turnOf(world, 'never')).toEqual({ kind: 'never' })
    expect(await turnOf(world, 'silent')).toEqual({ kind: 'time', at: '2026-03-22T04:00:00.001Z' })
    await world.advanceTo('2026-04-01T12:00:00+08:00')
    expect(await turnOf(world, 'silent')).toMatchObject({ kind: 'fact', holds: false, more: 1 })
    await world.close()
  })

  it('is all of what fails, or any of it, also behind tags and in the community', async () => {
    const world = await worldOf([
      tag('local', traitIs('city', 'Shanghai')),
      tag('both', { all: [tagged('local'), atLeast(1, 'order')] }),
      tag('either', { any: [tagged('local'), atLeast(1, 'order')] }),
      tag('neither', { not: { any: [tagged('local'), atLeast(1, 'order')] } }),
      tag('lively', atLeast(3, 'order', { of: 'community' })),
    ])
    await world.ingest(group('u1', 'c1'), identify('u1', { city: 'Hangzhou' }))

    const local = {
      kind: 'fact',
      fact: 'trait',
      params: { name: 'city' },
      operator: 'equal',
      expected: 'Shanghai',
      holds: true,
    }
    const parts = [local, { kind: 'fact', fact: 'eventCount', more: 1 }]
    expect(await turnOf(world, 'both')).toMatchObject({ kind: 'all', parts })
    expect(await turnOf(world, 'either')).toMatchObject({ kind: 'any', parts })
    expect(await turnOf(world, 'neither')).toMatchObject({ kind: 'any', parts })
    expect(await turnOf(world, 'lively')).toMatchObject({ about: 'community:c1' })
    await world.close()
  })

  it('of a score is what it takes to the next tier', async () => {
    const tiers = [
      { id: 'silver', from: 10 },
      { id: 'gold', from: 25.5 },
    ]
    const world = await worldOf([score('loyalty', [{ points: 10, event: 'order' }], { tiers })])
    await world.ingest(track('order', 'u1'))

    expect(await turnOf(world, 'loyalty')).toMatchObject({ fact: 'score', params: { tier: 'gold' }, more: 15.5 })
    await world.ingest(track('order', 'u1'), track('order', 'u1'))
    expect(await turnOf(world, 'loyalty')).toBeUndefined()
    await world.close()
  })

  it('of a journey is its entry, what fails of its conditions, and the time after which one may enter again', async () => {
    const world = await worldOf([
      tag('local', traitIs('city', 'Shanghai')),
      journey('greet', [wait('a-while', '1h')], {
        entry: { on: 'event', event: 'cart', conditions: tagged('local') },
        reentry: { after: '7d' },
        exit: { on: 'event', event: 'order' },
      }),
    ])
    const entry = { kind: 'trigger', trigger: { on: 'event', event: 'cart' } }
    await world.ingest(track('view', 'u1'))
    expect(await turnOf(world, 'greet')).toMatchObject({ kind: 'all', parts: [entry, { fact: 'trait' }] })

    await world.ingest(identify('u1', { city: 'Shanghai' }), track('cart', 'u1'))
    expect(await turnOf(world, 'greet')).toEqual({ kind: 'trigger', trigger: { on: 'event', event: 'order' } })

    await world.ingest(track('order', 'u1'))
    expect(await turnOf(world, 'greet')).toEqual({ ...entry, from: '2026-03-08T04:00:00.000Z' })
    await world.close()
  })
})

/** Each rule looks at an event of its own, so that what turns one leaves the others as they are. */
const total = { property: 'total' }
const compared = (fact: string, operator: string, value: unknown, params: object) => ({ fact, operator, value, params })
const LEAVES: readonly object[] = [
  atLeast(3, 'a', { within: '2h' }),
  count('b', 'equal', 2),
  count('c', 'lessThan', 2, { within: '90m' }),
  count('d', 'equal', 1, { between: ['2h', '30m'] }),
  compared('eventSum', 'greaterThan', 50.5, { event: 'e', ...total, within: '2h' }),
  compared('eventSum', 'lessThanInclusive', 30, { event: 'f', ...total }),
  compared('eventMax', 'greaterThanInclusive', 25, { event: 'g', ...total, within: '3h' }),
  compared('eventMin', 'lessThan', 15, { event: 'h', ...total }),
  compared('sinceLastEvent', 'greaterThan', '40m', { event: 'i' }),
  compared('sinceLastEvent', 'lessThan', '40m', { event: 'j' }),
  compared('sinceFirstEvent', 'greaterThanInclusive', '1h', { event: 'k' }),
  compared('trait', 'equal', 'Shanghai', { name: 'city' }),
  compared('trait', 'notEqual', 'gold', { name: 'level' }),
]
const NAMES = 'abcdefghijk'
const RULES = [
  ...LEAVES.map((leaf, index) => tag(`leaf-${index}`, leaf)),
  tag('all', { all: [LEAVES[0], LEAVES[4], LEAVES[11]] }),
  tag('any', { any: [LEAVES[1], { all: [LEAVES[8], LEAVES[12]] }] }),
  tag('not', { not: { any: [LEAVES[2], { not: LEAVES[6] }] } }),
  tag('behind', { all: [tagged('all', false), { not: tagged('any') }, LEAVES[9]] }),
]
const PACK = definePack(RULES)

const START = Date.parse(NOON)

type Deed = Omit<IncomingEvent, 'messageId'>
const historyArb = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 30 }),
    fc.oneof(
      fc
        .tuple(fc.constantFrom(...NAMES), fc.constantFrom(10, 20, 30.25))
        .map(([event, amount]): Deed => ({ event, userId: 'u1', properties: { total: amount } })),
      fc
        .tuple(fc.constantFrom('Shanghai', 'Hangzhou'), fc.constantFrom('gold', 'silver'))
        .map(([city, level]): Deed => ({ type: 'identify', userId: 'u1', traits: { city, level } })),
    ),
  ),
  { maxLength: 25 },
)

/** What is to happen, taken literally: of several ways one, of several conditions all, at once; then time passes. */
function carryOut(turn: Turn, choose: (ways: number) => number): { events: Deed[]; until: number } | undefined {
  switch (turn.kind) {
    case 'never':
    case 'trigger':
      return undefined
    case 'time':
      return { events: [], until: Date.parse(turn.at) }
    case 'any': {
      const way = turn.parts[choose(turn.parts.length)]
      return way && carryOut(way, choose)
    }
    case 'all': {
      const parts = turn.parts.map((part) => carryOut(part, choose))
      if (!parts.every((part) => part !== undefined)) return undefined
      return { events: parts.flatMap((part) => part.events), until: Math.max(...parts.map((part) => part.until)) }
    }
    case 'fact': {
      const { fact, params = {}, expected, holds, more = 1, value, from } = turn
      const until = from === undefined ? 0 : Date.parse(from)
      if (fact === 'trait') {
        const wanted = (turn.operator === 'equal') === holds ? expected : 'something else'
        return { events: [{ type: 'identify', userId: 'u1', traits: { [String(params['name'])]: wanted } }], until }
      }
      const event = String(params['event'])
      const amount = fact === 'eventSum' ? more : (value ?? expected)
      const times = fact === 'eventCount' ? more : 1
      const one: Deed = { event, userId: 'u1', properties: { total: amount } }
      return { events: Array.from({ length: times }, () => one), until }
    }
  }
}

describe('doing literally what an explanation says', () => {
  it('turns the rule, and time alone where it says so', async () => {
    await fc.assert(
      fc.asyncProperty(historyArb, fc.nat(), fc.nat(), async (history, pick, choice) => {
        const world = await createWorld({ rules: PACK, now: START })
        const events = history.toSorted(([a], [b]) => a - b)
        const timed = events.map(([slot, event], index) => ({
          ...event,
          messageId: `m${index}`,
          timestamp: START + slot * 420_000,
        }))
        await world.ingest({ event: 'born', userId: 'u1', messageId: 'm', timestamp: START })
        await world.play(timed)
        await world.advanceTo(world.clock.now() + 61_000)
        const rule = String(RULES[pick % RULES.length]?.['id'])
        const before = await world.engine.explain({ subject: ['user', 'u1'], rule })
        const done = before.toTurn && carryOut(before.toTurn, (ways) => choice % ways)
        fc.pre(done !== undefined)
        if (done === undefined) return
        await world.ingest(...done.events.map((event, index) => ({ ...event, messageId: `then-${index}` })))
        if (done.until > world.clock.now()) await world.advanceTo(done.until)
        const holds = (await world.engine.subject('user', 'u1'))?.tags.includes(rule)
        expect(holds, `${rule}: ${JSON.stringify(before.toTurn)}`).toBe(!before.holds)
        await world.close()
      }),
      { numRuns: 300 },
    )
  })
})
