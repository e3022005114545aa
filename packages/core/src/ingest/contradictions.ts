import { canonicalJson } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { StoredEvent, StoreTransaction } from '../ports/store.js'
import { withoutErasedPeople } from './erased.js'

/** An event that says something else than the one of the same `messageId` that was taken in. */
export interface Contradiction {
  readonly event: StoredEvent
  /** The parts that differ. */
  readonly differs: readonly string[]
}

const PARTS = [
  'type',
  'event',
  'userId',
  'anonymousId',
  'previousId',
  'groupId',
  'properties',
  'traits',
  'identifiers',
] as const

/** What a second event of an id says otherwise than the first; undefined for the same event once more. */
export function contradictionOf(first: StoredEvent, second: StoredEvent): Contradiction | undefined {
  const differs: string[] = PARTS.filter((part) => canonicalJson(first[part]) !== canonicalJson(second[part]))
  const [was, is] = [saidAtOf(first), saidAtOf(second)]
  // One that says no time is placed by when it comes: that is no contradiction.
  if (was !== 0 && is !== 0 && was !== is) differs.push('timestamp')
  return differs.length === 0 ? undefined : { event: second, differs }
}

function saidAtOf({ at, saidAt = at }: StoredEvent): number {
  return saidAt
}

/** Looks for contradictions among events that the log has already. */
export async function findContradictions(
  tx: StoreTransaction,
  known: readonly StoredEvent[],
): Promise<readonly Contradiction[]> {
  if (known.length === 0) return []
  const stored = new Map(
    (await tx.eventsById(known.map((event) => event.messageId))).map((one) => [one.messageId, one]),
  )
  return known.flatMap((event) => {
    const first = stored.get(event.messageId)
    return (first && contradictionOf(first, event)) ?? []
  })
}

/** Writes contradictions down, each event's once however often it is contradicted. */
export async function recordContradictions(
  tx: StoreTransaction,
  found: readonly Contradiction[],
  at: number,
): Promise<void> {
  if (found.length === 0) return
  const marked = await tx.markContradicted(found.map(({ event }) => event.messageId))
  const firsts = new Map(found.map((one) => [one.event.messageId, one] as const).reverse())
  const decisions = [...firsts.values()].reverse().filter(({ event }) => marked.has(event.messageId))
  if (decisions.length === 0) return
  await tx.addDecisions(
    await withoutErasedPeople(
      tx,
      decisions.map((one) => said(one, at)),
    ),
  )
}

function said({ event: { messageId, userId }, differs }: Contradiction, at: number): Decision {
  const message = 'An event of this messageId was taken in before and says something else. The first stands.'
  return {
    at,
    subject: `user:${userId}`,
    decision: 'event.rejected',
    reason: 'event.conflict',
    message,
    messageId,
    differs,
  }
}
