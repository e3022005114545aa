import { type Input, messageIdsOf } from '../domain/decision.js'
import { subjectName } from '../domain/subject.js'
import type { Portion } from '../poison.js'
import type { LockedSubject, StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from './advance-subjects.js'
import { People } from './people.js'
import type { Programs } from './programs.js'

/** How many words to related subjects one transaction passes on at most. */
export const MOST_WORDS = 2000

/**
 * Advances communities, leaders and members by what has been left for them. It is a pass of its own, so that people of
 * one community, who share its row, never wait for one another's batches. Gives how many entries it took.
 */
export async function advanceRelated(tx: StoreTransaction, programs: Programs, portion: Portion): Promise<number> {
  const edition = await programs.in(tx)
  const entries = await tx.takeInbox(portion.limit)
  const failure = portion.take(entries, (entry) => JSON.stringify(entry))
  if (entries.length === 0) return 0
  const taken = new Set(entries.flatMap(({ input }) => messageIdsOf(input)))
  const keys = entries.map(({ key }) => key)
  const people = await People.lock(tx, programs, edition, keys, { taken })
  const work = new Map<string, { subject: LockedSubject; inputs: Input[] }>()
  for (const { key, input } of entries) {
    const subject = people.get(key)
    if (subject === undefined) continue
    const known = work.get(subjectName(subject.key))
    if (known === undefined) work.set(subjectName(subject.key), { subject, inputs: [input] })
    else known.inputs.push(input)
  }
  await advanceSubjects(tx, edition.program, [...work.values()], { failure })
  return entries.length
}
