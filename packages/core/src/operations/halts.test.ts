import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { group, NOON, track } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { type MemoryChannelOptions, memoryChannel } from '../testing/memory-channel.js'

const postgresUrl = inject('postgresUrl')
const AT_ONE = '2026-03-01T13:00:00+08:00'
const AT_TWO = '2026-03-01T14:00:00+08:00'
const SERVICE = { class: 'service' }
const REMIND = { journey: 'remind' }
const BASE = [tag('done'), template('hello'), { kind: 'offer', id: 'fruit', total: 9 }]
/** Waits for an hour, then sends. */
const LATER = [wait('soon', '1h'), send('push', SERVICE), putTag('mark', 'done')]

async function shop(
  steps: readonly unknown[] = LATER,
  others: readonly unknown[] = [],
  sms: MemoryChannelOptions = {},
) {
  const clock = virtualClock(NOON)
  const channels = { sms: memoryChannel({ name: 'sms', ...sms }), app: memoryChannel({ name: 'app' }) }
  const pack = definePack([...BASE, journey('remind', steps), ...others])
  const store = memoryStore()
  const engine = await createEngine({ rules: pack, database: store, clock, channels: Object.values(channels) })
  await engine.ingest([group('a', 'c1', { leaderId: 'l1' }), track('cart', 'a')])
  await engine.settle()
  const moveTo = async (at: string) => {
    clock.moveTo(at)
    await engine.settle()
  }
  const said = async (of = 'a') =>
    (await engine.decisions({ subject: ['user', of] }))
      .filter(({ decision }) => /^(journey|message|coupon|suggestion)/.test(decision))
      .map(({ decision, reason, step }) => [decision, step, reason].filter((part) => part !== undefined).join(' '))
  return { engine, clock, store, ...channels, pack, moveTo, said }
}

