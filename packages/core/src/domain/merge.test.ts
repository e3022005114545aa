import { describe, expect, it } from 'vitest'
import { atLeast, count, journey, putTag, tag, tagged, wait } from '../../testing/rules.js'
import { instant, programOf, TestSubject } from '../../testing/subject.js'
import { merge } from './merge.js'
import { encodeSubject, hasTag, type SubjectState, UNBORN } from './subject.js'
import { ALONE } from './surroundings.js'

const RULES = [
  tag('regular', atLeast(3, 'order', { within: '30d' })),
  tag('never-ordered', count('order', 'equal', 0)),
  tag('greeted'),
  tag('warm', tagged('greeted')),
  journey('greet', [putTag('mark', 'greeted'), wait('later', '1d')], { reentry: 'never' }),
]
const PROGRAM = programOf(...RULES)
const USER = { kind: 'user', id: 'u1' } as const
const VISITOR = { kind: 'user', id: 'anon:a1' } as const

const pair = () => ({ user: new TestSubject(PROGRAM, USER), visitor: new TestSubject(PROGRAM, VISITOR) })
const CAUSE = { merge: 'm', by: 'anonymousId', messageId: 'm1' }
const join = (user: SubjectState, visitor: SubjectState, at: string, program = PROGRAM) => {
  const { into, from } = merge(
    { key: USER, state: user },
    { key: VISITOR, state: visitor },
    program,
    instant(at),
    CAUSE,
  )
  return { ...into, gone: from }
}
const tagsOf = (state: SubjectState) => PROGRAM.subjects.user.tags.map(({ id }) => id).filter((id) => hasTag(state, id))
const featuresOf = ({ features }: SubjectState) => encodeSubject({ ...UNBORN, features })

