import { definePack, ENTRY_REQUEST } from '@linli/rules'
import fc from 'fast-check'
import type { DeliveryOutcomes } from '../../src/simulation/outcomes.js'
import { type Ingredients, journeyArb } from '../journeys/generate.js'
import type { Json } from '../journeys/numbered.js'
import { incomingOf } from '../law/engine-trial.js'
import { COMMUNITIES, fullPackArb, LEADERS, trees } from '../law/packs.js'
import type { Leaf, Tree } from '../law/rules.js'
import { type Arrival, townStreamArb, visitorName } from '../law/streams.js'
import type { Recording } from './twice.js'

/** A random pack of all that packs hold, and a few days of a town. */
export interface RandomCase {
  readonly pack: readonly unknown[]
  readonly stream: readonly Arrival[]
  readonly outcomes: DeliveryOutcomes
  /** How long it goes on after the last event, in milliseconds. */
  readonly more: number
}

const TAGS = ['user-t0', 'user-t1', 'user-t2']
const SCORES = ['user-s0']
const MARKS = ['m0', 'm1']
const CITY = { fact: 'city', operator: 'equal', value: 'sh' }
const EVENTS = ['paid', 'seen', 'left']
const OFFERS = ['few', 'many', 'issued', 'costly']

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
  starts: ['j1', 'j2'],
  isStarted: false,
  isRequested: false,
  isOneOfSeveral: true,
  beginnings: [],
  hasDigests: true,
  durations: ['1s', '2s', '3s', '1m'],
  conditions,
  lasting: state,
  tags: TAGS,
  marks: MARKS,
  scores: SCORES,
  offers: OFFERS,
}

/** Some begin by a coupon, and a message that tells its code. */
const giftArb: fc.Arbitrary<readonly Json[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  {
    weight: 2,
    arbitrary: fc.record({ offer: fc.constantFrom(...OFFERS), tells: fc.boolean() }).map(({ offer, tells }) => {
      const told = { id: 'told', send: { template: 'lacking', channel: ['sms', 'push'], class: 'service' } }
      return [{ id: 'gift', issue: { offer } }, ...(tells ? [told] : [])]
    }),
  },
)

/** What one of them says, marks or starts, only those after it begin by: two that begin each other would go on for ever. */
const journeysArb = fc.tuple(
  furnished(journeyArb('j0', ingredients)),
  furnished(
    journeyArb('j1', {
      ...ingredients,
      events: [...EVENTS, 'said'],
      emits: ['heard'],
      starts: ['j2'],
      isStarted: true,
    }),
  ),
  furnished(
    journeyArb('j2', {
      ...ingredients,
      events: ['said', 'heard', ...EVENTS],
      emits: [],
      starts: [],
      isStarted: true,
      tags: [...TAGS, ...MARKS],
      marks: [],
    }),
  ),
)

/** Some begin at set times, or when a program asks; some are the only one of a group, or let in a few. */
function furnished(journey: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const schedule = fc.constantFrom(
    'FREQ=DAILY;BYHOUR=8,20;BYMINUTE=1',
    'FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=9;BYMINUTE=0',
    'FREQ=WEEKLY;BYDAY=TH,SA;BYHOUR=9;BYMINUTE=0',
  )
  const zone = fc.constantFrom('UTC', 'Asia/Shanghai', 'America/New_York')
  const otherEntry = fc.oneof(
    fc.record(
      { on: fc.constant('schedule'), schedule, timeZone: zone, conditions: state },
      { requiredKeys: ['on', 'schedule'] },
    ),
    fc.record({ on: fc.constant('api'), conditions }, { requiredKeys: ['on'] }),
  )
  const limit = fc.record(
    { max: fc.constantFrom(1, 2, 3), within: fc.constant('day'), timeZone: zone },
    { requiredKeys: ['max'] },
  )
  return fc
    .record({
      journey,
      gift: giftArb,
      entry: fc.option(otherEntry, { nil: undefined, freq: 2 }),
      more: fc.record(
        { priority: fc.constantFrom(-1, 1, 2), exclusive: fc.constantFrom('one', 'one', 'other'), limit },
        { requiredKeys: [] },
      ),
    })
    .map(({ journey: { entry, key, steps, ...rest }, gift, entry: other = entry as Json, more }) => {
      // What begins at a set time has no property.
      const keyed = other['on'] === 'schedule' || key === undefined ? {} : { key }
      return { ...rest, steps: [...gift, ...(steps as readonly Json[])], entry: other, ...keyed, ...more }
    })
}

/** Tags of communities that are compared with all others. */
const compared = fc.subarray(
  [
    { fact: 'rank', operator: 'equal', value: 1, params: { by: { fact: 'eventCount', params: { event: 'paid' } } } },
    { fact: 'lift', operator: 'greaterThan', value: 1, params: { event: 'seen', where: CITY } },
  ].map((conditions, index) => ({ kind: 'tag', id: `compared-${index}`, subject: 'community', conditions })),
)

