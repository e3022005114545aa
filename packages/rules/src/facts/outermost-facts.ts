import * as z from 'zod'
import type { CheckedLeaf } from '../conditions/leaf.js'
import { NEVER, type Verdict, verdictOf } from '../conditions/verdict.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import { ORDERINGS } from '../operators.js'
import type { EventRecord, SubjectView } from '../subject.js'
import { compileFilter, type FilterParams, filterParams, propertyParam, readProperty } from './event-filter.js'
import { countingEvents } from './evidence.js'
import { type FactRequest, type FactType, type FactUse, paramsPlace, valuePlace } from './fact.js'
import { featureKey } from './feature.js'
import { OutermostFeature, type OutermostState, outermostOf, outerOf } from './outermost.js'
import { stateReader } from './state-reader.js'
import { testOf } from './sweep.js'
import { readWindow, type Window, windowParams } from './window.js'

const lastEventParams = z.strictObject({ ...filterParams, ...windowParams, property: propertyParam.optional() })
const firstEventParams = z.strictObject({ ...filterParams, property: propertyParam.optional() })
const sinceParams = z.strictObject(filterParams)

type EventParams = FilterParams & { readonly property?: string | undefined }
type Which = 'first' | 'latest'

export const lastEvent: FactType<z.infer<typeof lastEventParams>> = {
  name: 'lastEvent',
  summary: 'A property of the latest such event.',
  params: lastEventParams,
  compile: compileLastEvent,
}

export const firstEvent: FactType<z.infer<typeof firstEventParams>> = {
  name: 'firstEvent',
  summary: 'A property of the first such event ever.',
  params: firstEventParams,
  compile: (request) => compileOutermost(request, 'firstEvent', 'first')?.use,
}

export const sinceLastEvent: FactType<z.infer<typeof sinceParams>> = {
  name: 'sinceLastEvent',
  summary: 'How long ago the latest such event was. No such event: no value, and no comparison holds.',
  params: sinceParams,
  compile: (request) => compileSince(request, 'sinceLastEvent', 'latest'),
}

export const sinceFirstEvent: FactType<z.infer<typeof sinceParams>> = {
  name: 'sinceFirstEvent',
  summary: 'How long ago the first such event was. No such event: no value, and no comparison holds.',
  params: sinceParams,
  compile: (request) => compileSince(request, 'sinceFirstEvent', 'first'),
}

/** A property of the outermost event of all time, and how its state is read; undefined after an error has been reported. */
function compileOutermost({ params, place, scope, leaf }: FactRequest<EventParams>, fact: string, which: Which) {
  const { property } = params
  if (property === undefined) {
    const known = `Say which property of the ${which} event is meant, such as "property": "storeId".`
    scope.problems.error(paramsPlace(place), 'params.missing', known, { found: leaf?.source.params })
    return undefined
  }
  const read = readProperty(property, place, scope)
  if (read === undefined) return undefined
  const filter = compileFilter(params, place, scope)
  const key = featureKey(fact, filter, property)
  const keep = (event: EventRecord) => read(event.properties)
  scope.features.obtain(key, () => new OutermostFeature(key, filter, which, keep))
  const state = stateReader<OutermostState>(key, scope)
  const evidence = (view: SubjectView, events: readonly EventRecord[], window: Window) =>
    outermostEvent(countingEvents(view, events, filter, window), which, keep)
  const ever = readWindow({}, place, scope)
  const use: FactUse = {
    read: (view) => state(view)?.[1],
    shows: keep,
    moved: { by: 'event', ways: (view) => (which === 'first' && state(view) !== undefined ? [] : [{ more: 1 }]) },
    ...(ever && { evidence: (view: SubjectView, events: readonly EventRecord[]) => evidence(view, events, ever) }),
  }
  return { state, evidence, use }
}

function outermostEvent(
  events: readonly EventRecord[],
  which: Which,
  keep: ((event: EventRecord) => unknown) | undefined,
): readonly EventRecord[] {
  let found: readonly [EventRecord, OutermostState] | undefined
  for (const event of events) {
    const own = outermostOf(event, keep)
    if (found === undefined || outerOf(which, found[1], own) === own) found = [event, own]
  }
  return found === undefined ? [] : [found[0]]
}

