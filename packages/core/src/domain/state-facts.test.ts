import { describe, expect, it } from 'vitest'
import { journey, putTag, score, scored, tag, tagged, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const is = (fact: string, params: object, value: unknown = true) => ({ fact, operator: 'equal', value, params })

describe('the fact score', () => {
  const loyalty = score('loyalty', [{ points: 10, event: 'order' }], { tiers: [{ id: 'silver', from: 20 }] })

  it('is its value, 0 where it has none', () => {
    const u1 = user(
      loyalty,
      tag('none', scored('loyalty', 'equal', 0)),
      tag('much', scored('loyalty', 'greaterThan', 10)),
    )
    u1.event('order', '2026-03-01T08:00:00Z')
    expect([u1.has('none'), u1.has('much')]).toEqual([false, false])

    u1.event('order', '2026-03-02T08:00:00Z')
    expect(u1.has('much')).toBe(true)
  })

  it('is compared with what a window holds, until the very instant at which that falls below it', () => {
    const within = { event: 'order', within: '3d' }
    const busy = { fact: 'eventCount', operator: 'greaterThan', value: { fact: 'score', params: { id: 'loyalty' } } }
    const u1 = user(score('loyalty', [{ points: 1, event: 'share' }]), tag('busy', { ...busy, params: within }))
    u1.event('share', '2026-03-01T07:00:00Z')
    u1.event('order', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-02T08:00:00Z')

    expect(u1.has('busy')).toBe(true)
    expect(u1.next).toBe('2026-03-04T08:00:00.000Z')
  })

  it('as a tier is its id, and no value below the first', () => {
    const tier = (operator: string, value: unknown) => scored('loyalty', operator, value, { as: 'tier' })
    const u1 = user(loyalty, tag('silver', tier('equal', 'silver')), tag('other', tier('notIn', ['silver'])))
    u1.event('order', '2026-03-01T08:00:00Z')
    expect([u1.has('silver'), u1.has('other')]).toEqual([false, true])

    u1.event('order', '2026-03-02T08:00:00Z')
    expect([u1.has('silver'), u1.has('other')]).toEqual([true, false])
  })

  it('of the community is asked there, and its members are told when the answer changes', () => {
    const program = programOf(
      score('warmth', [{ points: 10, event: 'order', halfLife: '7d' }], { subject: 'community' }),
      tag('warm-estate', scored('warmth', 'greaterThanInclusive', 20, { of: 'community' })),
    )
    const estate = new TestSubject(program, { kind: 'community', id: 'c1' })
    estate.event('order', '2026-03-01T08:00:00Z')
    expect(estate.effects).toEqual([])

    estate.event('order', '2026-03-02T08:00:00Z')
    expect(estate.effects).toEqual([{ kind: 'refresh', readAs: 'community' }])

    estate.instant('2026-03-08T08:00:00Z')
    expect(estate.effects).toHaveLength(2)
  })
})

describe('the fact consent', () => {
  const marked = [
    tag('sms', is('consent', { channel: 'sms', class: 'promotion' })),
    tag('no-sms', is('consent', { channel: 'sms', class: 'promotion' }, false)),
    tag('all', is('consent', {})),
  ]

  it('is true or false as it was said last, by the rule that messages go by', () => {
    const u1 = user(...marked)
    u1.event('consent_granted', '2026-03-01T08:00:00Z', { class: 'promotion' })
    expect([u1.has('sms'), u1.has('no-sms')]).toEqual([true, false])

    u1.event('consent_withdrawn', '2026-03-02T08:00:00Z', { channel: 'sms' })
    expect([u1.has('sms'), u1.has('no-sms')]).toEqual([false, true])

    u1.event('consent_granted', '2026-03-03T08:00:00Z')
    expect([u1.has('sms'), u1.has('no-sms')]).toEqual([true, false])
  })

  it('has no value where nothing was said', () => {
    const u1 = user(...marked, tag('unasked', { not: { any: [is('consent', {}), is('consent', {}, false)] } }))

    u1.event('view', '2026-03-01T08:00:00Z')

    expect([u1.has('sms'), u1.has('no-sms'), u1.has('unasked')]).toEqual([false, false, true])
  })

  it('without channel and class is what was said of everything', () => {
    const u1 = user(...marked)
    u1.event('consent_granted', '2026-03-01T08:00:00Z', { channel: 'sms' })
    expect(u1.has('all')).toBe(false)

    u1.event('consent_granted', '2026-03-02T08:00:00Z')
    expect(u1.has('all')).toBe(true)
  })
})

describe('the fact run', () => {
  const greet = (more: object = {}) =>
    journey('greet', [wait('first', '1d'), wait('second', '1d')], {
      entry: { on: 'event', event: 'join' },
      exit: { on: 'event', event: 'leave' },
      ...more,
    })

  it('is whether somebody is in a journey, from entry to exit', () => {
    const u1 = user(greet(), tag('greeting', is('run', { journey: 'greet' })))
    u1.event('join', '2026-03-01T08:00:00Z')
    expect(u1.has('greeting')).toBe(true)

    u1.event('leave', '2026-03-01T09:00:00Z')
    expect(u1.has('greeting')).toBe(false)
  })

  it('with a step is whether it waits there, and turns at the instant at which it goes on', () => {
    const u1 = user(greet(), tag('second-day', is('run', { journey: 'greet', step: 'second' })))
    u1.event('join', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-09T08:00:00Z')

    expect(u1.log.filter((line) => line.includes('tag.'))).toEqual([
      '2026-03-02T08:00:00.000Z tag.added second-day',
      '2026-03-03T08:00:00.000Z tag.removed second-day',
    ])
  })

  it('with a key is about the run of that key', () => {
    const u1 = user(greet({ key: 'orderId' }), tag('first-order', is('run', { journey: 'greet', key: 'o1' })))
    u1.event('join', '2026-03-01T08:00:00Z', { orderId: 'o2' })
    expect(u1.has('first-order')).toBe(false)

    u1.event('join', '2026-03-01T09:00:00Z', { orderId: 'o1' })
    expect(u1.has('first-order')).toBe(true)
  })

  it('lets journeys react to journeys', () => {
    const u1 = user(
      greet(),
      tag('greeting', is('run', { journey: 'greet' })),
      tag('was-greeted'),
      journey('afterwards', [putTag('mark', 'was-greeted')], { entry: { on: 'tag.removed', tag: 'greeting' } }),
    )
    u1.event('join', '2026-03-01T08:00:00Z')

    u1.event('leave', '2026-03-01T09:00:00Z')

    expect(u1.has('was-greeted')).toBe(true)
  })

  it('that goes round in a circle of journeys ends, and the tag is right in the end', () => {
    const u1 = user(
      tag('idle', is('run', { journey: 'loop' }, false)),
      journey('loop', [wait('a-while', '1d')], {
        entry: { on: 'tag.added', tag: 'idle' },
        exit: { on: 'tag.removed', tag: 'idle' },
        reentry: 'always',
      }),
    )

    u1.event('view', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([{ reason: 'cascade', limit: 100 }])
    expect(u1.has('idle')).toBe(u1.state.runs.length === 0)
  })
})

describe('the fact now', () => {
  /** The branch that an event at this instant takes. */
  function at(instant: string, now: object, more: object = {}): unknown {
    const conditions = { fact: 'now', operator: 'equal', value: true, ...now }
    const u1 = user(
      tag('yes'),
      journey('ask', [{ id: 'branch', branch: [{ conditions, then: [putTag('mark', 'yes')] }] }], {
        entry: { on: 'event', event: 'view' },
      }),
    )
    u1.event('view', instant, {}, { changes: { traits: more as Record<string, unknown> } })
    return u1.has('yes')
  }
  const SUNDAY_NIGHT = '2026-03-01T15:30:00Z'

  it("is the local time in Asia/Shanghai, in the rule's zone, or in the subject's own", () => {
    const hour = (value: number, timeZone?: string) => ({
      params: { as: 'hour', ...(timeZone && { timeZone }) },
      value,
    })

    expect(at(SUNDAY_NIGHT, hour(23))).toBe(true)
    expect(at(SUNDAY_NIGHT, hour(16, 'Europe/Berlin'))).toBe(true)
    expect(at(SUNDAY_NIGHT, hour(10, 'Europe/Berlin'), { timeZone: 'America/New_York' })).toBe(true)
    expect(at(SUNDAY_NIGHT, hour(16, 'Europe/Berlin'), { timeZone: 'Mars/Base' })).toBe(true)
  })

  it.each([
    ['time', '23:30'],
    ['weekday', 7],
    ['date', '2026-03-01'],
    ['day', 1],
    ['month', 3],
    ['hour', 23],
  ])('as %s is %s', (as, value) => {
    expect(at(SUNDAY_NIGHT, { params: { as }, value })).toBe(true)
  })

  it('as a time or a date is in the order of time', () => {
    const evening = { params: { as: 'time' }, operator: 'greaterThanInclusive', value: '18:00' }
    const spring = { params: { as: 'date' }, operator: 'lessThan', value: '2026-10-01' }

    expect(at('2026-03-01T17:59:59+08:00', evening)).toBe(false)
    expect(at('2026-03-01T18:00:00+08:00', evening)).toBe(true)
    expect(at('2026-09-30T23:59:59+08:00', spring)).toBe(true)
    expect(at('2026-10-01T00:00:00+08:00', spring)).toBe(false)
  })

  it('is asked where a journey is entered by a tag or a score, too', () => {
    const program = () =>
      user(
        score('loyalty', [{ points: 10, event: 'order' }]),
        tag('evening'),
        journey('ask', [putTag('mark', 'evening')], {
          entry: {
            on: 'score.crossed',
            score: 'loyalty',
            above: 10,
            conditions: { fact: 'now', params: { as: 'hour' }, operator: 'greaterThan', value: 17 },
          },
        }),
        tag('late', tagged('evening')),
      )
    const [morning, evening] = [program(), program()]
    morning.event('order', '2026-03-01T08:00:00+08:00')
    evening.event('order', '2026-03-01T20:00:00+08:00')

    expect([morning.has('late'), evening.has('late')]).toEqual([false, true])
  })
})
