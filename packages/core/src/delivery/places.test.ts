import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { journey, tag, wait } from '../../testing/rules.js'
import { log, NOON, shopOf, track, worldOf } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'

const postgresUrl = inject('postgresUrl')
const limited = (limit: unknown, more: Readonly<Record<string, unknown>> = {}) =>
  journey('trial', [wait('later', '30d')], { limit, ...more })
const carts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => track('cart', `u${from + index}`))
const countOf = async (engine: Pick<Engine, 'decisions'>, line: string) =>
  (await log(engine, 'journey.')).filter((one) => one === line).length

describe('a limit of entries', () => {
  it('lets in as many as it says, ever, and says of the others why not', async () => {
    const world = await worldOf([limited({ max: 3 })])

    await world.ingest(...carts(5))
    await world.advanceTo('2026-06-01T00:00:00Z')
    await world.ingest(...carts(2, 5))

    expect(await countOf(world.engine, 'journey.entered')).toBe(3)
    const held = (await world.decisions()).filter(({ decision }) => decision === 'journey.held')
    expect(held).toHaveLength(4)
    expect(held[0]).toMatchObject({ rule: 'trial', reason: 'limit', max: 3 })
    await world.close()
  })

  it('of a day lets in as many each calendar day of its zone', async () => {
    const world = await worldOf([limited({ max: 2, within: 'day', timeZone: 'America/New_York' })])
    await world.ingest(...carts(3))
    // 23:59:59 in New York, and midnight.
    await world.advanceTo('2026-03-02T04:59:59Z')
    await world.ingest(...carts(2, 10))
    await world.advanceTo('2026-03-02T05:00:00Z')
    await world.ingest(...carts(3, 20))

    const entered = (await world.decisions()).filter(({ decision }) => decision === 'journey.entered')
    expect(entered.map(({ at }) => new Date(at).toISOString().slice(0, 13))).toEqual([
      '2026-03-01T04',
      '2026-03-01T04',
      '2026-03-02T04',
      '2026-03-02T04',
      '2026-03-02T05',
      '2026-03-02T05',
    ])
    await world.close()
  })

  it('of a day keeps the pools of two days at most', async () => {
    const { store, start, clock } = shopOf([limited({ max: 1, within: 'day' }, { reentry: 'always' })])
    const engine = await start()
    for (let day = 1; day <= 9; day++) {
      clock.moveTo(`2026-04-0${day}T12:00:00+08:00`)
      await engine.ingest(carts(1))
      await engine.settle()
    }
    expect([...(await store.readPools()).keys()]).toEqual(['entry:trial/2026-04-08', 'entry:trial/2026-04-09'])
    expect([...(await engine.pools())]).toEqual([])
    await engine.close()
  })

  it('does not count who is held, and lets them try again', async () => {
    const { store, start } = shopOf([limited({ max: 1 }, { reentry: 'never' })])
    const engine = await start()
    await engine.ingest([track('cart', 'u1'), track('cart', 'u2')])
    await engine.settle()
    await engine.publish(definePack([limited({ max: 2 }, { reentry: 'never' })]))
    await engine.ingest([track('cart', 'u1'), track('cart', 'u2')])
    await engine.settle()

    expect(await log(engine, 'journey.')).toEqual([
      'journey.entered',
      'journey.stepped',
      'journey.held limit',
      'journey.held active',
      'journey.entered',
      'journey.stepped',
    ])
    expect([...(await store.readPools()).values()]).toEqual([{ issued: 2, total: 2 }])
    await engine.close()
  })

  it('shows nobody as being in the journey before the place is theirs', async () => {
    const inside = { fact: 'run', params: { journey: 'trial' }, operator: 'equal', value: true }
    const { start } = shopOf([tag('inside', inside), limited({ max: 1 })])
    const engine = await start()
    await engine.ingest([track('cart', 'u1')])
    expect(await engine.subject('user', 'u1')).toMatchObject({ runs: [], tags: [] })

    await engine.settle()
    expect(await engine.subject('user', 'u1')).toMatchObject({ runs: [{ journey: 'trial' }], tags: ['inside'] })
    await engine.close()
  })

  it('asks for one place at a time', async () => {
    const { store, start } = shopOf([limited({ max: 5 })])
    const engine = await start()
    await engine.ingest([track('cart', 'u1'), track('cart', 'u1')])
    await engine.settle()
    expect(await log(engine, 'journey.')).toEqual(['journey.held active', 'journey.entered', 'journey.stepped'])
    expect([...(await store.readPools()).values()]).toEqual([{ issued: 1, total: 5 }])
    await engine.close()
  })

  it('gives no place to whom an exit has called off meanwhile', async () => {
    const { store, start } = shopOf([limited({ max: 5 }, { exit: { on: 'event', event: 'paid' } })])
    const engine = await start()
    await engine.ingest([track('cart', 'u1'), track('paid', 'u1')])
    await engine.settle()
    expect(await log(engine, 'journey.')).toEqual(['journey.held event paid'])
    expect([...(await store.readPools())]).toEqual([])
    await engine.close()
  })

  it('lets nobody in while the journey is paused', async () => {
    const { start } = shopOf([limited({ max: 5 })])
    const engine = await start()
    await engine.ingest([track('cart', 'u1')])
    await engine.pause({ journey: 'trial' })
    await engine.settle()
    expect(await log(engine, 'journey.')).toEqual([])
    await engine.resume({ journey: 'trial' })
    await engine.settle()
    expect(await log(engine, 'journey.')).toEqual(['journey.entered', 'journey.stepped'])
    await engine.close()
  })

  it('ends the run of a lower priority only once the place is theirs', async () => {
    const low = journey('low', [wait('later', '30d')], { exclusive: 'group' })
    const high = limited({ max: 1 }, { entry: { on: 'event', event: 'view' }, exclusive: 'group', priority: 1 })
    const world = await worldOf([low, high])
    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))
    await world.ingest(track('view', 'u1'))
    await world.ingest(track('view', 'u2'))
    const runOf = async (id: string) => (await world.engine.subject('user', id))?.runs.map((run) => run.journey)
    expect([await runOf('u1'), await runOf('u2')]).toEqual([['trial'], ['low']])
    await world.close()
  })

  it.skipIf(postgresUrl === undefined)(
    'is never exceeded, however many processes let people in at once on PostgreSQL',
    async () => {
      const schema = `places_${randomBytes(6).toString('hex')}`
      const clock = virtualClock(NOON)
      const engines: Engine[] = []
      for (let process = 0; process < 4; process++) {
        const database = await openStore(postgresUrl ?? '', { schema, clock: 'engine' })
        engines.push(await createEngine({ rules: definePack([limited({ max: 150 })]), database, clock }))
      }
      const [first] = engines
      if (first === undefined) throw new Error('no engine')

      await Promise.all(engines.map((engine, index) => engine.ingest(carts(100, 100 * index))))
      await Promise.all(engines.map((engine) => engine.settle()))

      expect(await countOf(first, 'journey.entered')).toBe(150)
      expect(await countOf(first, 'journey.held limit')).toBe(250)
      for (const engine of engines) await engine.close()
    },
  )
})

