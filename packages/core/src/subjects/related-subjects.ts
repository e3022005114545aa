import { type Input, messageIdsOf } from '../domain/decision.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import { anonymousIdOf, anonymousUser } from '../ingest/normalise.js'
import type { InboxEntry, StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from './advance-subjects.js'
import type { Programs } from './programs.js'
import { upToDate } from './up-to-date.js'

/** How many words to related subjects one transaction passes on. */
const BATCH = 2000

/**
 * Advances communities, leaders and members by what has been left for them. It is a pass of its own, so that people of
 * one community, who share its row, never wait for one another's batches. Gives how many entries it took.
 */
export async function advanceRelated(tx: StoreTransaction, programs: Programs): Promise<number> {
  const edition = await programs.in(tx)
  const entries = await tx.takeInbox(BATCH)
  if (entries.length === 0) return 0
  const users = await usersNow(tx, entries)
  const inputs = new Map<string, { key: SubjectKey; inputs: Input[] }>()
  for (const { key: addressed, input } of entries) {
    const key = users.get(subjectName(addressed)) ?? addressed
    const known = inputs.get(subjectName(key))
    if (known === undefined) inputs.set(subjectName(key), { key, inputs: [input] })
    else known.inputs.push(input)
  }
  const work = [...inputs.values()]
  const taken = new Set(entries.flatMap(({ input }) => messageIdsOf(input)))
  const found = await tx.lockSubjects(work.map(({ key }) => key))
  const locked = await upToDate(tx, programs, edition, found, taken)
  await advanceSubjects(
    tx,
    edition.program,
    locked.map((subject, index) => ({ subject, inputs: work[index]?.inputs ?? [] })),
  )
  return entries.length
}

/** Visitors that were addressed and have turned out to be users since. */
async function usersNow(
  tx: StoreTransaction,
  entries: readonly InboxEntry[],
): Promise<ReadonlyMap<string, SubjectKey>> {
  const addressed = entries.flatMap(({ key }) => (key.kind === 'user' ? [anonymousIdOf(key.id)] : []))
  const visitors = new Set(addressed.filter((id) => id !== undefined))
  if (visitors.size === 0) return new Map()
  const known = await tx.resolveIdentities([...visitors])
  return new Map([...known].map(([anonymousId, id]) => [`user:${anonymousUser(anonymousId)}`, { kind: 'user', id }]))
}
