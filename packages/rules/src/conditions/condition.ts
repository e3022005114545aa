import type { SubjectView } from '../subject.js'
import { ALWAYS, both, either, holds, NEVER, until, type Verdict } from './verdict.js'

/** A compiled condition tree about a subject. */
export interface Condition {
  /** Whether time alone never changes the verdict. */
  readonly timeless: boolean
  verdict(view: SubjectView): Verdict
  explain(view: SubjectView): Explanation
}

/** Why a condition holds or not, with the values that made it so. */
export type Explanation =
  | (Judged & { readonly kind: 'all' | 'any'; readonly parts: readonly Explanation[] })
  | (Judged & { readonly kind: 'not'; readonly part: Explanation })
  | (Judged & { readonly kind: 'condition'; readonly name: string; readonly part: Explanation })
  | (Judged & {
      readonly kind: 'fact'
      readonly fact: string
      readonly params?: Readonly<Record<string, unknown>>
      readonly path?: string
      readonly operator: string
      readonly expected: unknown
      readonly actual: unknown
    })

interface Judged {
  readonly holds: boolean
  /** When the verdict can next change by itself; null when only something new can change it. */
  readonly until: string | null
}

export function judged(verdict: Verdict): Judged {
  const at = until(verdict)
  return { holds: holds(verdict), until: Number.isFinite(at) ? new Date(at).toISOString() : null }
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
    explain: (view) => ({ kind, ...judged(verdict(view)), parts: parts.map((part) => part.explain(view)) }),
  }
}

export function notOf(part: Condition): Condition {
  return {
    timeless: part.timeless,
    verdict: (view) => -part.verdict(view),
    explain: (view) => ({ kind: 'not', ...judged(-part.verdict(view)), part: part.explain(view) }),
  }
}

export function namedAs(name: string, part: Condition): Condition {
  return {
    ...part,
    explain: (view) => ({ kind: 'condition', name, ...judged(part.verdict(view)), part: part.explain(view) }),
  }
}
