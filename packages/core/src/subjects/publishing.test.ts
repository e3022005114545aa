import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { atLeast, journey, putTag, send, tag, tagged, template, wait } from '../../testing/rules.js'
import { group, log, NOON, track } from '../../testing/shop.js'
import { Crash, seenByProcess } from '../../testing/stores.js'
import type { Engine, EngineOptions } from '../door.js'
import { createEngine } from '../engine.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl')
const COMMUNITY = { subject: 'community' }
const TWO = tag('two', atLeast(2, 'order'))
const FOUR = tag('four', atLeast(4, 'order', { within: '30d' }))
const LIVELY = tag('lively', atLeast(5, 'order', { of: 'community' }))

async function start(store: Store, rules: readonly unknown[], options: Partial<EngineOptions> = {}): Promise<Engine> {
  return createEngine({ rules: definePack(rules), database: store, clock: virtualClock(NOON), ...options })
}

/** `a` has four orders, `b` one; both are of one community. */
async function shopWithOrders(rules: readonly unknown[] = [TWO]): Promise<{ store: Store; engine: Engine }> {
  const store = memoryStore()
  const engine = await start(store, rules)
  await engine.ingest([group('a', 'c1', { leaderId: 'l1' }), group('b', 'c1')])
  await engine.ingest(['a', 'a', 'a', 'a', 'b'].map((userId) => track('order', userId)))
  await engine.settle()
  return { store, engine }
}

const tagsOf = async (engine: Engine, id: string, kind: 'user' | 'community' | 'leader' = 'user') =>
  (await engine.subject(kind, id))?.tags

describe('publishing rules', () => {
  it('gives tags that follow from the past, as subjects are asked about and before anything has gone over them', async () => {
    const { engine } = await shopWithOrders()

    expect(await engine.publish(definePack([TWO, FOUR]))).toMatchObject({ version: 2, hash: expect.any(String) })

    expect(await tagsOf(engine, 'a')).toEqual(['two', 'four'])
    expect(await engine.publication()).toMatchObject({ version: 2, done: 3, total: 4 })
    expect(await tagsOf(engine, 'b')).toEqual([])
  })

  it('goes over all subjects in the background, and tells how far it has come', async () => {
    const { store, engine } = await shopWithOrders()
    const told: string[] = []

    await engine.publish(definePack([TWO, FOUR]), { onProgress: ({ done, total }) => told.push(`${done}/${total}`) })
    await engine.settle()

    expect((await store.readSubject({ kind: 'user', id: 'a' }))?.tags.get('four')).toBeDefined()
    expect(await engine.publication()).toMatchObject({ version: 2, done: 4, total: 4 })
    expect(told).toEqual(['2/2', '2/2'])
  })

  it('says why tags changed: the rules are new', async () => {
    const { engine } = await shopWithOrders()
    await engine.publish(definePack([FOUR]))

    await engine.settle()

    const said = await engine.decisions({ subject: ['user', 'a'] })
    expect(said.map(({ decision, rule, reason }) => [decision, rule, reason])).toEqual([
      ['tag.added', 'two', undefined],
      ['tag.removed', 'two', 'the rule is gone'],
      ['tag.added', 'four', 'published'],
    ])
  })

  it('changes nothing when the rules are those in force', async () => {
    const { store, engine } = await shopWithOrders()
    const before = await engine.decisions()

    expect(await engine.publish(definePack([TWO]))).toMatchObject({ version: 1 })
    const again = await start(store, [TWO])
    await again.settle()

    expect(await again.publication()).toMatchObject({ version: 1 })
    expect(await again.decisions()).toEqual(before)
  })

  it('refuses rules that the engine has no channel for, and keeps those in force', async () => {
    const { engine } = await shopWithOrders()
    const rules = definePack([template('hello'), journey('remind', [send('push')])])

    await expect(engine.publish(rules)).rejects.toMatchObject({ code: 'channel.missing' })

    expect(await engine.publication()).toMatchObject({ version: 1 })
  })

  it('does not touch users when only a journey is new', async () => {
    const { engine } = await shopWithOrders()

    await engine.publish(definePack([TWO, journey('greet', [wait('later', '1d')])]))

    expect(await engine.publication()).toMatchObject({ version: 2, done: 4, total: 4 })
  })

  it('looks again at a tag that says no more than the name of a condition which has changed', async () => {
    const named = (value: number) => ({ kind: 'condition', id: 'often', conditions: atLeast(value, 'order') })
    const often = tag('regular', { condition: 'often' })
    const { engine } = await shopWithOrders([named(4), often])
    expect(await tagsOf(engine, 'a')).toEqual(['regular'])

    await engine.publish(definePack([named(5), often]))

    expect(await tagsOf(engine, 'a')).toEqual([])
  })
})

