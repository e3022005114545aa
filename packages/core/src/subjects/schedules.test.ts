import { compileProgram, definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { atLeast, journey, wait } from '../../testing/rules.js'
import { group, NOON, shopOf, track, worldOf } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import { formatExplanation } from '../insights/format.js'
import { journeyGraph } from '../insights/graph.js'
import { virtualClock } from '../queue/clocks.js'
import { runRuleTests } from '../simulation/rule-tests.js'
import { simulate } from '../simulation/simulate.js'

const postgresUrl = inject('postgresUrl')
const FRIDAYS = 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0'
const weekly = (more: Readonly<Record<string, unknown>> = {}, id = 'weekly', schedule = FRIDAYS) => {
  return journey(id, [wait('later', '1h')], { entry: { on: 'schedule', schedule }, ...more })
}

type World = Awaited<ReturnType<typeof worldOf>>

async function entriesOf(world: Pick<World, 'decisions'>) {
  const found = (await world.decisions()).filter(({ decision }) => decision === 'journey.entered')
  return found.map(({ at, subject, rule }) => `${new Date(at).toISOString()} ${subject} ${rule}`)
}

describe('a journey with a schedule', () => {
  it('begins at its instant for users, communities and leaders', async () => {
    const world = await worldOf([
      weekly(),
      weekly({ subject: 'community' }, 'of-communities'),
      weekly({ subject: 'leader' }, 'of-leaders'),
    ])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))

    await world.advanceTo('2026-03-07T00:00:00Z')

    expect((await entriesOf(world)).sort()).toEqual([
      '2026-03-06T02:00:00.000Z community:c1 of-communities',
      '2026-03-06T02:00:00.000Z leader:l1 of-leaders',
      '2026-03-06T02:00:00.000Z user:u1 weekly',
      '2026-03-06T02:00:00.000Z user:u2 weekly',
    ])
    await world.close()
  })

  it('that is published begins from then on, and not for what was before', async () => {
    const { start, clock } = shopOf([])
    const engine = await start()
    await engine.ingest([track('order', 'u1')])
    clock.moveTo('2026-03-06T10:30:00+08:00')

    await engine.publish(definePack([weekly({}, 'weekly', 'FREQ=DAILY;BYHOUR=10')]))
    await engine.settle()
    clock.moveTo('2026-03-08T11:00:00+08:00')
    await engine.settle()

    expect(await entriesOf(engine)).toEqual([
      '2026-03-07T02:00:00.000Z user:u1 weekly',
      '2026-03-08T02:00:00.000Z user:u1 weekly',
    ])
    await engine.close()
  })

  it('that changes goes by the old one until the publication, and by the new one after it', async () => {
    const { start, clock } = shopOf([weekly()])
    const engine = await start()
    await engine.ingest([track('order', 'u1')])
    clock.moveTo('2026-03-06T12:00:00+08:00')

    // Nobody has looked at u1 since.
    await engine.publish(definePack([weekly({}, 'weekly', 'FREQ=DAILY;BYHOUR=9')]))
    clock.moveTo('2026-03-07T12:00:00+08:00')
    await engine.settle()

    expect(await entriesOf(engine)).toEqual([
      '2026-03-06T02:00:00.000Z user:u1 weekly',
      '2026-03-07T01:00:00.000Z user:u1 weekly',
    ])
    await engine.close()
  })

  it('that the rules no longer have begins no more', async () => {
    const { start, clock } = shopOf([weekly()])
    const engine = await start()
    await engine.ingest([track('order', 'u1')])
    await engine.publish(definePack([weekly({}, 'other', 'FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=1;BYHOUR=9')]))
    await engine.settle()

    clock.moveTo('2026-04-01T00:00:00Z')
    await engine.settle()
    expect(await entriesOf(engine)).toEqual([])
    await engine.close()
  })

  it('goes on for one person where two turn out to be one', async () => {
    const world = await worldOf([
      weekly({ entry: { on: 'schedule', schedule: FRIDAYS, conditions: atLeast(2, 'order') } }),
    ])
    await world.ingest(track('order', 'u1'), track('order', 'u2'))
    expect(await world.engine.nextDue()).toBeUndefined()

    await world.ingest({ type: 'alias', userId: 'u1', previousId: 'u2', messageId: 'a1' })
    await world.advanceTo('2026-03-07T00:00:00Z')

    expect(await entriesOf(world)).toEqual(['2026-03-06T02:00:00.000Z user:u1 weekly'])
    await world.close()
  })

  it('touches nobody of whom nothing is due', async () => {
    const world = await worldOf([
      weekly({ entry: { on: 'schedule', schedule: FRIDAYS, conditions: atLeast(2, 'order') } }),
    ])
    await world.ingest(track('order', 'u1'), track('order', 'u2'), track('order', 'u2'))
    const before = await world.engine.subject('user', 'u1')

    await world.advanceTo('2026-03-07T00:00:00Z')

    expect(await world.engine.subject('user', 'u1')).toEqual(before)
    expect(await entriesOf(world)).toEqual(['2026-03-06T02:00:00.000Z user:u2 weekly'])
    await world.close()
  })

  it.skipIf(postgresUrl === undefined)('begins once for each where several processes work on PostgreSQL', async () => {
    const rules = [weekly({ reentry: 'always' })]
    const schema = `schedules_${process.pid}`
    const clock = virtualClock(NOON)
    const options = { rules: definePack(rules), database: postgresUrl ?? 'memory', schema, clock }
    const engines = await Promise.all([1, 2, 3].map(() => createEngine(options)))
    const [first] = engines
    if (first === undefined) throw new Error('no engine')
    await first.ingest(Array.from({ length: 700 }, (_, index) => track('order', `u${index}`)))

    clock.moveTo('2026-03-14T00:00:00Z')
    await Promise.all(engines.map((engine) => engine.settle()))

    const entered = await entriesOf(first)
    expect(entered).toHaveLength(1400)
    expect(new Set(entered).size).toBe(1400)
    for (const engine of engines) await engine.close()
  })

  it('begins in simulations and in tests of rules as it does live', async () => {
    const simulated = await simulate({
      rules: definePack([weekly()]),
      events: [{ ...track('order', 'u1'), timestamp: '2026-03-02T00:00:00Z' }],
      until: '2026-03-21T00:00:00Z',
    })
    expect(simulated.journeys).toMatchObject({ weekly: { entered: 3 } })

    const given = [{ at: '2026-03-02T00:00:00Z', user: 'u1', event: 'order' }]
    const expected = [
      { journey: 'weekly', user: 'u1', at: '2026-03-06T10:00:00+08:00', is: 'later' },
      { decision: 'journey.entered', rule: 'weekly', user: 'u1', at: '2026-03-13T10:00:00+08:00' },
    ]
    const test = { kind: 'test', id: 'fridays', given, expect: expected, until: '2026-03-14T00:00:00Z' }
    expect(await runRuleTests(definePack([weekly(), test]))).toMatchObject([{ failures: [] }])
  })

  it('is explained by when it next begins, and for whom', async () => {
    const world = await worldOf([
      weekly({
        entry: { on: 'schedule', schedule: FRIDAYS, conditions: atLeast(2, 'order') },
        reentry: { after: '10d' },
      }),
    ])
    await world.ingest(track('order', 'u1'))
    const explained = async () =>
      formatExplanation(await world.engine.explain({ subject: ['user', 'u1'], rule: 'weekly' }))
    expect((await explained()).split('\n')).toEqual([
      '2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 is not in the journey weekly',
      'To be let in:',
      '  ✗ number of order ≥ 2: is 1',
      expect.stringContaining('· 2026-03-01 12:00:00  order'),
      'What would let it in:',
      '  all of these',
      '    schedule FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0',
      '    time alone, at 2026-03-06 10:00:00, if nothing new happens',
      '    1 more order',
    ])

    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-07T00:00:00Z')
    expect(await explained()).toContain('time alone, at 2026-03-20 10:00:00')
    await world.close()
  })

  it('stands in the graph of the journey', () => {
    const { journeys } = compileProgram(definePack([weekly()]))
    const journey = journeys.get('weekly')
    if (journey === undefined) throw new Error('no journey')
    expect(journeyGraph(journey)).toContain(`entry(["by itself: ${FRIDAYS}"])`)
    expect(journeyGraph(journey, { language: 'zh' })).toContain(`entry(["定时：${FRIDAYS}"])`)
  })
})
