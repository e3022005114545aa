import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atLeast, journey, putTag, score, scored, tag, tagged, traitIs, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'
import { merge } from './merge.js'
import { UNBORN } from './subject.js'
import { upgrade } from './upgrade.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const scoreOf = (subject: TestSubject, id = 'loyalty') => subject.state.scores[id]?.[0] ?? 0
const TIERS = [
  { id: 'gold', from: 100 },
  { id: 'silver', from: 50 },
]

describe('a score', () => {
  it('adds up its terms: points while conditions hold, points for each 1 of a fact, points for each event', () => {
    const u1 = user(
      score('loyalty', [
        { points: 20, conditions: atLeast(2, 'order') },
        { points: 0.1, per: { fact: 'eventSum', params: { event: 'order', property: 'total' } } },
        { points: 3, event: 'share' },
      ]),
    )
    u1.event('order', '2026-03-01T08:00:00Z', { total: 30 })
    expect(scoreOf(u1)).toBe(3)

    u1.event('share', '2026-03-02T08:00:00Z')
    expect(scoreOf(u1)).toBe(6)

    u1.event('order', '2026-03-03T08:00:00Z', { total: 7.5 })
    expect(scoreOf(u1)).toBe(26.75)
  })

  it('gives at most the max of a term, and takes away at most as much', () => {
    const rules = (points: number) =>
      score('loyalty', [
        { points, per: { fact: 'eventSum', params: { event: 'order', property: 'total' } }, max: 50 },
        { points: 1, event: 'share', max: 2 },
      ])
    const [plus, minus] = [user(rules(1)), user(rules(-1))]
    for (const u1 of [plus, minus]) {
      u1.event('order', '2026-03-01T08:00:00Z', { total: 70 })
      for (const day of [2, 3, 4]) u1.event('share', `2026-03-0${day}T08:00:00Z`)
    }

    expect(scoreOf(plus)).toBe(52)
    expect(scoreOf(minus)).toBe(-48)
  })

  it('of an event halves at each half-life, and is gone after eight', () => {
    const u1 = user(score('loyalty', [{ points: 10, event: 'order', halfLife: '30d' }]))
    u1.event('order', '2026-03-01T00:00:00Z')
    expect(u1.next).toBe('2026-03-31T00:00:00.000Z')

    u1.instant('2026-03-30T23:59:59.999Z')
    expect(scoreOf(u1)).toBe(10)

    u1.instant('2026-03-31T00:00:00Z')
    expect(scoreOf(u1)).toBe(5)

    u1.instant('2026-12-01T00:00:00Z')
    expect(u1.said('score.changed').map(({ to }) => to)).toEqual([
      10, 5, 2.5, 1.25, 0.625, 0.3125, 0.15625, 0.078125, 0,
    ])
    expect(u1.log.at(-1)).toBe('2026-10-27T00:00:00.000Z score.changed loyalty')
    expect(u1.state.scores).toEqual({})
    expect(u1.next).toBeUndefined()
  })

  it('counts a late event where it belongs: already halved', () => {
    const u1 = user(score('loyalty', [{ points: 10, event: 'order', halfLife: '30d' }]))

    u1.event('order', '2026-03-01T00:00:00Z', {}, { arrives: '2026-04-05T00:00:00Z' })

    expect(scoreOf(u1)).toBe(5)
    expect(u1.next).toBe('2026-04-30T00:00:00.000Z')
  })

  it('says each change, from what to what, in which tier and by which event, and nothing of a first 0', () => {
    const u1 = user(score('loyalty', [{ points: 60, event: 'order', halfLife: '30d' }], { tiers: TIERS }))
    u1.event('view', '2026-03-01T00:00:00Z')
    expect(u1.decisions).toEqual([])

    u1.event('order', '2026-03-01T00:00:00Z')
    u1.event('order', '2026-03-02T00:00:00Z')
    u1.instant('2026-04-01T00:00:00Z')

    expect(u1.said('score.changed')).toEqual([
      { rule: 'loyalty', from: 0, to: 60, tier: 'silver', messageId: 'm2' },
      { rule: 'loyalty', from: 60, to: 120, tier: 'gold', tierBefore: 'silver', messageId: 'm3' },
      { rule: 'loyalty', from: 120, to: 90, tier: 'silver', tierBefore: 'gold' },
      { rule: 'loyalty', from: 90, to: 60, tier: 'silver', tierBefore: 'silver' },
    ])
  })

  it('has a value from birth where nothing known gives points', () => {
    const never = { fact: 'eventCount', operator: 'equal', value: 0, params: { event: 'order' } }
    const u1 = user(score('risk', [{ points: 7, conditions: never }]))

    u1.event('view', '2026-03-01T00:00:00Z')
    expect(scoreOf(u1, 'risk')).toBe(7)

    u1.event('order', '2026-03-02T00:00:00Z')
    expect(scoreOf(u1, 'risk')).toBe(0)
  })

  it('follows traits, tags and other scores, and tags follow it, in the same instant', () => {
    const u1 = user(
      tag('vip', scored('total', 'greaterThanInclusive', 15)),
      score('total', [
        { points: 2, per: { fact: 'score', params: { id: 'base' } } },
        { points: 5, conditions: tagged('regular') },
      ]),
      score('base', [{ points: 5, conditions: traitIs('city', 'Shanghai') }]),
      tag('regular', atLeast(1, 'order')),
    )
    u1.event('order', '2026-03-01T00:00:00Z')
    expect(scoreOf(u1, 'total')).toBe(5)

    u1.identify('2026-03-02T00:00:00Z', { city: 'Shanghai' })

    expect(u1.log.slice(-3)).toEqual([
      '2026-03-02T00:00:00.000Z score.changed base',
      '2026-03-02T00:00:00.000Z score.changed total',
      '2026-03-02T00:00:00.000Z tag.added vip',
    ])
  })

  it('follows a tag that a journey puts on', () => {
    const u1 = user(
      tag('greeted'),
      score('loyalty', [{ points: 5, conditions: tagged('greeted') }]),
      journey('greet', [putTag('mark', 'greeted')], { entry: { on: 'event', event: 'join' } }),
    )

    u1.event('join', '2026-03-01T08:00:00Z')

    expect(scoreOf(u1)).toBe(5)
  })

  it('that the pack no longer has is forgotten when its time comes, or when rules are looked at again', () => {
    const u1 = user(score('loyalty', [{ points: 10, event: 'order', halfLife: '1d' }]))
    u1.event('order', '2026-03-01T00:00:00Z')
    const later = new TestSubject(programOf(tag('other', atLeast(9, 'order'))))
    later.state = u1.state

    later.instant('2026-03-05T00:00:00Z')
    expect(later.next).toBeUndefined()

    const { state, decisions } = upgrade(later.key, later.state, later.program, {
      at: later.state.at,
      missing: [],
      filled: new Map(),
      greet: false,
    })
    expect(state.scores).toEqual({})
    expect(decisions).toMatchObject([{ decision: 'score.changed', from: 10, to: 0, reason: 'the rule is gone' }])
  })

  it('may have any name, also one that every object has', () => {
    const u1 = user(
      score('constructor', [{ points: 5, event: 'order' }]),
      tag('one', scored('constructor', 'equal', 5)),
    )
    u1.event('view', '2026-03-01T00:00:00Z')

    u1.event('order', '2026-03-01T00:00:00Z')

    expect(u1.has('one')).toBe(true)
  })

  it('of two people who are one is that of all their events', () => {
    const program = programOf(score('loyalty', [{ points: 10, event: 'order', halfLife: '30d' }]))
    const [one, other] = [new TestSubject(program), new TestSubject(program, { kind: 'user', id: 'u2' })]
    one.event('order', '2026-03-01T00:00:00Z')
    other.event('order', '2026-01-30T00:00:00Z')

    const cause = { merge: 'm', by: 'openid', messageId: 'm1' }
    const { into, from } = merge(one, other, program, Date.parse('2026-03-01T00:00:00Z'), cause)

    expect(into.state.scores['loyalty']?.[0]).toBe(15)
    const changes = [...from.decisions, ...into.decisions].filter(({ decision }) => decision === 'score.changed')
    expect(changes).toMatchObject([
      { subject: 'user:u2', from: 10, to: 5 },
      { subject: 'user:u2', from: 5, to: 0, reason: 'merged' },
      { subject: 'user:u1', from: 10, to: 15 },
    ])
  })
})

