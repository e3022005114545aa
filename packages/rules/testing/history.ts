import fc from 'fast-check'
import { definePack } from '../src/define.js'
import { compileProgram } from '../src/program/compile.js'
import type { SubjectProgram } from '../src/program/program.js'
import type { EventRecord, FeatureState, SubjectView } from '../src/subject.js'

/** Instants of the tests: small offsets from here. */
export const START = Date.UTC(2026, 0, 1)

export type Features = Record<string, FeatureState | undefined>

/** The rules about users of a pack with one tag for each tree: `t0`, `t1` … */
export function rulesOf(...trees: readonly unknown[]): SubjectProgram {
  return compileProgram(definePack(trees.map((conditions, index) => ({ kind: 'tag', id: `t${index}`, conditions }))))
    .subjects.user
}

export function conditionOf(rules: SubjectProgram, tag = 't0') {
  const found = rules.tagsById.get(tag)
  if (found === undefined) throw new Error(`no tag ${tag}`)
  return found.condition
}

/** Folds events in the order given, each at an instant of its own that is not before the event. */
export function fold(
  rules: SubjectProgram,
  events: readonly EventRecord[],
  now: (event: EventRecord, index: number) => number = (event) => event.at,
): Features {
  const features: Features = {}
  events.forEach((event, index) => {
    for (const feature of rules.featuresByEvent.find(event)) {
      const state = feature.fold(features[feature.key], event, now(event, index))
      // As the store does: states are JSON.
      features[feature.key] = state && (JSON.parse(JSON.stringify(state)) as FeatureState)
    }
  })
  return features
}

export function merge(rules: SubjectProgram, a: Features, b: Features): Features {
  const merged: Features = {}
  for (const [key, feature] of rules.features) {
    const [one, other] = [a[key], b[key]]
    merged[key] = one === undefined || other === undefined ? (one ?? other) : feature.merge(one, other)
  }
  return merged
}

export function viewOf(features: Features, at: number, extra: Partial<SubjectView> = {}): SubjectView {
  const kept = new Map(Object.entries(features).flatMap(([key, state]) => (state ? [[key, state] as const] : [])))
  return { at, features: kept, traits: {}, relations: {}, hasTag: () => false, relatedHolds: () => false, ...extra }
}

/** Times close together, so that windows end between them, at the same instant, and a millisecond apart. */
const time = fc
  .tuple(fc.integer({ min: 0, max: 24 }), fc.constantFrom(0, 0, 0, 1, -1))
  .map(([quarters, off]) => START + quarters * 250 + off)

const item = fc.record({
  sku: fc.constantFrom('a', 'b', 'c'),
  qty: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant('2')),
  price: fc.constantFrom(0.1, 0.2, 1.005, -3, 10, 1e300),
})

const store = fc.oneof(
  fc.constantFrom('x', 'y', 'z', '1', 1, true, null),
  fc.array(fc.constantFrom('x', 'y', 1), { maxLength: 3 }),
)

const properties = fc.record(
  {
    city: fc.constantFrom('sh', 'bj'),
    store,
    amount: fc.oneof(fc.constantFrom(0.1, 0.2, 0.3, 1.1, -0.7, 0, 5), fc.constantFrom('7', null)),
    items: fc.array(item, { maxLength: 3 }),
  },
  { requiredKeys: [] },
)

export const eventsArb: fc.Arbitrary<EventRecord[]> = fc
  .array(fc.record({ event: fc.constantFrom('paid', 'seen'), at: time, properties }), { maxLength: 14 })
  .map((events) => events.map((event, index) => ({ messageId: `m${index}`, ...event })))

export const WINDOWS: readonly (string | undefined)[] = ['1s', '2s', 'PT3S', '1m', undefined]

/** Every instant at which a window of the history can begin or end, the millisecond before, and some others. */
export function instantsOf(events: readonly EventRecord[], from: number): number[] {
  const ends = events.flatMap(({ at }) => [at + 1000, at + 2000, at + 3000, at + 60_000])
  const around = ends.flatMap((end) => [end - 1, end, end + 1])
  return [...new Set([from, ...around, from + 1, from + 200_000])].filter((at) => at >= from).sort((a, b) => a - b)
}
