import { describe, expect, it } from 'vitest'
import { eventHas, journey, send, template, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const digest = (more: Record<string, unknown> = {}) => ({ id: 'collect', digest: { for: '2h', ...more } })
const text = template('hello', '{% for one in digest.events %}{{ one.name }} {% endfor %}{{ digest.count }}')

describe('a digest', () => {
  it('collects events for its time, the one that the run was entered by first', () => {
    const u1 = user(text, journey('news', [digest(), send('push')]))
    u1.event('cart', '2026-03-01T08:00:00Z', { name: '苹果' })
    u1.event('cart', '2026-03-01T09:00:00Z', { name: '梨' })
    u1.event('view', '2026-03-01T09:10:00Z', { name: '桃' })
    u1.event('cart', '2026-03-01T10:00:00Z', { name: '柿子' })

    expect(u1.effects).toMatchObject([
      { kind: 'send', variables: { digest: { count: 2, events: [{ name: '苹果' }, { name: '梨' }] } } },
    ])
    expect(u1.said('journey.stepped').filter(({ step }) => step === 'collect')).toMatchObject([
      { verb: 'digest' },
      { verb: 'digest', count: 2 },
    ])
  })

  it('takes an event that would let the person in again: nothing is held', () => {
    const u1 = user(journey('news', [digest(), wait('later', '1d')], { reentry: 'always' }))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')

    expect(u1.state.runs).toHaveLength(1)
    expect(u1.said('journey.held')).toEqual([])

    u1.event('cart', '2026-03-01T11:00:00Z')
    expect(u1.state.runs).toHaveLength(2)
  })

  it('keeps the latest of the events, and counts all', () => {
    const u1 = user(journey('news', [digest({ keep: 2 }), wait('later', '1d')]))
    for (const name of ['a', 'b', 'c', 'd']) u1.event('cart', '2026-03-01T08:00:00Z', { name })

    expect(u1.state.runs).toMatchObject([{ digest: { count: 4, events: [{ name: 'c' }, { name: 'd' }] } }])
  })

  it('may collect other events than those of the entry, and lasts until a local time', () => {
    const steps = [
      digest({ event: 'deal', conditions: eventHas('kind', 'fruit'), for: { until: '18:00' } }),
      wait('later', '1d'),
    ]
    const u1 = user(journey('news', steps))
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(u1.next).toBe('2026-03-01T10:00:00.000Z')
    u1.event('deal', '2026-03-01T09:00:00Z', { kind: 'milk' })
    u1.event('deal', '2026-03-01T09:00:00Z', { kind: 'fruit' })

    expect(u1.state.runs).toMatchObject([{ digest: { count: 1, events: [{ kind: 'fruit' }] } }])
  })

  it('with a key collects the events of the same key', () => {
    const u1 = user(journey('news', [digest(), wait('later', '1d')], { key: 'shop' }))
    for (const shop of ['s1', 's2', 's1']) u1.event('cart', '2026-03-01T08:00:00Z', { shop })

    expect(u1.state.runs).toMatchObject([
      { key: 's1', digest: { count: 2 } },
      { key: 's2', digest: { count: 1 } },
    ])
  })

  it('gives way to no exit: what it collects does not end the run', () => {
    const u1 = user(journey('news', [digest(), wait('later', '1d')], { exit: { on: 'event', event: 'cart' } }))
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')
    expect(u1.state.runs).toMatchObject([{ digest: { count: 2 } }])

    u1.event('cart', '2026-03-01T11:00:00Z')
    expect(u1.said('journey.exited')).toMatchObject([{ step: 'later', reason: 'event cart' }])
  })

  it('says what it collects where the journey is not entered by an event', () => {
    const entry = { on: 'score.crossed', score: 'loyalty', above: 1 }
    const rules = [
      { kind: 'score', id: 'loyalty', terms: [{ points: 2, when: eventHas('a', 1) }] },
      journey('news', [digest(), wait('later', '1d')], { entry }),
    ]
    expect(() => user(...rules)).toThrow(/digest.event/)
    expect(() => user(journey('news', [digest({ conditions: eventHas('kind', 'fruit') })]))).toThrow(
      /digest.conditions/,
    )
  })
})