function compileLastEvent(request: FactRequest<z.infer<typeof lastEventParams>>): FactUse | undefined {
  const { params, place, scope, leaf } = request
  const window = readWindow(params, place, scope)
  if (window === undefined || !refuseDelayed(window, request)) return undefined
  const outermost = compileOutermost(request, 'lastEvent', 'latest')
  if (outermost === undefined || window.endless) return outermost?.use
  const { state, evidence, use } = outermost
  const leavesAt = (view: SubjectView) => {
    const latest = state(view)
    return latest === undefined ? Number.NEGATIVE_INFINITY : window.spanFor(view).leaves(latest[0])
  }
  const value = (view: SubjectView) => (leavesAt(view) > view.at ? state(view)?.[1] : undefined)
  const changesAt = (view: SubjectView) => (leavesAt(view) > view.at ? leavesAt(view) : Number.POSITIVE_INFINITY)
  return {
    ...use,
    read: value,
    changesAt,
    evidence: (view, events) => evidence(view, events, window),
    window: window.text,
    ...verdictThatEnds(leaf, value, changesAt),
  }
}

function refuseDelayed(
  window: Window,
  { place, scope, params }: FactRequest<z.infer<typeof lastEventParams>>,
): boolean {
  if (window.delayMs === 0) return true
  const message =
    '"lastEvent" knows the latest event only, so its window has to reach up to now: "within", "since", "today", "thisWeek" or "thisMonth".'
  const found = params.between ?? params.during
  scope.problems.error(paramsPlace(place, params.between ? 'between' : 'during'), 'window.unfit', message, { found })
  return false
}

/** The end of a value matters only to a verdict that is another one without a value. */
function verdictThatEnds(
  leaf: CheckedLeaf | undefined,
  value: (view: SubjectView) => unknown,
  changesAt: (view: SubjectView) => number,
): { verdict?: (view: SubjectView) => Verdict } {
  const holdsFor = leaf && testOf(leaf)
  if (holdsFor === undefined) return {}
  const afterwards = holdsFor(undefined)
  return {
    verdict: (view) => {
      const holding = holdsFor(value(view))
      return verdictOf(holding, holding === afterwards ? Number.POSITIVE_INFINITY : changesAt(view))
    },
  }
}

function compileSince(request: FactRequest<FilterParams>, fact: string, which: Which): FactUse | undefined {
  const { params, place, scope } = request
  const turn = readTurn(request, fact)
  const ever = readWindow({}, place, scope)
  if (turn === undefined || ever === undefined) return undefined
  const { turnsAfter, less, sign } = turn
  const filter = compileFilter(params, place, scope)
  const key = featureKey(fact, filter)
  scope.features.obtain(key, () => new OutermostFeature(key, filter, which, undefined))
  const state = stateReader<OutermostState>(key, scope)
  const holdsAfter = (ms: number) => (ms < turnsAfter ? less : !less) === sign > 0
  return {
    moved: {
      by: 'event',
      ways: (view, holding) => {
        const known = state(view) !== undefined
        if (known && which === 'first') return []
        if (holdsAfter(0) !== holding) return [{ more: 1 }]
        return known ? [] : [{ more: 1, from: new Date(view.at + turnsAfter).toISOString() }]
      },
    },
    read: (view) => {
      const found = state(view)
      return found === undefined ? undefined : view.at - found[0]
    },
    verdict: (view) => {
      const found = state(view)
      if (found === undefined) return sign * NEVER
      const turns = found[0] + turnsAfter
      return sign * (view.at < turns ? verdictOf(less, turns) : verdictOf(!less, Number.POSITIVE_INFINITY))
    },
    changesAt: (view) => {
      const found = state(view)
      return found !== undefined && view.at < found[0] + turnsAfter ? found[0] + turnsAfter : Number.POSITIVE_INFINITY
    },
    evidence: (view, events) => outermostEvent(countingEvents(view, events, filter, ever), which, undefined),
  }
}

/** When a comparison of passing time with a duration turns; undefined after an error has been reported. */
function readTurn({ place, scope, leaf }: FactRequest<FilterParams>, fact: string) {
  const boundMs = parseDuration(leaf?.constant)
  if (leaf === undefined || boundMs === undefined) {
    const message = `"${fact}" is compared with a duration: ${DURATION_FORMS}.`
    scope.problems.error(valuePlace(place), 'value.duration', message, { found: leaf?.source.value })
    return undefined
  }
  const { operatorName, decorators } = leaf
  if (!ORDERINGS.has(operatorName) || decorators.some((decorator) => decorator !== 'not')) {
    const at = { file: place.file, pointer: `${place.pointer}/operator` }
    const message = `"${fact}" is ordered: use ${[...ORDERINGS].join(', ')}.`
    scope.problems.error(at, 'operator.unfit', message, { found: leaf.source.operator })
    return undefined
  }
  // Time passes in whole milliseconds: "more than d" begins one after "at least d".
  const turnsAfter = boundMs + (operatorName === 'greaterThan' || operatorName === 'lessThanInclusive' ? 1 : 0)
  return { turnsAfter, less: operatorName.startsWith('less'), sign: decorators.length % 2 === 0 ? 1 : -1 }
}
