import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { definePack } from '@linli/rules'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { atLeast, journey, putTag, send, tag, template, wait } from '../testing/rules.js'
import { scratchFolder } from '../testing/scratch.js'
import { NOON, shopOf, track, worldOf } from '../testing/shop.js'
import { createEngine } from './engine.js'
import type { Store } from './ports/store.js'
import { virtualClock } from './queue/clocks.js'
import { memoryStore } from './storage/memory/store.js'
import { openPglite } from './storage/sql/pglite.js'
import { delegate } from './testing/delegate.js'
import { memoryChannel } from './testing/memory-channel.js'

const scratch = scratchFolder()
const REMIND = journey('remind', [send('push')])
const HELLO = template('hello')

describe('starting an engine', () => {
  it('needs every channel that a rule names, and says which step names it', async () => {
    const rules = definePack([HELLO, REMIND])

    await expect(createEngine({ rules, channels: [memoryChannel({ name: 'push' })] })).rejects.toMatchObject({
      code: 'channel.missing',
      message: expect.stringMatching(/"remind", step "push" sends by channel "sms".*It has: push\.$/),
      facts: { journey: 'remind', step: 'push', channel: 'sms' },
    })
  })

  it('takes each channel name once', async () => {
    const channels = [memoryChannel({ name: 'sms' }), memoryChannel({ name: 'sms' })]

    await expect(createEngine({ rules: definePack([]), channels })).rejects.toMatchObject({ code: 'channel.duplicate' })
  })

  it.each([
    { max: 0, perMs: 1000 },
    { max: 1.5, perMs: 1000 },
    { max: 1, perMs: 0 },
    { max: Number.NaN, perMs: 1 },
  ])('refuses a rate that lets nothing through, or parts of calls: %j', async (rate) => {
    const channels = [Object.assign(memoryChannel({ name: 'sms' }), { rate })]

    await expect(createEngine({ rules: definePack([]), channels })).rejects.toMatchObject({ code: 'channel.rate' })
  })

  it('on a folder that another process works on is refused, and says by whom and what to do', async () => {
    const folder = scratch.path('database')
    const engine = await createEngine({ rules: definePack([]), database: folder })

    const script = `
      import { createEngine, definePack } from '@linli/core'
      const error = await createEngine({ rules: definePack([]), database: process.argv[1] }).catch((error) => error)
      console.log(JSON.stringify({ code: error.code, message: error.message, facts: error.facts }))`
    const loader = new URL('../../../test/run-sources.js', import.meta.url).href
    const args = ['--import', loader, '--input-type=module', '-e', script, folder]
    const { stdout } = await promisify(execFile)(process.execPath, args)

    expect(JSON.parse(stdout)).toMatchObject({
      code: 'database.locked',
      message: expect.stringContaining('use PostgreSQL, which serves many'),
      facts: { folder, pid: process.pid },
    })
    await engine.close()
  })

  it('finds again what a folder keeps', async () => {
    const options = { rules: definePack([tag('twice', atLeast(2, 'order'))]), database: scratch.path('database') }
    const before = await createEngine({ ...options, clock: virtualClock(NOON) })
    await before.ingest([track('order', 'u1')])
    await before.close()

    const after = await createEngine({ ...options, clock: virtualClock(NOON) })
    await after.ingest([track('order', 'u1')])

    expect((await after.subject('user', 'u1'))?.tags).toEqual(['twice'])
    await after.close()
  })
})

