import * as z from 'zod'
import { conditionsSchema } from '../conditions/tree.js'
import type { EventRecord, SubjectView } from '../subject.js'
import { compileFilter, compileFilterAt, filterParams } from './event-filter.js'
import { countingEvents } from './evidence.js'
import { type FactRequest, type FactType, type FactUse, paramsPlace, valuePlace } from './fact.js'
import { featureKey } from './feature.js'
import { LedgerFeature, type LedgerState } from './ledger.js'
import { useOfLedger } from './ledger-use.js'
import { additive } from './measures.js'
import { stateReader } from './state-reader.js'
import { checkNumericLeaf } from './thresholds.js'
import { isInside, readWindow, windowParams } from './window.js'

const among = z
  .strictObject({ where: conditionsSchema.optional(), item: conditionsSchema.optional() })
  .describe('Which of these events are the whole: "where" and "item"; all of them when left out.')

export const shareParams = z.strictObject({ ...filterParams, among: among.optional(), ...windowParams })
export type ShareParams = z.infer<typeof shareParams>

/** How many events are in the part, and how many there are. */
export interface PartAndWhole {
  readonly part: number
  readonly whole: number
}

export const share: FactType<ShareParams> = {
  name: 'share',
  summary:
    'The part of such events that match "where" and "item": 0 to 1. No event: no value, and no comparison holds.',
  params: shareParams,
  compile: compileShareFact,
}

function compileShareFact(request: FactRequest<ShareParams>): FactUse | undefined {
  const { leaf, scope } = request
  if (!checkNumericLeaf(leaf, 'share', scope)) return undefined
  const constant = leaf?.constant
  if (leaf !== undefined && typeof constant === 'number' && (constant < 0 || constant > 1)) {
    const message = 'A share is between 0 and 1: write 0.3 for 30%.'
    scope.problems.error(valuePlace(leaf.place), 'value.share', message, { found: constant })
    return undefined
  }
  const kept = keepShare(request)
  if (kept === undefined) return undefined
  const { use, counts, evidence } = kept
  return { ...use, evidence, figures: (view) => ({ ...counts(view) }) }
}

const SHARE = additive(([part = 0, whole = 0] = []) => (whole === 0 ? undefined : part / whole))

/** Has the two counts of a share kept; undefined after an error has been reported. */
export function keepShare({
  params,
  place,
  scope,
  leaf,
}: Pick<FactRequest<ShareParams>, 'params' | 'place' | 'scope' | 'leaf'>) {
  const { event, where, item } = params
  if (where === undefined && item === undefined) {
    const message = 'Say which of these events are the part that is meant: "where" or "item".'
    scope.problems.error(paramsPlace(place), 'params.missing', message, { found: params })
    return undefined
  }
  const window = readWindow(params, place, scope)
  if (window === undefined) return undefined
  const whole = compileFilterAt({ event, ...params.among }, paramsPlace(place, 'among'), scope)
  const part = compileFilter({ event, where, item }, place, scope)
  const key = featureKey('share', whole, part.definition)
  const measured = (one: EventRecord) => [part.matches(one) ? 1 : 0, 1]
  const feature = scope.features.obtain(key, () => new LedgerFeature(key, whole, SHARE, measured))
  if (!window.endless) feature.retention.need(Number.POSITIVE_INFINITY, window)
  const state = stateReader<LedgerState>(key, scope)
  return {
    key,
    window,
    state,
    use: useOfLedger(key, SHARE, window, { scope, leaf }),
    counts: (view: SubjectView): PartAndWhole => {
      const [total = [], entries = []] = state(view) ?? []
      if (window.endless) return { part: total[0] ?? 0, whole: total[1] ?? 0 }
      const span = window.spanFor(view)
      let [part, whole] = [0, 0]
      for (const [at, one = 0, all = 0] of entries) {
        if (!isInside(span, at, view.at)) continue
        part += one
        whole += all
      }
      return { part, whole }
    },
    evidence: (view: SubjectView, events: readonly EventRecord[]): readonly EventRecord[] =>
      countingEvents(view, events, whole, window).filter(part.matches),
  }
}
