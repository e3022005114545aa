import fc from 'fast-check'
import type { Tree } from '../law/rules.js'
import { defined, type Json, numbered } from './numbered.js'

/** What random journeys are made of. */
export interface Ingredients {
  readonly events: readonly string[]
  /** Events that its steps emit. */
  readonly emits: readonly string[]
  /** Journeys that its steps start. */
  readonly starts: readonly string[]
  /** Whether it may be entered by nothing but steps of another one. */
  readonly isStarted: boolean
  /** When it may begin by itself. */
  readonly beginnings: readonly string[]
  /** Whether it may be entered because a program says so. */
  readonly isRequested: boolean
  /** Whether it makes way for others, goes before them, or keeps people out to compare with. */
  readonly isOneOfSeveral: boolean
  /** Whether steps collect events, and go by what became of messages. */
  readonly hasDigests: boolean
  readonly durations: readonly string[]
  /** Conditions of entries, branches and of events that are waited for. */
  readonly conditions: fc.Arbitrary<Tree>
  /** Conditions that are waited for themselves: without the event at hand. */
  readonly lasting: fc.Arbitrary<Tree>
  /** Tags that journeys are entered and left by. */
  readonly tags: readonly string[]
  /** Tags without conditions. */
  readonly marks: readonly string[]
  readonly scores: readonly string[]
  /** Offers whose coupons its steps issue. */
  readonly offers: readonly string[]
}

const LIMITS = [{ max: 2 }, { max: 1, within: 'day' }, { max: 2, within: 'day', timeZone: 'UTC' }]

/** A step without its id. */
type Unnumbered = Json

/** A random journey of users, with all verbs, nested a few deep. */
export function journeyArb(id: string, ingredients: Ingredients): fc.Arbitrary<Json> {
  const { events, durations, conditions, isOneOfSeveral } = ingredients
  const goal = fc.record(
    { event: fc.constantFrom(...events), within: fc.constantFrom(...durations), conditions },
    { requiredKeys: ['event', 'within'] },
  )
  return fc
    .record({
      entry: entryArb(ingredients).chain(under(ingredients)),
      key: fc.constantFrom(undefined, undefined, undefined, 'city', 'city', 'store'),
      reentry: fc.constantFrom(undefined, 'never', 'always', 'oneAtATime', { after: durations[0] }, { after: '2s' }),
      exit: fc.option(exitsArb(ingredients), { nil: undefined, freq: 2 }),
      goal: fc.option(goal, { nil: undefined, freq: 2 }),
      holdout: fc.constantFrom(undefined, ...(isOneOfSeveral ? [undefined, undefined, 0.72] : [])),
      priority: fc.constantFrom(undefined, ...(isOneOfSeveral ? [undefined, 5, -1] : [])),
      exclusive: fc.constantFrom(undefined, ...(isOneOfSeveral ? ['group'] : [])),
      limit: fc.constantFrom(undefined, ...(isOneOfSeveral ? [undefined, ...LIMITS] : [])),
      steps: stepsArb(ingredients),
    })
    .map(({ key, steps, ...more }) => {
      // Only what an event begins has a property of it.
      const keyed = ['event', 'start', 'api'].includes(String(more.entry['on'])) ? { key } : {}
      return defined({ kind: 'journey', id, ...more, ...keyed, steps: numbered(steps) }) as Json
    })
}

function entryArb(ingredients: Ingredients): fc.Arbitrary<Json> {
  const trigger = triggerArb(ingredients, 12)
  return fc.oneof(
    { weight: 10, arbitrary: trigger },
    ...(ingredients.beginnings.length > 0 ? [{ weight: 2, arbitrary: scheduleArb(ingredients) }] : []),
    { weight: ingredients.isRequested ? 2 : 0, arbitrary: fc.constant<Json>({ on: 'api' }) },
    { weight: ingredients.isStarted ? 2 : 0, arbitrary: fc.constant<Json>({ on: 'start' }) },
  )
}

