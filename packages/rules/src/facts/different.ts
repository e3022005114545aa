import * as z from 'zod'
import type { EventRecord, SubjectView } from '../subject.js'
import { DifferentValues, DistinctFeature, type DistinctState, reachesDistinct, UsersFeature } from './distinct.js'
import { compileFilter, type FilterParams, filterParams, propertyParam, readProperty } from './event-filter.js'
import { countingEvents } from './evidence.js'
import type { FactRequest, FactType, FactUse } from './fact.js'
import { featureKey } from './feature.js'
import { stateReader } from './state-reader.js'
import { useOfTally } from './sweep.js'
import { checkNumericLeaf, compileCountTest, entriesNeeded, type Reaches } from './thresholds.js'
import { countsFrom, readWindow, type Window, type WindowParams, windowParams } from './window.js'

const distinctParams = z.strictObject({ ...filterParams, ...windowParams, property: propertyParam })
const userParams = z.strictObject({ ...filterParams, ...windowParams })

export const eventDistinct: FactType<z.infer<typeof distinctParams>> = {
  name: 'eventDistinct',
  summary: 'How many different values a property of such events had.',
  params: distinctParams,
  compile: (request) => {
    const { property } = request.params
    const read = readProperty(property, request.place, request.scope)
    if (read === undefined) return undefined
    const values = (event: EventRecord) => [read(event.properties)].flat().filter(isScalar)
    return compileDifferent(request, { fact: 'eventDistinct', feature: DistinctFeature, values, property })
  },
}

export const userCount: FactType<z.infer<typeof userParams>> = {
  name: 'userCount',
  summary: 'How many different people had such events.',
  params: userParams,
  compile: (request) =>
    compileDifferent(request, {
      fact: 'userCount',
      feature: UsersFeature,
      values: ({ userId }) => (userId === undefined ? [] : [userId]),
    }),
}

/** What is told apart. */
interface Different {
  readonly fact: string
  readonly feature: typeof DistinctFeature
  readonly values: (event: EventRecord) => readonly unknown[]
  readonly property?: string
}

function compileDifferent(
  { params, place, scope, leaf }: FactRequest<FilterParams & WindowParams>,
  { fact, feature: Kind, values, property }: Different,
): FactUse | undefined {
  const window = readWindow(params, place, scope)
  if (window === undefined || !checkNumericLeaf(leaf, fact, scope)) return undefined
  const delayed = window.delayMs > 0
  const test = delayed || leaf === undefined ? undefined : compileCountTest(leaf)
  const needed = test && leaf ? entriesNeeded(test, leaf, scope) : Number.POSITIVE_INFINITY
  if (needed === undefined) return undefined
  const filter = compileFilter(params, place, scope)
  // What longer windows keep may be rounded, so it is kept apart.
  const key = featureKey(delayed ? `${fact}.all` : fact, filter, property)
  const feature = scope.features.obtain(key, () => new Kind(key, filter, values, delayed))
  feature.retention.need(scope.exact ? Number.POSITIVE_INFINITY : needed, window)
  const state = stateReader<DistinctState>(key, scope)
  const reach: Reaches = (view, n, at) => reachesDistinct(state(view), n, window.spanFor(view), at)
  return {
    ...useOfDifferent(state, window, leaf),
    ...(test && { verdict: (view: SubjectView) => test.verdict(view, reach, view.at) }),
    rounding: (view) => state(view)?.[1],
    ...(property !== undefined && { shows: values }),
    moved: { by: 'counting', from: countsFrom(window) },
    evidence: (view, events) =>
      countingEvents(view, events, filter, window).filter((event) => values(event).length > 0),
  }
}

function useOfDifferent(
  state: (view: SubjectView) => DistinctState | undefined,
  window: Window,
  leaf: FactRequest<unknown>['leaf'],
): FactUse {
  const entries = (view: SubjectView) => state(view)?.[0] ?? []
  if (window.endless) return { read: (view) => entries(view).length }
  return { ...useOfTally({ window, entries, tally: () => new DifferentValues() }, leaf), window: window.text }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
