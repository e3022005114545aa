import fc from 'fast-check'
import type { IncomingEvent } from '../src/ingest/event.js'
import { atLeast, journey, putTag, score, scored, tag, tagged, traitIs, wait } from './rules.js'

// A street of a few neighbours for one afternoon, with a rule of every kind that reads another.

export const STREET_START = Date.parse('2026-03-01T12:00:00+08:00')
const MINUTE = 60_000

/** Rules about people, and about what they belong to. */
export const STREET_RULES: readonly unknown[] = [
  tag('regular', atLeast(3, 'order', { within: '90m' })),
  tag('big', {
    fact: 'eventSum',
    operator: 'greaterThanInclusive',
    value: 50,
    params: { event: 'order', property: 'amount', within: '2h' },
  }),
  tag('silent', { fact: 'sinceLastEvent', operator: 'greaterThan', value: '30m', params: { event: 'order' } }),
  tag('two-stores', {
    fact: 'eventDistinct',
    operator: 'equal',
    value: 2,
    params: { event: 'order', property: 'store', within: '60m' },
  }),
  tag('cooling', {
    fact: 'eventCount',
    operator: 'equal',
    value: 1,
    params: { event: 'order', between: ['80m', '20m'] },
  }),
  tag('local', traitIs('city', 'Shanghai')),
  tag('quiet-regular', { all: [tagged('regular'), { not: tagged('big') }] }),
  tag('asked-for-it', { fact: 'consent', operator: 'equal', value: true, params: { class: 'promotion' } }),
  score(
    'warmth',
    [
      { points: 20, conditions: tagged('regular') },
      {
        points: 0.1,
        per: { fact: 'eventSum', params: { event: 'order', property: 'amount', within: '2h' } },
        max: 8,
      },
      { points: 10, event: 'order', halfLife: '25m' },
    ],
    { tiers: [{ id: 'warm', from: 25 }] },
  ),
  tag('warm', scored('warmth', 'equal', 'warm', { as: 'tier' })),
  tag('cool', scored('warmth', 'lessThan', 12)),
  tag('in-lively', tagged('lively', true, 'community')),
  tag('in-busy', { all: [atLeast(2, 'order', { within: '60m', of: 'community' }), traitIs('city', 'Shanghai')] }),
  tag('led', { fact: 'relation', operator: 'equal', value: 'l1', params: { name: 'leader' } }),
  tag('lively', atLeast(3, 'order', { within: '90m' }), { subject: 'community' }),
  tag(
    'two-people',
    { fact: 'userCount', operator: 'equal', value: 2, params: { event: 'order', within: '70m' } },
    { subject: 'community' },
  ),
  tag('large', traitIs('size', 'large'), { subject: 'community' }),
  score('bustle', [{ points: 5, event: 'order', halfLife: '20m' }], { subject: 'community' }),
  tag('serving', atLeast(2, 'order', { within: '2h' }), { subject: 'leader' }),
  tag('greeted'),
  tag('greeted-local', { all: [tagged('greeted'), traitIs('city', 'Shanghai')] }),
  tag('being-greeted', { fact: 'run', operator: 'equal', value: true, params: { journey: 'greet' } }),
  tag('greeted-later', {
    fact: 'run',
    operator: 'equal',
    value: true,
    params: { journey: 'greet', step: 'later' },
  }),
  journey(
    'greet',
    [wait('soon', '5m'), putTag('mark', 'greeted'), wait('later', '20m'), { id: 'unmark', tag: { remove: 'greeted' } }],
    { entry: { on: 'event', event: 'order', conditions: tagged('big', false) } },
  ),
]

export const STREET_PEOPLE = ['u1', 'u2'] as const

/** All whom rules are about, by kind. */
export const STREET = { user: STREET_PEOPLE, community: ['c1', 'c2'], leader: ['l1', 'l2'] } as const

type Content = Omit<IncomingEvent, 'messageId' | 'timestamp'>

const order = fc
  .record({ amount: fc.constantFrom(10, 20.1, 30), store: fc.constantFrom('a', 'b', 'c') })
  .map((properties): Content => ({ event: 'order', properties }))

const joining = fc
  .tuple(
    fc.constantFrom('c1', 'c2'),
    fc.constantFrom(undefined, 'l1', 'l2'),
    fc.constantFrom(undefined, 'small', 'large'),
  )
  .map(
    ([groupId, leaderId, size]): Content => ({
      type: 'group',
      groupId,
      traits: { ...(leaderId && { leaderId }), ...(size && { size }) },
    }),
  )

const deed: fc.Arbitrary<Content> = fc.oneof(
  { weight: 8, arbitrary: order },
  {
    weight: 1,
    arbitrary: fc.constantFrom('Shanghai', 'Hangzhou').map((city): Content => ({ type: 'identify', traits: { city } })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('consent_granted', 'consent_withdrawn')
      .map((event): Content => ({ event, properties: { class: 'promotion' } })),
  },
  { weight: 2, arbitrary: joining },
)

/** What happens on the street, in order: instants in milliseconds. */
export const streetArb: fc.Arbitrary<readonly IncomingEvent[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom(...STREET_PEOPLE), deed), {
    minLength: 1,
    maxLength: 16,
  })
  .map((deeds) =>
    deeds
      .toSorted(([a], [b]) => a - b)
      .map(([slot, userId, content], index) => ({
        ...content,
        userId,
        messageId: `m${index}`,
        timestamp: STREET_START + slot * 7 * MINUTE,
      })),
  )

/** Instants to look at: between the events and after them. */
export const instantsArb: fc.Arbitrary<readonly number[]> = fc.uniqueArray(
  fc.integer({ min: 1, max: 700 }).map((minutes) => STREET_START + minutes * MINUTE),
  { minLength: 1, maxLength: 4 },
)
