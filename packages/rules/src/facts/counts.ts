import * as z from 'zod'
import type { EventRecord } from '../subject.js'
import { compileFilter, compileItem, filterParams, itemsOf } from './event-filter.js'
import { countingEvents } from './evidence.js'
import type { FactRequest, FactType, FactUse } from './fact.js'
import { type EventFilter, featureKey } from './feature.js'
import { LedgerFeature } from './ledger.js'
import { useOfLedger } from './ledger-use.js'
import { additive } from './measures.js'
import { countWithin, nextExpiry, reaches, SeriesFeature, type SeriesState } from './series.js'
import { stateReader } from './state-reader.js'
import { checkNumericLeaf, compileCountTest, entriesNeeded, type Reaches } from './thresholds.js'
import { countsFrom, readWindow, type Window, windowParams } from './window.js'

const countParams = z.strictObject({ ...filterParams, ...windowParams })
export type CountParams = z.infer<typeof countParams>

export const eventCount: FactType<CountParams> = {
  name: 'eventCount',
  summary: 'How many such events there were.',
  params: countParams,
  compile: compileEventCount,
}

export const itemCount: FactType<CountParams> = {
  name: 'itemCount',
  summary: 'How many matching elements the "items" of such events had.',
  params: countParams,
  compile: (request) => {
    const item = compileItem(request.params, request.place, request.scope)
    return compileCount(request, 'itemCount', (event) => matchingItems(event, item).length)
  },
}

/** Any fact that is a count of events. */
export function compileEventCount(request: FactRequest<CountParams>): FactUse | undefined {
  return compileCount(request, 'eventCount', 'one')
}

export function matchingItems(
  event: EventRecord,
  item: ((bag: Readonly<Record<string, unknown>>) => boolean) | undefined,
) {
  const items = itemsOf(event)
  return item === undefined ? items : items.filter(item)
}

type Count = ((event: EventRecord) => number) | 'one'

/** A count with all that its two ways of being kept need. */
interface Counted {
  readonly request: FactRequest<CountParams>
  readonly fact: string
  readonly filter: EventFilter
  readonly window: Window
  readonly count: Count
}

function compileCount(request: FactRequest<CountParams>, fact: string, count: Count): FactUse | undefined {
  const { params, place, scope, leaf } = request
  const window = readWindow(params, place, scope)
  if (window === undefined || !checkNumericLeaf(leaf, fact, scope)) return undefined
  const filter = compileFilter(params, place, scope)
  const counted = { request, fact, filter, window, count }
  const use = window.endless ? useOfTotal(counted) : (useOfLatest(counted) ?? useOfAll(counted))
  if (use === 'refused') return undefined
  return {
    ...use,
    ...(!window.endless && { window: window.text }),
    ...(count !== 'one' && { shows: count }),
    moved: { by: 'counting', from: countsFrom(window) },
    evidence: (view, events) =>
      countingEvents(view, events, filter, window).filter((event) => count === 'one' || count(event) > 0),
  }
}

function obtainSeries({ request: { scope }, fact, filter, count }: Counted): SeriesFeature {
  const key = featureKey(fact, filter)
  return scope.features.obtain(key, () => new SeriesFeature(key, filter, count))
}

/** Without a window, the total is enough. */
function useOfTotal(counted: Counted): FactUse {
  const state = stateReader<SeriesState>(obtainSeries(counted).key, counted.request.scope)
  return { read: (view) => state(view)?.[0] ?? 0 }
}

/**
 * In a window in which events count at once, a comparison with k needs the k latest. Undefined where it has no such form
 * or the window counts what is longer ago.
 */
function useOfLatest(counted: Counted): FactUse | 'refused' | undefined {
  const { window } = counted
  const { leaf, scope } = counted.request
  const test = window.delayMs === 0 && leaf !== undefined ? compileCountTest(leaf) : undefined
  if (test === undefined || leaf === undefined) return undefined
  const needed = entriesNeeded(test, leaf, scope)
  if (needed === undefined) return 'refused'
  const feature = obtainSeries(counted)
  feature.retention.need(scope.exact ? Number.POSITIVE_INFINITY : needed, window)
  const state = stateReader<SeriesState>(feature.key, scope)
  const reach: Reaches = (view, n, at) => reaches(state(view), n, window.spanFor(view), at)
  return {
    read: (view) => countWithin(state(view), window.spanFor(view), view.at),
    changesAt: (view) => nextExpiry(state(view), window.spanFor(view), view.at),
    verdict: (view) => test.verdict(view, reach, view.at),
  }
}

/** All else needs everything in the window, which is kept apart: beyond a bound its times are rounded. */
function useOfAll({ request: { scope, leaf }, fact, filter, window, count }: Counted): FactUse {
  const key = featureKey(`${fact}.all`, filter)
  const amount = (event: EventRecord) => (count === 'one' ? 1 : count(event))
  const measured = (event: EventRecord) => (amount(event) === 0 ? undefined : [amount(event)])
  const feature = scope.features.obtain(key, () => new LedgerFeature(key, filter, WHOLE, measured))
  feature.retention.need(Number.POSITIVE_INFINITY, window)
  return useOfLedger(key, WHOLE, window, { scope, leaf })
}

const WHOLE = additive((quantities) => quantities?.[0] ?? 0)
