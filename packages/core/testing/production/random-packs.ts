import { definePack } from '@linli/rules'
import fc from 'fast-check'
import { type Ingredients, journeyArb } from '../journeys/generate.js'
import { incomingOf } from '../law/engine-trial.js'
import { COMMUNITIES, fullPackArb, LEADERS, trees } from '../law/packs.js'
import type { Leaf, Tree } from '../law/rules.js'
import { type Arrival, townStreamArb } from '../law/streams.js'
import type { Recording } from './twice.js'

/** A random pack of all that packs hold, and a few days of a town. */
export interface RandomCase {
  readonly pack: readonly unknown[]
  readonly stream: readonly Arrival[]
  /** How long it goes on after the last event, in milliseconds. */
  readonly more: number
}

const TAGS = ['user-t0', 'user-t1', 'user-t2']
const SCORES = ['user-s0']
const MARKS = ['m0', 'm1']
const EVENTS = ['paid', 'seen', 'left']

const state = trees({
  tags: [...TAGS, ...MARKS],
  scores: SCORES,
  named: ['n0'],
  kind: 'user',
  related: { community: COMMUNITIES, leader: LEADERS },
})

/** Facts that only journeys ask. */
const ofJourneys: fc.Arbitrary<Leaf> = fc.oneof(
  fc
    .constantFrom('sh', 'bj')
    .map((value) => ({ fact: 'event', params: { property: 'city' }, operator: 'equal', value })),
  fc.constant({ fact: 'now', params: { as: 'time' }, operator: 'lessThan', value: '08:01' }),
  fc
    .record({ journey: fc.constantFrom('j0', 'j1', 'j2') })
    .map((params) => ({ fact: 'run', params, operator: 'equal', value: false })),
)

const conditions: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 3, arbitrary: state },
  { weight: 1, arbitrary: ofJourneys },
  { weight: 1, arbitrary: fc.tuple(ofJourneys, state).map((all) => ({ all })) },
)

const ingredients: Ingredients = {
  events: EVENTS,
  emits: ['said'],
  starts: [],
  isStarted: false,
  hasDigests: false,
  durations: ['1s', '2s', '3s', '1m'],
  conditions,
  lasting: state,
  tags: TAGS,
  marks: MARKS,
  scores: SCORES,
}

/** What one of them says or marks, only those after it begin by: two that begin each other would go on for ever. */
const journeysArb = fc.tuple(
  journeyArb('j0', ingredients),
  journeyArb('j1', { ...ingredients, events: [...EVENTS, 'said'], emits: ['heard'] }),
  journeyArb('j2', {
    ...ingredients,
    events: ['said', 'heard', ...EVENTS],
    emits: [],
    tags: [...TAGS, ...MARKS],
    marks: [],
  }),
)

const policies = fc.subarray([
  { kind: 'policy', id: 'consent', consent: { classes: ['promotion'] } },
  { kind: 'policy', id: 'early', quietHours: { from: '07:00', to: '08:01' } },
  { kind: 'policy', id: 'cap', cap: { max: 2, within: '3s' } },
])

const WORDS = [
  ...MARKS.map((id) => ({ kind: 'tag', id })),
  { kind: 'template', id: 'hello', body: '{{ journey.id }} {{ entry.city | default: "-" }}' },
  { kind: 'template', id: 'lacking', body: '{{ coupon.code }}' },
  { kind: 'offer', id: 'few', total: 2, expires: '1d' },
  { kind: 'offer', id: 'many', total: 50, perPerson: 2 },
]

export const randomCaseArb: fc.Arbitrary<RandomCase> = fc
  .record({
    derived: fullPackArb,
    journeys: journeysArb,
    policies,
    stream: townStreamArb,
    birthdays: fc.array(fc.constantFrom(undefined, '2026-01-01', '1990-01-02', '2025-12-30'), { maxLength: 20 }),
    more: fc.constantFrom(0, 5000, 120_000, 3 * 86_400_000),
  })
  .map(({ derived, journeys, policies: some, stream, birthdays, more }) => ({
    pack: [...derived, ...journeys, ...some, ...WORDS],
    stream: stream.map((arrival, index) => withTrait(arrival, 'birthday', birthdays[index])),
    more,
  }))

function withTrait(arrival: Arrival, name: string, value: string | undefined): Arrival {
  if (arrival.type !== 'identify' || value === undefined) return arrival
  return { ...arrival, traits: { ...arrival.traits, [name]: value } }
}

/** The case as a recording: each event as it arrives, some of them twice, and one that is refused. */
export function recordingOf({ pack, stream, more }: RandomCase): Recording {
  const arriving = stream.toSorted((a, b) => a.at + a.delay - (b.at + b.delay)).map(incomingOf)
  const events = arriving.flatMap((event, index) => (index % 5 === 3 ? [event, event] : [event]))
  const last = Math.max(...stream.map(({ at }) => at))
  return { rules: definePack(pack), events: [...events, { event: 'paid', messageId: 'nobody' }], until: last + more }
}