describe('a journey that is paused', () => {
  it('lets nobody enter, and says so', async () => {
    const { engine, said } = await shop()
    await engine.pause(REMIND)

    await engine.ingest([track('cart', 'b')])

    expect(await said('b')).toEqual(['journey.held paused'])
    const [held] = await engine.decisions({ subject: ['user', 'b'] })
    expect(held).toMatchObject({ rule: 'remind', halt: 'journey:remind' })
  })

  it('keeps messages that its waits lead to until it is resumed, and loses no wait', async () => {
    const { engine, sms, moveTo, said } = await shop()
    await engine.pause(REMIND)
    await moveTo(AT_ONE)
    expect(sms.sent).toEqual([])
    expect(await engine.deliveries()).toMatchObject([{ state: 'paused', reason: 'paused: journey:remind' }])
    expect(await engine.nextDue()).toBeUndefined()

    await moveTo(AT_TWO)
    await engine.resume(REMIND)
    await engine.settle()

    expect(sms.sent).toHaveLength(1)
    expect((await said()).slice(2)).toEqual([
      'journey.stepped push',
      'message.planned push',
      'message.deferred push paused',
      'message.accepted push',
      'journey.stepped mark',
      'journey.exited mark completed',
    ])
  })

  it('asks all policies anew when it is resumed', async () => {
    const night = { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00', classes: ['service'] } }
    const { engine, sms, moveTo } = await shop(LATER, [night])
    await engine.pause(REMIND)
    await moveTo(AT_ONE)
    await moveTo('2026-03-01T23:00:00+08:00')

    await engine.resume(REMIND)
    await engine.settle()

    expect(sms.sent).toEqual([])
    await moveTo('2026-03-02T08:00:00+08:00')
    expect(sms.sent).toHaveLength(1)
  })

  it('ends runs by their exit, and their messages are called off', async () => {
    const exit = { on: 'event', event: 'order' }
    const { engine, sms, moveTo, said } = await shop(LATER, [journey('other', LATER, { exit })])
    await engine.pause({ journey: 'other' })
    await moveTo(AT_ONE)

    await engine.ingest([track('order', 'a')])
    await engine.resume({ journey: 'other' })
    await engine.settle()

    expect(sms.sent).toHaveLength(1)
    expect(await said()).toContain('message.suppressed push run ended')
  })

  it('issues no coupon, suggests nothing and says nothing until it is resumed', async () => {
    const give = [{ id: 'give', issue: { offer: 'fruit' } }, putTag('mark', 'done')]
    const tell = [{ id: 'tell', suggest: { to: 'leader', template: 'hello' } }]
    const emit = [{ id: 'say', emit: { event: 'said' } }]
    const all = { give, tell, emit }
    const others = Object.entries(all).map(([id, steps]) => journey(id, [wait('soon', '1h'), ...steps]))
    const { engine, moveTo } = await shop(LATER, others)
    for (const id of Object.keys(all)) await engine.pause({ journey: id })
    await moveTo(AT_ONE)
    const aside = await engine.deliveries({ state: 'paused' })
    expect(aside.map(({ kind }) => kind).sort()).toEqual(['coupon', 'event', 'suggestion'])
    expect([await engine.suggestions(), (await engine.pools()).size]).toEqual([[], 0])

    for (const id of Object.keys(all)) await engine.resume({ journey: id })
    await engine.settle()

    expect(await engine.suggestions()).toHaveLength(1)
    expect((await engine.pools()).get('fruit')).toMatchObject({ issued: 1 })
    expect(await engine.deliveries({ state: 'paused' })).toEqual([])
    expect((await engine.subject('user', 'a'))?.runs).toEqual([])
  })

  it('stays paused when other rules are published', async () => {
    const { engine, sms, moveTo } = await shop()
    await engine.pause(REMIND)

    await engine.publish(definePack([...BASE, tag('more'), journey('remind', LATER)]))
    await moveTo(AT_ONE)

    expect(sms.sent).toEqual([])
    expect((await engine.halts()).inForce).toMatchObject([{ target: REMIND, state: 'paused' }])
  })

  it('leaves a message whose outcome is unknown as it is, and repeats it once it is resumed', async () => {
    const { engine, sms, moveTo } = await shop()
    sms.respond('lost_before')
    await moveTo(AT_ONE)
    await engine.pause(REMIND)
    await moveTo('2026-03-01T13:10:00+08:00')
    expect([sms.calls.length, (await engine.deliveries()).map(({ state }) => state)]).toEqual([1, ['unknown']])

    await engine.resume(REMIND)
    await moveTo('2026-03-01T13:20:00+08:00')

    expect([sms.calls.length, sms.sent.length]).toEqual([2, 1])
  })
})

describe('a journey that is stopped', () => {
  it('lets nobody enter, and ends every run, also those that nothing touches', async () => {
    const { engine, said, store } = await shop()
    await engine.stop(REMIND)
    await engine.ingest([track('cart', 'b')])
    await engine.settle()

    expect((await store.readSubject({ kind: 'user', id: 'a' }))?.runs).toEqual([])
    expect((await said()).at(-1)).toBe('journey.exited soon stopped')
    expect(await said('b')).toEqual(['journey.held stopped'])
  })

  it('calls off what was planned', async () => {
    const { engine, sms, clock, said } = await shop([send('push', SERVICE)])
    sms.respond({ status: 'deferred', retryAt: new Date(AT_TWO) })
    await engine.ingest([track('cart', 'c')])
    await engine.settle()
    await engine.stop(REMIND)

    clock.moveTo(AT_TWO)
    await engine.settle()

    expect(sms.sent.map(({ to }) => to.id)).toEqual(['a'])
    expect((await said('c')).slice(-2)).toEqual(['journey.exited push stopped', 'message.suppressed push run ended'])
  })

  it('lets people enter again when it is resumed; those who were in it before stay out', async () => {
    const { engine } = await shop()
    await engine.stop(REMIND)
    await engine.resume(REMIND)

    expect((await engine.subject('user', 'a'))?.runs).toEqual([])
    await engine.ingest([track('cart', 'a')])
    expect((await engine.subject('user', 'a'))?.runs).toMatchObject([{ journey: 'remind' }])
  })
})

describe('a channel', () => {
  const BY_TWO = [send('push', { ...SERVICE, channel: ['sms', 'app'] }), putTag('mark', 'done')]

  it('that is paused keeps its messages, and no other channel is tried', async () => {
    const { engine, sms, app } = await shop([wait('soon', '1d')], [journey('two', BY_TWO)])
    expect(sms.sent).toHaveLength(1)
    await engine.pause({ channel: 'sms' })
    await engine.ingest([track('cart', 'b')])
    await engine.settle()
    expect([sms.sent.length, app.sent.length]).toEqual([1, 0])

    await engine.resume({ channel: 'sms' })
    await engine.settle()

    expect([sms.sent.length, app.sent.length]).toEqual([2, 0])
  })

  it('that is stopped sends nothing, and the next channel of the step is tried', async () => {
    const { engine, sms, app, said } = await shop([wait('soon', '1d')], [journey('two', BY_TWO)])
    await engine.stop({ channel: 'sms' })

    await engine.ingest([track('cart', 'b')])
    await engine.settle()

    expect([sms.sent.length, app.sent.length]).toEqual([1, 1])
    expect(await said('b')).toContain('message.suppressed push stopped')
  })

  it('that is stopped, and the only one, lets runs go on without their message', async () => {
    const { engine, sms, moveTo } = await shop()
    await engine.stop({ channel: 'sms' })
    await moveTo(AT_ONE)

    expect(sms.sent).toEqual([])
    expect((await engine.subject('user', 'a'))?.tags).toEqual(['done'])
  })

  it('that is paused twice over waits for both', async () => {
    const { engine, sms, moveTo } = await shop()
    await engine.pause({ channel: 'sms' })
    await engine.pause(REMIND)
    await moveTo(AT_ONE)

    await engine.resume({ channel: 'sms' })
    await engine.settle()
    expect(sms.sent).toEqual([])
    await engine.resume(REMIND)
    await engine.settle()

    expect(sms.sent).toHaveLength(1)
  })
})

describe('everything', () => {
  it('that is paused lets people enter, who wait where something would leave', async () => {
    const { engine, sms, moveTo } = await shop()
    await engine.pause('everything')
    await engine.ingest([track('cart', 'b')])
    await moveTo(AT_ONE)
    expect(sms.sent).toEqual([])

    await engine.resume('everything')
    await engine.settle()

    expect(sms.sent.map(({ to }) => to.id).sort()).toEqual(['a', 'b'])
  })

  it('that is stopped ends all runs and lets nobody enter', async () => {
    const { engine, said } = await shop(LATER, [journey('other', LATER)])
    await engine.stop('everything')
    await engine.ingest([track('cart', 'b')])
    await engine.settle()

    expect((await engine.subject('user', 'a'))?.runs).toEqual([])
    expect(await said('b')).toEqual(['journey.held stopped', 'journey.held stopped'])
  })
})

describe('pausing, stopping and resuming', () => {
  it('leaves a trace: who, when and why', async () => {
    const { engine, clock } = await shop()
    await engine.pause(REMIND, { by: '小李', reason: '文案有误' })
    clock.moveTo(AT_ONE)
    await engine.resume(REMIND, { by: '王经理' })
    await engine.stop({ channel: 'sms' })

    expect(await engine.halts()).toEqual({
      inForce: [{ target: { channel: 'sms' }, state: 'stopped', at: new Date(AT_ONE) }],
      calls: [
        { does: 'stop', target: { channel: 'sms' }, at: new Date(AT_ONE) },
        { does: 'resume', target: REMIND, at: new Date(AT_ONE), by: '王经理' },
        { does: 'pause', target: REMIND, at: new Date(NOON), by: '小李', reason: '文案有误' },
      ],
    })
  })

  it('does nothing where it is so already', async () => {
    const { engine } = await shop()
    await engine.pause(REMIND, { by: '小李' })
    await engine.pause(REMIND)
    await engine.resume('everything')

    expect((await engine.halts()).calls).toHaveLength(1)
    expect(await engine.publication()).toMatchObject({ version: 2 })
  })

  it('refuses a journey or a channel that is not there', async () => {
    const { engine } = await shop()
    await expect(engine.pause({ journey: 'remnd' })).rejects.toMatchObject({
      code: 'rule.unknown',
      message: 'There is no journey "remnd". Did you mean "remind"?',
    })
    await expect(engine.stop({ channel: 'telegraph' })).rejects.toMatchObject({ code: 'channel.unknown' })
  })

  it('goes on where a process ended right after it was resumed', async () => {
    const { engine, store, clock, sms, app, pack, moveTo } = await shop()
    await engine.pause(REMIND)
    await moveTo(AT_ONE)
    // The version is there, and nothing has been made due.
    await store.transaction(async (tx) => {
      const newest = await tx.readVersion(await tx.lockVersions())
      if (newest !== undefined) await tx.addVersion({ ...newest, number: newest.number + 1, halts: [] })
    })

    const next = await createEngine({ rules: pack, database: store, clock, channels: [sms, app] })
    await next.settle()

    expect(sms.sent).toHaveLength(1)
  })
})

describe.skipIf(postgresUrl === undefined)('processes on one PostgreSQL database', () => {
  it('begin nothing any more once pausing has resolved in one of them, and go on once it is resumed', async () => {
    const where = { database: postgresUrl ?? '', schema: `halt_${randomBytes(6).toString('hex')}` }
    const sent: string[] = []
    const channel = () => ({
      ...{ name: 'sms', repeat: { kind: 'none' } as const },
      send: async ({ to }: { readonly to: { readonly id: string } }) => {
        sent.push(to.id)
        return { status: 'accepted' } as const
      },
    })
    const rules = definePack([...BASE, journey('remind', [send('push', SERVICE)], { reentry: 'always' })])
    const one = await createEngine({ rules, ...where, channels: [channel()] })
    const other = await createEngine({ rules: 'published', ...where, channels: [channel()] })
    for (let round = 0; round < 5; round++) {
      // Taken in before the pause, so that the other process has something to send right after it.
      await other.ingest(Array.from({ length: 20 }, (_, index) => track('cart', `u${index}`)))
      await one.pause({ channel: 'sms' })
      const before = sent.length

      await other.settle()

      expect(sent.length).toBe(before)
      await one.resume({ channel: 'sms' })
      await other.settle()
      expect(sent.length).toBe(20 * (round + 1))
    }
    await one.close()
    await other.close()
  })
})
