import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  atLeast,
  count,
  eventHas,
  journey,
  putTag,
  score,
  scored,
  send,
  tag,
  tagged,
  template,
  traitIs,
  wait,
} from '../../testing/rules.js'
import { programOf } from '../../testing/subject.js'
import { advance } from './advance.js'
import type { Input } from './decision.js'
import { decodeSubject, encodeSubject, nextInstant, type SubjectState, UNBORN } from './subject.js'

const KEY = { kind: 'user', id: 'u1' } as const
const START = Date.parse('2026-03-01T00:00:00Z')
const MINUTE = 60_000

const PROGRAM = programOf(
  tag('regular', atLeast(2, 'order', { within: '30m' })),
  tag('exactly-one', count('order', 'equal', 1, { within: '10m' })),
  tag('big', {
    fact: 'eventSum',
    operator: 'greaterThan',
    value: 50,
    params: { event: 'order', property: 'amount', within: '1h' },
  }),
  tag('silent', { fact: 'sinceLastEvent', operator: 'greaterThan', value: '20m', params: { event: 'view' } }),
  tag('local', traitIs('city', 'Shanghai')),
  tag('vip', { any: [tagged('regular'), { all: [tagged('big'), tagged('silent', false)] }] }),
  tag('marked'),
  score(
    'warmth',
    [
      { points: 10, event: 'order', halfLife: '4m' },
      { points: 5, conditions: tagged('vip') },
      { points: 0.1, per: { fact: 'eventSum', params: { event: 'order', property: 'amount', within: '25m' } }, max: 7 },
    ],
    { tiers: [{ id: 'warm', from: 8 }] },
  ),
  tag('warm', scored('warmth', 'equal', 'warm', { as: 'tier' })),
  tag('asked', { fact: 'consent', operator: 'equal', value: true, params: { class: 'promotion' } }),
  tag('busy', { fact: 'run', operator: 'equal', value: true, params: { journey: 'remind', step: 'second' } }),
  template('hello', '{{ event.amount }}'),
  journey('remind', [wait('first', '5m'), send('push'), wait('second', '15m'), putTag('mark', 'marked')], {
    key: 'cartId',
    reentry: { after: '40m' },
    exit: { on: 'event', event: 'order', conditions: eventHas('amount', 20) },
    goal: { event: 'order', within: '1h' },
  }),
  journey('thank', [{ id: 'again', waitFor: { event: 'order', timeout: '12m' } }], {
    entry: { on: 'tag.added', tag: 'vip' },
    reentry: 'always',
  }),
  journey('warmed', [wait('a-while', '3m')], {
    entry: { on: 'score.crossed', score: 'warmth', above: 10 },
    exit: { on: 'score.crossed', score: 'warmth', below: 5 },
    reentry: 'always',
  }),
)

const eventArb = fc.record({
  event: fc.constantFrom('order', 'view', 'cart', 'identify', 'consent_granted', 'consent_withdrawn'),
  gap: fc.integer({ min: 0, max: 30 }),
  delay: fc.integer({ min: 0, max: 60 }),
  amount: fc.constantFrom(5, 20, 60),
  cartId: fc.constantFrom('c1', 'c2'),
  city: fc.constantFrom('Shanghai', 'Hangzhou'),
})

/** Events as they arrive, some of them late; sometimes only time passes, or an outcome comes. */
const inputsArb = fc.array(fc.tuple(eventArb, fc.integer({ min: 0, max: 9 })), { maxLength: 25 }).map((list) => {
  let at = START
  return list.map(([{ event, gap, delay, amount, cartId, city }, dice], index) => (state: SubjectState): Input => {
    at = Math.max(at + gap * MINUTE, state.at)
    const [run] = state.runs.filter(({ until }) => until === 0)
    if (dice === 0) return { kind: 'instant', at }
    if (dice <= 2 && run !== undefined)
      return { kind: 'outcome', at, run: run.id, step: run.step, result: dice === 1 ? 'accepted' : 'refused' }
    const record = { messageId: `m${index}`, event, at: at - delay * MINUTE, properties: { amount, cartId } }
    return { kind: 'event', at, event: record, ...(event === 'identify' && { changes: { traits: { city } } }) }
  })
})