describe('rules about communities and leaders', () => {
  it('know the past of their members, who are told', async () => {
    const { engine } = await shopWithOrders()

    await engine.publish(definePack([TWO, LIVELY, tag('busy', atLeast(5, 'order'), COMMUNITY)]))
    await engine.settle()

    expect(await tagsOf(engine, 'c1', 'community')).toEqual(['busy'])
    expect(await tagsOf(engine, 'b')).toEqual(['lively'])
  })

  it('find leaders of whom no rule had asked before', async () => {
    const { engine } = await shopWithOrders()
    expect(await engine.subject('leader', 'l1')).toBeUndefined()

    await engine.publish(definePack([tag('serves', atLeast(4, 'order'), { subject: 'leader' })]))
    await engine.settle()

    expect(await tagsOf(engine, 'l1', 'leader')).toEqual(['serves'])
  })

  it('are brought up once, however many words wait for them', async () => {
    const clock = virtualClock(NOON)
    const engine = await createEngine({ rules: definePack([]), database: memoryStore(), clock })
    await engine.ingest([group('a', 'c9'), track('order', 'a'), group('b', 'c9')])
    await engine.publish(definePack([tag('one', atLeast(1, 'order'), COMMUNITY)]))

    await engine.settle()

    expect(await tagsOf(engine, 'c9', 'community')).toEqual(['one'])
    await engine.close()
  })

  it('count events once that were taken in and had not reached the community when the rules changed', async () => {
    const { engine } = await shopWithOrders()
    const seven = tag('seven', atLeast(7, 'order'), COMMUNITY)
    const eight = tag('eight', atLeast(8, 'order'), COMMUNITY)
    await engine.publish(definePack([tag('six', atLeast(6, 'order'), COMMUNITY)]))
    await engine.ingest([track('order', 'a'), track('order', 'b')])

    await engine.publish(definePack([seven, eight]))
    await engine.settle()

    expect(await tagsOf(engine, 'c1', 'community')).toEqual(['seven'])
  })
})

describe('a user who was a visitor', () => {
  it('has the past of both, also where both rows are brought up together', async () => {
    const engine = await start(memoryStore(), [])
    await engine.ingest([track('order', 'a'), { event: 'order', anonymousId: 'v', messageId: 'v-1' }])
    await engine.ingest([{ type: 'identify', userId: 'a', anonymousId: 'v', messageId: 'v-2' }])

    await engine.publish(definePack([TWO]))
    await engine.settle()

    expect(await tagsOf(engine, 'a')).toEqual(['two'])
    await engine.close()
  })
})