function scheduleArb({ beginnings }: Ingredients): fc.Arbitrary<Json> {
  const when = fc.record({ schedule: fc.constantFrom(...beginnings), timeZone: fc.constantFrom(undefined, 'UTC') })
  return when.map((one) => ({ on: 'schedule', ...one }))
}

/** Mostly nothing. */
function sometimes<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
}

/** Maybe with conditions; only those of events ask about the event at hand. */
function under({ conditions, lasting }: Ingredients) {
  return (trigger: Json) =>
    sometimes(['event', 'api'].includes(String(trigger['on'])) ? conditions : lasting).map(
      (tree): Json => ({ ...trigger, conditions: tree }),
    )
}

/** Exits by tags and scores have none. */
function onlyEventsUnder(ingredients: Ingredients) {
  return (trigger: Json) => (trigger['on'] === 'event' ? under(ingredients)(trigger) : fc.constant(trigger))
}

function exitsArb(ingredients: Ingredients): fc.Arbitrary<Json | readonly Json[]> {
  const one = fc.oneof(
    { weight: 3, arbitrary: triggerArb(ingredients, 3).chain(onlyEventsUnder(ingredients)) },
    { weight: 1, arbitrary: ingredients.lasting.map((tree): Json => ({ on: 'conditions', conditions: tree })) },
  )
  return fc.oneof(
    { weight: 3, arbitrary: one },
    { weight: 1, arbitrary: fc.tuple(one, one).map((several): readonly Json[] => several) },
  )
}

function triggerArb({ events, tags, scores }: Ingredients, weight: number): fc.Arbitrary<Json> {
  const crossing = fc.constantFrom<Json>({ above: 1 }, { above: 2.5 }, { below: 1 }, { tier: 'mid' }, { tier: 'high' })
  return fc.oneof(
    { weight, arbitrary: fc.record({ on: fc.constant('event'), event: nameArb(events) }) },
    ...(tags.length > 0
      ? [
          {
            weight: 2,
            arbitrary: fc.record({ on: fc.constantFrom('tag.added', 'tag.removed'), tag: fc.constantFrom(...tags) }),
          },
        ]
      : []),
    ...(scores.length > 0
      ? [
          {
            weight: 2,
            arbitrary: fc
              .tuple(fc.constantFrom(...scores), crossing)
              .map(([score, how]) => ({ on: 'score.crossed', score, ...how })),
          },
        ]
      : []),
  )
}

function nameArb(events: readonly string[]): fc.Arbitrary<string | string[]> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...events) },
    { weight: 1, arbitrary: fc.constant(events.slice(0, 2)) },
  )
}

