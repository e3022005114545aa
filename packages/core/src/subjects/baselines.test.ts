import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { sharedPglite } from '../../testing/database.js'
import { journey, score, scored, tag, wait } from '../../testing/rules.js'
import { group, track, worldOf } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { formatExplanation } from '../insights/format.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { simulate } from '../simulation/simulate.js'
import { memoryStore } from '../storage/memory/store.js'
import { openStore } from '../storage/open.js'
import { delegate } from '../testing/delegate.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: baselines on PostgreSQL; there is no database.')
const freshSchema = () => `baselines_${randomBytes(6).toString('hex')}`

const COMMUNITY = { subject: 'community' }
const DAIRY = { item: { fact: 'category', operator: 'equal', value: 'dairy' } }
const ORDERS = { event: 'order', within: '30d' }
const atLeast = (fact: string, value: number, params: object) => {
  return { fact, operator: 'greaterThanInclusive', value, params }
}

/** Orders hold dairy 1.5 times as often as elsewhere, with at least two buyers. */
const LIKES_DAIRY = tag(
  'likes-dairy',
  { all: [atLeast('lift', 1.5, { ...ORDERS, ...DAIRY }), atLeast('userCount', 2, ORDERS)] },
  COMMUNITY,
)
const FIRST = tag(
  'first',
  { fact: 'rank', operator: 'equal', value: 1, params: { by: { fact: 'eventCount', params: ORDERS } } },
  COMMUNITY,
)

const order = (userId: string, category: string, more: object = {}) => ({
  ...track('order', userId, { items: [{ category }] }),
  ...more,
})

/** Two people in each community. */
const MEMBERS = ['a1', 'a2', 'b1', 'b2'].map((user) => group(user, user.startsWith('a') ? 'c1' : 'c2'))
/** All of c1 and half of c2 with dairy. */
const FOUR_ORDERS = () => [order('a1', 'dairy'), order('a2', 'dairy'), order('b1', 'dairy'), order('b2', 'rice')]

type Asked = { readonly engine: Pick<Engine, 'subject'> }
const tagsOf = async ({ engine }: Asked, id: string) => (await engine.subject('community', id))?.tags

async function log(engine: Pick<Engine, 'decisions'>): Promise<string[]> {
  return (await engine.decisions()).map(({ at, subject, decision, rule }) => {
    return `${new Date(at + 8 * 3_600_000).toISOString().slice(5, 19)} ${subject} ${decision} ${rule}`
  })
}

