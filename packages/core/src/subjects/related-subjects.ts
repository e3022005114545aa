import type { Program } from '@linli/rules'
import type { Input } from '../domain/decision.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import type { StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from './advance-subjects.js'

/** How many words to related subjects one transaction passes on. */
const BATCH = 2000

/**
 * Advances communities, leaders and members by what has been left for them. It is a pass of its own, so that people of
 * one community, who share its row, never wait for one another's batches. Gives how many entries it took.
 */
export async function advanceRelated(tx: StoreTransaction, program: Program): Promise<number> {
  const entries = await tx.takeInbox(BATCH)
  if (entries.length === 0) return 0
  const inputs = new Map<string, { key: SubjectKey; inputs: Input[] }>()
  for (const { key, input } of entries) {
    const known = inputs.get(subjectName(key))
    if (known === undefined) inputs.set(subjectName(key), { key, inputs: [input] })
    else known.inputs.push(input)
  }
  const work = [...inputs.values()]
  const locked = await tx.lockSubjects(work.map(({ key }) => key))
  await advanceSubjects(
    tx,
    program,
    locked.map((subject, index) => ({ subject, inputs: work[index]?.inputs ?? [] })),
  )
  return entries.length
}
