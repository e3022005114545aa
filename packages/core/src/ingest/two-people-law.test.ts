import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { atLeast, count, journey, score, tag, wait } from '../../testing/rules.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { openStore } from '../storage/open.js'
import type { IncomingEvent } from './event.js'

const START = Date.UTC(2026, 2, 1)
const HOUR = 3_600_000
const fruit = { item: { fact: 'category', operator: 'equal', value: 'fruit' } }
const of = (fact: string, value: number, params: object) => ({ fact, operator: 'greaterThanInclusive', value, params })

const PACK = definePack([
  tag('regular', atLeast(4, 'order', { within: '3d' })),
  tag('never-viewed', count('view', 'equal', 0)),
  tag('fruit', atLeast(2, 'order', { ...fruit, within: '5d' })),
  tag('spends', of('eventSum', 60, { event: 'order', property: 'total', within: '4d' })),
  tag('varied', of('eventDistinct', 3, { event: 'order', property: 'shop' })),
  tag('asleep', { fact: 'sinceLastEvent', operator: 'greaterThan', value: '30h', params: { event: 'order' } }),
  tag('bounced', of('sequence', 1, { steps: [{ event: 'view' }, { event: 'order', within: '12h' }], within: '4d' })),
  tag('usually', of('eventAvg', 20, { event: 'order', property: 'total' })),
  tag('neighbours-buy', of('userCount', 3, { event: 'order', of: 'community' })),
  tag('busy', of('eventCount', 8, { event: 'order', of: 'community', within: '6d' })),
  score('loyalty', [
    { points: 10, event: 'order', halfLife: '1d' },
    { points: 5, conditions: atLeast(3, 'view') },
  ]),
  // What journeys do in between must not matter to any of it.
  journey('watch', [wait('later', '30h')], { entry: { on: 'tag.added', tag: 'regular' } }),
])

const USERS = ['u1', 'u2', 'u3', 'u4', 'u5'] as const
const PAIRS: readonly (readonly [string, string])[] = [
  ['u1', 'u2'],
  ['u2', 'u1'],
  ['u2', 'u3'],
  ['u3', 'u1'],
  ['u5', 'u4'],
]
const happening = fc.record({
  user: fc.constantFrom(...USERS),
  event: fc.constantFrom('order', 'order', 'view'),
  hour: fc.integer({ min: 0, max: 150 }),
  late: fc.constantFrom(0, 0, 30 * 60_000, 20 * HOUR, 90 * HOUR),
  total: fc.integer({ min: 1, max: 40 }),
  shop: fc.constantFrom('a', 'b', 'c'),
  category: fc.constantFrom('fruit', 'milk'),
})
const word = fc.record({
  kind: fc.constantFrom('alias', 'identifier'),
  pair: fc.constantFrom(...PAIRS),
  hour: fc.integer({ min: 0, max: 200 }),
})
const story = fc.record({
  happenings: fc.array(happening, { minLength: 4, maxLength: 25 }),
  words: fc.array(word, { minLength: 1, maxLength: 4 }),
  batch: fc.integer({ min: 1, max: 6 }),
})
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

interface Arrival {
  readonly at: number
  readonly event: IncomingEvent
}

/** Everything that is said, in the order it arrives. `nameOf` says under which id. */
function arrivalsOf({ happenings, words }: Story, nameOf: (user: string) => string): Arrival[] {
  const joined = USERS.map((user, index): Arrival => {
    const event = {
      type: 'group',
      userId: nameOf(user),
      groupId: 'c1',
      messageId: `g${index}`,
      timestamp: START,
    } as const
    return { at: START, event }
  })
  const done = happenings.map(({ user, event, hour, late, total, shop, category }, index): Arrival => {
    const at = START + hour * HOUR
    const properties = { total, shop, items: [{ category }] }
    return { at: at + late, event: { event, userId: nameOf(user), messageId: `m${index}`, timestamp: at, properties } }
  })
  const said = words.flatMap(({ kind, pair: [one, other], hour }, index): Arrival[] => {
    const at = START + hour * HOUR
    const messageId = `w${index}`
    if (kind === 'alias')
      return [{ at, event: { type: 'alias', userId: nameOf(one), previousId: nameOf(other), messageId } }]
    const context = { externalIds: [{ type: 'openid', id: [one, other].sort().join('+') }] }
    return [one, other].map((user, part) => ({
      at: at + part * HOUR,
      event: { type: 'identify', userId: nameOf(user), messageId: `${messageId}${part}`, context },
    }))
  })
  return [...joined, ...[...done, ...said].sort((a, b) => a.at - b.at)]
}

