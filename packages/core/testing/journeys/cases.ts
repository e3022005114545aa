import fc from 'fast-check'
import type { Leaf, Tree } from '../law/rules.js'
import { type Command, commandArb, type Focus } from './commands.js'
import { type Ingredients, journeyArb } from './generate.js'
import type { Json } from './numbered.js'
import { EVENTS, MARKS, TAGS } from './rules.js'

// Random journeys of two people, and what happens to them.

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
  offers: ['few', 'many'],
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

/** An edition in which a journey is missing, where the other one can do without it. */
function without(id: string, edition: readonly Json[]): readonly Json[] {
  const rest = edition.filter((journey) => journey['id'] !== id)
  return JSON.stringify(rest).includes(`"journey":"${id}"`) ? edition : rest
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
    journeys: fc.tuple(edition, edition, edition).map(([first, ...more]) => {
      const [second = [], third = []] = more.map((one) => one.map(enteredAgainLike(first)))
      return [first, second, third, without('j0', first), without('j0', second), without('j1', second)]
    }),
    control: fc.constantFrom(undefined, ...(focus.several ? [undefined, undefined, 0.5, 0.7] : [])),
    commands: fc.array(commandArb(focus), { minLength: 5, maxLength: 25, size: 'max' }),
  })
}
