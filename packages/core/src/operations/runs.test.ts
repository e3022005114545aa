import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { NOON, track } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

const SERVICE = { class: 'service' }
const NIGHT = { kind: 'policy', id: 'night', quietHours: { from: '11:00', to: '13:00', classes: ['service'] } }
const KEYED = { key: 'order', reentry: 'always' }
const BASE = [tag('done'), template('hello')]

async function shop(rules: readonly unknown[], people: readonly string[] = ['a', 'b', 'c']) {
  const clock = virtualClock(NOON)
  const sms = memoryChannel({ name: 'sms' })
  const pack = definePack([...BASE, ...rules])
  const engine = await createEngine({ rules: pack, database: memoryStore(), clock, channels: [sms] })
  await engine.ingest(people.map((id) => track('cart', id, { order: `o-${id}` })))
  await engine.settle()
  const moveTo = async (at: string) => {
    clock.moveTo(at)
    await engine.settle()
  }
  return { engine, clock, sms, moveTo }
}

describe('runs', () => {
  it('are listed with whose they are, where they wait, since when and until when', async () => {
    const { engine, moveTo } = await shop([journey('remind', [wait('soon', '1h'), wait('later', '1d')], KEYED)], ['a'])
    await moveTo('2026-03-01T13:00:00+08:00')

    expect(await engine.runs({ journey: 'remind' })).toEqual({
      runs: [
        {
          run: expect.any(String),
          subject: ['user', 'a'],
          key: 'o-a',
          step: 'later',
          enteredAt: new Date(NOON),
          since: new Date('2026-03-01T13:00:00+08:00'),
          until: new Date('2026-03-02T13:00:00+08:00'),
        },
      ],
    })
  })

  it('are listed page by page', async () => {
    const { engine } = await shop([journey('remind', [wait('soon', '1h')]), journey('other', [putTag('p', 'done')])])

    const first = await engine.runs({ journey: 'remind', limit: 2 })
    const second = await engine.runs({ journey: 'remind', limit: 2, ...(first.next && { after: first.next }) })

    expect([first, second].map(({ runs, next }) => [runs.map(({ subject }) => subject[1]), next])).toEqual([
      [['a', 'b'], 'user:b'],
      [['c'], undefined],
    ])
    expect(await engine.runs({ journey: 'other' })).toEqual({ runs: [] })
  })

  it('are listed by the step at which they wait', async () => {
    const { engine, moveTo } = await shop([journey('remind', [wait('soon', '1h'), wait('later', '1d')])])
    await moveTo('2026-03-01T13:00:00+08:00')
    await engine.ingest([track('cart', 'd')])

    const { runs } = await engine.runs({ journey: 'remind', step: 'soon' })
    expect(runs.map(({ subject }) => subject[1])).toEqual(['d'])
  })

  it('of a journey that is not there are refused', async () => {
    const { engine } = await shop([journey('remind', [wait('soon', '1h')])])
    const error = { code: 'rule.unknown', message: 'There is no journey "remid". Did you mean "remind"?' }
    await expect(engine.runs({ journey: 'remid' })).rejects.toMatchObject(error)
    await expect(engine.counts({ journey: 'remid' })).rejects.toMatchObject(error)
  })
})