describe('a visitor who turns out to be a user', () => {
  it('brings the events along: tags are those of all events together', () => {
    const { user, visitor } = pair()
    user.event('order', '2026-03-01T08:00:00Z')
    visitor.event('order', '2026-03-02T08:00:00Z')
    visitor.event('order', '2026-03-03T08:00:00Z')

    const { state, decisions } = join(user.state, visitor.state, '2026-03-04T08:00:00Z')

    expect(tagsOf(state)).toEqual(['regular'])
    expect(decisions).toContainEqual({
      at: instant('2026-03-04T08:00:00Z'),
      subject: 'user:u1',
      decision: 'tag.added',
      rule: 'regular',
    })
  })

  it('is one of the people whom a rule counts', () => {
    const program = programOf(tag('alone', { ...count('order', 'equal', 1), fact: 'userCount' }))
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    for (const one of [user, visitor]) {
      const at = instant('2026-03-01T08:00:00Z')
      const event = { messageId: one.key.id, event: 'order', at, properties: {}, userId: one.key.id }
      one.take({ kind: 'event', at, event })
    }

    const { state } = join(user.state, visitor.state, '2026-03-04T08:00:00Z', program)

    expect(hasTag(state, 'alone')).toBe(true)
  })

  it('is the same whoever of the two did what', () => {
    const { user, visitor } = pair()
    for (const day of ['01', '03']) user.event('order', `2026-03-${day}T08:00:00Z`)
    for (const day of ['02', '04']) visitor.event('order', `2026-03-${day}T08:00:00Z`)
    const alone = new TestSubject(PROGRAM, USER)
    for (const day of ['01', '02', '03', '04']) alone.event('order', `2026-03-${day}T08:00:00Z`)

    const { state } = join(user.state, visitor.state, '2026-03-04T08:00:00Z')

    expect(featuresOf(state)).toBe(featuresOf(alone.state))
    expect(tagsOf(state)).toEqual(tagsOf(alone.state))
  })

  it('leaves traits and relations as they were said last by either', () => {
    const { user, visitor } = pair()
    user.identify('2026-03-02T08:00:00Z', { city: 'Shanghai', age: 30 })
    visitor.identify('2026-03-01T08:00:00Z', { city: 'Hangzhou', name: 'Wang' })
    visitor.event('group', '2026-03-03T08:00:00Z', {}, { changes: { relations: { community: 'c1' } } })

    const { state } = join(user.state, visitor.state, '2026-03-04T08:00:00Z')

    expect(Object.entries(state.traits).map(([name, [value]]) => [name, value])).toEqual([
      ['city', 'Shanghai'],
      ['age', 30],
      ['name', 'Wang'],
    ])
    expect(state.relations.community?.[0]).toBe('c1')
  })

  it('keeps tags that journeys put on, and tags that follow from them', () => {
    const { user, visitor } = pair()
    user.event('order', '2026-03-01T08:00:00Z')
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { state } = join(user.state, visitor.state, '2026-03-04T08:00:00Z')

    expect(tagsOf(state)).toEqual(expect.arrayContaining(['greeted', 'warm']))
  })

  it('counts the messages of both for caps, in time order', () => {
    const sent = (at: string, key: string) =>
      ({ ...UNBORN, at: 1, sends: [[instant(at), 'sms', 'promotion', key]] }) as const

    const { state } = join(sent('2026-03-02T08:00:00Z', 'b'), sent('2026-03-01T08:00:00Z', 'a'), '2026-03-04T08:00:00Z')

    expect(state.sends.map(([, , , key]) => key)).toEqual(['a', 'b'])
  })

  it('goes on with its runs: what was begun is carried on, and begins no second time', () => {
    const { user, visitor } = pair()
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { state } = join(user.state, visitor.state, '2026-03-01T09:00:00Z')

    expect(state.runs).toMatchObject([{ journey: 'greet', step: 'later', until: instant('2026-03-02T08:00:00Z') }])
    const after = new TestSubject(PROGRAM, USER)
    after.state = state
    after.event('cart', '2026-03-01T10:00:00Z')
    expect(after.said('journey.held')).toMatchObject([{ reason: 'active' }])
    after.instant('2026-03-02T08:00:00Z')
    expect(after.said('journey.exited')).toMatchObject([{ reason: 'completed' }])
  })

  it('keeps the older of two runs of a journey that nobody is in twice, whoever of the two began it', () => {
    for (const [mine, its] of [
      ['08', '09'],
      ['09', '08'],
    ]) {
      const { user, visitor } = pair()
      user.event('cart', `2026-03-01T${mine}:00:00Z`)
      visitor.event('cart', `2026-03-01T${its}:00:00Z`)

      const { state, decisions } = join(user.state, visitor.state, '2026-03-01T10:00:00Z')

      expect(state.runs).toMatchObject([{ until: instant('2026-03-02T08:00:00Z') }])
      const exits = decisions.filter(({ decision }) => decision === 'journey.exited')
      expect(exits).toMatchObject([{ subject: 'user:u1', reason: 'merged', step: 'later' }])
    }
  })

  it('keeps runs about different orders, and those of a journey that may run twice', () => {
    const program = programOf(
      journey('order', [wait('later', '1d')], { key: 'orderId' }),
      journey('any', [wait('later', '1d')], { reentry: 'always' }),
    )
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    user.event('cart', '2026-03-01T08:00:00Z', { orderId: 'o1' })
    visitor.event('cart', '2026-03-01T08:00:00Z', { orderId: 'o2' })

    const { state } = join(user.state, visitor.state, '2026-03-01T10:00:00Z', program)

    expect(state.runs.map(({ journey: id, key }) => [id, key])).toEqual([
      ['order', 'o1'],
      ['any', undefined],
      ['order', 'o2'],
      ['any', undefined],
    ])
  })

  it('says of the visitor which tags ended, and of both who is who, so that the log adds up', () => {
    const { user, visitor } = pair()
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { decisions, gone } = join(user.state, visitor.state, '2026-03-01T09:00:00Z')

    expect(gone.decisions.map(({ decision, rule, reason }) => [decision, rule, reason])).toEqual([
      ['identity.merged', undefined, undefined],
      ['tag.removed', 'never-ordered', 'merged'],
      ['tag.removed', 'greeted', 'merged'],
      ['tag.removed', 'warm', 'merged'],
    ])
    expect(decisions.map(({ decision, rule }) => [decision, rule])).toEqual([
      ['identity.merged', undefined],
      ['tag.added', 'greeted'],
      ['tag.added', 'never-ordered'],
      ['tag.added', 'warm'],
    ])
    expect(decisions[0]).toMatchObject({ subject: 'user:u1', into: 'u1', from: 'anon:a1', by: 'anonymousId' })
    expect(gone.state).toMatchObject({ into: 'u1', runs: [], also: [] })
  })

  const greeting = (entry: string) => [
    tag('regular', atLeast(2, 'order')),
    tag('new', count('order', 'lessThan', 2)),
    journey('thank', [wait('later', '1h')], { entry: { on: entry, tag: entry === 'tag.added' ? 'regular' : 'new' } }),
  ]

  it('is greeted for what neither of the two had been through', () => {
    for (const entry of ['tag.added', 'tag.removed']) {
      const program = programOf(...greeting(entry))
      const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
      user.event('order', '2026-03-01T08:00:00Z')
      visitor.event('order', '2026-03-02T08:00:00Z')

      const { state } = join(user.state, visitor.state, '2026-03-03T08:00:00Z', program)

      expect(state.runs).toMatchObject([{ journey: 'thank', enteredAt: instant('2026-03-03T08:00:00Z') }])
    }
  })

  it('is not greeted again for what one of the two has been greeted for', () => {
    for (const entry of ['tag.added', 'tag.removed']) {
      const program = programOf(...greeting(entry))
      const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
      user.event('view', '2026-03-01T08:00:00Z')
      visitor.event('order', '2026-03-01T08:00:00Z')
      visitor.event('order', '2026-03-02T08:00:00Z')
      visitor.instant('2026-03-02T10:00:00Z')
      expect(visitor.said('journey.exited')).toMatchObject([{ reason: 'completed' }])

      const { state, decisions } = join(user.state, visitor.state, '2026-03-03T08:00:00Z', program)

      expect(state.runs).toEqual([])
      expect(decisions.map(({ decision }) => decision)).not.toContain('journey.entered')
    }
  })

  it('ends the run of either whose exit has come about', () => {
    const program = programOf(
      tag('sleeping', count('order', 'equal', 0)),
      journey('wake', [wait('later', '9d')], { exit: { on: 'tag.removed', tag: 'sleeping' } }),
    )
    for (const sleeper of [USER, VISITOR]) {
      const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
      const [one, other] = sleeper === USER ? [user, visitor] : [visitor, user]
      one.event('cart', '2026-03-01T08:00:00Z')
      other.event('order', '2026-03-01T08:00:00Z')

      const { state, decisions } = join(user.state, visitor.state, '2026-03-03T08:00:00Z', program)

      expect(state.runs).toEqual([])
      expect(decisions).toContainEqual(
        expect.objectContaining({ decision: 'journey.exited', reason: 'tag.removed sleeping' }),
      )
    }
  })

  it('has first lived through what time brought about for each: waits end at their own instant', () => {
    const { user, visitor } = pair()
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { gone, state } = join(user.state, visitor.state, '2026-03-09T08:00:00Z')

    expect(state.runs).toEqual([])
    expect(gone.decisions).toContainEqual(
      expect.objectContaining({ at: instant('2026-03-02T08:00:00Z'), decision: 'journey.exited', reason: 'completed' }),
    )
  })

  it('keeps what the community decides for the user', () => {
    const ofCommunity = atLeast(5, 'order', { of: 'community' })
    const program = programOf(tag('busy', ofCommunity))
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    user.surroundings = { ...ALONE, relatedHolds: (relation, id) => relation === 'community' && id === 'c1' }
    user.event('group', '2026-03-01T08:00:00Z', {}, { changes: { relations: { community: 'c1' } } })
    visitor.event('view', '2026-03-02T08:00:00Z')
    expect(user.has('busy')).toBe(true)

    const at = instant('2026-03-03T08:00:00Z')
    const { state } = merge(user, visitor, program, at, CAUSE, user.surroundings).into

    expect(hasTag(state, 'busy')).toBe(true)
  })
})

describe('two who are each in a journey of an exclusive group', () => {
  const sale = (id: string, event: string, more = {}) =>
    journey(id, [wait('later', '9d')], { entry: { on: 'event', event }, exclusive: 'sales', ...more })
  const merged = (...journeys: readonly unknown[]) => {
    const program = programOf(...journeys)
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    user.event('cart', '2026-03-01T08:00:00Z')
    visitor.event('view', '2026-03-01T09:00:00Z')
    const { state, decisions } = join(user.state, visitor.state, '2026-03-02T08:00:00Z', program)
    const ended = decisions.filter(({ decision }) => decision === 'journey.exited')
    return { stays: state.runs.map((run) => run.journey), ended: ended.map(({ rule, reason }) => [rule, reason]) }
  }

  it('stay in that of the higher priority, or in the older one', () => {
    expect(merged(sale('fruit', 'cart'), sale('milk', 'view', { priority: 1 }))).toEqual({
      stays: ['milk'],
      ended: [['fruit', 'gave way to milk']],
    })
    expect(merged(sale('fruit', 'cart'), sale('milk', 'view'))).toEqual({
      stays: ['fruit'],
      ended: [['milk', 'gave way to fruit']],
    })
  })
})
