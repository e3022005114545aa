import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, putTag, tag, tagged, traitIs } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))

describe('a tag', () => {
  it('goes on with the event that makes its conditions hold', () => {
    const u1 = user(tag('regular', atLeast(2, 'order', { within: '30d' })))

    u1.event('order', '2026-03-01T08:00:00Z')
    expect(u1.has('regular')).toBe(false)

    u1.event('order', '2026-03-05T08:00:00Z')
    expect(u1.has('regular')).toBe(true)
    expect(u1.log).toEqual(['2026-03-05T08:00:00.000Z tag.added regular'])
  })

  it('goes off at its very instant, without an event', () => {
    const u1 = user(tag('regular', atLeast(2, 'order', { within: '30d' })))
    u1.event('order', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-05T08:00:00Z')
    expect(u1.next).toBe('2026-03-31T08:00:00.000Z')

    u1.instant('2026-03-31T07:59:59.999Z')
    expect(u1.has('regular')).toBe(true)

    u1.instant('2026-03-31T08:00:00.000Z')
    expect(u1.has('regular')).toBe(false)
  })

  it('goes off at its own instant, however late it is looked at', () => {
    const u1 = user(tag('regular', atLeast(1, 'order', { within: '1d' })))
    u1.event('order', '2026-03-01T08:00:00Z')

    u1.instant('2026-06-01T00:00:00Z')

    expect(u1.log.at(-1)).toBe('2026-03-02T08:00:00.000Z tag.removed regular')
    expect(u1.state.at).toBe(Date.parse('2026-06-01T00:00:00Z'))
  })

  it('goes on at its very instant when time alone makes its conditions hold', () => {
    const silent = { fact: 'sinceLastEvent', operator: 'greaterThanInclusive', value: '7d', params: { event: 'order' } }
    const u1 = user(tag('silent', silent))
    u1.event('order', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-09T00:00:00Z')

    expect(u1.log).toEqual(['2026-03-08T08:00:00.000Z tag.added silent'])
  })

  it('flips both ways, each at its instant, in one leap of time', () => {
    const between = {
      all: [count('order', 'equal', 1, { within: '10d' }), count('order', 'equal', 2, { within: '20d' })],
    }
    const u1 = user(tag('fading', between))
    u1.event('order', '2026-03-01T00:00:00Z')
    u1.event('order', '2026-03-04T00:00:00Z')

    u1.instant('2026-05-01T00:00:00Z')

    expect(u1.log).toEqual(['2026-03-11T00:00:00.000Z tag.added fading', '2026-03-14T00:00:00.000Z tag.removed fading'])
    expect(u1.next).toBeUndefined()
  })

  it('is there from birth when nothing known is what it asks for', () => {
    const u1 = user(tag('never-ordered', count('order', 'equal', 0)))

    u1.event('view', '2026-03-01T08:00:00Z')
    expect(u1.log).toEqual(['2026-03-01T08:00:00.000Z tag.added never-ordered'])

    u1.event('order', '2026-03-02T08:00:00Z')
    expect(u1.log.at(-1)).toBe('2026-03-02T08:00:00.000Z tag.removed never-ordered')
  })

  it('of birth goes off at once when the first event contradicts it', () => {
    const u1 = user(tag('never-ordered', count('order', 'equal', 0)))

    u1.event('order', '2026-03-01T08:00:00Z')

    expect(u1.has('never-ordered')).toBe(false)
  })

  it('counts a late event where it belongs', () => {
    const u1 = user(tag('regular', atLeast(2, 'order', { within: '7d' })))
    u1.event('order', '2026-03-06T00:00:00Z')

    u1.event('order', '2026-03-01T00:00:00Z', {}, { arrives: '2026-03-07T12:00:00Z' })

    expect(u1.log).toEqual(['2026-03-07T12:00:00.000Z tag.added regular'])
    expect(u1.next).toBe('2026-03-08T00:00:00.000Z')
  })

  it('is not moved by a late event whose window has passed', () => {
    const u1 = user(tag('regular', atLeast(1, 'order', { within: '7d' })))

    u1.event('order', '2026-03-01T00:00:00Z', {}, { arrives: '2026-03-08T00:00:00Z' })

    expect(u1.decisions).toEqual([])
  })

  it('follows a trait', () => {
    const u1 = user(tag('shanghai', traitIs('city', 'Shanghai')))

    u1.identify('2026-03-01T08:00:00Z', { city: 'Shanghai' })
    expect(u1.has('shanghai')).toBe(true)

    u1.identify('2026-03-02T08:00:00Z', { city: 'Hangzhou' })
    expect(u1.has('shanghai')).toBe(false)
  })

  it('that the pack no longer has is forgotten when its time comes', () => {
    const u1 = user(tag('regular', atLeast(1, 'order', { within: '1d' })))
    u1.event('order', '2026-03-01T08:00:00Z')
    const later = new TestSubject(programOf(tag('other', atLeast(9, 'order'))))
    later.state = u1.state

    later.instant('2026-03-05T00:00:00Z')

    expect(later.has('regular')).toBe(false)
    expect(later.next).toBeUndefined()
  })
})

describe('a tag of tags', () => {
  const rules = [
    tag('vip', { all: [tagged('regular'), tagged('silent', false)] }),
    tag('regular', atLeast(2, 'order', { within: '30d' })),
    tag('silent', count('view', 'equal', 0, { within: '7d' })),
  ]

  it('follows the tags it reads, in the same instant and after them', () => {
    const u1 = user(...rules)
    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-02T08:00:00Z')

    expect(u1.log.slice(-2)).toEqual([
      '2026-03-02T08:00:00.000Z tag.added regular',
      '2026-03-02T08:00:00.000Z tag.added vip',
    ])
  })

  it('flips at the instant at which a tag it reads flips by itself', () => {
    const u1 = user(...rules)
    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-02T08:00:00Z')

    u1.instant('2026-03-20T00:00:00Z')

    expect(u1.log.slice(-2)).toEqual([
      '2026-03-08T08:00:00.000Z tag.added silent',
      '2026-03-08T08:00:00.000Z tag.removed vip',
    ])
  })

  it('follows a tag that a journey puts on', () => {
    const u1 = user(
      tag('greeted'),
      tag('known', tagged('greeted')),
      journey('greet', [putTag('mark', 'greeted')], { entry: { on: 'event', event: 'join' } }),
    )

    u1.event('join', '2026-03-01T08:00:00Z')

    expect(u1.has('known')).toBe(true)
  })
})
