import * as z from 'zod'
import { NEVER, verdictOf } from '../conditions/verdict.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import { ORDERINGS } from '../operators.js'
import type { EventRecord, FeatureState, SubjectView } from '../subject.js'
import { countDistinct, DistinctFeature, type DistinctState, nextDistinctExpiry, reachesDistinct } from './distinct.js'
import {
  compileFilter,
  compileItem,
  filterParams,
  itemsOf,
  propertyParam,
  readProperty,
  readWindow,
  withinParam,
} from './event-filter.js'
import { type FactRequest, type FactType, type FactUse, paramsPlace, valuePlace } from './fact.js'
import { type EventFilter, featureKey } from './feature.js'
import { LatestFeature, type LatestState } from './latest.js'
import { nextExpiry, reaches, SeriesFeature, type SeriesState, sumWithin, testSum } from './series.js'
import { checkNumericLeaf, compileCountTest, entriesNeeded, type Reaches } from './thresholds.js'

const MILLION = 1_000_000

const windowed = z.strictObject({ ...filterParams, within: withinParam })
const windowedProperty = z.strictObject({ ...filterParams, within: withinParam, property: propertyParam })
const lastEventParams = z.strictObject({ ...filterParams, within: withinParam, property: propertyParam.optional() })
const sinceParams = z.strictObject(filterParams)

type Windowed = z.infer<typeof windowed>
type WindowedProperty = z.infer<typeof windowedProperty>

export const eventCount: FactType<Windowed> = {
  name: 'eventCount',
  summary: 'How many such events there were.',
  params: windowed,
  compile: (request) => compileCount(request, 'eventCount', () => 'one'),
}

export const itemCount: FactType<Windowed> = {
  name: 'itemCount',
  summary: 'How many matching elements the "items" of such events had.',
  params: windowed,
  compile: (request) => {
    const item = compileItem(request.params, request.place, request.scope)
    return compileCount(request, 'itemCount', () => (event) => matchingItems(event, item).length)
  },
}

export const eventSum: FactType<WindowedProperty> = {
  name: 'eventSum',
  summary: 'The sum of a property of such events.',
  params: windowedProperty,
  compile: (request) => {
    const read = readProperty(request.params.property, request.place, request.scope)
    return read && compileSum(request, 'eventSum', (event) => millionths(read(event.properties)))
  },
}

export const itemSum: FactType<WindowedProperty> = {
  name: 'itemSum',
  summary: 'The sum of a property of the matching elements of the "items" of such events.',
  params: windowedProperty,
  compile: (request) => {
    const item = compileItem(request.params, request.place, request.scope)
    const read = readProperty(request.params.property, request.place, request.scope)
    const amount = (event: EventRecord) =>
      matchingItems(event, item).reduce((sum, element) => sum + millionths(read?.(element)), 0)
    return read && compileSum(request, 'itemSum', amount)
  },
}

export const eventDistinct: FactType<WindowedProperty> = {
  name: 'eventDistinct',
  summary: 'How many different values a property of such events had.',
  params: windowedProperty,
  compile: compileDistinct,
}

export const lastEvent: FactType<z.infer<typeof lastEventParams>> = {
  name: 'lastEvent',
  summary: 'A property of the latest such event.',
  params: lastEventParams,
  compile: compileLastEvent,
}

export const sinceLastEvent: FactType<z.infer<typeof sinceParams>> = {
  name: 'sinceLastEvent',
  summary: 'How long ago the latest such event was. No such event: no value, and no comparison holds.',
  params: sinceParams,
  compile: compileSinceLastEvent,
}

function matchingItems(event: EventRecord, item: ((bag: Readonly<Record<string, unknown>>) => boolean) | undefined) {
  const items = itemsOf(event)
  return item === undefined ? items : items.filter(item)
}

/** The largest amount that counts for what it is; beyond it, whole millionths are no longer exact. */
const LARGEST_AMOUNT = 9_000_000_000

/** Millionths of a number, or of all numbers of a list; 0 for anything else. */
function millionths(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + millionths(element), 0)
  if (typeof value !== 'number' || Number.isNaN(value)) return 0
  return Math.round(Math.max(-LARGEST_AMOUNT, Math.min(LARGEST_AMOUNT, value)) * MILLION)
}