/** Whether an event does nothing but say who is who. */
function isWord({ type }: IncomingEvent): boolean {
  return type === 'alias' || type === 'identify'
}

async function play(store: Store, arrivals: readonly Arrival[], batch: number): Promise<Engine> {
  const clock = virtualClock(START)
  const engine = await createEngine({ rules: PACK, clock, database: store })
  for (let from = 0; from < arrivals.length; from += batch) {
    const together = arrivals.slice(from, from + batch)
    clock.moveTo(Math.max(clock.now(), ...together.map(({ at }) => at)))
    await engine.ingest(together.map(({ event }) => event))
    await engine.settle()
  }
  clock.moveTo(START + 220 * HOUR)
  await engine.settle()
  return engine
}

/** The people there are in the end: users who were said to be one. */
function peopleOf({ words }: Story): string[][] {
  let people: string[][] = USERS.map((user) => [user])
  for (const { pair } of words) {
    const together = people.filter((person) => person.some((user) => pair.includes(user))).flat()
    people = [...people.filter((person) => !person.some((user) => pair.includes(user))), together]
  }
  return people
}

async function holdsFor(told: Story, store: Store): Promise<void> {
  const people = peopleOf(told)
  const nameOf = (user: string) => `p${people.findIndex((person) => person.includes(user))}`
  const engine = await play(
    store,
    arrivalsOf(told, (user) => user),
    told.batch,
  )
  const alone = await play(memoryStore(), arrivalsOf(told, nameOf), told.batch)
  for (const user of USERS) {
    const [found, wanted] = [await engine.subject('user', user), await alone.subject('user', nameOf(user))]
    expect([...(found?.tags ?? [])].sort(), user).toEqual([...(wanted?.tags ?? [])].sort())
    expect(found?.scores).toEqual(wanted?.scores)
    expect(found?.relations).toEqual(wanted?.relations)
  }
  await engine.close()
  await alone.close()
}

describe('two people who turn out to be one, whenever and however that is said', () => {
  it('have the tags and scores of one with the events of both, and count once for their community', async () => {
    await fc.assert(
      fc.asyncProperty(story, (told) => holdsFor(told, memoryStore())),
      { numRuns: 30 },
    )
  })

  it('are as if nobody had ever said so once it is undone', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const arrivals = arrivalsOf(told, (user) => user)
        const engine = await play(memoryStore(), arrivals, told.batch)
        for (const { id } of (await engine.merges()).toReversed()) await engine.unmerge(id)
        await engine.settle()
        const apart = await play(
          memoryStore(),
          arrivals.filter(({ event }) => !isWord(event)),
          told.batch,
        )
        for (const user of USERS) {
          const [found, wanted] = [await engine.subject('user', user), await apart.subject('user', user)]
          expect([...(found?.tags ?? [])].sort(), user).toEqual([...(wanted?.tags ?? [])].sort())
          expect(found?.scores).toEqual(wanted?.scores)
          expect(found?.relations).toEqual(wanted?.relations)
        }
      }),
      { numRuns: 20 },
    )
  })

  const postgresUrl = inject('postgresUrl')
  it.skipIf(postgresUrl === undefined)('have so on PostgreSQL', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const schema = `people_${randomBytes(6).toString('hex')}`
        await holdsFor(told, await openStore(postgresUrl ?? '', { schema, clock: 'engine' }))
      }),
      { numRuns: 3 },
    )
  })
})
