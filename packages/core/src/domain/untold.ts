import type { Input, ReturnEffect } from './decision.js'
import type { Draft } from './draft.js'
import type { Run, StepSource, SubjectState, UntoldCoupon } from './subject.js'

// Coupons of offers with `"returns": "unsent"`. Of each, the state knows which messages and suggestions may yet tell its code: from
// when they are planned until it is certain that they never will. What may have told it once is never forgotten for a
// return: the coupon is then no longer among these. So a code that anybody may know stays with its holder.

/** What became of a message or suggestion that was to tell a code. */
export interface Telling {
  readonly source: StepSource
  readonly code: string
  /** Left out: it was told, or may have been. */
  readonly why?: string
}

/** Keeps in mind a coupon that was issued just now, where its offer takes back what nobody was told. */
export function keepUntold(draft: Draft, run: Run, input: Extract<Input, { kind: 'outcome' }>): void {
  const { coupon, grant, step } = input
  if (coupon === undefined || grant === undefined) return
  if (draft.program.offers.get(coupon.offer)?.returns !== 'unsent') return
  const source = { journey: run.journey, run: run.id, step, ...(run.moves !== undefined && { moves: run.moves }) }
  draft.untold = [...draft.untold, { grant, coupon, source, open: [] }]
}

/** A message or suggestion of the run is planned, which may read the coupon that was issued last. */
export function mayTell(draft: Draft, { coupon }: Run, source: StepSource): void {
  if (coupon === undefined || draft.untold.length === 0) return
  draft.untold = draft.untold.map((one) =>
    isOf(one, source.run, coupon.code) ? { ...one, open: [...one.open, visitOf(source)] } : one,
  )
}

/** A run has ended: its coupons go back whose codes nobody can be told any more. */
export function giveBackUntold(draft: Draft, { id }: Run): void {
  const over = draft.untold.filter((one) => one.source.run === id && one.open.length === 0)
  if (over.length === 0) return
  draft.untold = draft.untold.filter((one) => !over.includes(one))
  for (const one of over) draft.effects.push(returnOf(one, draft.at))
}

/** Follows what became of a message; where its run is over and nothing else may tell the code, gives the coupon to be put back. */
export function followTelling(
  state: SubjectState,
  { source, code, why }: Telling,
): { readonly state: SubjectState; readonly over?: UntoldCoupon } {
  const known = state.untold.find((one) => isOf(one, source.run, code))
  const at = known?.open.indexOf(visitOf(source)) ?? -1
  if (known === undefined || (why !== undefined && at < 0)) return { state }
  const others = state.untold.filter((one) => one !== known)
  if (why === undefined) return { state: { ...state, untold: others } }
  const after = { ...known, open: known.open.toSpliced(at, 1), why }
  const isOver = after.open.length === 0 && !state.runs.some(({ id }) => id === source.run)
  if (isOver) return { state: { ...state, untold: others }, over: after }
  return { state: { ...state, untold: state.untold.map((one) => (one === known ? after : one)) } }
}

export function returnOf({ grant, coupon, source, why = 'no message' }: UntoldCoupon, at: number): ReturnEffect {
  return { kind: 'return', grant, coupon, source, reason: why, at }
}

function isOf({ source, coupon }: UntoldCoupon, run: string, code: string): boolean {
  return source.run === run && coupon.code === code
}

/** A run that moved to another version of its journey may come to a step again. */
function visitOf({ step, moves = 0 }: StepSource): string {
  return `${moves}/${step}`
}
