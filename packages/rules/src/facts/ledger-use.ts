import type { SubjectView } from '../subject.js'
import type { FactRequest, FactUse } from './fact.js'
import type { LedgerState } from './ledger.js'
import type { Measure } from './measures.js'
import { stateReader } from './state-reader.js'
import { useOfTally } from './sweep.js'
import type { Window } from './window.js'

/** A fact that reads a ledger: all time its total, a window what lies inside. */
export function useOfLedger(
  key: string,
  measure: Measure,
  window: Window,
  { scope, leaf }: Pick<FactRequest<unknown>, 'scope' | 'leaf'>,
): FactUse {
  const state = stateReader<LedgerState>(key, scope)
  if (window.endless) return { read: (view) => measure.value(state(view)?.[0]) }
  const entries = (view: SubjectView) => state(view)?.[1] ?? []
  return {
    ...useOfTally({ window, entries, tally: measure.tally }, leaf),
    rounding: (view) => state(view)?.[2],
    window: window.text,
  }
}