describe('a start step of a journey with a limit', () => {
  const end = (id: string) => [{ id, exit: { reason: id } }]
  const rules = (start: Readonly<Record<string, unknown>>) => [
    journey('trial', [wait('later', '1d')], { limit: { max: 1 }, entry: { on: 'start' } }),
    journey('offer', [{ id: 'try', start: { journey: 'trial', ...start }, then: end('begun'), else: end('full') }]),
  ]
  const exits = async (start: Readonly<Record<string, unknown>>, until = '2026-03-01T12:00:01+08:00') => {
    const world = await worldOf(rules(start))
    for (const cart of carts(2)) await world.ingest(cart)
    await world.advanceTo(until)
    const found = (await world.decisions()).filter(
      ({ decision, rule }) => decision === 'journey.exited' && rule === 'offer',
    )
    await world.close()
    return found.map(({ subject, reason }) => `${subject} ${String(reason)}`)
  }

  it('goes on once it is known whether there was a place', async () => {
    expect(await exits({})).toEqual(['user:u0 begun', 'user:u1 full'])
  })

  it('with `wait` takes `else` at once where there was none, and waits for the other run', async () => {
    expect(await exits({ wait: '7d' })).toEqual(['user:u1 full'])
    expect(await exits({ wait: '7d' }, '2026-03-03T12:00:00+08:00')).toEqual(['user:u1 full', 'user:u0 begun'])
  })

  it('takes `else` where the other run ends before it is let in', async () => {
    const paid = { on: 'event', event: 'paid' }
    const trial = journey('trial', [wait('later', '1d')], { limit: { max: 1 }, entry: { on: 'start' }, exit: paid })
    const { start } = shopOf([trial, ...rules({ wait: '7d' }).slice(1)])
    const engine = await start()

    await engine.ingest([track('cart', 'u0'), track('paid', 'u0')])
    await engine.settle()

    expect(await log(engine, 'journey.exited')).toEqual(['journey.exited full'])
    expect(await log(engine, 'journey.held')).toEqual(['journey.held event paid'])
  })
})
