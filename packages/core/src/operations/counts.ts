import type { DecisionCount } from '../ports/store.js'

/** What a journey has decided, and what became of what it planned. */
export interface Counts {
  readonly entered: number
  /** Runs that ended, by why. */
  readonly exited: Readonly<Record<string, number>>
  /** Who did not enter, by why. */
  readonly held: Readonly<Record<string, number>>
  /** How many runs came to each step. */
  readonly steps: Readonly<Record<string, number>>
  /** How many runs reached the goal. */
  readonly goals: number
  readonly messages: {
    readonly planned: number
    readonly accepted: number
    readonly rejected: number
    readonly parked: number
    readonly deferred: number
    /** Receipts that were taken in; of clicks, one for each link of a message. */
    readonly delivered: number
    readonly opened: number
    readonly clicked: number
    readonly failed: number
    readonly confirmed: number
    readonly declined: number
    /** By why. */
    readonly suppressed: Readonly<Record<string, number>>
  }
  /** `returned`: of those that were issued. */
  readonly coupons: { readonly issued: number; readonly refused: number; readonly returned: number }
  readonly suggestions: number
}

/** Puts counted decisions in order. */
export function countsOf(counted: readonly DecisionCount[]): Counts {
  const of = (kind: DecisionCount['decision']) => counted.filter(({ decision }) => decision === kind)
  const sum = (kind: DecisionCount['decision']) => of(kind).reduce((total, { decisions }) => total + decisions, 0)
  const byReason = (kind: DecisionCount['decision']) =>
    totals(of(kind).map(({ reason, decisions }) => [reason ?? '', decisions] as const))
  return {
    entered: sum('journey.entered'),
    exited: byReason('journey.exited'),
    held: byReason('journey.held'),
    steps: totals(of('journey.stepped').map(({ step = '', runs }) => [step, runs] as const)),
    goals: of('journey.goal').reduce((total, { runs }) => total + runs, 0),
    messages: {
      planned: sum('message.planned'),
      accepted: sum('message.accepted'),
      rejected: sum('message.rejected'),
      parked: sum('message.parked'),
      deferred: sum('message.deferred'),
      delivered: sum('message.delivered'),
      opened: sum('message.opened'),
      clicked: sum('message.clicked'),
      failed: sum('message.failed'),
      confirmed: sum('message.confirmed'),
      declined: sum('message.declined'),
      suppressed: byReason('message.suppressed'),
    },
    coupons: { issued: sum('coupon.issued'), refused: sum('coupon.refused'), returned: sum('coupon.returned') },
    suggestions: sum('suggestion.made'),
  }
}

function totals(counted: readonly (readonly [name: string, count: number])[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>()
  for (const [name, count] of counted) sums.set(name, (sums.get(name) ?? 0) + count)
  return Object.fromEntries(sums)
}