function compileCount(
  { params, place, scope, leaf }: FactRequest<Windowed>,
  fact: string,
  amount: () => ((event: EventRecord) => number) | 'one',
): FactUse | undefined {
  const windowMs = readWindow(params.within, place, scope)
  if (windowMs === undefined || !checkNumericLeaf(leaf, fact, scope)) return undefined
  const filter = compileFilter(params, place, scope)
  const feature = obtainSeries(fact, filter, scope, amount())
  const state = stateReader<SeriesState>(feature.key, scope)
  const use = {
    read: (view: SubjectView) => sumWithin(state(view), windowMs, view.at),
    ...(Number.isFinite(windowMs) && {
      changesAt: (view: SubjectView) => nextExpiry(state(view), windowMs, view.at),
    }),
  }
  const reach: Reaches = (view, n, at) => reaches(state(view), n, windowMs, at)
  return withCountTest(use, feature, windowMs, reach, { leaf, scope })
}

function obtainSeries(
  measure: string,
  filter: EventFilter,
  scope: FactRequest<unknown>['scope'],
  amount: ((event: EventRecord) => number) | 'one',
  property?: string,
): SeriesFeature {
  const key = featureKey(measure, filter, property)
  return scope.features.obtain(key, () => new SeriesFeature(key, filter, amount))
}

/** Adds the exact verdict of a count, and tells the feature how much it must keep for it. */
function withCountTest(
  use: FactUse,
  feature: { need(latest: number, windowMs: number): void },
  windowMs: number,
  reach: Reaches,
  { leaf, scope }: Pick<FactRequest<unknown>, 'leaf' | 'scope'>,
): FactUse | undefined {
  const test = leaf && compileCountTest(leaf)
  // Without a window, a series needs its total only.
  const total = feature instanceof SeriesFeature && !Number.isFinite(windowMs)
  if (!total) {
    const needed = test && leaf ? entriesNeeded(test, leaf, scope) : Number.POSITIVE_INFINITY
    if (needed === undefined) return undefined
    feature.need(scope.exact ? Number.POSITIVE_INFINITY : needed, windowMs)
  }
  return test === undefined ? use : { ...use, verdict: (view) => test.verdict(view, reach, view.at) }
}

function compileSum(
  { params, place, scope, leaf }: FactRequest<WindowedProperty>,
  fact: string,
  amount: (event: EventRecord) => number,
): FactUse | undefined {
  const windowMs = readWindow(params.within, place, scope)
  if (windowMs === undefined || !checkNumericLeaf(leaf, fact, scope)) return undefined
  const filter = compileFilter(params, place, scope)
  const feature = obtainSeries(fact, filter, scope, amount, params.property)
  const bounded = Number.isFinite(windowMs)
  if (bounded) feature.need(Number.POSITIVE_INFINITY, windowMs)
  const state = stateReader<SeriesState>(feature.key, scope)
  return {
    read: (view) => sumWithin(state(view), windowMs, view.at) / MILLION,
    ...(bounded && { changesAt: (view: SubjectView) => nextExpiry(state(view), windowMs, view.at) }),
    ...(leaf &&
      leaf.reference === undefined && {
        verdict: (view: SubjectView) =>
          testSum(state(view), windowMs, view.at, (sum) => leaf.test(sum / MILLION, leaf.constant)),
      }),
  }
}

function compileDistinct({ params, place, scope, leaf }: FactRequest<WindowedProperty>): FactUse | undefined {
  const windowMs = readWindow(params.within, place, scope)
  const property = readProperty(params.property, place, scope)
  if (windowMs === undefined || property === undefined) return undefined
  if (!checkNumericLeaf(leaf, 'eventDistinct', scope)) return undefined
  const filter = compileFilter(params, place, scope)
  const key = featureKey('eventDistinct', filter, params.property)
  const feature = scope.features.obtain(key, () => new DistinctFeature(key, filter, property))
  const state = stateReader<DistinctState>(key, scope)
  const use = {
    read: (view: SubjectView) => countDistinct(state(view), windowMs, view.at),
    ...(Number.isFinite(windowMs) && {
      changesAt: (view: SubjectView) => nextDistinctExpiry(state(view), windowMs, view.at),
    }),
  }
  const reach: Reaches = (view, n, at) => reachesDistinct(state(view), n, windowMs, at)
  return withCountTest(use, feature, windowMs, reach, { leaf, scope })
}

