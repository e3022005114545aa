import { canonicalJson, contentHash } from '../json.js'
import type { Others, SubjectView } from '../subject.js'
import type { ConditionScope, FactRequest, FactType, FactUse } from './fact.js'
import { additive, type Measure, type Quantities } from './measures.js'
import { checkCompared, compareByFigure } from './others.js'
import { keepShare, type ShareParams, shareParams } from './share.js'
import { useOfTally } from './sweep.js'
import { checkNumericLeaf } from './thresholds.js'

export const lift: FactType<ShareParams> = {
  name: 'lift',
  summary:
    'The share here divided by the share in all other communities (or leaders) together. No such event elsewhere, or no event here: no value, and no comparison holds.',
  params: shareParams,
  compile: compileLift,
}

function compileLift(request: FactRequest<ShareParams>): FactUse | undefined {
  const { leaf } = request
  if (!checkCompared(request, 'lift') || !checkNumericLeaf(leaf, 'lift', request.scope)) return undefined
  const compared = compareByFigure(request.scope, (scope) => shareFigure(request, scope))
  if (compared === undefined) return undefined
  const { others, figure } = compared
  const { window, state, evidence, counts } = figure
  const valueIn = (view: SubjectView): Measure['value'] => {
    const elsewhere = others(view)
    return (quantities) => liftOf(quantities, elsewhere)
  }
  const figures = (view: SubjectView) => ({ ...counts(view), ...elsewhereOf(others(view)) })
  if (window.endless) return { read: (view) => valueIn(view)(state(view)?.[0]), evidence, figures }
  const tallied = {
    window,
    entries: (view: SubjectView) => state(view)?.[1] ?? [],
    tally: (view: SubjectView) => additive(valueIn(view)).tally(),
  }
  const rounding = (view: SubjectView) => state(view)?.[2]
  return { ...useOfTally(tallied, leaf), rounding, window: window.text, evidence, figures }
}

/** The two counts of a share, as what communities are compared by. */
function shareFigure(request: FactRequest<ShareParams>, scope: ConditionScope) {
  const kept = keepShare({ ...request, scope })
  if (kept === undefined) return undefined
  const { counts, use } = kept
  const measure = (view: SubjectView) => {
    const { part, whole } = counts(view)
    return whole === 0 ? undefined : [part, whole]
  }
  const key = contentHash(canonicalJson(['share', kept.key, kept.window.text]), 12)
  return { ...kept, key, measure, changesAt: use.changesAt ?? (() => Number.POSITIVE_INFINITY) }
}

/** Part by whole here, divided by part by whole elsewhere; as one division of whole numbers, so that it is exact. */
function liftOf([part = 0, whole = 0]: Quantities = [], others: Others | undefined): number | undefined {
  const [partElsewhere = 0, wholeElsewhere = 0] = others?.total ?? []
  if (whole === 0 || partElsewhere === 0) return undefined
  return (part * wholeElsewhere) / (whole * partElsewhere)
}

function elsewhereOf(others: Others | undefined) {
  if (others === undefined) return undefined
  const [partElsewhere = 0, wholeElsewhere = 0] = others.total
  return { partElsewhere, wholeElsewhere, asOf: new Date(others.at).toISOString() }
}
