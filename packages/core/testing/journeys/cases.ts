import type { HaltTarget } from '@linli/rules'
import fc from 'fast-check'
import type { Leaf, Rule, Tree } from '../law/rules.js'
import { type Ingredients, type Json, journeyArb } from './generate.js'

// Random journeys of two people, and what happens to them.

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

const MARKS = ['m0', 'm1']
const TAGS = ['two', 'silent', 'warm-local']

export const REST: readonly unknown[] = [
  ...MARKS.map((id) => ({ kind: 'tag', id })),
  { kind: 'template', id: 'hello', body: 'hello' },
  { kind: 'template', id: 'lacking', body: '{{ traits.birthday }}' },
  { kind: 'offer', id: 'few', total: 10_000 },
  { kind: 'offer', id: 'many', total: 10_000, perPerson: 2 },
  { kind: 'policy', id: 'consent', consent: { classes: ['promotion'] } },
]

export const PER_PERSON = { few: 1, many: 2 }

const tagged = fc
  .tuple(fc.constantFrom(...TAGS, ...MARKS), fc.boolean())
  .map(([id, value]): Leaf => ({ fact: 'tag', operator: 'equal', value, params: { id } }))

const counted = fc
  .tuple(fc.constantFrom('paid', 'seen'), fc.constantFrom('1s', '2s', '3s'), fc.constantFrom(1, 2))
  .map(([event, within, value]): Leaf => {
    return { fact: 'eventCount', operator: 'greaterThanInclusive', value, params: { event, within } }
  })

const silent = fc
  .tuple(fc.constantFrom('paid', 'seen'), fc.constantFrom('1s', '2s'))
  .map(([event, value]): Leaf => ({ fact: 'sinceLastEvent', operator: 'greaterThan', value, params: { event } }))

const known: fc.Arbitrary<Leaf> = fc.oneof(
  { weight: 2, arbitrary: silent },
  { weight: 3, arbitrary: tagged },
  { weight: 2, arbitrary: counted },
  {
    weight: 1,
    arbitrary: fc.constant({ fact: 'score', operator: 'lessThan', value: 1, params: { id: 'heat' } }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ fact: 'trait', operator: 'notEqual', value: 'sh', params: { name: 'city' } }),
  },
)

const ofJourneys: fc.Arbitrary<Leaf> = fc.oneof(
  fc
    .constantFrom('sh', 'bj')
    .map((value) => ({ fact: 'event', operator: 'equal', value, params: { property: 'city' } })),
  fc
    .tuple(fc.constantFrom('j0', 'j1'), fc.boolean())
    .map(([journey, value]) => ({ fact: 'run', operator: 'equal', value, params: { journey } })),
)

const treeOf = (leaf: fc.Arbitrary<Leaf>): fc.Arbitrary<Tree> =>
  fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map((all) => ({ all })) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map((any) => ({ any })) },
    { weight: 1, arbitrary: leaf.map((not) => ({ not })) },
  )

const EVENTS = ['paid', 'seen', 'left']

/** What cases are about. */
export interface Focus {
  /** How journeys get on with one another, and how else than by what happens they may begin. */
  readonly several: boolean
  /** What people do to rules that run. */
  readonly deeds: boolean
}

const EVERYTHING: Focus = { several: true, deeds: true }

const ingredientsFor = ({ several }: Focus): Ingredients => ({
  events: EVENTS,
  emits: ['said'],
  starts: ['j1'],
  isStarted: false,
  isRequested: several,
  isOneOfSeveral: several,
  beginnings: several
    ? ['FREQ=DAILY;BYHOUR=8;BYMINUTE=1', 'FREQ=HOURLY;BYMINUTE=2', 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=8']
    : [],
  hasDigests: true,
  durations: ['1s', '2s', '3s', '1m'],
  conditions: treeOf(fc.oneof({ weight: 3, arbitrary: known }, { weight: 2, arbitrary: ofJourneys })),
  lasting: treeOf(known),
  tags: TAGS,
  marks: MARKS,
  scores: ['heat'],
})

/** What one of them says or marks, only those after it begin by. */
const journeysArb = (ingredients: Ingredients) =>
  fc.tuple(
    journeyArb('j0', ingredients),
    journeyArb('j1', {
      ...ingredients,
      events: [...EVENTS, 'said', 'said'],
      emits: [],
      starts: [],
      isStarted: true,
      tags: [...TAGS, ...MARKS],
      marks: [],
    }),
  )

/** Something that happens. Times are relative to the clock, in milliseconds. */
export type Command =
  | {
      readonly kind: 'event'
      readonly user: string
      readonly event: string
      readonly properties: Readonly<Record<string, unknown>>
      readonly late: number
    }
  | { readonly kind: 'identify'; readonly user: string; readonly traits: Readonly<Record<string, unknown>> }
  /** A program wants somebody to enter a journey. */
  | {
      readonly kind: 'request'
      readonly user: string
      readonly journey: string
      readonly properties: Readonly<Record<string, unknown>>
    }
  /** The event before comes again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'pass'; readonly ms: number }
  /** To the instant at which something is due, and so much more or less. */
  | { readonly kind: 'due'; readonly off: number }
  /** An event so long after a journey was last entered, and so much more or less. */
  | {
      readonly kind: 'edge'
      readonly event: string
      readonly properties: Readonly<Record<string, unknown>>
      readonly after: number
      readonly off: number
    }
  /** Takes in an event, and ends before it does anything that follows from it. */
  | { readonly kind: 'crash'; readonly event: string }
  | { readonly kind: 'channel'; readonly name: string; readonly takes: boolean }
  | Deed

/** What somebody does to rules that run. */
export type Deed = {
  /** An event that has just come in: nothing has followed from it. */
  readonly after: string | undefined
  /** The engine ends before it does anything that follows. */
  readonly crashes: boolean
} & (
  | Operate
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'publish'; readonly journeys: number }
)

