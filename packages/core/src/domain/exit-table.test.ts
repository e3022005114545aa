import { describe, expect, it } from 'vitest'
import { documentedRows } from '../../testing/documented.js'
import {
  atLeast,
  atMost,
  eventHas,
  journey,
  putTag,
  score,
  send,
  tag,
  template,
  traitIs,
  wait,
} from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const WAITS = [wait('later', '2h'), putTag('mark', 'reached'), wait('rest', '1d')]
const onOrder = { on: 'event', event: 'order' }
const quietly = { on: 'conditions', conditions: { all: [atMost(0, 'view', { within: '3h' })] } }

/** Somebody who has entered the journey at eight. */
function entered(exit: unknown, { steps = WAITS, more = {}, rules = [] }: Partial<Setting> = {}): TestSubject {
  const u1 = new TestSubject(
    programOf(tag('reached'), template('hello'), ...rules, journey('remind', steps, { exit, ...more })),
  )
  u1.event('view', '2026-03-01T07:00:00Z')
  u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })
  return u1
}

interface Setting {
  readonly steps: readonly unknown[]
  readonly more: Readonly<Record<string, unknown>>
  readonly rules: readonly unknown[]
}

const ends = (u1: TestSubject) =>
  u1.decisions
    .filter(({ decision }) => decision === 'journey.exited')
    .map(({ at, step, reason }) => `${new Date(at).toISOString().slice(11, 16)} ${step}: ${reason}`)

const CASES: Readonly<Record<string, () => void>> = {
  'the event of its exit comes': () => {
    const waiting = entered(onOrder)
    const sending = entered(onOrder, { steps: [send('push'), ...WAITS] })
    for (const u1 of [waiting, sending]) u1.event('order', '2026-03-01T08:30:00Z')

    expect(ends(waiting)).toEqual(['08:30 later: event order'])
    expect(ends(sending)).toEqual(['08:30 push: event order'])
  },
  'the event of its exit comes, and the conditions about it do not hold': () => {
    const u1 = entered({ ...onOrder, conditions: eventHas('kind', 'fruit') })
    u1.event('order', '2026-03-01T08:30:00Z', { kind: 'milk' })
    expect(ends(u1)).toEqual([])
  },
  'the event of its exit comes with another `key`': () => {
    const u1 = entered(onOrder, { more: { key: 'cartId' } })
    u1.event('order', '2026-03-01T08:30:00Z', { cartId: 'c2' })
    expect(ends(u1)).toEqual([])
  },
  'the event of its exit comes, and happened before the entry event': () => {
    const u1 = entered(onOrder)
    u1.event('order', '2026-03-01T07:59:59Z', {}, { arrives: '2026-03-01T08:30:00Z' })
    expect(ends(u1)).toEqual([])
  },
  'the event of its exit is exactly what it waits for': () => {
    const waitFor = { id: 'bought', waitFor: { event: 'order', timeout: '2h' }, then: [wait('thanks', '1h')] }
    const u1 = entered(onOrder, { steps: [waitFor] })
    u1.event('order', '2026-03-01T08:30:00Z')
    expect(u1.state.runs).toMatchObject([{ step: 'thanks' }])
  },
  'the event of its exit comes at the very instant at which its wait ends': () => {
    const u1 = entered(onOrder)
    u1.event('order', '2026-03-01T10:00:00Z')
    expect(u1.has('reached')).toBe(true)
    expect(ends(u1)).toEqual(['10:00 rest: event order'])
  },
  'the tag of its exit is put on or taken off': () => {
    const rules = [tag('active', atLeast(1, 'view', { within: '2h' })), tag('bought', atLeast(1, 'order'))]
    const off = entered({ on: 'tag.removed', tag: 'active' }, { rules })
    off.instant('2026-03-01T23:00:00Z')
    const on = entered({ on: 'tag.added', tag: 'bought' }, { rules })
    on.event('order', '2026-03-01T08:30:00Z')

    expect(ends(off)).toEqual(['09:00 later: tag.removed active'])
    expect(ends(on)).toEqual(['08:30 later: tag.added bought'])
  },
  'the score of its exit crosses the line': () => {
    const rules = [score('loyalty', [{ points: 10, event: 'order' }])]
    const u1 = entered({ on: 'score.crossed', score: 'loyalty', above: 20 }, { rules })
    u1.event('order', '2026-03-01T08:30:00Z')
    u1.event('order', '2026-03-01T08:40:00Z')
    expect(ends(u1)).toEqual(['08:40 later: score.crossed loyalty'])
  },
  'time alone changes the tag or score of its exit at the very instant at which its wait ends': () => {
    const rules = [tag('active', atLeast(1, 'view', { within: '3h' }))]
    const u1 = entered({ on: 'tag.removed', tag: 'active' }, { rules })
    u1.instant('2026-03-01T10:00:00Z')
    expect(u1.has('reached')).toBe(false)
    expect(ends(u1)).toEqual(['10:00 later: tag.removed active'])
  },
  'it begins with the very event that changes the tag or score of its exit': () => {
    const u1 = entered({ on: 'tag.added', tag: 'hesitant' }, { rules: [tag('hesitant', atLeast(1, 'cart'))] })
    expect(u1.said('journey.entered')).toHaveLength(1)
    expect(ends(u1)).toEqual(['08:00 later: tag.added hesitant'])
  },
  'the conditions of its exit come to hold': () => {
    const byTime = entered(quietly, { steps: [wait('long', '5d')] })
    byTime.instant('2026-03-01T23:00:00Z')
    const byEvent = entered({ on: 'conditions', conditions: traitIs('city', '厦门') })
    byEvent.identify('2026-03-01T08:30:00Z', { city: '厦门' })

    expect(ends(byTime)).toEqual(['10:00 long: exit conditions'])
    expect(ends(byEvent)).toEqual(['08:30 later: exit conditions'])
  },
  'the conditions of its exit come to hold at the very instant at which its wait ends': () => {
    const u1 = entered(quietly)
    u1.instant('2026-03-01T10:00:00Z')
    expect(u1.has('reached')).toBe(false)
    expect(ends(u1)).toEqual(['10:00 later: exit conditions'])
  },
  'the conditions of its exit hold when it would begin': () => {
    const u1 = entered({ on: 'conditions', conditions: atLeast(1, 'view') })
    expect(u1.said('journey.entered')).toEqual([])
    expect(u1.said('journey.held')).toMatchObject([{ reason: 'exit conditions' }])
  },
  'one of several exits is met': () => {
    const u1 = entered([onOrder, quietly])
    u1.event('order', '2026-03-01T08:30:00Z')
    expect(ends(u1)).toEqual(['08:30 later: event order'])
  },
  'it comes to an `exit` step': () => {
    const u1 = entered(undefined, { steps: [wait('later', '2h'), { id: 'stop', exit: { reason: '够了' } }] })
    u1.instant('2026-03-01T23:00:00Z')
    expect(ends(u1)).toEqual(['10:00 stop: 够了'])
  },
  'its last step is done': () => {
    const u1 = entered(undefined, { steps: [wait('later', '2h')] })
    u1.instant('2026-03-01T23:00:00Z')
    expect(ends(u1)).toEqual(['10:00 later: completed'])
  },
}

describe('the table of leaving in "Write a journey"', () => {
  const rows = documentedRows('what happens to a run')

  it('has a test for each of its lines', () => {
    expect(rows.filter((row) => CASES[row] === undefined)).toEqual([])
    expect(Object.keys(CASES).filter((name) => !rows.includes(name))).toEqual([])
  })

  for (const [name, test] of Object.entries(CASES)) it(name, test)
})
