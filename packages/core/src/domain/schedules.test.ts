import { describe, expect, it } from 'vitest'
import { atLeast, journey, tag, tagged, traitIs, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

/** Fridays at ten in Shanghai. */
const FRIDAYS = { on: 'schedule', schedule: 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0' }
const weekly = (entry: Readonly<Record<string, unknown>> = {}, more = {}) =>
  journey('weekly', [wait('later', '1h')], { entry: { ...FRIDAYS, ...entry }, ...more })
const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const entries = ({ log }: TestSubject) => log.filter((line) => line.includes('journey.entered'))

describe('a journey with a schedule', () => {
  it('is entered by everybody who is known when nothing is said about the audience', () => {
    const u1 = user(weekly())
    u1.event('order', '2026-03-02T00:00:00Z')
    expect(u1.next).toBe('2026-03-06T02:00:00.000Z')

    u1.instant('2026-03-14T00:00:00Z')

    expect(entries(u1)).toEqual([
      '2026-03-06T02:00:00.000Z journey.entered weekly',
      '2026-03-13T02:00:00.000Z journey.entered weekly',
    ])
    expect(u1.next).toBe('2026-03-20T02:00:00.000Z')
  })

  it('is entered at its own instant, however late it is looked at', () => {
    const u1 = user(weekly())
    u1.event('order', '2026-03-02T00:00:00Z')

    u1.event('order', '2026-03-30T00:00:00Z')

    expect(entries(u1)).toHaveLength(4)
    expect(u1.log).toContain('2026-03-06T03:00:00.000Z journey.exited weekly')
  })

  it('is not entered by whoever becomes known at that very instant', () => {
    const u1 = user(weekly())

    u1.event('order', '2026-03-06T02:00:00Z')

    expect(u1.state.schedules).toEqual({ weekly: Date.parse('2026-03-13T02:00:00Z') })
  })

  it('is entered by its audience only', () => {
    const u1 = user(tag('vip', traitIs('level', 'vip')), weekly({ conditions: tagged('vip') }))
    u1.event('order', '2026-03-02T00:00:00Z')
    expect([u1.next, u1.state.schedules]).toEqual([undefined, {}])

    u1.identify('2026-03-07T00:00:00Z', { level: 'vip' })
    expect(u1.next).toBe('2026-03-13T02:00:00.000Z')

    u1.identify('2026-03-14T00:00:00Z', { level: 'none' })
    expect([u1.next, u1.state.schedules]).toEqual([undefined, {}])
    expect(entries(u1)).toEqual(['2026-03-13T02:00:00.000Z journey.entered weekly'])
  })

  it('asks at the instant who is of the audience: one whose window ends just then is not', () => {
    const rules = [weekly({ conditions: atLeast(1, 'order', { within: '1d' }) })]
    const [just, longer] = [user(...rules), user(...rules)]
    just.event('order', '2026-03-05T02:00:00Z')
    longer.event('order', '2026-03-05T02:00:00.001Z')

    for (const one of [just, longer]) one.instant('2026-03-07T00:00:00Z')

    expect(entries(just)).toEqual([])
    expect(entries(longer)).toEqual(['2026-03-06T02:00:00.000Z journey.entered weekly'])
  })

  it('says nothing of its audience, and shows it as no tag', () => {
    const u1 = user(weekly({ conditions: traitIs('level', 'vip') }))

    u1.identify('2026-03-02T00:00:00Z', { level: 'vip' })

    expect(u1.log).toEqual([])
  })

  it("goes by the subject's own clocks, and follows when they change", () => {
    const u1 = user(weekly())
    u1.event('order', '2026-03-02T00:00:00Z')

    u1.identify('2026-03-03T00:00:00Z', { timeZone: 'Europe/Berlin' })
    expect(u1.next).toBe('2026-03-06T09:00:00.000Z')

    u1.identify('2026-03-06T03:00:00Z', { timeZone: 'Asia/Shanghai' })
    expect(u1.next).toBe('2026-03-13T02:00:00.000Z')
  })

  it('holds to its rules of entering again', () => {
    const u1 = user(weekly({}, { reentry: { after: '10d' } }))
    u1.event('order', '2026-03-02T00:00:00Z')

    u1.instant('2026-03-21T00:00:00Z')

    expect(entries(u1)).toEqual([
      '2026-03-06T02:00:00.000Z journey.entered weekly',
      '2026-03-20T02:00:00.000Z journey.entered weekly',
    ])
    expect(u1.said('journey.held')).toMatchObject([{ reason: 're-entry', from: '2026-03-16T02:00:00.000Z' }])
  })

  it('has a run of its own for each time', () => {
    const u1 = user(journey('weekly', [wait('later', '60d')], { entry: FRIDAYS, reentry: 'always' }))
    u1.event('order', '2026-03-02T00:00:00Z')

    u1.instant('2026-03-14T00:00:00Z')

    expect(new Set(u1.state.runs.map(({ id }) => id)).size).toBe(2)
  })

  it('that has come for the last time is forgotten', () => {
    const u1 = user(weekly({ schedule: 'FREQ=WEEKLY;COUNT=2', start: '2026-03-06T10:00' }))
    u1.event('order', '2026-03-02T00:00:00Z')

    u1.instant('2026-05-01T00:00:00Z')

    expect(entries(u1)).toHaveLength(2)
    expect([u1.next, u1.state.schedules]).toEqual([undefined, {}])
  })

  it('is for communities and leaders as well', () => {
    const program = programOf(weekly({}, { subject: 'community' }), {
      ...weekly({}, { subject: 'leader' }),
      id: 'leaders',
    })
    const c1 = new TestSubject(program, { kind: 'community', id: 'c1' })
    const l1 = new TestSubject(program, { kind: 'leader', id: 'l1' })
    for (const one of [c1, l1]) {
      one.event('order', '2026-03-02T00:00:00Z')
      one.instant('2026-03-07T00:00:00Z')
    }
    expect([...entries(c1), ...entries(l1)]).toEqual([
      '2026-03-06T02:00:00.000Z journey.entered weekly',
      '2026-03-06T02:00:00.000Z journey.entered leaders',
    ])
  })

  it('takes no key, and no conditions about an event or the time', () => {
    expect(() => programOf(weekly({}, { key: 'orderId' }))).toThrow('this journey is not entered by one')
    const event = { fact: 'event', params: { property: 'total' }, operator: 'equal', value: 1 }
    expect(() => programOf(weekly({ conditions: event }))).toThrow('event')
  })
})
