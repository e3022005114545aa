import type { FactUse } from '../facts/fact.js'
import { canonicalJson } from '../json.js'
import type { SubjectView } from '../subject.js'
import { viewAt } from './comparison.js'
import type { Explanation, FactTurn, Judged, Turn } from './explanation.js'
import type { CheckedLeaf } from './leaf.js'
import { MILLIONTH, stepsToTurn } from './nearest.js'

/** A comparison of which is asked what would turn it. */
export interface Comparison {
  readonly leaf: CheckedLeaf
  readonly use: FactUse
  readonly view: SubjectView
  readonly judged: Judged
  readonly expected: unknown
}

/** What would turn a comparison: time, if it is left alone, or what happens or is said. */
export function turnOfLeaf(comparison: Comparison): Turn {
  const { until } = comparison.judged
  const time = until === null ? [] : [{ kind: 'time', at: until } as const]
  return combined('any', [...time, ...waysOf(comparison)])
}

/**
 * What would turn a tree: of an `all` that does not hold, all that fails; of one that holds, any part of it; of an `any` the
 * other way round.
 */
export function turnOf(tree: Explanation): Turn {
  switch (tree.kind) {
    case 'all':
    case 'any': {
      const each = (tree.kind === 'all') !== tree.holds
      const parts = each ? tree.parts.filter((part) => part.holds === tree.holds) : tree.parts
      return combined(each ? 'all' : 'any', parts.map(turnOf))
    }
    case 'not':
    case 'condition':
      return turnOf(tree.part)
    case 'fact':
      return tree.because === undefined ? tree.toTurn : turnOf(tree.because)
  }
}

/** Turns together, without what can never be, what is said twice, and lists of one. */
export function combined(kind: 'all' | 'any', turns: readonly Turn[]): Turn {
  const flat = turns.flatMap((turn) => (turn.kind === kind ? turn.parts : [turn]))
  const possible = flat.filter((turn) => turn.kind !== 'never')
  if (kind === 'all' && possible.length < flat.length) return { kind: 'never' }
  const parts = [...new Map(possible.map((turn) => [canonicalJson(turn), turn])).values()]
  const [only] = parts
  if (only === undefined) return { kind: 'never' }
  return parts.length === 1 ? only : { kind, parts }
}

function waysOf(comparison: Comparison): readonly FactTurn[] {
  const { use, view, judged } = comparison
  const { moved } = use
  switch (moved?.by) {
    case undefined:
      return [wayOf(comparison)]
    case 'event':
      return moved.ways(view, judged.holds).map((how) => ({ ...wayOf(comparison), ...how }))
    case 'counting':
      return waysOfNumber(comparison, moved.from(view), { step: 1, down: false })
    case 'adding':
      return waysOfNumber(comparison, moved.from(view), { step: MILLIONTH, down: true })
  }
}

function wayOf({ leaf: { source }, judged, expected }: Comparison): FactTurn {
  const { fact, params, path, operator } = source
  const what = { fact, ...(params && { params }), ...(path !== undefined && { path }) }
  return { kind: 'fact', ...what, operator, expected, holds: !judged.holds }
}

/** How much more, or less, a number has to be; `from` is when what happens now begins to count. */
function waysOfNumber(
  comparison: Comparison,
  from: number,
  { step, down }: { readonly step: number; readonly down: boolean },
): readonly FactTurn[] {
  const { leaf, use, view, expected, judged } = comparison
  if (!Number.isFinite(from) || leaf.path !== undefined) return [wayOf(comparison)]
  const then = from === view.at ? view : viewAt(view, from)
  const actual = use.read(then)
  const test = (value: number) => leaf.test(value, expected)
  // What counts only later, and will have turned by itself until then, is for time to turn.
  if (typeof actual !== 'number' || test(actual) !== judged.holds) return []
  const nearest = stepsToTurn(test, actual, expected, step)
  const way = { ...wayOf(comparison), ...(from > view.at && { from: new Date(from).toISOString() }) }
  const change = changeAhead(use, then)
  const before = (growing: boolean) =>
    change !== undefined && (growing ? change.value < actual : change.value > actual) ? { before: change.at } : {}
  return [
    ...(nearest.up === undefined ? [] : [{ ...way, more: nearest.up, ...before(true) }]),
    ...(nearest.down === undefined || !down ? [] : [{ ...way, more: -nearest.down, ...before(false) }]),
  ]
}

/** What a number becomes next by itself, and when; a number that is no more counts as 0. */
function changeAhead({ changesAt, read }: FactUse, view: SubjectView) {
  const at = changesAt?.(view) ?? Number.POSITIVE_INFINITY
  if (!Number.isFinite(at)) return undefined
  const value = read(viewAt(view, at))
  return { at: new Date(at).toISOString(), value: typeof value === 'number' ? value : 0 }
}
