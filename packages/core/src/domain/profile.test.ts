import { describe, expect, it } from 'vitest'
import { tag, traitIs } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const [MORNING, NOON, EVENING] = ['2026-03-01T08:00:00Z', '2026-03-01T12:00:00Z', '2026-03-01T18:00:00Z'] as const

describe('a trait', () => {
  it('is what was said last, by the time it was said', () => {
    const u1 = user()
    u1.identify(NOON, { city: 'Hangzhou' })

    u1.event('identify', MORNING, {}, { arrives: EVENING, changes: { traits: { city: 'Shanghai', age: 30 } } })

    expect(u1.state.traits).toEqual({
      city: ['Hangzhou', Date.parse(NOON)],
      age: [30, Date.parse(MORNING)],
    })
  })

  it('of the same instant does not depend on the order of arrival', () => {
    const [one, other] = [user(), user()]

    one.identify(NOON, { city: 'Shanghai' })
    one.identify(NOON, { city: 'Hangzhou' })
    other.identify(NOON, { city: 'Hangzhou' })
    other.identify(NOON, { city: 'Shanghai' })

    expect(one.state.traits).toEqual(other.state.traits)
  })

  it('leaves the others as they are', () => {
    const u1 = user()

    u1.identify(MORNING, { city: 'Shanghai' })
    u1.identify(NOON, { age: 30 })

    expect(Object.keys(u1.state.traits)).toEqual(['city', 'age'])
  })
})

describe('a relation', () => {
  it('is what was said last, and tags follow it', () => {
    const u1 = user(tag('ours', { fact: 'relation', operator: 'equal', value: 'c1', params: { name: 'community' } }))
    const group = (at: string, community: string, arrives = at) =>
      u1.event('group', at, {}, { arrives, changes: { relations: { community } } })

    group(NOON, 'c1')
    expect(u1.has('ours')).toBe(true)

    group(MORNING, 'c2', EVENING)
    expect(u1.has('ours')).toBe(true)

    group(EVENING, 'c2')
    expect(u1.has('ours')).toBe(false)
  })
})

describe('consent', () => {
  it('is what was said last, for the channel and the class that it was about', () => {
    const u1 = user()

    u1.event('consent_granted', MORNING, { channel: 'sms', class: 'promotion' })
    u1.event('consent_withdrawn', NOON, { channel: 'sms' })
    u1.event('consent_granted', EVENING)

    expect(u1.state.consent).toEqual({
      'sms|promotion': [true, Date.parse(MORNING)],
      'sms|*': [false, Date.parse(NOON)],
      '*|*': [true, Date.parse(EVENING)],
    })
  })

  it('that was given before it was withdrawn does not come back by arriving late', () => {
    const u1 = user()
    u1.event('consent_withdrawn', NOON)

    u1.event('consent_granted', MORNING, {}, { arrives: EVENING })

    expect(u1.state.consent).toEqual({ '*|*': [false, Date.parse(NOON)] })
  })

  it('given and withdrawn at the same instant is withdrawn, in either order', () => {
    const [one, other] = [user(), user()]

    one.event('consent_granted', NOON)
    one.event('consent_withdrawn', NOON)
    other.event('consent_withdrawn', NOON)
    other.event('consent_granted', NOON)

    expect(one.state.consent).toEqual({ '*|*': [false, Date.parse(NOON)] })
    expect(other.state.consent).toEqual(one.state.consent)
  })
})

describe('a name that reaches a prototype', () => {
  it('is no trait', () => {
    const u1 = user(tag('odd', traitIs('city', 'Shanghai')))

    u1.identify(NOON, JSON.parse('{"__proto__": {"city": "Shanghai"}, "constructor": 1}') as Record<string, unknown>)

    expect(u1.state.traits).toEqual({})
    expect(u1.has('odd')).toBe(false)
  })
})
