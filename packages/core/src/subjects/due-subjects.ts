import type { Program } from '@linli/rules'
import type { StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from './advance-subjects.js'

/** How many due subjects one transaction advances. */
const BATCH = 500

/** Advances subjects whose time has come: windows that expire, waits that end. Gives how many there were. */
export async function advanceDue(tx: StoreTransaction, program: Program, clockNow: number): Promise<number> {
  const now = (await tx.now()) ?? clockNow
  const due = await tx.takeDueSubjects(now, BATCH)
  if (due.length === 0) return 0
  await advanceSubjects(
    tx,
    program,
    due.map((subject) => ({ subject, inputs: [{ kind: 'instant', at: now }] })),
  )
  return due.length
}