describe('cancelling a run', () => {
  it('ends it, says who and why, and leaves the others', async () => {
    const { engine } = await shop([journey('remind', [wait('soon', '1h')])])
    const [, second] = (await engine.runs({ journey: 'remind' })).runs

    await engine.cancel(second?.run ?? '', { by: '小李', reason: '客人来电' })

    const left = (await engine.runs({ journey: 'remind' })).runs
    expect(left.map(({ subject }) => subject[1])).toEqual(['a', 'c'])
    const said = await engine.decisions({ subject: ['user', 'b'], order: 'latest', limit: 1 })
    expect(said).toMatchObject([
      { decision: 'journey.exited', step: 'soon', reason: 'cancelled', by: '小李', note: '客人来电' },
    ])
  })

  it('calls off its message that waits, at once', async () => {
    const { engine, sms, moveTo } = await shop([NIGHT, journey('remind', [send('push', SERVICE)])], ['a'])
    const [run] = (await engine.runs({ journey: 'remind' })).runs

    await engine.cancel({ subject: ['user', 'a'], run: run?.run ?? '' })

    expect(await engine.deliveries()).toMatchObject([{ state: 'suppressed', reason: 'cancelled' }])
    const said = await engine.decisions({ order: 'latest', limit: 1 })
    expect(said).toMatchObject([
      { decision: 'message.suppressed', reason: 'cancelled', template: 'hello', channel: 'sms' },
    ])
    await moveTo('2026-03-01T14:00:00+08:00')
    expect(sms.sent).toEqual([])
  })

  it('calls off what a pause has put aside', async () => {
    const { engine } = await shop([journey('remind', [wait('soon', '1h'), send('push', SERVICE)])], [])
    await engine.pause({ channel: 'sms' })
    await engine.publish(definePack([...BASE, journey('remind', [send('push', SERVICE)])]))
    await engine.ingest([track('cart', 'a')])
    await engine.settle()
    const [run] = (await engine.runs({ journey: 'remind' })).runs

    await engine.cancel(run?.run ?? '')

    expect(await engine.deliveries()).toMatchObject([{ state: 'suppressed', reason: 'cancelled' }])
  })

  it('that is not under way is refused', async () => {
    const { engine, moveTo } = await shop([journey('remind', [wait('soon', '1h')])], ['a'])
    const [run] = (await engine.runs({ journey: 'remind' })).runs
    await moveTo('2026-03-01T13:00:00+08:00')

    for (const name of [run?.run ?? '', 'nothing', { subject: ['user', 'a'], run: 'nothing' } as const]) {
      await expect(engine.cancel(name)).rejects.toMatchObject({ code: 'run.unknown' })
    }
  })
})

describe('counts', () => {
  it('say what a journey has decided, and what became of what it planned', async () => {
    const goal = { event: 'order', within: '7d' }
    const steps = [wait('soon', '1h'), send('push', SERVICE), wait('later', '1d')]
    const { engine, moveTo } = await shop([journey('remind', steps, { goal, exit: { on: 'event', event: 'leave' } })])
    await engine.ingest([track('cart', 'a'), track('leave', 'b'), track('order', 'c')])
    await moveTo('2026-03-01T13:00:00+08:00')
    await engine.ingest([track('consent_withdrawn', 'd'), track('cart', 'd')])
    await moveTo('2026-03-01T14:00:00+08:00')

    expect(await engine.counts({ journey: 'remind' })).toEqual({
      entered: 4,
      goals: 1,
      exited: { 'event leave': 1 },
      held: { active: 1 },
      steps: { soon: 4, push: 3, later: 3 },
      messages: {
        ...{ planned: 3, accepted: 2, rejected: 0, parked: 0, deferred: 0, suppressed: { 'opted out': 1 } },
        ...{ delivered: 0, opened: 0, clicked: 0, failed: 0, confirmed: 0, declined: 0 },
      },
      coupons: { issued: 0, refused: 0, returned: 0 },
      suggestions: 0,
    })
  })

  it('may be of a stretch of time', async () => {
    const { engine, moveTo } = await shop([journey('remind', [wait('soon', '1h')])])
    await moveTo('2026-03-01T13:00:00+08:00')
    await engine.ingest([track('cart', 'a')])

    const since = '2026-03-01T13:00:00+08:00'
    expect(await engine.counts({ journey: 'remind', until: since })).toMatchObject({ entered: 3, exited: {} })
    expect(await engine.counts({ journey: 'remind', since })).toMatchObject({ entered: 1, exited: { completed: 3 } })
  })
})
