import type { Others, SubjectKind, SubjectProgram, SubjectView } from '@linli/rules'
import type { SubjectKey, SubjectState } from './subject.js'
import { viewOf } from './view.js'

/** A subject's id, and what a figure comes to for it. */
export type Measured = readonly [id: string, ...quantities: number[]]

/** What all subjects of a kind came to at one instant: what each of them is compared with until the next one. */
export interface Baseline {
  readonly kind: SubjectKind
  /** When it was worked out. */
  readonly at: number
  /** By the key of a figure: those who have it. */
  readonly figures: Readonly<Record<string, readonly Measured[]>>
}

const HOUR = 3_600_000

/**
 * When a kind's baseline is worked out after something has changed at `at`: at the next full hour. What happens at a full
 * hour comes too late for it.
 */
export function nextBaselineAt(at: number): number {
  return (Math.floor(at / HOUR) + 1) * HOUR
}

/** Measures subjects one after the other, at one instant. */
export class BaselineDraft {
  private readonly measured: ReadonlyMap<string, Measured[]>
  private changesAt = Number.POSITIVE_INFINITY

  constructor(
    private readonly kind: SubjectKind,
    private readonly at: number,
    private readonly rules: SubjectProgram,
  ) {
    this.measured = new Map([...rules.figures.keys()].map((key) => [key, []]))
  }

  add(id: string, state: SubjectState): void {
    const { kind, at, rules } = this
    const known = viewOf({ kind, id }, state, at)
    // A score may have been due at this very instant.
    const score = (one: string): number => rules.scoresById.get(one)?.evaluate(view)[0] ?? 0
    const view: SubjectView = { ...known, score }
    for (const [key, figure] of rules.figures) {
      const quantities = figure.measure(view)
      if (quantities !== undefined) this.measured.get(key)?.push([id, ...quantities])
      this.changesAt = Math.min(this.changesAt, figure.changesAt(view))
    }
  }

  /** The baseline, and when it has to be worked out again although nothing happens; undefined: never. */
  result(): { readonly baseline: Baseline; readonly dueAt: number | undefined } {
    const { kind, at, measured, changesAt } = this
    // At a full hour, what enters and leaves then is counted already.
    const dueAt = Number.isFinite(changesAt) ? Math.ceil(changesAt / HOUR) * HOUR : undefined
    return { baseline: { kind, at, figures: Object.fromEntries(measured) }, dueAt }
  }
}

/** All others than one subject, by the baseline of its kind. */
export function othersIn(baselines: readonly Baseline[], { kind, id }: SubjectKey, figure: string): Others | undefined {
  const baseline = baselines.find((one) => one.kind === kind)
  const measured = baseline?.figures[figure]
  if (baseline === undefined || measured === undefined) return undefined
  const { byId, sums, sorted } = summaryOf(measured)
  const own = byId.get(id)
  return {
    at: baseline.at,
    count: measured.length - (own === undefined ? 0 : 1),
    total: own === undefined ? sums : sums.map((sum, index) => sum - (own[index] ?? 0)),
    above: (value) => countAbove(sorted, value) - (own !== undefined && (own[0] ?? 0) > value ? 1 : 0),
  }
}

interface Summary {
  readonly byId: ReadonlyMap<string, readonly number[]>
  readonly sums: readonly number[]
  /** First quantities, the least first. */
  readonly sorted: Float64Array
}

/** Worked out once for each list, however many subjects are compared with it. */
const summaries = new WeakMap<readonly Measured[], Summary>()

function summaryOf(measured: readonly Measured[]): Summary {
  const known = summaries.get(measured)
  if (known !== undefined) return known
  const byId = new Map(measured.map(([id, ...quantities]) => [id, quantities] as const))
  const sums: number[] = []
  for (const quantities of byId.values()) {
    quantities.forEach((quantity, index) => {
      sums[index] = (sums[index] ?? 0) + quantity
    })
  }
  const sorted = Float64Array.from(measured, ([, value = 0]) => value).sort()
  const summary = { byId, sums, sorted }
  summaries.set(measured, summary)
  return summary
}

function countAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return sorted.length - low
}
