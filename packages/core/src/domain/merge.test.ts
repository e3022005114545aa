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
const join = (user: SubjectState, visitor: SubjectState, at: string) =>
  merge({ key: USER, state: user }, { key: VISITOR, state: visitor }, PROGRAM, instant(at))
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

  it('leaves traits, relations and consent as they were said last by either', () => {
    const { user, visitor } = pair()
    user.identify('2026-03-02T08:00:00Z', { city: 'Shanghai', age: 30 })
    visitor.identify('2026-03-01T08:00:00Z', { city: 'Hangzhou', name: 'Wang' })
    visitor.event('group', '2026-03-03T08:00:00Z', {}, { changes: { relations: { community: 'c1' } } })
    user.event('consent_granted', '2026-03-03T08:00:00Z')
    visitor.event('consent_withdrawn', '2026-03-03T08:00:00Z')

    const { state } = join(user.state, visitor.state, '2026-03-04T08:00:00Z')

    expect(Object.entries(state.traits).map(([name, [value]]) => [name, value])).toEqual([
      ['city', 'Shanghai'],
      ['age', 30],
      ['name', 'Wang'],
    ])
    expect(state.relations.community?.[0]).toBe('c1')
    expect(state.consent['*|*']?.[0]).toBe(false)
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

  it('leaves its runs: a journey greets a person once', () => {
    const { user, visitor } = pair()
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { state, decisions } = join(user.state, visitor.state, '2026-03-01T09:00:00Z')

    expect(state.runs).toEqual([])
    expect(decisions).toContainEqual(
      expect.objectContaining({ decision: 'journey.exited', rule: 'greet', step: 'later', reason: 'merged' }),
    )
    const after = new TestSubject(PROGRAM, USER)
    after.state = state
    after.event('cart', '2026-03-02T08:00:00Z')
    expect(after.said('journey.held')).toMatchObject([{ reason: 're-entry' }])
  })

  it('says of the visitor which tags and runs ended, so that the log adds up', () => {
    const { user, visitor } = pair()
    visitor.event('cart', '2026-03-01T08:00:00Z')

    const { decisions } = join(user.state, visitor.state, '2026-03-01T09:00:00Z')

    const ofVisitor = decisions.filter(({ subject }) => subject === 'user:anon:a1')
    expect(ofVisitor.map(({ decision, rule, reason }) => [decision, rule, reason])).toEqual([
      ['tag.removed', 'never-ordered', 'merged'],
      ['tag.removed', 'greeted', 'merged'],
      ['tag.removed', 'warm', 'merged'],
      ['journey.exited', 'greet', 'merged'],
    ])
  })

  it('lets journeys of the user react to the tags that the merge brought', () => {
    const rules = [
      tag('regular', atLeast(2, 'order')),
      journey('thank', [wait('later', '1h')], { entry: { on: 'tag.added', tag: 'regular' } }),
    ]
    const program = programOf(...rules)
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    user.event('order', '2026-03-01T08:00:00Z')
    visitor.event('order', '2026-03-02T08:00:00Z')

    const { state } = merge(user, visitor, program, instant('2026-03-03T08:00:00Z'))

    expect(state.runs).toMatchObject([{ journey: 'thank', enteredAt: instant('2026-03-03T08:00:00Z') }])
  })

  it('keeps what the community decides for the user', () => {
    const ofCommunity = atLeast(5, 'order', { of: 'community' })
    const program = programOf(tag('busy', ofCommunity))
    const [user, visitor] = [new TestSubject(program, USER), new TestSubject(program, VISITOR)]
    user.surroundings = { ...ALONE, relatedHolds: (relation, id) => relation === 'community' && id === 'c1' }
    user.event('group', '2026-03-01T08:00:00Z', {}, { changes: { relations: { community: 'c1' } } })
    visitor.event('view', '2026-03-02T08:00:00Z')
    expect(user.has('busy')).toBe(true)

    const { state } = merge(user, visitor, program, instant('2026-03-03T08:00:00Z'), user.surroundings)

    expect(hasTag(state, 'busy')).toBe(true)
  })
})