describe('journeys', () => {
  const WELCOME = journey('welcome', [wait('later', '1d')], { entry: { on: 'tag.added', tag: 'four' } })
  const CHEER = journey('cheer', [wait('later', '1d')], { entry: { on: 'tag.added', tag: 'lively' } })

  it('greet nobody for what new rules find in the past, also not members of a community', async () => {
    const { engine } = await shopWithOrders()

    await engine.publish(definePack([FOUR, LIVELY, WELCOME, CHEER]))
    await engine.settle()

    expect(await tagsOf(engine, 'a')).toEqual(['four', 'lively'])
    expect(await log(engine, 'journey')).toEqual([])
  })

  it('greet them when asked to', async () => {
    const { engine } = await shopWithOrders()

    await engine.publish(definePack([FOUR, LIVELY, WELCOME, CHEER]), { greet: true })
    await engine.settle()

    const entered = (await engine.decisions()).filter(({ decision }) => decision === 'journey.entered')
    expect(entered.map(({ subject, rule }) => `${subject} ${rule}`).sort()).toEqual([
      'user:a cheer',
      'user:a welcome',
      'user:b cheer',
    ])
  })

  it('greet for what happens from then on', async () => {
    const { engine } = await shopWithOrders()
    await engine.publish(definePack([FOUR, WELCOME]))

    await engine.ingest(['b', 'b', 'b'].map((id) => track('order', id)))

    expect((await engine.subject('user', 'b'))?.runs).toMatchObject([{ journey: 'welcome' }])
  })

  it('still react to what time brought about before the rules changed, and nobody had looked at yet', async () => {
    const clock = virtualClock(NOON)
    const fresh = tag('fresh', atLeast(1, 'order', { within: '1d' }))
    const missYou = journey('miss-you', [wait('later', '1d')], { entry: { on: 'tag.removed', tag: 'fresh' } })
    const engine = await start(memoryStore(), [fresh, missYou], { clock })
    await engine.ingest([track('order', 'a')])

    clock.moveTo('2026-03-02T12:00:01+08:00')
    await engine.publish(definePack([TWO]))
    await engine.settle()

    const said = (await engine.decisions()).map(({ at, decision, rule }) => `${at} ${decision} ${rule}`)
    expect(said).toContain(`${Date.parse('2026-03-02T12:00:00+08:00')} journey.entered miss-you`)
  })

  it('go on as they began in runs that are under way, and end where the new rules leave no way', async () => {
    const clock = virtualClock(NOON)
    const marks = [tag('old'), tag('new')]
    const engine = await start(
      memoryStore(),
      [...marks, journey('remind', [wait('later', '1d'), putTag('p', 'old')])],
      {
        clock,
      },
    )
    await engine.ingest([track('cart', 'a')])
    await engine.publish(definePack([...marks, journey('remind', [wait('later', '1h'), putTag('p', 'new')])]))
    await engine.ingest([track('cart', 'b')])
    clock.moveTo('2026-03-03T12:00:00+08:00')
    await engine.settle()
    expect([await tagsOf(engine, 'a'), await tagsOf(engine, 'b')]).toEqual([['old'], ['new']])

    await engine.ingest([track('cart', 'c')])
    await engine.publish(definePack([TWO]))
    await engine.settle()

    expect((await engine.subject('user', 'c'))?.runs).toEqual([])
    const [last] = (await engine.decisions({ subject: ['user', 'c'] })).slice(-1)
    expect(last).toMatchObject({ decision: 'journey.exited', reason: 'its journey no longer fits the rules' })
  })
})

describe('starting', () => {
  it('with other rules publishes them', async () => {
    const { store } = await shopWithOrders()

    const engine = await start(store, [TWO, FOUR])

    expect(await engine.publication()).toMatchObject({ version: 2 })
    expect(await tagsOf(engine, 'a')).toEqual(['two', 'four'])
  })

  it('with the rules that were published last needs no pack', async () => {
    const { store } = await shopWithOrders()

    const engine = await createEngine({ rules: 'published', database: store, clock: virtualClock(NOON) })
    await engine.ingest([track('order', 'b')])

    expect(await tagsOf(engine, 'b')).toEqual(['two'])
    expect(await engine.explain({ subject: ['user', 'b'], rule: 'two' })).toMatchObject({ holds: true })
  })

  it('with the rules that were published last is refused where nothing was', async () => {
    const options = { rules: 'published', database: memoryStore() } as const
    await expect(createEngine(options)).rejects.toMatchObject({ code: 'rules.none' })
  })
})

