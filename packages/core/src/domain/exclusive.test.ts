import { describe, expect, it } from 'vitest'
import { atLeast, eventHas, journey, putTag, tag, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'
import { merge } from './merge.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const stay = (id: string, more: Readonly<Record<string, unknown>> = {}) => journey(id, [wait('later', '1d')], more)
const entered = (one: TestSubject) => one.said('journey.entered').map(({ rule }) => rule)

describe('of several journeys', () => {
  it('that one event enters, the higher priority goes first, then the order of the pack', () => {
    const u1 = user(
      stay('last', { priority: -1 }),
      stay('second'),
      stay('third', { entry: { on: 'event', event: 'cart', conditions: eventHas('kind', 'fruit') } }),
      stay('first', { priority: 2.5 }),
      stay('fourth'),
    )

    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'fruit' })

    expect(entered(u1)).toEqual(['first', 'second', 'third', 'fourth', 'last'])
  })

  it('that an event and the tags that follow from it enter, the higher priority goes first', () => {
    const u1 = user(
      tag('fresh', atLeast(1, 'cart')),
      stay('by-event'),
      stay('by-tag', { entry: { on: 'tag.added', tag: 'fresh' }, priority: 1 }),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(entered(u1)).toEqual(['by-tag', 'by-event'])
  })

  it('of one priority, those that the event itself enters go first', () => {
    const u1 = user(
      tag('fresh', atLeast(1, 'cart')),
      stay('by-tag', { entry: { on: 'tag.added', tag: 'fresh' } }),
      stay('by-event'),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(entered(u1)).toEqual(['by-event', 'by-tag'])
  })

  it('that begin by themselves at one instant, the higher priority goes first', () => {
    const entry = { on: 'schedule', schedule: 'FREQ=DAILY;BYHOUR=10' }
    const u1 = user(stay('low', { entry }), stay('high', { entry, priority: 1 }))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.instant('2026-03-02T08:00:00Z')
    expect(entered(u1)).toEqual(['high', 'low'])
  })

  it('the lower is asked by what the higher has left behind', () => {
    const notTaken = { fact: 'tag', params: { id: 'taken' }, operator: 'equal', value: false }
    const u1 = user(
      tag('taken'),
      stay('low', { entry: { on: 'event', event: 'cart', conditions: notTaken } }),
      journey('high', [putTag('take', 'taken')], { priority: 1 }),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(entered(u1)).toEqual(['high'])
  })
})

describe('journeys of an exclusive group', () => {
  const byEvent = (event: string) => ({ on: 'event', event })
  const sale = (id: string, event: string, more = {}) =>
    stay(id, { entry: byEvent(event), exclusive: 'sales', ...more })

  it('hold who is in one of the same priority', () => {
    const u1 = user(sale('fruit', 'cart'), sale('milk', 'view'))
    u1.event('cart', '2026-03-01T08:00:00Z')
    const [run] = u1.state.runs

    u1.event('view', '2026-03-01T09:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([
      { rule: 'milk', reason: 'exclusive', run: run?.id, journey: 'fruit' },
    ])
  })

  it('hold who is in one of a higher priority', () => {
    const u1 = user(sale('fruit', 'cart', { priority: 1 }), sale('milk', 'view'))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('view', '2026-03-01T09:00:00Z')
    expect(u1.said('journey.held')).toMatchObject([{ rule: 'milk', reason: 'exclusive', journey: 'fruit' }])
  })

  it('end the run of a lower priority, and say which journey it gave way to', () => {
    const u1 = user(sale('fruit', 'cart'), sale('milk', 'view', { priority: 1 }))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('view', '2026-03-01T09:00:00Z')

    expect(u1.said('journey.exited')).toMatchObject([{ rule: 'fruit', step: 'later', reason: 'gave way to milk' }])
    expect(u1.state.runs).toMatchObject([{ journey: 'milk' }])
  })

  it('let the higher in where one event enters several', () => {
    const u1 = user(sale('fruit', 'cart'), sale('milk', 'cart', { priority: 1 }), sale('rice', 'cart'))
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(entered(u1)).toEqual(['milk'])
    expect(u1.said('journey.held')).toMatchObject([{ rule: 'fruit' }, { rule: 'rice' }])
  })

  it('let the next in once the run has ended', () => {
    const u1 = user(sale('fruit', 'cart'), sale('milk', 'view'))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('view', '2026-03-02T08:00:00Z')
    expect(entered(u1)).toEqual(['fruit', 'milk'])
  })

  it('have one run of a journey at a time, also of one that may be entered always', () => {
    const u1 = user(sale('fruit', 'cart', { reentry: 'always' }))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')
    expect(u1.said('journey.held')).toMatchObject([{ reason: 'exclusive', journey: 'fruit' }])
  })

  it('end nothing for somebody who is kept out', () => {
    const u1 = user(sale('fruit', 'cart'), sale('milk', 'view', { priority: 1, holdout: 1 }))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('view', '2026-03-01T09:00:00Z')
    expect(u1.state.runs).toMatchObject([{ journey: 'fruit' }])
  })

  it('do not mind other groups, and journeys of none', () => {
    const u1 = user(sale('fruit', 'cart'), sale('news', 'cart', { exclusive: 'news' }), stay('free'))
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(entered(u1)).toEqual(['fruit', 'news', 'free'])
  })

  it.each([
    ['the higher priority', 1, 'milk'],
    ['the older run', 0, 'fruit'],
  ])('leave one who turns out to be two in that of %s', (_, priority, stays) => {
    const program = programOf(sale('fruit', 'cart'), sale('milk', 'view', { priority }))
    const [u1, a1] = ['u1', 'anon:a1'].map((id) => new TestSubject(program, { kind: 'user', id }))
    if (u1 === undefined || a1 === undefined) throw new Error('two subjects')
    u1.event('cart', '2026-03-01T08:00:00Z')
    a1.event('view', '2026-03-01T09:00:00Z')

    const { into } = merge(u1, a1, program, Date.parse('2026-03-01T10:00:00Z'), {
      merge: 'm',
      by: 'anonymousId',
      messageId: 'm1',
    })

    expect(into.state.runs).toMatchObject([{ journey: stays }])
    expect(into.decisions.filter(({ decision }) => decision === 'journey.exited')).toMatchObject([
      { reason: `gave way to ${stays}` },
    ])
  })
})
