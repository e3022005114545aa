import { compileValue } from '../src/conditions/compile.js'
import { noNamedConditions } from '../src/conditions/named.js'
import { FACT_TYPES } from '../src/facts/catalogue.js'
import { noDependencies } from '../src/facts/dependencies.js'
import type { ConditionScope, FactUse } from '../src/facts/fact.js'
import { type Feature, FeatureRegistry } from '../src/facts/feature.js'
import { FigureRegistry } from '../src/facts/figure.js'
import { Problems } from '../src/problems.js'
import type { EventRecord, FeatureState } from '../src/subject.js'
import type { Features } from './history.js'

/** The names of all facts that conditions may read. */
export const FACT_NAMES: readonly string[] = [...FACT_TYPES.keys()]

/** One fact by itself: how it is read, and what it keeps. */
export interface FactAlone {
  readonly use: FactUse
  readonly features: readonly Feature[]
  fold(events: readonly EventRecord[], now?: number): Features
}

export function factAlone(name: string, params: object): FactAlone {
  const problems = new Problems()
  const features = new FeatureRegistry()
  const scope = {
    problems,
    named: noNamedConditions(problems),
    subject: 'user',
    moment: 'state',
    features,
    figures: new FigureRegistry(),
    depends: noDependencies(),
    exact: false,
    tagIds: new Set<string>(),
    relate: () => '',
  } as Partial<ConditionScope> as ConditionScope
  const use = FACT_TYPES.get(name)?.compile({
    params,
    scope,
    place: { file: '', pointer: '' },
    leaf: undefined,
    compileValue,
  })
  if (use === undefined) throw new Error(JSON.stringify(problems.list))
  const all = [...features.features]
  return { use, features: all, fold: (events, now) => foldAll(all, events, now) }
}

/** Folds events in the order given; of each only what its features listen to. */
function foldAll(features: readonly Feature[], events: readonly EventRecord[], now?: number): Features {
  const states: Record<string, FeatureState | undefined> = {}
  for (const event of events) {
    for (const feature of features.filter((one) => one.events.includes(event.event))) {
      states[feature.key] = feature.fold(states[feature.key], event, now ?? event.at)
    }
  }
  return states
}