describe('an entry by a crossed score', () => {
  const points = (event: string, amount: number) => ({ points: amount, event })
  const loyalty = score('loyalty', [points('up', 30), points('down', -30)], { tiers: TIERS })
  const on = (more: object) => ({ on: 'score.crossed', score: 'loyalty', ...more })
  const entered = (u1: TestSubject) =>
    u1.log.filter((line) => line.includes('journey.entered')).map((line) => line.slice(8, 10))
  /** One event a day from the first on: 30, 60, 90, 120, 90, 120, 90, 60, 30. */
  function walk(rule: Readonly<Record<string, unknown>>): TestSubject {
    const u1 = user(loyalty, journey('greet', [putTag('mark', 'greeted')], rule), tag('greeted'))
    const events = ['up', 'up', 'up', 'up', 'down', 'up', 'down', 'down', 'down']
    for (const [index, name] of events.entries()) u1.event(name, Date.UTC(2026, 2, 1 + index))
    return u1
  }

  it('"above" comes when it was less and is this or more', () => {
    expect(entered(walk({ entry: on({ above: 60 }) }))).toEqual(['02'])
    expect(entered(walk({ entry: on({ above: 100 }) }))).toEqual(['04', '06'])
  })

  it('"below" comes when it was this or more and is less', () => {
    expect(entered(walk({ entry: on({ below: 60 }) }))).toEqual(['09'])
    expect(entered(walk({ entry: on({ below: 100 }) }))).toEqual(['05', '07'])
  })

  it('"tier" comes when it has come into the tier, from another or from none, from above or from below', () => {
    expect(entered(walk({ entry: on({ tier: 'silver' }) }))).toEqual(['02', '05', '07'])
    expect(entered(walk({ entry: on({ tier: 'gold' }) }))).toEqual(['04', '06'])
  })

  it('asks its conditions then', () => {
    const conditions = { fact: 'eventCount', operator: 'greaterThan', value: 0, params: { event: 'down' } }

    expect(entered(walk({ entry: on({ above: 100, conditions }) }))).toEqual(['06'])
  })

  it('comes by time alone, at its instant', () => {
    const u1 = user(
      score('loyalty', [{ points: 80, event: 'order', halfLife: '7d' }], { tiers: TIERS }),
      journey('win-back', [wait('a-while', '1d')], { entry: on({ below: 50 }) }),
    )
    u1.event('order', '2026-03-01T00:00:00Z')

    u1.instant('2026-03-20T00:00:00Z')

    expect(u1.log.filter((line) => line.includes('journey.entered'))).toEqual([
      '2026-03-08T00:00:00.000Z journey.entered win-back',
    ])
  })

  it('may also end a run', () => {
    const rule = { steps: [wait('long', '60d')], entry: on({ above: 50 }), exit: on({ tier: 'gold' }) }
    const u1 = walk(rule)

    expect(u1.said('journey.exited').slice(0, 1)).toMatchObject([{ rule: 'greet', reason: 'score.crossed loyalty' }])
    expect(u1.log.filter((line) => line.includes('journey.exited')).at(0)).toBe(
      '2026-03-04T00:00:00.000Z journey.exited greet',
    )
  })

  it('ends after a hundred in a row, where journeys set each other off for ever', () => {
    const u1 = user(
      tag('high'),
      score('loyalty', [{ points: 10, conditions: tagged('high') }]),
      journey('raise', [putTag('mark', 'high')], { entry: on({ below: 5 }) }),
      journey('lower', [{ id: 'unmark', tag: { remove: 'high' } }], { entry: on({ above: 5 }) }),
      journey('begin', [putTag('mark', 'high')], { entry: { on: 'event', event: 'go' } }),
    )

    u1.event('go', '2026-03-01T00:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([{ rule: expect.any(String), reason: 'cascade', limit: 100 }])
  })
})

describe('the law of scores', () => {
  const HOUR = 3_600_000
  const START = Date.UTC(2026, 2, 1)
  const RULES = programOf(
    tag('regular', atLeast(2, 'order', { within: '5h' })),
    score('loyalty', [
      { points: 4, conditions: tagged('regular') },
      { points: 0.1, per: { fact: 'eventSum', params: { event: 'order', property: 'total', within: '3h' } }, max: 2 },
      { points: -1.1, event: 'refund' },
      { points: 10, event: ['order', 'share'], halfLife: '2h' },
    ]),
  )
  const eventsArb = fc.array(
    fc.record({
      event: fc.constantFrom('order', 'order', 'share', 'refund'),
      hour: fc.integer({ min: 0, max: 20 }),
      lateBy: fc.constantFrom(0, 0, 1, 7),
      total: fc.constantFrom(0.1, 0.2, 7, 40),
    }),
    { maxLength: 8 },
  )

  interface Known {
    readonly event: string
    readonly at: number
    readonly total: number
  }

  /** The score once more, as plainly as can be: it looks at all events each time. */
  function plainly(events: readonly Known[], at: number): number {
    const named = (...names: readonly string[]) => events.filter(({ event }) => names.includes(event))
    const orders = named('order')
    const regular = orders.filter((one) => at < one.at + 5 * HOUR).length >= 2
    const spent = orders.filter((one) => at < one.at + 3 * HOUR).reduce((sum, one) => sum + one.total * 10, 0) / 10
    const decayed = named('order', 'share').reduce((sum, one) => {
      const halvings = Math.floor((at - one.at) / (2 * HOUR))
      return halvings >= 8 ? sum : sum + 10 / 2 ** halvings
    }, 0)
    const millionths = [regular ? 4 : 0, Math.min(2, 0.1 * spent), -1.1 * named('refund').length, decayed]
    return millionths.reduce((sum, part) => sum + Math.round(part * 1e6), 0) / 1e6
  }

  it('is what a plain recomputation gives at any instant, and every change comes at its own', () => {
    fc.assert(
      fc.property(eventsArb, (drawn) => {
        const arrivals = drawn
          .map(({ hour, lateBy, ...one }) => ({
            ...one,
            at: START + hour * HOUR,
            arrives: START + (hour + lateBy) * HOUR,
          }))
          .sort((a, b) => a.arrives - b.arrives)
        const u1 = new TestSubject(RULES)
        for (let at = START; at <= START + 48 * HOUR; at += HOUR / 2) {
          // A millisecond before a full hour, where nothing may have changed yet, and then the hour itself.
          const before = arrivals.filter(({ arrives }) => arrives < at)
          u1.instant(at - 1)
          expect(scoreOf(u1)).toBe(plainly(before, at - 1))
          for (const { event, at: time, arrives, total } of arrivals.filter((one) => one.arrives === at)) {
            u1.event(event, time, { total }, { arrives })
          }
          if (u1.state.at < at) u1.instant(at)
          expect(scoreOf(u1)).toBe(
            plainly(
              arrivals.filter(({ arrives }) => arrives <= at),
              at,
            ),
          )
        }
        for (const { at, decision } of u1.decisions) if (decision === 'score.changed') expect(at % HOUR).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('is the same in whatever order the events arrive', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), eventsArb, (order, drawn) => {
        const arrives = START + 30 * HOUR
        const scoreBy = (indexes: readonly number[]) => {
          const u1 = new TestSubject(RULES)
          for (const index of indexes) {
            const one = drawn[index]
            if (one) u1.event(one.event, START + one.hour * HOUR, { total: one.total }, { arrives })
          }
          return u1.state.scores
        }
        expect(scoreBy(order)).toEqual(scoreBy([0, 1, 2, 3, 4, 5]))
      }),
    )
  })

  it('of one of whom nothing is known has no score', () => {
    expect(UNBORN.scores).toEqual({})
  })
})