const policies = fc.subarray([
  { kind: 'policy', id: 'consent', consent: { classes: ['promotion'] } },
  { kind: 'policy', id: 'early', quietHours: { from: '07:00', to: '08:01' } },
  { kind: 'policy', id: 'cap', cap: { max: 2, within: '3s' } },
  { kind: 'policy', id: 'mix', mix: { share: 0.5 } },
  { kind: 'policy', id: 'quota', quota: { channels: ['push'], max: 3, during: 'today' } },
  { kind: 'policy', id: 'estate-mix', mix: { share: 0.5, within: '1d', of: 'community' } },
  { kind: 'policy', id: 'purse', budget: { money: 0.3, costs: { push: 0.1, sms: 0.05 }, during: 'today' } },
  { kind: 'policy', id: 'few', budget: { messages: 2, within: '1m', of: 'community' } },
  { kind: 'policy', id: 'control', control: { share: 0.3 } },
])

/** What providers answer: some refuse, and some ask to wait. */
const outcomesArb: fc.Arbitrary<DeliveryOutcomes> = fc
  .record({
    seed: fc.nat({ max: 1000 }),
    refused: fc.constantFrom(0, 0.2, 0.5),
    deferred: fc.constantFrom(0, 0.3, 0.5),
    delay: fc.constantFrom('1s', '2s', '1m', '10m'),
  })
  .map(({ seed, ...others }) => ({ seed, channels: { '*': others } }))

const WORDS = [
  ...MARKS.map((id) => ({ kind: 'tag', id })),
  { kind: 'template', id: 'hello', body: '{{ journey.id }} {{ entry.city | default: "-" }}' },
  { kind: 'template', id: 'lacking', body: '{{ coupon.code }}' },
  { kind: 'offer', id: 'few', total: 2, expires: '1d', returns: 'unsent' },
  { kind: 'offer', id: 'many', total: 50, perPerson: 2 },
  { kind: 'offer', id: 'issued', total: 3, perPerson: 2, issuer: 'pay', stock: 'S-1', value: 5, expires: '1d' },
  {
    ...{ kind: 'offer', id: 'costly', perPerson: 9, total: 50, value: 1.5, returns: 'unsent' },
    budget: { money: 1.5, within: '1m' },
  },
]

/** What the stream says beyond its own: of each arrival, whether it is otherwise. */
interface Twist {
  readonly birthday?: string
  /** A visitor who does it, or who turns out to be the user. */
  readonly anonymousId?: string
  /** A program asks for this journey, instead of what happened. */
  readonly asks?: string
}

const twistArb: fc.Arbitrary<Twist> = fc.record(
  {
    birthday: fc.constantFrom('2026-01-01', '1990-01-02', '2025-12-30'),
    anonymousId: fc.constantFrom('a1', 'a2', 'a3'),
    asks: fc.constantFrom('j0', 'j1', 'j2'),
  },
  { requiredKeys: [] },
)

export const randomCaseArb: fc.Arbitrary<RandomCase> = fc
  .record({
    derived: fullPackArb,
    journeys: journeysArb,
    compared,
    policies,
    stream: fc.tuple(townStreamArb, townStreamArb).map((both) => both.flat()),
    twists: fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant<Twist>({}) }, { weight: 1, arbitrary: twistArb }), {
      minLength: 40,
      maxLength: 40,
    }),
    outcomes: outcomesArb,
    more: fc.constantFrom(0, 5000, 120_000, 3 * 86_400_000),
  })
  .map(({ derived, journeys, compared: tags, policies: some, stream, twists, outcomes, more }) => ({
    pack: [...derived, ...tags, ...journeys, ...some, ...WORDS],
    stream: stream.map((arrival, index) => twisted({ ...arrival, messageId: `m${index}` }, twists[index] ?? {})),
    outcomes,
    more,
  }))

function twisted(arrival: Arrival, { birthday, anonymousId, asks }: Twist): Arrival {
  const { type, traits, properties } = arrival
  if (type === 'identify') {
    return { ...arrival, traits: { ...traits, ...(birthday && { birthday }) }, ...(anonymousId && { anonymousId }) }
  }
  const who = anonymousId === undefined ? {} : { userId: visitorName(anonymousId) }
  if (type === 'group' || asks === undefined) return { ...arrival, ...who }
  return { ...arrival, ...who, event: ENTRY_REQUEST, properties: { ...properties, journey: asks } }
}

/** The case as a recording: each event as it arrives, some of them twice, and one that is refused. */
export function recordingOf({ pack, stream, outcomes, more }: RandomCase): Recording {
  const arriving = stream.toSorted((a, b) => a.at + a.delay - (b.at + b.delay)).map(incomingOf)
  const events = arriving.flatMap((event, index) => (index % 5 === 3 ? [event, event] : [event]))
  const last = Math.max(...stream.map(({ at }) => at))
  const rules = definePack(pack)
  return { rules, outcomes, events: [...events, { event: 'paid', messageId: 'nobody' }], until: last + more }
}
