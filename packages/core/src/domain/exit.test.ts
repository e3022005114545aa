import { describe, expect, it } from 'vitest'
import { atLeast, atMost, eventHas, journey, putTag, send, tag, template, traitIs, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const exitOn = (event: string, conditions?: unknown) => ({
  exit: { on: 'event', event, ...(conditions !== undefined && { conditions }) },
})
const exits = (u1: TestSubject) => u1.said('journey.exited').map(({ step, reason }) => ({ step, reason }))

describe('an exit', () => {
  it('ends a run in the middle of a wait', () => {
    const u1 = user(journey('remind', [wait('later', '2h'), wait('again', '2h')], exitOn('order')))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T11:00:00Z')

    expect(exits(u1)).toEqual([{ step: 'again', reason: 'event order' }])
    expect(u1.next).toBeUndefined()
  })

  it('ends a run that waits for a message to leave', () => {
    const u1 = user(template('hello'), journey('remind', [send('push'), wait('later', '2h')], exitOn('order')))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T08:00:01Z')

    expect(exits(u1)).toEqual([{ step: 'push', reason: 'event order' }])
  })

  it('is for events whose conditions hold', () => {
    const u1 = user(journey('remind', [wait('later', '2h')], exitOn('order', eventHas('kind', 'fruit'))))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T08:30:00Z', { kind: 'milk' })
    expect(u1.state.runs).toHaveLength(1)

    u1.event('order', '2026-03-01T08:40:00Z', { kind: 'fruit' })
    expect(u1.state.runs).toHaveLength(0)
  })

  it('with a key is for the event of the same key: this cart, not any cart', () => {
    const u1 = user(journey('remind', [wait('later', '2h')], { key: 'cartId', ...exitOn('order') }))
    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })
    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c2' })

    u1.event('order', '2026-03-01T08:30:00Z', { cartId: 'c1' })
    u1.event('order', '2026-03-01T08:30:00Z', {})

    expect(u1.state.runs.map((run) => run.key)).toEqual(['c2'])
  })

  it('by a tag ends a run at the instant at which the tag flips by itself', () => {
    const u1 = user(
      tag('active', atLeast(1, 'view', { within: '3h' })),
      journey('remind', [wait('later', '1d')], { exit: { on: 'tag.removed', tag: 'active' } }),
    )
    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')

    u1.instant('2026-03-01T23:00:00Z')

    expect(u1.log.at(-1)).toBe('2026-03-01T11:00:00.000Z journey.exited remind')
    expect(exits(u1)).toEqual([{ step: 'later', reason: 'tag.removed active' }])
  })

  it('by a tag ends a run with the event that puts the tag on', () => {
    const u1 = user(
      tag('bought', atLeast(1, 'order')),
      journey('remind', [wait('later', '1d')], { exit: { on: 'tag.added', tag: 'bought' } }),
    )
    u1.event('cart', '2026-03-01T09:00:00Z')

    u1.event('order', '2026-03-01T10:00:00Z')

    expect(exits(u1)).toEqual([{ step: 'later', reason: 'tag.added bought' }])
  })

  it('does not concern runs that began after the event happened', () => {
    const u1 = user(journey('remind', [wait('later', '2h')], exitOn('order')))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T07:59:00Z', {}, { arrives: '2026-03-01T08:30:00Z' })

    expect(u1.state.runs).toHaveLength(1)
  })

  it('concerns events that happened after the entry, also when both arrive late', () => {
    const u1 = user(journey('remind', [wait('later', '2h')], exitOn('order')))

    u1.event('cart', '2026-03-01T08:00:00Z', {}, { arrives: '2026-03-01T08:10:00Z' })
    u1.event('order', '2026-03-01T08:01:00Z', {}, { arrives: '2026-03-01T08:10:00Z' })

    expect(exits(u1)).toEqual([{ step: 'later', reason: 'event order' }])
  })

  it('lets a subject enter again by the very event that ended the run', () => {
    const u1 = user(
      journey('thank', [wait('later', '2h')], { entry: { on: 'event', event: 'order' }, ...exitOn('order') }),
    )

    u1.event('order', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T09:00:00Z')

    expect(u1.said('journey.entered')).toHaveLength(2)
    expect(u1.state.runs).toHaveLength(1)
  })
})