function compileLastEvent({
  params,
  place,
  scope,
  leaf,
}: FactRequest<z.infer<typeof lastEventParams>>): FactUse | undefined {
  const windowMs = readWindow(params.within, place, scope)
  const { property } = params
  if (property === undefined) {
    const known = 'Say which property of the latest event is meant, such as "property": "storeId".'
    scope.problems.error(paramsPlace(place), 'params.missing', known, { found: leaf?.source.params })
    return undefined
  }
  const read = readProperty(property, place, scope)
  if (windowMs === undefined || read === undefined) return undefined
  const filter = compileFilter(params, place, scope)
  const key = featureKey('lastEvent', filter, property)
  scope.features.obtain(key, () => new LatestFeature(key, filter, (event) => read(event.properties)))
  const state = stateReader<LatestState>(key, scope)
  if (!Number.isFinite(windowMs)) return { read: (view) => state(view)?.[1] }
  const expires = (view: SubjectView) => (state(view)?.[0] ?? Number.NEGATIVE_INFINITY) + windowMs
  const value = (view: SubjectView) => (expires(view) > view.at ? state(view)?.[1] : undefined)
  const changesAt = (view: SubjectView) => (expires(view) > view.at ? expires(view) : Number.POSITIVE_INFINITY)
  if (leaf === undefined || leaf.reference !== undefined) return { read: value, changesAt }
  const { test, path, constant } = leaf
  const holdsFor = (found: unknown) => test(path === undefined ? found : path(found), constant)
  const afterwards = holdsFor(undefined)
  return {
    read: value,
    changesAt,
    // The expiry matters only to a verdict that is another one without a value.
    verdict: (view) => {
      const holding = holdsFor(value(view))
      return verdictOf(holding, holding === afterwards ? Number.POSITIVE_INFINITY : changesAt(view))
    },
  }
}

function compileSinceLastEvent({
  params,
  place,
  scope,
  leaf,
}: FactRequest<z.infer<typeof sinceParams>>): FactUse | undefined {
  const boundMs = parseDuration(leaf?.constant)
  if (leaf === undefined || boundMs === undefined) {
    const message = `"sinceLastEvent" is compared with a duration: ${DURATION_FORMS}.`
    scope.problems.error(valuePlace(place), 'value.duration', message, { found: leaf?.source.value })
    return undefined
  }
  if (!ORDERINGS.has(leaf.operatorName) || leaf.decorators.some((decorator) => decorator !== 'not')) {
    const at = { file: place.file, pointer: `${place.pointer}/operator` }
    const message = `"sinceLastEvent" is ordered: use ${[...ORDERINGS].join(', ')}.`
    scope.problems.error(at, 'operator.unfit', message, { found: leaf.source.operator })
    return undefined
  }
  const filter = compileFilter(params, place, scope)
  const key = featureKey('sinceLastEvent', filter)
  scope.features.obtain(key, () => new LatestFeature(key, filter, undefined))
  const state = stateReader<LatestState>(key, scope)
  const less = leaf.operatorName.startsWith('less')
  // Time passes in whole milliseconds: "more than d" begins one after "at least d".
  const turnsAfter =
    boundMs + (leaf.operatorName === 'greaterThan' || leaf.operatorName === 'lessThanInclusive' ? 1 : 0)
  const sign = leaf.decorators.length % 2 === 0 ? 1 : -1
  return {
    read: (view) => {
      const last = state(view)
      return last === undefined ? undefined : view.at - last[0]
    },
    verdict: (view) => {
      const last = state(view)
      if (last === undefined) return sign * NEVER
      const turns = last[0] + turnsAfter
      return sign * (view.at < turns ? verdictOf(less, turns) : verdictOf(!less, Number.POSITIVE_INFINITY))
    },
    changesAt: (view) => {
      const last = state(view)
      return last !== undefined && view.at < last[0] + turnsAfter ? last[0] + turnsAfter : Number.POSITIVE_INFINITY
    },
  }
}

function stateReader<State extends FeatureState>(key: string, scope: FactRequest<unknown>['scope']) {
  scope.depends.features.add(key)
  return (view: SubjectView) => view.features.get(key) as State | undefined
}
