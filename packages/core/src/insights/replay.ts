import { compileProgram, definePack, type EventRecord, type FeatureState, type Program } from '@linli/rules'
import { advance } from '../domain/advance.js'
import type { Input } from '../domain/decision.js'
import { type SubjectState, UNBORN } from '../domain/subject.js'
import { inputOf, recordOf, relatedInput } from '../ingest/records.js'
import type { Past } from './past.js'

/** What a subject's events up to an instant say, worked out when it is asked for. */
export interface Replay {
  /** In the order they happened. */
  readonly events: readonly EventRecord[]
  readonly profile: Pick<SubjectState, 'traits' | 'relations' | 'consent'>
  feature(key: string): FeatureState | undefined
}

/** Of a profile, the reducer keeps the same whatever the rules are. */
const NO_RULES = compileProgram(definePack([]))

/** Undefined where nothing had happened by then. */
export function replay({ key, events }: Past, program: Program, at: number): Replay | undefined {
  const happened = events.filter((event) => event.at <= at)
  if (happened.length === 0) return undefined
  const { kind } = key
  const inputs = happened.map(
    (event): Input => (kind === 'user' ? inputOf(event, event.at) : relatedInput(kind, event, event.at)),
  )
  const records = happened.map(recordOf)
  return {
    events: records,
    profile: advance(key, UNBORN, inputs, NO_RULES).state,
    feature: remembered((name) => fold(records, program, key.kind, name)),
  }
}

function fold(
  events: readonly EventRecord[],
  program: Program,
  kind: Past['key']['kind'],
  name: string,
): FeatureState | undefined {
  const feature = program.subjects[kind].features.get(name)
  if (feature === undefined) return undefined
  const names = new Set(feature.events)
  let state: FeatureState | undefined
  for (const event of events) if (names.has(event.event)) state = feature.fold(state, event, event.at)
  return state
}

function remembered<T>(work: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return (name) => {
    if (!known.has(name)) known.set(name, work(name))
    return known.get(name) as T
  }
}
