import * as z from 'zod'
import type { CheckedLeaf } from '../conditions/leaf.js'
import { MILLIONTH, numberFor, stepsToTurn } from '../conditions/nearest.js'
import type { EventRecord, SubjectView } from '../subject.js'
import { matchingItems } from './counts.js'
import { compileFilter, compileItem, filterParams, propertyParam, readProperty } from './event-filter.js'
import { countingEvents } from './evidence.js'
import type { FactRequest, FactType, FactUse, Moved } from './fact.js'
import { featureKey } from './feature.js'
import { LedgerFeature } from './ledger.js'
import { useOfLedger } from './ledger-use.js'
import { additive, extreme, type Measure, type Quantities } from './measures.js'
import { checkNumericLeaf } from './thresholds.js'
import { countsFrom, readWindow, type Window, windowParams } from './window.js'

const MILLION = 1_000_000

const amountParams = z.strictObject({ ...filterParams, ...windowParams, property: propertyParam })
type AmountParams = z.infer<typeof amountParams>
type AmountRequest = FactRequest<AmountParams>

const SUM = additive((quantities) => (quantities?.[0] ?? 0) / MILLION)
const AVERAGE = additive((quantities) => {
  const [sum = 0, count = 0] = quantities ?? []
  return count === 0 ? undefined : sum / (count * MILLION)
})
const GREATEST = extreme(1)
const LEAST = extreme(-1)

export const eventSum: FactType<AmountParams> = {
  name: 'eventSum',
  summary: 'The sum of a property of such events.',
  params: amountParams,
  compile: (request) => compileAmount(request, 'eventSum', SUM, (numbers) => sumOf(numbers), propertyOf(request)),
}

export const itemSum: FactType<AmountParams> = {
  name: 'itemSum',
  summary: 'The sum of a property of the matching elements of the "items" of such events.',
  params: amountParams,
  compile: (request) => {
    const item = compileItem(request.params, request.place, request.scope)
    const read = readProperty(request.params.property, request.place, request.scope)
    const values = read && ((event: EventRecord) => matchingItems(event, item).map(read))
    return compileAmount(request, 'itemSum', SUM, (numbers) => sumOf(numbers), values)
  },
}

export const eventAvg: FactType<AmountParams> = {
  name: 'eventAvg',
  summary: 'The average of a property of such events. No number: no value, and no comparison holds.',
  params: amountParams,
  compile: (request) =>
    compileAmount(
      request,
      'eventAvg',
      AVERAGE,
      (numbers) => (numbers.length === 0 ? undefined : [total(numbers), numbers.length]),
      propertyOf(request),
    ),
}

export const eventMin: FactType<AmountParams> = {
  name: 'eventMin',
  summary: 'The least number a property of such events had. No number: no value, and no comparison holds.',
  params: amountParams,
  compile: (request) =>
    compileAmount(request, 'eventMin', LEAST, (numbers) => extremeOf(Math.min, numbers), propertyOf(request)),
}

export const eventMax: FactType<AmountParams> = {
  name: 'eventMax',
  summary: 'The greatest number a property of such events had. No number: no value, and no comparison holds.',
  params: amountParams,
  compile: (request) =>
    compileAmount(request, 'eventMax', GREATEST, (numbers) => extremeOf(Math.max, numbers), propertyOf(request)),
}

function propertyOf({ params, place, scope }: AmountRequest): ((event: EventRecord) => unknown) | undefined {
  const read = readProperty(params.property, place, scope)
  return read && ((event) => read(event.properties))
}

/** Compiles a fact over numbers; undefined after an error has been reported, also where `values` is not there for one. */
function compileAmount(
  { params, place, scope, leaf }: AmountRequest,
  fact: string,
  measure: Measure,
  measured: (numbers: readonly number[]) => Quantities | undefined,
  values: ((event: EventRecord) => unknown) | undefined,
): FactUse | undefined {
  const window = readWindow(params, place, scope)
  if (window === undefined || values === undefined || !checkNumericLeaf(leaf, fact, scope)) return undefined
  const filter = compileFilter(params, place, scope)
  const key = featureKey(fact, filter, params.property)
  const bring = (event: EventRecord) => measured(numbersOf(values(event)))
  const feature = scope.features.obtain(key, () => new LedgerFeature(key, filter, measure, bring))
  if (!window.endless) feature.retention.need(Number.POSITIVE_INFINITY, window)
  const use = useOfLedger(key, measure, window, { scope, leaf })
  return {
    ...use,
    shows: values,
    ...movedBy(measure, window, leaf, use.read),
    evidence: (view, events) => {
      const counting = countingEvents(view, events, filter, window).filter((event) => bring(event) !== undefined)
      const { stands } = measure
      return stands === undefined ? counting : outstanding(counting, bring, stands)
    },
  }
}

/** A sum grows by what happens; an extreme goes further out by one event. What one event does to an average depends. */
function movedBy(
  measure: Measure,
  window: Window,
  leaf: CheckedLeaf | undefined,
  read: FactUse['read'],
): { readonly moved?: Moved } {
  if (measure === SUM) return { moved: { by: 'adding', from: countsFrom(window) } }
  const { stands } = measure
  if (stands === undefined || leaf === undefined || leaf.reference !== undefined || window.delayMs > 0) return {}
  const test = (value: number) => leaf.test(value, leaf.constant)
  const ways = (view: SubjectView, holding: boolean) => {
    const value = read(view)
    if (typeof value !== 'number') {
      const first = numberFor((one) => test(one) !== holding, leaf.constant, MILLIONTH)
      return first === undefined ? [] : [{ more: 1, value: first }]
    }
    const { up, down } = stepsToTurn(test, value, leaf.constant, MILLIONTH)
    const further = stands(1, 0) ? up : down
    return further === undefined ? [] : [{ more: 1, value: stands(1, 0) ? value + further : value - further }]
  }
  return { moved: { by: 'event', ways } }
}

/** The latest of the most extreme events. */
function outstanding(
  events: readonly EventRecord[],
  bring: (event: EventRecord) => Quantities | undefined,
  stands: NonNullable<Measure['stands']>,
): readonly EventRecord[] {
  let best: EventRecord | undefined
  for (const event of events) {
    if (best === undefined || stands(bring(event)?.[0] ?? 0, bring(best)?.[0] ?? 0)) best = event
  }
  return best === undefined ? [] : [best]
}

/** A number, or all numbers of a list, also within lists. */
function numbersOf(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.flatMap(numbersOf)
  return typeof value === 'number' && !Number.isNaN(value) ? [value] : []
}

/** The largest amount that counts for what it is; beyond it, whole millionths are no longer exact. */
const LARGEST_AMOUNT = 9_000_000_000

/** The sum in whole millionths, so that it does not depend on the order of its parts. */
function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => {
    return sum + Math.round(Math.max(-LARGEST_AMOUNT, Math.min(LARGEST_AMOUNT, number)) * MILLION)
  }, 0)
}

function sumOf(numbers: readonly number[]): Quantities | undefined {
  const sum = total(numbers)
  return sum === 0 ? undefined : [sum]
}

function extremeOf(pick: (...numbers: number[]) => number, numbers: readonly number[]): Quantities | undefined {
  return numbers.length === 0 ? undefined : [numbers.reduce((a, b) => pick(a, b))]
}