/** Somebody halts something, or lets it go on. */
export interface Operate {
  readonly kind: 'operate'
  readonly does: 'pause' | 'stop' | 'resume'
  readonly target: HaltTarget
}

const TARGETS: readonly HaltTarget[] = [
  'everything',
  { journey: 'j0' },
  { journey: 'j1' },
  { channel: 'sms' },
  { channel: 'push' },
]

const users = fc.constantFrom('u1', 'u1', 'u2')
const names = fc.constantFrom(...EVENTS, 'paid')

const justBefore = fc.constantFrom(undefined, 'paid', ...EVENTS)

const deedArb: fc.Arbitrary<Deed> = fc
  .tuple(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('operate' as const),
          does: fc.constantFrom('pause', 'pause', 'stop', 'resume', 'resume'),
          target: fc.constantFrom(...TARGETS),
        }),
      },
      { weight: 1, arbitrary: fc.nat(3).map((which) => ({ kind: 'cancel' as const, which })) },
      { weight: 2, arbitrary: fc.constantFrom(0, 1, 1).map((journeys) => ({ kind: 'publish' as const, journeys })) },
    ),
    fc.record({ after: justBefore, crashes: fc.boolean() }),
  )
  .map(([deed, how]) => ({ ...deed, ...how }))

const commandArb = ({ several, deeds }: Focus): fc.Arbitrary<Command> =>
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        user: users,
        event: names,
        properties: fc.record(
          { city: fc.constantFrom('sh', 'bj'), store: fc.constantFrom('x', 1) },
          { requiredKeys: ['city', 'store'] },
        ),
        late: fc.constantFrom(0, 0, 0, 0, 500, 1000, 60_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        user: users,
        event: fc.constantFrom('consent_granted', 'consent_granted', 'consent_withdrawn'),
        properties: fc.record({ channel: fc.constant('sms') }, { requiredKeys: [] }),
        late: fc.constant(0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('identify' as const),
        user: users,
        traits: fc.record(
          { city: fc.constantFrom('sh', 'bj'), birthday: fc.constantFrom('2026-01-01', '1990-01-02', '2026-02-01') },
          { requiredKeys: [] },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(1, 500, 999, 1000, 2000, 60_000, 86_400_000)
        .map((ms) => ({ kind: 'pass' as const, ms })),
    },
    { weight: 6, arbitrary: fc.constantFrom(0, 0, -1, 1).map((off) => ({ kind: 'due' as const, off })) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('edge' as const),
        event: names,
        properties: fc.record({ city: fc.constantFrom('sh', 'bj'), store: fc.constantFrom('x', 1) }),
        after: fc.constantFrom(1000, 2000, 3000),
        off: fc.constantFrom(0, 0, -1, 1),
      }),
    },
    {
      weight: several ? 2 : 0,
      arbitrary: fc
        .tuple(
          users,
          fc.constantFrom('j0', 'j1'),
          fc.record({ city: fc.constantFrom('sh', 'bj'), store: fc.constant('x') }),
        )
        .map(([user, journey, properties]) => ({ kind: 'request' as const, user, journey, properties })),
    },
    { weight: 1, arbitrary: names.map((event) => ({ kind: 'crash' as const, event })) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('channel' as const),
        name: fc.constantFrom('sms', 'push'),
        takes: fc.boolean(),
      }),
    },
    { weight: deeds ? 6 : 0, arbitrary: deedArb },
  )

const editionArb = (focus: Focus) =>
  journeysArb(ingredientsFor(focus)).chain(([one, other]) => fc.tuple(withEarlier(one), withEarlier(other)))

export interface JourneyCase {
  /** Journeys to begin with, and others that may be published. */
  readonly journeys: readonly (readonly unknown[])[]
  /** The share of people who are kept out of what does not serve. */
  readonly control: number | undefined
  readonly commands: readonly Command[]
}

/** What a version did not need to know of entries, a later one cannot know either. */
function enteredAgainLike(first: readonly Json[]) {
  return (journey: Json, index: number): Json => {
    const { reentry: _, ...rest } = journey
    const reentry = first[index]?.['reentry']
    return reentry === undefined ? rest : { ...rest, reentry }
  }
}

/** What becomes of runs that began before. */
function withEarlier(journey: Json): fc.Arbitrary<Json> {
  const steps = [...JSON.stringify(journey['steps']).matchAll(/"id":"(s\d+)"/g)].map(([, id]) => id)
  return fc
    .oneof(
      fc.constantFrom<unknown>(undefined, 'drain', 'stop'),
      fc.constantFrom(...steps).map((moveTo): unknown => ({ moveTo })),
    )
    .map((earlier) => (earlier === undefined ? journey : { ...journey, earlier }))
}

export function journeyCaseArb(focus: Focus = EVERYTHING): fc.Arbitrary<JourneyCase> {
  const edition = editionArb(focus)
  return fc.record({
    journeys: fc.tuple(edition, edition).map(([first, second]) => [first, second.map(enteredAgainLike(first))]),
    control: fc.constantFrom(undefined, ...(focus.several ? [undefined, undefined, 0.5, 0.7] : [])),
    commands: fc.array(commandArb(focus), { minLength: 5, maxLength: 25, size: 'max' }),
  })
}
