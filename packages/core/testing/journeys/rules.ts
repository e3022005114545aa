import type { Rule } from '../law/rules.js'

// What all packs have beside their journeys.

/** What journeys are entered, left and branched by. */
export const DERIVED: readonly Rule[] = [
  {
    kind: 'tag',
    id: 'two',
    subject: 'user',
    conditions: {
      fact: 'eventCount',
      operator: 'greaterThanInclusive',
      value: 2,
      params: { event: 'paid', within: '3s' },
    },
  },
  {
    kind: 'tag',
    id: 'silent',
    subject: 'user',
    conditions: { fact: 'sinceLastEvent', operator: 'greaterThan', value: '2s', params: { event: 'seen' } },
  },
  {
    kind: 'score',
    id: 'heat',
    subject: 'user',
    terms: [{ points: 2, event: 'paid', halfLife: '2s' }],
    tiers: [
      { id: 'mid', from: 2 },
      { id: 'high', from: 4 },
    ],
  },
  {
    kind: 'tag',
    id: 'warm-local',
    subject: 'user',
    conditions: {
      all: [
        { fact: 'score', operator: 'greaterThan', value: 1, params: { id: 'heat' } },
        { fact: 'trait', operator: 'equal', value: 'sh', params: { name: 'city' } },
      ],
    },
  },
]

export const MARKS = ['m0', 'm1']
export const TAGS = ['two', 'silent', 'warm-local']

export const REST: readonly unknown[] = [
  ...MARKS.map((id) => ({ kind: 'tag', id })),
  { kind: 'template', id: 'hello', body: 'hello' },
  { kind: 'template', id: 'lacking', body: '{{ traits.birthday }}' },
  { kind: 'offer', id: 'few', total: 10_000 },
  { kind: 'offer', id: 'many', total: 10_000, perPerson: 2 },
  { kind: 'policy', id: 'consent', consent: { classes: ['promotion'] } },
]

export const PER_PERSON = { few: 1, many: 2 }

export const EVENTS = ['paid', 'seen', 'left']