describe('a run that is under way when the rules change', () => {
  it('goes on with the definition that it began with; new runs take the new one', async () => {
    const store = memoryStore()
    const marks = [tag('old'), tag('new')]
    const old = shopOf([...marks, journey('remind', [wait('later', '1d'), putTag('mark', 'old')])], { store })
    const before = await old.start()
    await before.ingest([track('cart', 'u1')])

    const changed = shopOf([...marks, journey('remind', [wait('a-while', '1h'), putTag('mark', 'new')])], { store })
    const after = await changed.start()
    await after.ingest([track('cart', 'u2')])
    changed.clock.moveTo('2026-03-03T12:00:00+08:00')
    await after.settle()

    expect((await after.subject('user', 'u1'))?.tags).toEqual(['old'])
    expect((await after.subject('user', 'u2'))?.tags).toEqual(['new'])
  })

  it('goes on also when its journey is no longer in the rules', async () => {
    const store = memoryStore()
    const old = shopOf([tag('old'), journey('remind', [wait('later', '1d'), putTag('mark', 'old')])], { store })
    await (await old.start()).ingest([track('cart', 'u1')])

    const without = shopOf([tag('old')], { store })
    const after = await without.start()
    without.clock.moveTo('2026-03-03T12:00:00+08:00')
    await after.settle()

    expect((await after.subject('user', 'u1'))?.tags).toEqual(['old'])
  })

  it('does not keep an engine from starting whose rules lack what it would need', async () => {
    const store = memoryStore()
    const old = shopOf([HELLO, journey('remind', [wait('later', '1d'), send('push')])], { store })
    await (await old.start({ channels: [memoryChannel({ name: 'sms' })] })).ingest([track('cart', 'u1')])

    const changed = shopOf([tag('once', atLeast(1, 'order'))], { store })
    const after = await changed.start()
    await after.ingest([track('order', 'u1')])
    changed.clock.moveTo('2026-03-03T12:00:00+08:00')
    await after.settle()

    expect(await after.subject('user', 'u1')).toMatchObject({ tags: ['once'], runs: [] })
  })
})

describe('a running engine', () => {
  it('does what is due by itself, from start to close', async () => {
    const sms = memoryChannel({ name: 'sms' })
    const engine = await createEngine({ rules: definePack([HELLO, REMIND]), database: memoryStore(), channels: [sms] })
    engine.start()

    await engine.ingest([track('cart', 'u1')])
    await expect.poll(() => sms.sent.length).toBe(1)

    await engine.close()
    expect(sms.closed).toBe(true)
  })

  it('goes on after background work failed, and tells the host', async () => {
    const sms = memoryChannel({ name: 'sms' })
    let isDown = true
    const memory = memoryStore()
    const store = delegate<Store>(memory, {
      dueIn: (of, now) => (isDown ? Promise.reject(new Error('connection lost')) : memory.dueIn(of, now)),
    })
    const errors: unknown[] = []
    const engine = await createEngine({
      rules: definePack([HELLO, REMIND]),
      database: store,
      channels: [sms],
      clock: { now: () => Date.now(), sleep: () => new Promise((resolve) => setTimeout(resolve, 1)) },
      onError: (error) => {
        errors.push(error)
        isDown = false
      },
    })
    engine.start()

    // Each of the two loops tells of it once, and rests.
    await expect.poll(() => errors.length).toBe(2)
    await engine.ingest([track('cart', 'u1')])
    await expect.poll(() => sms.sent.length).toBe(1)
    await engine.close()
  })

  it('takes nothing in once it is closed', async () => {
    const { engine } = await worldOf([])
    await engine.close()

    await expect(engine.ingest([track('order', 'u1')])).rejects.toMatchObject({ code: 'engine.closed' })
    await expect(async () => engine.settle()).rejects.toThrow('The engine is closed.')
    expect(() => engine.start()).toThrow('The engine is closed.')
    await engine.close()
  })
})

describe("the host's own transaction", () => {
  it('takes events along: they are kept or undone with the writes of the host', async () => {
    const { db, close } = await openPglite(undefined)
    const engine = await createEngine({ rules: definePack([tag('once', atLeast(1, 'order'))]), database: db })
    await sql`create table host_order (id text)`.execute(db)
    const order = (userId: string, fails: boolean) =>
      db.transaction().execute(async (trx) => {
        await sql`insert into host_order values (${userId})`.execute(trx)
        const report = await engine.ingest([track('order', userId)], { trx })
        if (fails) throw new Error('payment refused')
        return report
      })

    expect(await order('u1', false)).toMatchObject({ accepted: 1 })
    await expect(order('u2', true)).rejects.toThrow('payment refused')

    expect((await engine.subject('user', 'u1'))?.tags).toEqual(['once'])
    expect(await engine.subject('user', 'u2')).toBeUndefined()
    expect((await sql`select id from host_order`.execute(db)).rows).toEqual([{ id: 'u1' }])
    await engine.close()
    await close()
  })

  it('is refused where the database cannot join one', async () => {
    const { engine } = await worldOf([])

    await expect(engine.ingest([track('order', 'u1')], { trx: {} })).rejects.toMatchObject({
      code: 'transaction.unsupported',
    })
    await engine.close()
  })
})
