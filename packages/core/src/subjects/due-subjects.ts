import { subjectName } from '../domain/subject.js'
import type { Portion } from '../poison.js'
import type { StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from './advance-subjects.js'
import { refreshBaseline } from './baselines.js'
import type { Programs } from './programs.js'
import { upToDate } from './up-to-date.js'

/** How many due subjects one transaction advances at most. */
export const MOST_DUE = 500

/**
 * Does what time has made due: a baseline, else subjects whose windows expire or whose waits end. Gives how many there were.
 */
export async function advanceDue(
  tx: StoreTransaction,
  programs: Programs,
  clockNow: number,
  portion: Portion,
): Promise<number> {
  const edition = await programs.in(tx)
  const now = (await tx.now()) ?? clockNow
  // First, or what is due at the same instant would be compared with what is over.
  const measured = await refreshBaseline(tx, programs, edition, now)
  if (measured > 0) return measured
  const taken = await tx.takeDueSubjects(now, portion.limit)
  const failure = portion.take(taken, ({ key }) => subjectName(key))
  const due = await upToDate(tx, programs, edition, taken)
  if (due.length === 0) return 0
  await advanceSubjects(
    tx,
    edition.program,
    due.map((subject) => ({ subject, inputs: [{ kind: 'instant', at: now }] })),
    { failure },
  )
  return due.length
}
