import { definePack, PackError } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { atLeast, journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import type { Channel } from '../ports/channel.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

const LATER = Date.parse('2026-03-01T18:00:00+08:00')
const SERVICE = { class: 'service' }
const BASE = [
  tag('old'),
  tag('new'),
  template('hello'),
  template('again', 'Again'),
  { kind: 'offer', id: 'fruit', total: 9 },
]
/** Its run waits for a day at `later`. */
const FIRST = [wait('later', '1d'), putTag('mark', 'old')]
const NEXT = [wait('later', '2d'), putTag('mark', 'new')]

type Rules = readonly unknown[]

interface RunningOptions {
  readonly start?: string
  /** What else the journey says. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Other rules beside the journey. */
  readonly rules?: Rules
}

/** User `a` is in the journey `remind` by its first definition. */
async function running(steps: Rules = FIRST, options: RunningOptions = {}) {
  const clock: VirtualClock = virtualClock(options.start ?? NOON)
  const sms = memoryChannel({ name: 'sms' })
  const hook: { onSend: (() => Promise<void>) | undefined } = { onSend: undefined }
  const channel: Channel = {
    ...{ name: 'sms', repeat: sms.repeat },
    send: async (message, context) => {
      await hook.onSend?.()
      return sms.send(message, context)
    },
  }
  const engine = await createEngine({
    rules: definePack([...BASE, ...(options.rules ?? []), journey('remind', steps, options.more)]),
    ...{ database: memoryStore(), clock, channels: [channel] },
  })
  await engine.ingest([track('cart', 'a')])
  await engine.settle()
  const publish = (changed: Rules, more: object = {}, others: Rules = []) =>
    engine.publish(definePack([...BASE, ...others, journey('remind', changed, { version: 2, ...more })]))
  const user = async () => (await engine.subject('user', 'a')) ?? expect.unreachable()
  const journeys = async () =>
    (await engine.decisions({ subject: ['user', 'a'] }))
      .filter(({ decision }) => /^(journey|message)/.test(decision))
      .map(({ subject: _, rule: __, run: ___, messageId: ____, ...said }) => said)
  return { engine, clock, sms, hook, publish, user, journeys }
}

describe('when a journey changes, runs that began before', () => {
  it('go on as they began, when it does not say', async () => {
    const { engine, clock, publish, user } = await running()
    await publish(NEXT)

    clock.moveTo('2026-03-02T12:00:00+08:00')
    await engine.settle()

    expect((await user()).tags).toEqual(['old'])
  })

  it('go on as they began, with "drain"', async () => {
    const { engine, clock, publish, user } = await running()
    await publish(NEXT, { earlier: 'drain' })

    clock.moveTo('2026-03-02T12:00:00+08:00')
    await engine.settle()

    expect((await user()).tags).toEqual(['old'])
    expect(await engine.publication()).toMatchObject({ done: 1, total: 1 })
  })

  it('end at the instant of the publication, with "stop"', async () => {
    const { engine, clock, publish, user, journeys } = await running()
    clock.moveTo(LATER)

    await publish(NEXT, { earlier: 'stop' })
    clock.moveTo('2026-03-05T12:00:00+08:00')
    await engine.settle()

    expect(await user()).toMatchObject({ runs: [], tags: [] })
    expect((await journeys()).at(-1)).toEqual({
      ...{ at: LATER, decision: 'journey.exited', step: 'later' },
      ...{ reason: 'stopped by a newer version', rules: 2 },
    })
  })

  it('go on at the step that "moveTo" names, by the new definition', async () => {
    const { engine, clock, publish, user, journeys } = await running()
    clock.moveTo(LATER)

    await publish([wait('other', '5d'), ...NEXT], { earlier: { moveTo: 'later' } })
    clock.moveTo('2026-03-03T17:59:59+08:00')
    await engine.settle()
    expect(await user()).toMatchObject({ runs: [{ step: 'later' }], tags: [] })
    clock.moveTo('2026-03-03T18:00:00+08:00')
    await engine.settle()

    expect(await user()).toMatchObject({ runs: [], tags: ['new'] })
    expect((await journeys())[2]).toEqual({
      ...{ at: LATER, decision: 'journey.stepped', step: 'later', verb: 'wait' },
      ...{ moved: true, from: 'later', version: 2, rules: 2 },
    })
  })

  it('go on where the definition stayed the same', async () => {
    const { engine, publish, user } = await running(FIRST, { more: { earlier: 'stop', version: 2 } })

    await publish(FIRST, { earlier: 'stop' }, [tag('busy', atLeast(3, 'order'))])
    await engine.settle()

    expect((await user()).runs).toMatchObject([{ step: 'later' }])
  })

  it('go on, with the journey gone, as long as the rules leave them a way', async () => {
    const { engine, clock, user } = await running()
    await engine.publish(definePack(BASE))
    await engine.ingest([track('cart', 'b')])

    clock.moveTo('2026-03-02T12:00:00+08:00')
    await engine.settle()

    expect((await user()).tags).toEqual(['old'])
    expect((await engine.subject('user', 'b'))?.runs).not.toMatchObject([{ journey: 'remind' }])
  })

  it('end, with the journey gone, where the rules leave them no way', async () => {
    const { engine, user, journeys } = await running()

    await engine.publish(definePack([tag('new')]))
    await engine.settle()

    expect((await user()).runs).toEqual([])
    expect((await journeys()).at(-1)).toMatchObject({ reason: 'its journey no longer fits the rules' })
  })

  it('that moved have the goal of the new definition, also where the earlier one had none', async () => {
    const { engine, publish, journeys } = await running(FIRST)
    await publish(NEXT, { earlier: { moveTo: 'later' }, goal: { event: 'order', within: '3d' } })
    await engine.settle()

    await engine.ingest([track('order', 'a')])
    await engine.settle()

    expect((await journeys()).filter(({ decision }) => decision === 'journey.goal')).toHaveLength(1)
  })

  it('that moved after they had reached their goal count no other one', async () => {
    const goal = { goal: { event: 'order', within: '3d' } }
    const { engine, publish, journeys } = await running(FIRST, { more: goal })
    await engine.ingest([track('order', 'a')])
    await publish(NEXT, { earlier: { moveTo: 'later' } })
    await engine.settle()
    await publish(FIRST, { earlier: { moveTo: 'later' }, ...goal, version: 3 })
    await engine.settle()

    await engine.ingest([track('order', 'a')])
    await engine.settle()

    expect((await journeys()).filter(({ decision }) => decision === 'journey.goal')).toHaveLength(1)
  })

  it('that moved keep their goal, as the new definition has it', async () => {
    const goal = (within: string) => ({ goal: { event: 'order', within } })
    const { engine, clock, publish, journeys } = await running(FIRST, { more: goal('1h') })
    await publish(NEXT, { earlier: { moveTo: 'later' }, ...goal('3d') })

    clock.moveTo('2026-03-02T12:00:00+08:00')
    await engine.ingest([track('order', 'a')])
    await engine.ingest([track('order', 'a')])

    expect((await journeys()).filter(({ decision }) => decision === 'journey.goal')).toHaveLength(1)
  })

  describe('that moved have their goal put down to the variants that they took before and since', () => {
    const split = (id: string, only: string) => ({
      id,
      split: [
        { id: only, weight: 1 },
        { id: 'never', weight: 1e-9 },
      ],
    })
    const goal = { goal: { event: 'order', within: '3d' } }
    const first = [split('text', 'short'), wait('later', '1d')]
    const next = [split('gift', 'fruit'), wait('later', '2d')]
    const moved = { earlier: { moveTo: 'gift' }, ...goal, version: 3 }

    async function variantsAt(running: { engine: Engine; journeys: () => Promise<readonly object[]> }) {
      await running.engine.ingest([track('order', 'a')])
      return (await running.journeys()).flatMap((said) => ('variants' in said ? [said.variants] : []))
    }

    it.each([
      ['both have a goal', goal],
      ['the earlier one had no goal', {}],
    ])('where %s', async (_, more) => {
      const given = await running(first, { more })
      await given.publish(next, moved)

      expect(await variantsAt(given)).toEqual([{ text: 'short', gift: 'fruit' }])
    })

    it('where one in between had no goal', async () => {
      const given = await running(first, { more: goal })
      await given.publish([wait('between', '1d')], { earlier: { moveTo: 'between' } })
      await given.engine.settle()
      await given.publish(next, moved)

      expect(await variantsAt(given)).toEqual([{ text: 'short', gift: 'fruit' }])
    })

    it('by the one that was taken last, where both have a step of that name', async () => {
      const given = await running(first, { more: goal })
      await given.publish([split('text', 'long'), wait('later', '2d')], { ...moved, earlier: { moveTo: 'text' } })

      expect(await variantsAt(given)).toEqual([{ text: 'long' }])
    })
  })
})

describe('a version that says what becomes of earlier runs', () => {
  it('is obeyed for those whom a later version came before', async () => {
    const { publish, user, journeys } = await running()
    await publish(NEXT, { earlier: 'stop' })

    await publish(NEXT)

    expect((await user()).runs).toEqual([])
    expect((await journeys()).at(-1)).toMatchObject({ reason: 'stopped by a newer version', rules: 2 })
  })

  it('moves them to the version that came last, where two say so before anybody has looked', async () => {
    const { engine, publish, user, journeys } = await running()
    await publish([wait('later', '3d')], { earlier: { moveTo: 'later' } })

    await publish([wait('soon', '1h')], { earlier: { moveTo: 'soon' }, version: 3 })
    await engine.settle()

    expect((await user()).runs).toMatchObject([{ step: 'soon', moves: 1 }])
    expect((await journeys()).filter(({ moved }) => moved)).toMatchObject([{ version: 3, rules: 3 }])
  })

  it('leaves alone the runs that began since', async () => {
    const { engine, publish, user } = await running()
    await publish(NEXT, { earlier: 'stop' })
    await engine.settle()
    await engine.ingest([track('cart', 'a')])

    await publish(FIRST, { version: 3 })
    await engine.settle()

    expect((await user()).runs).toMatchObject([{ step: 'later' }])
  })

  it('is refused when it moves them to a step that the journey does not have', () => {
    const rules = [...BASE, journey('remind', NEXT, { earlier: { moveTo: 'latr' } })]
    const message = 'Journey "remind" has no step "latr" that runs could move to. Did you mean "later"?'

    expect(problemsOf(rules)).toMatchObject([{ code: 'step.unknown', message, suggestion: 'later' }])
  })
})

function problemsOf(rules: Rules) {
  try {
    definePack(rules)
    return []
  } catch (error) {
    if (error instanceof PackError) return error.problems
    throw error
  }
}

describe('a message of a run that moves', () => {
  const NIGHT = { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00', classes: ['service'] } }
  const AGAIN = [send('push', { ...SERVICE, template: 'again' }), putTag('mark', 'new')]

  it('is called off while it waits, and that of the new definition leaves', async () => {
    const start = '2026-03-01T23:00:00+08:00'
    const { engine, clock, sms, publish, user, journeys } = await running([send('push', SERVICE)], {
      start,
      rules: [NIGHT],
    })
    expect(sms.sent).toEqual([])

    await publish(AGAIN, { earlier: { moveTo: 'push' } }, [NIGHT])
    await engine.settle()
    clock.moveTo('2026-03-02T08:00:00+08:00')
    await engine.settle()

    expect(sms.sent.map(({ content }) => content.body)).toEqual(['Again'])
    expect((await user()).tags).toEqual(['new'])
    const suppressed = (await journeys()).filter(({ decision }) => decision === 'message.suppressed')
    expect(suppressed).toMatchObject([{ step: 'push', template: 'hello', reason: 'run moved' }])
  })

  it('leaves once for each time that the run comes to its step', async () => {
    const { engine, clock, sms, publish, user } = await running([send('push', SERVICE), wait('later', '1d')])
    expect(sms.sent).toHaveLength(1)
    clock.moveTo(LATER)

    await publish(AGAIN, { earlier: { moveTo: 'push' } })
    await engine.settle()

    expect(sms.sent.map(({ content }) => content.body)).toEqual(['Hello', 'Again'])
    expect(new Set(sms.sent.map(({ deliveryKey }) => deliveryKey)).size).toBe(2)
    expect(await user()).toMatchObject({ runs: [], tags: ['new'] })
  })

  it('counts as sent when it was being handed over, and does not take the run on a second time', async () => {
    const { engine, clock, sms, hook, publish, user } = await running([wait('soon', '1h'), send('push', SERVICE)])
    clock.moveTo('2026-03-01T13:00:00+08:00')
    hook.onSend = async () => {
      hook.onSend = undefined
      await publish([send('push', { ...SERVICE, template: 'again' }), wait('end', '1d')], {
        earlier: { moveTo: 'push' },
      })
    }

    await engine.settle()

    expect(sms.sent.map(({ content }) => content.body)).toEqual(['Hello', 'Again'])
    expect(await user()).toMatchObject({ runs: [{ step: 'end', moves: 1 }] })
    const accepted = (await engine.decisions()).filter(({ decision }) => decision === 'message.accepted')
    expect(accepted).toHaveLength(2)
  })

  it('takes its coupon with it: none is issued for a definition that is over', async () => {
    const give = { id: 'give', issue: { offer: 'fruit' } }
    const { engine, publish, user } = await running([wait('soon', '1h'), give])
    await engine.ingest([track('cart', 'b')])
    await publish([give, wait('end', '1d')], { earlier: { moveTo: 'give' } })
    await engine.subject('user', 'a')

    await publish([give, wait('end', '2d')], { earlier: { moveTo: 'end' }, version: 3 })
    await engine.settle()

    expect((await engine.pools()).get('fruit')).toBeUndefined()
    expect((await user()).runs).toMatchObject([{ step: 'end', moves: 2 }])
    expect(await engine.deliveries({ subject: ['user', 'a'] })).toMatchObject([
      { state: 'suppressed', reason: 'run moved' },
    ])
  })
})
