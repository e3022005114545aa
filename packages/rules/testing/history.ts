import fc from 'fast-check'
import { definePack } from '../src/define.js'
import { compileProgram } from '../src/program/compile.js'
import type { SubjectProgram } from '../src/program/program.js'
import type { EventRecord, FeatureState, SubjectView } from '../src/subject.js'
import { midnightsFrom, type NaiveWindow } from './naive-window.js'

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
  const unknown = { traits: {}, relations: {}, consent: {}, runs: [] }
  const nothing = { hasTag: () => false, score: () => undefined, relatedHolds: () => false, others: () => undefined }
  return { at, features: kept, ...unknown, ...nothing, ...extra }
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

/** One event, without its id. */
export const eventArb = fc.record(
  {
    event: fc.constantFrom('paid', 'seen', 'paid', 'seen', 'left'),
    at: time,
    properties,
    userId: fc.constantFrom('u1', 'u2', 'u3'),
  },
  { requiredKeys: ['event', 'at', 'properties'] },
)

export const eventsArb: fc.Arbitrary<EventRecord[]> = fc
  .array(eventArb, { maxLength: 14 })
  .map((events) => events.map((event, index) => ({ messageId: `m${index}`, ...event })))

/** All kinds of windows; the first instants of the tests are midnight in UTC. */
export const WINDOWS: readonly NaiveWindow[] = [
  {},
  {},
  ...['1s', '2s', 'PT3S', '1m'].map((within) => ({ within })),
  { between: ['2s', '1s'] },
  { between: ['PT3S', '1s'] },
  { between: ['1m', '2s'] },
  { since: '2026-01-01' },
  { since: '2026-01-01T00:00:02Z' },
  { since: '2026-01-01T08:00:04.250+08:00' },
  ...['today', 'yesterday', 'thisWeek', 'lastWeek', 'thisMonth', 'lastMonth'].map((during) => ({ during })),
]

/** Zones of subjects; of the last, nobody knows the midnights. */
export const zoneArb = fc.constantFrom('UTC', 'UTC', undefined, 'America/New_York', 'Pacific/Apia', 'Nowhere/Land')

export function inZone(zone: string | undefined): Partial<SubjectView> {
  return zone === undefined ? {} : { traits: { timeZone: [zone, 0] } }
}

/** Days after the first, at whose midnights days, weeks or months begin, east and west of Greenwich. */
const NEW_PERIODS = [0, 1, 3, 4, 10, 11, 30, 31, 58, 59]

/** Every instant at which a window of the history can begin or end, the millisecond before, and some others. */
export function instantsOf(events: readonly EventRecord[], from: number, tree?: unknown, zone?: string): number[] {
  const text = JSON.stringify(tree) ?? ''
  // An absence is complete later than its events, and leaves windows later.
  const delays = text.includes('"no"') ? [0, 1000, 2000] : [0]
  const lengths = delays.flatMap((delay) => [delay, delay + 1000, delay + 2000, delay + 3000, delay + 60_000])
  const ends = [...new Set(events.map(({ at }) => at))].flatMap((at) => lengths.map((length) => at + length))
  const midnights = /"(during|since)"/.test(text)
    ? NEW_PERIODS.flatMap((day) => midnightsFrom(START, 62, zone)[day] ?? [])
    : []
  const around = [...new Set([...ends, ...midnights])].flatMap((end) => [end - 1, end, end + 1])
  return [...new Set([from, ...around, from + 1, from + 200_000])].filter((at) => at >= from).sort((a, b) => a - b)
}