describe('waiting for an event', () => {
  const waitFor = (more: Record<string, unknown> = {}) => ({
    id: 'bought',
    waitFor: { event: 'order', timeout: '2h', ...more },
    then: [{ id: 'yes', exit: { reason: 'bought' } }],
    else: [{ id: 'no', exit: { reason: 'did not buy' } }],
  })

  it('takes `then` with the event', () => {
    const u1 = user(journey('remind', [waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T09:59:59.999Z')

    expect(u1.steps).toEqual(['bought', 'yes'])
  })

  it('takes `else` when the time is over', () => {
    const u1 = user(journey('remind', [waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(u1.next).toBe('2026-03-01T10:00:00.000Z')

    u1.instant('2026-03-01T10:00:00.000Z')

    expect(u1.steps).toEqual(['bought', 'no'])
  })

  it('takes exactly one branch: at the same instant the timeout', () => {
    const u1 = user(journey('remind', [waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T10:00:00.000Z')
    u1.instant('2026-03-01T10:00:00.000Z')

    expect(u1.steps).toEqual(['bought', 'no'])
    expect(exits(u1)).toEqual([{ step: 'no', reason: 'did not buy' }])
  })

  it('takes `else` also when only a later event says that time has passed', () => {
    const u1 = user(journey('remind', [waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-02T08:00:00Z')

    expect(u1.steps).toEqual(['bought', 'no'])
    expect(u1.log).toContain('2026-03-01T10:00:00.000Z journey.exited remind')
  })

  it('goes before the exit, for exactly the event that is waited for', () => {
    const rules = journey('remind', [waitFor({ conditions: eventHas('kind', 'fruit') })], exitOn('order'))
    const [fruit, milk] = [user(rules), user(rules)]
    for (const one of [fruit, milk]) one.event('cart', '2026-03-01T08:00:00Z')

    fruit.event('order', '2026-03-01T09:00:00Z', { kind: 'fruit' })
    milk.event('order', '2026-03-01T09:00:00Z', { kind: 'milk' })

    expect(exits(fruit)).toEqual([{ step: 'yes', reason: 'bought' }])
    expect(exits(milk)).toEqual([{ step: 'bought', reason: 'event order' }])
  })

  it('with a key is for the event of the same key', () => {
    const u1 = user(journey('remind', [waitFor()], { key: 'cartId' }))
    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })

    u1.event('order', '2026-03-01T08:30:00Z', { cartId: 'c2' })
    expect(u1.state.runs).toHaveLength(1)

    u1.event('order', '2026-03-01T08:40:00Z', { cartId: 'c1' })
    expect(exits(u1)).toEqual([{ step: 'yes', reason: 'bought' }])
  })

  it('does not take an event that happened before the entry', () => {
    const u1 = user(journey('remind', [waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T07:00:00Z', {}, { arrives: '2026-03-01T08:30:00Z' })

    expect(u1.steps).toEqual(['bought'])
  })

  it('without branches goes on after itself either way', () => {
    const u1 = user(
      journey('remind', [{ id: 'bought', waitFor: { event: 'order', timeout: '2h' } }, wait('rest', '1h')]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-01T08:30:00Z')

    expect(u1.steps).toEqual(['bought', 'rest'])
    expect(u1.next).toBe('2026-03-01T09:30:00.000Z')
  })

  it('starts with the step: an event of the step before does not count', () => {
    const u1 = user(journey('remind', [wait('first', '1h'), waitFor()]))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T08:30:00Z')

    u1.instant('2026-03-01T12:00:00Z')

    expect(u1.steps).toEqual(['first', 'bought', 'no'])
  })
})

describe('an exit by conditions', () => {
  const exit = (conditions: unknown) => ({ exit: { on: 'conditions', conditions } })
  const quiet = exit({ all: [atMost(0, 'view', { within: '3h' })] })

  it('ends a run as soon as an event makes them hold', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], exit(atLeast(2, 'order'))))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T09:00:00Z')
    expect(u1.state.runs).toHaveLength(1)

    u1.event('order', '2026-03-01T10:00:00Z')

    expect(exits(u1)).toEqual([{ step: 'later', reason: 'exit conditions' }])
  })

  it('ends a run at the very instant at which time alone makes them hold', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], quiet))
    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T08:30:00Z')
    expect(u1.next).toBe('2026-03-01T11:00:00.000Z')

    u1.instant('2026-03-01T10:59:59.999Z')
    expect(u1.state.runs).toHaveLength(1)

    u1.instant('2026-03-01T20:00:00Z')
    expect(u1.log.at(-1)).toBe('2026-03-01T11:00:00.000Z journey.exited remind')
  })

  it('goes before a wait that ends at the same instant', () => {
    const u1 = user(tag('late'), journey('remind', [wait('later', '2h'), putTag('mark', 'late')], quiet))
    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')

    u1.instant('2026-03-01T11:00:00Z')

    expect(u1.has('late')).toBe(false)
    expect(exits(u1)).toEqual([{ step: 'later', reason: 'exit conditions' }])
  })

  it('ends a run that waits for a message to leave', () => {
    const u1 = user(template('hello'), journey('remind', [send('push')], exit(traitIs('city', 'Xiamen'))))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.identify('2026-03-01T08:00:01Z', { city: 'Xiamen' })

    expect(exits(u1)).toEqual([{ step: 'push', reason: 'exit conditions' }])
  })

  it('lets nobody in while they hold', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], quiet))

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.entered')).toEqual([])
    expect(u1.said('journey.held')).toMatchObject([{ rule: 'remind', reason: 'exit conditions' }])
  })

  it('may stand beside others: each of them ends a run', () => {
    const several = { exit: [{ on: 'event', event: 'order' }, quiet.exit] }
    const byEvent = user(journey('remind', [wait('later', '1d')], several))
    const byTime = user(journey('remind', [wait('later', '1d')], several))
    for (const one of [byEvent, byTime]) {
      one.event('view', '2026-03-01T08:00:00Z')
      one.event('cart', '2026-03-01T08:30:00Z')
    }

    byEvent.event('order', '2026-03-01T09:00:00Z')
    byTime.instant('2026-03-01T12:00:00Z')

    expect(exits(byEvent)).toEqual([{ step: 'later', reason: 'event order' }])
    expect(exits(byTime)).toEqual([{ step: 'later', reason: 'exit conditions' }])
  })

  it('is looked at soon after history was taken in, which moves no run by itself', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], exit(atLeast(1, 'order'))))
    u1.event('cart', '2026-03-01T08:00:00Z')
    const event = { messageId: 'old', event: 'order', at: Date.parse('2026-02-01T08:00:00Z'), properties: {} }

    u1.take({ kind: 'history', at: Date.parse('2026-03-01T09:00:00Z'), events: [{ event }] })
    expect(u1.state.runs).toHaveLength(1)

    u1.instant('2026-03-01T09:00:00.001Z')
    expect(exits(u1)).toEqual([{ step: 'later', reason: 'exit conditions' }])
  })
})

