import type { Draft } from './draft.js'
import { moveGoal } from './goals.js'
import { exitRun, replaceRun } from './runs.js'
import { runSteps } from './steps.js'
import type { Run } from './subject.js'

/** What a version of the rules makes of runs that began before it. */
export interface Fate {
  /** Runs of this journey; left out: of every journey. */
  readonly journey?: string
  /** Runs of this definition stay as they are: it is the one that the version brought. */
  readonly hash?: string
  readonly then: 'stop' | { readonly moveTo: string }
}

/** A fate with the version that it came with, and since when that is in force. */
export type DatedFate = Fate & { readonly version: number; readonly at: number }

type Move = DatedFate & { readonly hash: string; readonly then: { readonly moveTo: string } }

/** Ends the runs that some version has stopped, each at the instant of that version. Fates come in the order of versions. */
export function endStopped(draft: Draft, fates: readonly DatedFate[]): void {
  const from = draft.at
  for (const fate of fates) {
    if (fate.then !== 'stop') continue
    draft.at = Math.max(from, fate.at)
    for (const run of draft.runs)
      if (stopOf(run, fates) === fate) exitRun(draft, run, reasonOf(fate), { rules: fate.version })
  }
}

function reasonOf({ hash }: Fate): string {
  return hash === undefined ? 'stopped' : 'stopped by a newer version'
}

/** Ends the runs whose definition, or the one that they would move to, does not fit the rules any more. */
export function endLost(draft: Draft, fates: readonly DatedFate[]): void {
  for (const run of draft.runs) {
    const hash = moveOf(run, fates)?.hash ?? run.hash
    if (!draft.program.journeysByHash.has(hash)) exitRun(draft, run, 'its journey no longer fits the rules')
  }
}

/** Takes runs to the definition, and the step, that a version has moved them to; says whether there were any. */
export function moveRuns(draft: Draft, fates: readonly DatedFate[]): boolean {
  const moves = draft.runs.flatMap((run) => {
    const move = moveOf(run, fates)
    return move === undefined ? [] : [{ run, move }]
  })
  for (const { run, move } of moves) moveRun(draft, run, move)
  return moves.length > 0
}

function moveRun(draft: Draft, run: Run, { hash, version, then: { moveTo } }: Move): void {
  const journey = draft.program.journeysByHash.get(hash)
  const step = journey?.stepIndex.get(moveTo)
  if (journey === undefined || step === undefined) return exitRun(draft, run, 'its journey no longer fits the rules')
  // The new definition has exits of its own.
  const { exitsAt: _, ...going } = run
  if (run.pending !== undefined) return replaceRun(draft, { ...going, hash })
  const moved = { ...going, hash, moves: (run.moves ?? 0) + 1 }
  moveGoal(draft, journey, moved)
  runSteps(draft, journey, moved, step, { moved: true, from: run.step, version: journey.version, rules: version })
}

/** The first fate that ends a run, as it moves from version to version. */
function stopOf(run: Run, fates: readonly DatedFate[]): DatedFate | undefined {
  return pathOf(run, fates).find(({ then }) => then === 'stop')
}

/** The last move of a run that nothing ends. */
function moveOf(run: Run, fates: readonly DatedFate[]): Move | undefined {
  return pathOf(run, fates).findLast(isMove)
}

function pathOf(run: Run, fates: readonly DatedFate[]): readonly DatedFate[] {
  const path: DatedFate[] = []
  let { hash } = run
  for (const fate of fates) {
    const concerns = (fate.journey === undefined || fate.journey === run.journey) && fate.hash !== hash
    if (!concerns) continue
    path.push(fate)
    if (isMove(fate)) hash = fate.hash
  }
  return path
}

function isMove(fate: DatedFate): fate is Move {
  return fate.then !== 'stop' && fate.hash !== undefined
}