const reload = (state: SubjectState) => decodeSubject(encodeSubject(state))
/** As JSON: what was written since stands at another place of the text, and means the same. */
const plain = (state: SubjectState): unknown => JSON.parse(JSON.stringify(state))
const step = (state: SubjectState, ...inputs: readonly Input[]) => advance(KEY, state, inputs, PROGRAM)

describe('a state as text', () => {
  it('is read back as the same state, and goes on in the same way', () => {
    fc.assert(
      fc.property(inputsArb, (makers) => {
        let [kept, reloaded] = [UNBORN, UNBORN]
        for (const make of makers) {
          const input = make(kept)
          const [one, other] = [step(kept, input), step(reloaded, input)]
          expect(other.decisions).toEqual(one.decisions)
          expect(other.effects).toEqual(one.effects)
          expect(plain(other.state)).toEqual(plain(one.state))
          kept = one.state
          reloaded = reload(other.state)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('keeps what people say as it is, whatever the names: also empty values and names of its own parts', () => {
    const said = {
      tags: [],
      runs: {},
      at: 0,
      features: { traits: {}, sends: [] },
      text: 'tab\t, line\n, 团长 😀',
      '': null,
    }
    const event = { messageId: 'm1', event: 'identify', at: START, properties: {} }
    const { state } = step(UNBORN, { kind: 'event', at: START, event, changes: { traits: said } })

    expect(reload(state).traits).toEqual(state.traits)
    expect(Object.keys(reload(state).traits)).toEqual(Object.keys(said))
  })

  it('of one of whom nothing is known is read back as such', () => {
    expect(encodeSubject(reload(UNBORN))).toBe(encodeSubject(UNBORN))
    expect(nextInstant(reload(UNBORN))).toBe(Number.POSITIVE_INFINITY)
  })

  it('is one line', () => {
    const event = { messageId: 'm1', event: 'identify', at: START, properties: {} }
    const { state } = step(UNBORN, { kind: 'event', at: START, event, changes: { traits: { text: 'a\nb\r\u2028c' } } })

    expect(encodeSubject(state)).not.toMatch(/[\n\r]/)
  })
})

describe('the next instant', () => {
  it('is after the instant that the state was advanced to', () => {
    fc.assert(
      fc.property(inputsArb, (makers) => {
        let state = UNBORN
        for (const make of makers) {
          state = step(state, make(state)).state
          expect(nextInstant(state)).toBeGreaterThan(state.at)
          if (state.due > 0) expect(state.due).toBeLessThanOrEqual(nextInstant(state))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is the first at which anything happens: to any instant before it, time changes nothing', () => {
    fc.assert(
      fc.property(inputsArb, fc.double({ min: 0, max: 1, noNaN: true }), (makers, share) => {
        const state = makers.reduce((before, make) => step(before, make(before)).state, UNBORN)
        const next = nextInstant(state)
        const last = Number.isFinite(next) ? next - 1 : state.at + 10 * 60 * MINUTE
        const before = Math.floor(state.at + share * (last - state.at))

        const idle = step(state, { kind: 'instant', at: before })

        expect(idle.decisions).toEqual([])
        expect(idle.effects).toEqual([])
        expect(encodeSubject({ ...idle.state, at: 0, due: 0 })).toBe(encodeSubject({ ...state, at: 0, due: 0 }))
        expect(nextInstant(idle.state)).toBe(next)
      }),
      { numRuns: 300 },
    )
  })

  it('may be passed in one leap or in many steps: what happens is the same', () => {
    fc.assert(
      fc.property(inputsArb, fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 }), (makers, stops) => {
        const state = makers.reduce((before, make) => step(before, make(before)).state, UNBORN)
        const end = state.at + 200 * MINUTE
        const instants = [...stops.map((minutes) => state.at + minutes * MINUTE), end].sort((a, b) => a - b)
        const leap = step(state, { kind: 'instant', at: end })
        let walked = state
        const decisions = instants.flatMap((at) => {
          const one = step(walked, { kind: 'instant', at })
          walked = reload(one.state)
          return one.decisions
        })

        expect(decisions).toEqual(leap.decisions)
        expect(encodeSubject({ ...walked, due: 0 })).toBe(encodeSubject({ ...leap.state, due: 0 }))
      }),
      { numRuns: 200 },
    )
  })
})