describe('a community compared with all others', () => {
  it('has its tag from the full hour on at which it is above them, and its members know', async () => {
    const lucky = tag('lives-well', atLeast('lift', 1.5, { ...ORDERS, ...DAIRY, of: 'community' }))
    const world = await worldOf([LIKES_DAIRY, lucky])
    await world.ingest(...MEMBERS, ...FOUR_ORDERS())
    await world.advanceTo('2026-03-01T12:59:59+08:00')
    expect(await tagsOf(world, 'c1')).toEqual([])

    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(await log(world.engine)).toEqual([
      '03-01T13:00:00 community:c1 tag.added likes-dairy',
      '03-01T13:00:00 user:a1 tag.added lives-well',
      '03-01T13:00:00 user:a2 tag.added lives-well',
    ])
    await world.close()
  })

  it('loses it at once by what happens in itself, and at the next hour by what happens elsewhere', async () => {
    const world = await worldOf([LIKES_DAIRY])
    await world.ingest(...MEMBERS, ...FOUR_ORDERS())
    await world.advanceTo('2026-03-01T13:20:00+08:00')
    // Two of three are 1.33 times one of two.
    await world.ingest(order('a1', 'rice'))
    expect(await tagsOf(world, 'c1')).toEqual([])
    await world.ingest(order('a1', 'dairy'))
    expect(await tagsOf(world, 'c1')).toEqual(['likes-dairy'])

    await world.ingest(order('b1', 'dairy'))
    await world.advanceTo('2026-03-01T13:59:59+08:00')
    expect(await tagsOf(world, 'c1')).toEqual(['likes-dairy'])
    await world.advanceTo('2026-03-01T14:00:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual([])
    await world.close()
  })

  it('counts a late event at its own time: its own share at once, that of others from the next hour on', async () => {
    const world = await worldOf([LIKES_DAIRY])
    await world.ingest(...MEMBERS, ...FOUR_ORDERS())
    await world.advanceTo('2026-03-20T13:20:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual(['likes-dairy'])
    const late = { timestamp: '2026-02-20T12:00:00+08:00' }

    await world.ingest(order('a1', 'rice', late))
    expect(await tagsOf(world, 'c1')).toEqual([])
    await world.ingest(order('b1', 'rice', late))
    expect(await tagsOf(world, 'c1')).toEqual([])

    await world.advanceTo('2026-03-20T14:00:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual(['likes-dairy'])
    // The late order of c1 leaves the window 30 days after it happened: then three of three are left.
    await world.advanceTo('2026-03-22T12:00:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual(['likes-dairy'])
    await world.close()
  })

  it('is compared again when only time has passed, at the hours at which something left a window', async () => {
    const store = memoryStore()
    const world = await worldOf([FIRST], { database: store })
    await world.ingest(...MEMBERS, order('a1', 'rice'), order('a2', 'rice'), order('b1', 'rice'))
    await world.advanceTo('2026-03-03T15:30:00+08:00')
    await world.ingest(order('b1', 'rice'))
    expect(await tagsOf(world, 'c1')).toEqual(['first'])
    expect(await tagsOf(world, 'c2')).toEqual(['first'])

    await world.advanceTo('2026-04-30T12:00:00+08:00')

    // At noon both orders of c1 are over, and one of c2. That c2 has none either, c1 learns at four.
    expect(await log(world.engine)).toEqual([
      '03-01T13:00:00 community:c1 tag.added first',
      '03-03T15:30:00 community:c2 tag.added first',
      '03-31T12:00:00 community:c1 tag.removed first',
      '04-02T16:00:00 community:c1 tag.added first',
    ])
    expect(await store.nextDue()).toBeUndefined()
    await world.close()
  })

  it('is the first of all when it is alone, and knows of one that has come', async () => {
    const best = tag(
      'best',
      atLeast('rank', 100, { by: { fact: 'eventCount', params: ORDERS }, as: 'percentile' }),
      COMMUNITY,
    )
    const world = await worldOf([best])
    await world.ingest(group('a1', 'c1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual(['best'])

    await world.ingest(group('b1', 'c2'), order('b1', 'rice'))
    expect(await tagsOf(world, 'c2')).toEqual(['best'])
    await world.advanceTo('2026-03-01T14:00:00+08:00')
    expect(await tagsOf(world, 'c1')).toEqual([])
    await world.close()
  })

  it('gives points to a score, and is ranked by one', async () => {
    const world = await worldOf([
      score('taste', [{ points: 10, per: { fact: 'lift', params: { ...ORDERS, ...DAIRY } } }], COMMUNITY),
      score('busy', [{ points: 1, event: 'order', halfLife: '7d' }], COMMUNITY),
      tag(
        'busiest',
        { fact: 'rank', operator: 'equal', value: 1, params: { by: { fact: 'score', params: { id: 'busy' } } } },
        COMMUNITY,
      ),
      tag('good-taste', scored('taste', 'greaterThan', 19), COMMUNITY),
    ])
    await world.ingest(...MEMBERS, ...FOUR_ORDERS(), order('b1', 'rice'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(await tagsOf(world, 'c1')).toEqual(['good-taste'])
    expect(await tagsOf(world, 'c2')).toEqual(['busiest'])
    expect((await world.engine.subject('community', 'c1'))?.scores['taste']).toEqual({ value: 30 })
    await world.close()
  })

  it('can be a leader among leaders', async () => {
    const most = { fact: 'rank', operator: 'equal', value: 1, params: { by: { fact: 'eventCount', params: ORDERS } } }
    const world = await worldOf([tag('top', most, { subject: 'leader' })])
    await world.ingest(group('a1', 'c1', { leaderId: 'l1' }), group('b1', 'c2', { leaderId: 'l2' }))
    await world.ingest(order('a1', 'rice'), order('b1', 'rice'), order('b1', 'rice'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')
    expect((await world.engine.subject('leader', 'l1'))?.tags).toEqual([])
    expect((await world.engine.subject('leader', 'l2'))?.tags).toEqual(['top'])
    await world.close()
  })

  it('is told why, with its own counts and those it is compared with', async () => {
    const world = await worldOf([LIKES_DAIRY, FIRST])
    await world.ingest(...MEMBERS, ...FOUR_ORDERS())
    await world.advanceTo('2026-03-01T13:30:00+08:00')
    const explain = (rule: string) => world.engine.explain({ subject: ['community', 'c1'], rule })

    const [asOf, counts] = ['2026-03-01T05:00:00.000Z', { part: 2, whole: 2, partElsewhere: 1, wholeElsewhere: 2 }]
    const { holds, conditions } = await explain('likes-dairy')
    expect({ holds, conditions }).toMatchObject({
      holds: true,
      conditions: { parts: [{ fact: 'lift', actual: 2, figures: { ...counts, asOf } }, { fact: 'userCount' }] },
    })
    expect((await explain('first')).conditions).toMatchObject({ actual: 1, figures: { value: 2, others: 1, asOf } })
    expect(formatExplanation(await explain('first'))).toContain(
      'rank by number of order in the last 30d = 1: is 1 (value 2, others 1, asOf 2026-03-01T05:00:00.000Z)',
    )
    await world.close()
  })

  it('costs nothing where no rule compares', async () => {
    const store = memoryStore()
    const world = await worldOf([tag('seen', atLeast('eventCount', 1, { event: 'order' }), COMMUNITY)], {
      database: store,
    })
    await world.ingest(...MEMBERS, ...FOUR_ORDERS())
    expect(await store.nextDue()).toBeUndefined()
    expect(await store.readBaselines(['community'])).toEqual([])
    await world.close()
  })

  it('is told the same by a simulation', async () => {
    const at = (clock: string) => ({ timestamp: `2026-03-01T${clock}+08:00` })
    const events = [
      ...MEMBERS.map((event) => ({ ...event, ...at('12:00:00') })),
      ...FOUR_ORDERS().map((event, index) => ({ ...event, ...at(`12:1${index}:00`) })),
      order('a1', 'rice', at('13:20:00')),
      order('b2', 'rice', at('14:00:00')),
      order('b2', 'rice', at('14:59:59')),
    ]
    const world = await worldOf([LIKES_DAIRY, FIRST])
    await world.play(events)
    await world.advanceTo('2026-03-01T15:00:00+08:00')
    const decided = await world.decisions()
    const simulated: unknown[] = []

    await simulate({
      rules: definePack([LIKES_DAIRY, FIRST]),
      events,
      until: '2026-03-01T15:00:00+08:00',
      onDecision: (decision) => simulated.push(decision),
    })

    expect(simulated).toEqual(decided)
    expect(decided).toHaveLength(8)
    await world.close()
  })
})

/** Runs a test on every kind of store. */
function onEveryStore(title: string, test: (open: () => Promise<Store>) => Promise<void>) {
  describe(title, () => {
    const kept = (store: Store) => delegate<Store>(store, { close: () => Promise.resolve() })
    it('in memory', () => {
      const store = kept(memoryStore())
      return test(async () => store)
    })
    it('on PGlite', async () => {
      const [db, schema] = [await sharedPglite(), freshSchema()]
      return test(async () => openStore(db, { schema, clock: 'engine', concurrency: 1 }))
    })
    it.skipIf(postgresUrl === undefined)('on PostgreSQL', () => {
      const schema = freshSchema()
      return test(async () => openStore(postgresUrl ?? '', { schema, clock: 'engine' }))
    })
  })
}

onEveryStore('a baseline outlasts the process that worked it out', async (open) => {
  const clock = virtualClock('2026-03-01T12:00:00+08:00')
  const start = async () => createEngine({ rules: definePack([LIKES_DAIRY]), clock, database: await open() })
  const before = await start()
  await before.ingest([...MEMBERS, ...FOUR_ORDERS()])
  await before.settle()
  clock.moveTo('2026-03-01T13:00:00+08:00')
  await before.settle()
  await before.close()

  const after = await start()
  clock.moveTo('2026-03-01T13:30:00+08:00')
  await after.ingest([order('a1', 'rice')])
  await after.settle()
  await after.ingest([order('a1', 'dairy')])
  await after.settle()

  const [at, ...rest] = (await after.decisions()).map(({ decision, at }) => `${decision} ${new Date(at).toISOString()}`)
  expect(at).toBe('tag.added 2026-03-01T05:00:00.000Z')
  expect(rest).toEqual(['tag.removed 2026-03-01T05:30:00.000Z', 'tag.added 2026-03-01T05:30:00.000Z'])
  await after.close()
})

onEveryStore('several processes work a baseline out once', async (open) => {
  const clock = virtualClock('2026-03-01T12:00:00+08:00')
  const saved: number[] = []
  const counted = async () =>
    withTransactions(await open(), (tx) => ({
      saveBaseline: (baseline, dueAt) => {
        saved.push(baseline.at)
        return tx.saveBaseline(baseline, dueAt)
      },
    }))
  const start = async () => createEngine({ rules: definePack([LIKES_DAIRY]), clock, database: await counted() })
  const engines = [await start(), await start(), await start()]
  const [first] = engines
  await first?.ingest([...MEMBERS, ...FOUR_ORDERS()])
  await first?.settle()

  clock.moveTo('2026-03-01T13:00:00+08:00')
  await Promise.all(engines.map((engine) => engine.settle()))

  expect(saved).toEqual([Date.parse('2026-03-01T13:00:00+08:00')])
  expect(await first?.decisions()).toMatchObject([{ decision: 'tag.added', subject: 'community:c1' }])
  for (const engine of engines) await engine.close()
})

describe('publishing a rule that compares', () => {
  it('brings up whoever has not been come to before they are measured', async () => {
    const [store, clock] = [memoryStore(), virtualClock('2026-03-01T12:00:00+08:00')]
    const engine = await createEngine({ rules: definePack([FIRST]), clock, database: store })
    await engine.ingest([...MEMBERS, ...FOUR_ORDERS()])
    await engine.settle()
    clock.moveTo('2026-03-01T12:59:59+08:00')
    await engine.publish(definePack([FIRST, LIKES_DAIRY]))

    clock.moveTo('2026-03-01T13:00:00+08:00')
    await engine.settle()

    const hour = Date.parse('2026-03-01T13:00:00+08:00')
    expect(await engine.decisions({ subject: ['community', 'c1'] })).toMatchObject([
      { at: hour, decision: 'tag.added', rule: 'likes-dairy', reason: 'published' },
      { at: hour, decision: 'tag.added', rule: 'first' },
    ])
    await engine.close()
  })

  it.each([
    ['greets nobody for what it finds', {}, []],
    ['greets when it is asked to', { greet: true }, ['likes-dairy']],
  ])('%s', async (_, options, greeted) => {
    const [store, clock] = [memoryStore(), virtualClock('2026-03-01T12:00:00+08:00')]
    const hello = (id: string) =>
      journey(`hello-${id}`, [wait('later', '1d')], { ...COMMUNITY, entry: { on: 'tag.added', tag: id } })
    const engine = await createEngine({ rules: definePack([FIRST, hello('first')]), clock, database: store })
    await engine.ingest([...MEMBERS, ...FOUR_ORDERS(), order('a1', 'dairy')])
    await engine.settle()
    await engine.publish(definePack([FIRST, hello('first'), LIKES_DAIRY, hello('likes-dairy')]), options)
    clock.moveTo('2026-03-01T13:00:00+08:00')
    await engine.settle()

    const entered = (await engine.decisions()).filter(({ decision }) => decision === 'journey.entered')
    expect(await tagsOf({ engine }, 'c1')).toEqual(expect.arrayContaining(['likes-dairy']))
    expect(entered.map(({ rule }) => rule).sort()).toEqual(['hello-first', ...greeted.map((id) => `hello-${id}`)])
    await engine.close()
  })

  it('has its first baseline at the next full hour', async () => {
    const [store, clock] = [memoryStore(), virtualClock('2026-03-01T12:00:00+08:00')]
    const start = (...rules: unknown[]) => createEngine({ rules: definePack(rules), clock, database: store })
    const before = await start(tag('seen', atLeast('eventCount', 1, { event: 'order' }), COMMUNITY))
    await before.ingest([...MEMBERS, ...FOUR_ORDERS()])
    await before.settle()
    clock.moveTo('2026-03-01T12:10:00+08:00')

    const engine = await start(LIKES_DAIRY)
    await engine.settle()
    expect(await engine.nextDue()).toBe(Date.parse('2026-03-01T13:00:00+08:00'))
    clock.moveTo('2026-03-01T13:00:00+08:00')
    await engine.settle()

    expect(await tagsOf({ engine }, 'c1')).toEqual(['likes-dairy'])
  })
})