describe('a goal', () => {
  const goal = { goal: { event: 'order', within: '7d' } }

  it('is reached by its event within its time, also after the run has ended', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], goal))
    u1.event('cart', '2026-03-01T08:00:00Z', {}, { messageId: 'cart-1' })

    u1.event('order', '2026-03-08T07:59:59.999Z', {}, { messageId: 'order-1' })

    expect(u1.said('journey.goal')).toMatchObject([{ rule: 'remind', event: 'order', messageId: 'order-1' }])
  })

  it('says what it is worth, where the event says it', () => {
    const u1 = user(
      journey('remind', [wait('later', '1h')], { goal: { ...goal.goal, value: 'total' }, reentry: 'always' }),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T08:30:00Z', { total: 39.9 })
    u1.event('cart', '2026-03-01T09:00:00Z')
    u1.event('order', '2026-03-01T09:30:00Z', { total: 'unknown' })

    expect(u1.said('journey.goal').map(({ value }) => value)).toEqual([39.9, undefined])
  })

  it('is put down to the variants that the run has taken', () => {
    const variants = [
      { id: 'short', weight: 1 },
      { id: 'long', weight: 1, then: [wait('more', '2h')] },
    ]
    const u1 = user(journey('remind', [{ id: 'text', split: variants }, wait('later', '1d')], goal))
    u1.event('cart', '2026-03-01T08:00:00Z')
    const [taken] = u1.said('journey.stepped')

    u1.event('order', '2026-03-05T08:00:00Z')

    expect(u1.said('journey.goal')).toMatchObject([{ variants: { text: taken?.['variant'] } }])
  })

  describe('of somebody who was kept out', () => {
    const kept = (more: object) => user(journey('remind', [wait('later', '1h')], { ...goal, holdout: 1, ...more }))
    const goals = (u1: TestSubject) => u1.said('journey.goal').map(({ rule, run, group }) => ({ rule, run, group }))
    const reached = { rule: 'remind', run: undefined, group: 'holdout' }

    it('counts as for a run, to compare with', () => {
      const u1 = kept({})
      u1.event('cart', '2026-03-01T08:00:00Z')

      u1.event('order', '2026-03-08T07:59:59.999Z')

      expect(goals(u1)).toEqual([reached])
      expect(u1.state.goals).toEqual([])
    })

    it('counts as often as re-entry would have let them in', () => {
      const [once, never, after] = [kept({}), kept({ reentry: 'never' }), kept({ reentry: { after: '5d' } })]
      for (const u1 of [once, never, after]) {
        u1.event('cart', '2026-03-01T08:00:00Z')
        u1.event('cart', '2026-03-01T09:00:00Z')
        u1.event('order', '2026-03-02T08:00:00Z')
        u1.event('cart', '2026-03-06T08:00:00Z')
        u1.event('order', '2026-03-07T08:00:00Z')
      }

      expect(goals(once)).toEqual([reached, reached])
      expect(goals(never)).toEqual([reached])
      expect(goals(after)).toEqual([reached, reached])
    })

    it('keeps nobody out who may enter later', () => {
      const rules = (holdout: number) =>
        programOf(journey('remind', [wait('later', '1h')], { ...goal, holdout, reentry: 'never' }))
      const u1 = new TestSubject(rules(1))
      u1.event('cart', '2026-03-01T08:00:00Z')
      const later = new TestSubject(rules(0))
      later.state = u1.state

      later.event('cart', '2026-03-02T08:00:00Z')

      expect(later.said('journey.entered')).toHaveLength(1)
    })
  })

  it('is not reached later', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], goal))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-08T08:00:00.000Z')

    expect(u1.said('journey.goal')).toEqual([])
  })

  it('is reached once for each entry', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], goal))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-02T08:00:00Z')
    u1.event('order', '2026-03-03T08:00:00Z')

    expect(u1.said('journey.goal')).toHaveLength(1)
  })

  it('counts an event that happened in time and came late', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], goal))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-07T08:00:00Z', {}, { arrives: '2026-03-20T08:00:00Z' })

    expect(u1.said('journey.goal')).toHaveLength(1)
  })

  it('counts an event that comes late whatever was entered in the meantime, up to 14 days after its time', () => {
    const reached = (arrives: string) => {
      const u1 = user(journey('remind', [wait('later', '1h')], goal), journey('other', [wait('later', '1h')], goal))
      u1.event('cart', '2026-03-01T08:00:00Z')
      u1.event('cart', '2026-03-20T08:00:00Z')
      u1.event('order', '2026-03-07T08:00:00Z', {}, { arrives })
      return u1.said('journey.goal').length
    }

    expect(reached('2026-03-22T07:59:59.999Z')).toBe(2)
    expect(reached('2026-03-22T08:00:00.000Z')).toBe(0)
  })

  it('with a key is reached by the event of the same key', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], { ...goal, key: 'cartId' }))
    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })

    u1.event('order', '2026-03-02T08:00:00Z', { cartId: 'c2' })
    expect(u1.said('journey.goal')).toEqual([])

    u1.event('order', '2026-03-02T08:00:00Z', { cartId: 'c1' })
    expect(u1.said('journey.goal')).toHaveLength(1)
  })
})