describe('a process that ends while subjects are brought up', () => {
  it('leaves the rest to the next, which does nothing twice', async () => {
    const store = memoryStore()
    const engine = await start(store, [TWO])
    const people = Array.from({ length: 900 }, (_, index) => `u${index}`)
    await engine.ingest(people.flatMap((id) => [1, 2, 3, 4].map(() => track('order', id))))
    const dying = seenByProcess(store, { transaction: 9, commits: true })
    const first = await start(dying.store, [TWO, FOUR])
    await expect(first.settle()).rejects.toThrow(Crash)
    const { done, total } = await engine.publication()
    expect([done > 0, done < total]).toEqual([true, true])

    const second = await createEngine({ rules: 'published', database: store, clock: virtualClock(NOON) })
    await second.settle()

    expect(await second.publication()).toMatchObject({ version: 2, done: 900, total: 900 })
    const added = (await second.decisions()).filter(({ rule }) => rule === 'four').map(({ subject }) => subject)
    expect([added.length, new Set(added).size]).toEqual([900, 900])
  })
})

describe.skipIf(postgresUrl === undefined)('processes on one PostgreSQL database', () => {
  const inSchema = () => ({ database: postgresUrl ?? '', schema: `publish_${randomBytes(6).toString('hex')}` })

  it('work by what one of them publishes from the next transaction on, without a restart', async () => {
    const where = inSchema()
    const sms = memoryChannel({ name: 'sms' })
    const one = await createEngine({ rules: definePack([TWO]), ...where, channels: [memoryChannel({ name: 'sms' })] })
    const other = await createEngine({ rules: 'published', ...where, channels: [sms] })
    await other.ingest(['a', 'a', 'a'].map((id) => track('order', id)))

    const hello = journey('hello', [send('push', { class: 'service' })], { entry: { on: 'tag.added', tag: 'four' } })
    await one.publish(definePack([TWO, FOUR, template('hello'), hello]))
    await other.ingest([track('order', 'a')])
    await other.settle()

    expect(await tagsOf(other, 'a')).toEqual(['two', 'four'])
    expect(sms.sent).toHaveLength(1)
    expect(await other.publication()).toEqual(await one.publication())
    await one.close()
    await other.close()
  })

  it('keep tags right while one publishes again and again and both take events in', async () => {
    const where = inSchema()
    const packs = [2, 3, 4, 5].map((count) => definePack([tag('often', atLeast(count, 'order')), LIVELY]))
    const [first, ...others] = packs
    if (first === undefined) throw new Error('there is no pack')
    const one = await createEngine({ rules: first, ...where })
    const other = await createEngine({ rules: 'published', ...where })
    for (const engine of [one, other]) engine.start()
    const people = Array.from({ length: 12 }, (_, index) => `u${index}`)
    await one.ingest(people.map((id, index) => group(id, `c${index % 2}`)))
    const shop = async (engine: Engine) => {
      for (let round = 0; round < 12; round++) {
        await engine.ingest(people.flatMap((id, index) => (round % (index + 1) === 0 ? [track('order', id)] : [])))
      }
    }
    const change = async () => {
      for (const pack of others) await one.publish(pack)
    }

    await Promise.all([shop(one), shop(other), change()])
    await one.settle()
    await other.settle()

    for (const [index, id] of people.entries()) {
      const orders = 2 * Math.ceil(12 / (index + 1))
      expect([id, (await tagsOf(other, id))?.toSorted()]).toEqual([id, orders >= 5 ? ['lively', 'often'] : ['lively']])
    }
    await one.close()
    await other.close()
  })
})

describe('a journey that reads a tag', () => {
  it('sees the tag of the rules in force, though nothing has gone over its subject', async () => {
    const { engine } = await shopWithOrders()
    const entry = { on: 'event', event: 'cart', conditions: tagged('four') }
    await engine.publish(definePack([FOUR, journey('remind', [wait('later', '1d')], { entry })]))

    await engine.ingest([track('cart', 'a'), track('cart', 'b')])

    const entered = (await engine.decisions()).filter(({ decision }) => decision === 'journey.entered')
    expect(entered.map(({ subject }) => subject)).toEqual(['user:a'])
  })
})
