import type { EventRecord, SubjectView } from '../subject.js'
import { type Explanation, judged } from './explanation.js'
import { ALWAYS, both, either, NEVER, type Verdict } from './verdict.js'

/** A compiled condition tree about a subject. */
export interface Condition {
  /** Whether time alone never changes the verdict. */
  readonly timeless: boolean
  verdict(view: SubjectView): Verdict
  /** With the subject's log, in any order, also which of its events were counted. */
  explain(view: SubjectView, log?: readonly EventRecord[]): Explanation
}

export function allOf(parts: readonly Condition[]): Condition {
  return combined('all', parts, ALWAYS, both)
}

export function anyOf(parts: readonly Condition[]): Condition {
  return combined('any', parts, NEVER, either)
}

function combined(
  kind: 'all' | 'any',
  parts: readonly Condition[],
  neutral: Verdict,
  combine: (a: Verdict, b: Verdict) => Verdict,
): Condition {
  // Timeless parts first: once one of them decides, time cannot change the verdict and the rest need not be asked.
  const ordered = [...parts].sort((a, b) => Number(b.timeless) - Number(a.timeless))
  const deciding = -neutral
  const verdict = (view: SubjectView) => {
    let result = neutral
    for (const part of ordered) {
      result = combine(result, part.verdict(view))
      if (result === deciding) return result
    }
    return result
  }
  return {
    timeless: parts.every((part) => part.timeless),
    verdict: parts.length === 1 && parts[0] !== undefined ? parts[0].verdict : verdict,
    explain: (view, log) => ({ kind, ...judged(verdict(view)), parts: parts.map((part) => part.explain(view, log)) }),
  }
}

export function notOf(part: Condition): Condition {
  return {
    timeless: part.timeless,
    verdict: (view) => -part.verdict(view),
    explain: (view, log) => ({ kind: 'not', ...judged(-part.verdict(view)), part: part.explain(view, log) }),
  }
}

export function namedAs(name: string, part: Condition): Condition {
  return {
    ...part,
    explain: (view, log) => ({ kind: 'condition', name, ...judged(part.verdict(view)), part: part.explain(view, log) }),
  }
}