/** Lists of steps, an empty one never. */
export function stepsArb(ingredients: Ingredients): fc.Arbitrary<readonly Unnumbered[]> {
  const { events, starts, hasDigests, durations, conditions, lasting, offers } = ingredients
  const duration = fc.constantFrom(...durations)
  return fc.letrec<{ steps: readonly Unnumbered[]; step: Unnumbered }>((tie) => {
    const below = fc.option(tie('steps'), { nil: undefined })
    const onEvent = fc.record({ event: nameArb(events), conditions: fc.option(conditions, { nil: undefined }) })
    const onConditions = fc.record({ conditions: lasting })
    const cases = fc.array(
      fc.tuple(fc.oneof(onEvent, onConditions), below).map(([one, then]) => ({ ...one, then })),
      { minLength: 1, maxLength: 3 },
    )
    const branches = fc.array(fc.record({ conditions, then: tie('steps') }), { minLength: 1, maxLength: 3 })
    const variants = fc.array(fc.record({ weight: fc.constantFrom(1, 2, 0.5), then: below }), {
      minLength: 2,
      maxLength: 3,
    })
    const nested = fc.oneof<fc.Arbitrary<Unnumbered>[]>(
      fc.record({
        waitFor: fc.tuple(onEvent, duration).map(([one, timeout]) => ({ ...one, timeout })),
        then: below,
        else: below,
      }),
      fc.record({
        waitFor: fc.tuple(cases, duration).map(([any, timeout]) => ({ any, timeout })),
        else: below,
      }),
      fc.record({ branch: branches, else: below }),
      fc.record({ split: variants }),
      fc.record({ issue: fc.constantFrom(...offers.map((offer) => ({ offer }))), else: below }),
      ...(hasDigests
        ? [
            fc.record({
              send: messageArb,
              on: fc
                .tuple(fc.subarray(['accepted', 'refused', 'suppressed'], { minLength: 1 }), tie('steps'))
                .map(([outcomes, steps]) => Object.fromEntries(outcomes.map((outcome) => [outcome, steps]))),
            }),
            fc
              .record({ for: duration, event: nameArb(events), conditions: fc.option(conditions, { nil: undefined }) })
              .map((digest) => ({ digest })),
          ]
        : []),
      ...starts.map((journey) =>
        fc.record({
          start: fc.option(duration, { nil: undefined }).map((wait) => ({ journey, wait })),
          then: below,
          else: below,
        }),
      ),
      fc.tuple(traitWaitArb, below).map(([wait, otherwise]) => ({ wait, else: otherwise })),
    )
    return {
      step: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 4, arbitrary: plainStepArb(ingredients) },
        { weight: 4, arbitrary: nested },
      ),
      steps: fc.array(tie('step'), { minLength: 1, maxLength: 4, depthIdentifier: 'steps' }),
    }
  }).steps
}

function plainStepArb({ emits, durations, marks }: Ingredients) {
  const duration = fc.constantFrom(...durations)
  const ofTheEvent = { fact: 'event', params: { property: 'city' } }
  return fc.oneof<fc.WeightedArbitrary<Unnumbered>[]>(
    { weight: 4, arbitrary: duration.map((wait) => ({ wait })) },
    { weight: 1, arbitrary: untilArb.map((wait) => ({ wait })) },
    { weight: 4, arbitrary: messageArb.map((send) => ({ send })) },
    { weight: 1, arbitrary: duration.map((expires) => ({ suggest: { to: 'leader', template: 'hello', expires } })) },
    { weight: 1, arbitrary: fc.constantFrom('sh', 'bj').map((value) => ({ set: { trait: 'city', value } })) },
    { weight: 1, arbitrary: fc.constant({ set: { trait: 'city', value: ofTheEvent } }) },
    { weight: 1, arbitrary: fc.constantFrom({ exit: {} }, { exit: { reason: 'enough' } }) },
    ...emits.map((event) => ({
      weight: 1,
      arbitrary: fc.constant({ emit: { event, properties: { city: ofTheEvent } } }),
    })),
    ...(marks.length > 0
      ? [
          { weight: 2, arbitrary: fc.constantFrom(...marks).map((add) => ({ tag: { add } })) },
          { weight: 1, arbitrary: fc.constantFrom(...marks).map((remove) => ({ tag: { remove } })) },
        ]
      : []),
  )
}

const messageArb = fc.record({
  template: fc.constantFrom('hello', 'hello', 'hello', 'hello', 'lacking'),
  channel: fc.constantFrom<string | string[]>('sms', 'push', ['push', 'sms']),
  class: fc.constantFrom('service', 'content', 'promotion'),
})

const untilArb = fc
  .record({
    until: fc.constantFrom('00:00', '08:00', '08:01', '19:00'),
    weekdays: fc.constantFrom(undefined, undefined, [4], [5, 6]),
    timeZone: fc.constantFrom(undefined, 'UTC'),
  })
  .map(defined)

const traitWaitArb = fc
  .record({
    trait: fc.constantFrom('birthday', 'birthday', 'city'),
    before: fc.constantFrom(undefined, undefined, '1d', '2s'),
    at: fc.constantFrom(undefined, '09:00'),
    yearly: fc.constantFrom(undefined, true),
  })
  .map(defined)
