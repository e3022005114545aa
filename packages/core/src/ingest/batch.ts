import { type Program, RELATIONS } from '@linli/rules'
import type { Input } from '../domain/decision.js'
import { merge } from '../domain/merge.js'
import { type SubjectKey, UNBORN } from '../domain/subject.js'
import type { InboxEntry, LockedSubject, LockOptions, StoredEvent, StoreTransaction } from '../ports/store.js'
import { advanceSubjects, readSurroundings, writeAdvanced } from '../subjects/advance-subjects.js'
import type { Programs } from '../subjects/programs.js'
import { upToDate } from '../subjects/up-to-date.js'
import { attributed } from './attribution.js'
import { type Contradiction, findContradictions, recordContradictions } from './contradictions.js'
import { confirmIdentities, type IdentityLink, resolveIdentities } from './identity.js'
import { anonymousUser } from './normalise.js'
import { groupByUser, groupChanges, inputOf, recordOf } from './records.js'

/** What became of a batch, by message id. */
export interface BatchResult {
  /** Events that were new. */
  readonly fresh: ReadonlySet<string>
  /** Events that were left out, because another transaction holds their user. */
  readonly held: ReadonlySet<string>
  /** Events that say something else than the one of the same id that was taken in before. */
  readonly contradictory: ReadonlySet<string>
}

/**
 * Takes a batch of events in, in one transaction: the log, the subjects they move, decisions and effects. Message ids are
 * unique within the batch. With `passOver` it waits for no other transaction, and leaves out the events of users that one
 * holds. `repeated` are contradictions that the caller has found in what came together with the batch.
 */
export async function ingestBatch(
  tx: StoreTransaction,
  programs: Programs,
  batch: readonly StoredEvent[],
  clockNow: number,
  { passOver = false, repeated = [] }: LockOptions & { readonly repeated?: readonly Contradiction[] } = {},
): Promise<BatchResult> {
  const edition = await programs.in(tx)
  const { program } = edition
  const now = (await tx.now()) ?? clockNow
  // Where the database's clock decides, it also decides what is still to come.
  const happened = batch.map((event) =>
    event.at > now ? { ...event, at: now, saidAt: event.saidAt ?? event.at } : event,
  )
  const resolved = await resolveIdentities(tx, happened)
  const { links } = resolved
  // Two people become one only with both of them at hand.
  const options = { passOver: passOver && links.length === 0 }
  const keys = subjectsOf(resolved.events, links)
  const current = await upToDate(tx, programs, edition, await tx.lockSubjects(keys, options))
  const locked = new Map(current.map((subject) => [subject.key.id, subject]))
  if (links.length > 0) await tx.linkIdentities(links)
  await confirmIdentities(tx, resolved)
  const events = resolved.events.filter((event) => locked.has(event.userId))
  for (const link of links) await mergeVisitor(tx, program, link, locked, now)
  const counted = [...groupByUser(events)].flatMap(([userId, own]) =>
    attributed(own, locked.get(userId)?.state.relations ?? {}),
  )
  const fresh = await tx.addEvents(counted)
  const contradictions = await findContradictions(
    tx,
    counted.filter((event) => !fresh.has(event.messageId)),
  )
  await recordContradictions(tx, [...contradictions, ...repeated], now)
  const byUser = groupByUser(counted.filter((event) => fresh.has(event.messageId)))
  const work = [...byUser].flatMap(([userId, own]) => {
    const subject = locked.get(userId)
    return subject === undefined ? [] : [{ subject, inputs: own.map((event) => inputOf(event, now)) }]
  })
  await advanceSubjects(tx, program, work, { strict: true })
  const { community, leader } = program.subjects
  const concerns = ({ type, event }: StoredEvent) =>
    type === 'group' || community.listensTo.has(event) || leader.listensTo.has(event)
  const inbox = [...byUser.values()].flatMap((own) =>
    own.filter(concerns).flatMap((event) => wordsToRelated(program, event, now)),
  )
  if (inbox.length > 0) await tx.addInbox(inbox)
  const held = resolved.events.filter((event) => !locked.has(event.userId))
  return {
    fresh,
    held: new Set(held.map((event) => event.messageId)),
    contradictory: new Set(contradictions.map(({ event }) => event.messageId)),
  }
}

function subjectsOf(events: readonly StoredEvent[], links: readonly IdentityLink[]): SubjectKey[] {
  const ids = new Set(events.map((event) => event.userId))
  for (const { anonymousId, userId } of links) ids.add(userId).add(anonymousUser(anonymousId))
  return [...ids].map((id) => ({ kind: 'user', id }))
}

/**
 * Joins what is known of an anonymous visitor to the user. The visitor's row stays, empty: a batch that is creating it
 * at this moment conflicts with it, runs again and finds the user.
 */
async function mergeVisitor(
  tx: StoreTransaction,
  program: Program,
  { anonymousId, userId }: IdentityLink,
  locked: Map<string, LockedSubject>,
  now: number,
): Promise<void> {
  const visitor = locked.get(anonymousUser(anonymousId))
  const user = locked.get(userId)
  if (visitor === undefined || user === undefined) return
  if (visitor.state.at > 0) {
    const surroundings = await readSurroundings(
      tx,
      program,
      [user, visitor].map((subject) => ({ subject, inputs: [] })),
    )
    const advanced = merge(user, visitor, program, now, surroundings)
    await writeAdvanced(tx, program, [{ subject: user, advanced }])
    locked.set(userId, { ...user, state: advanced.state, isNew: false })
    await tx.reassignEvents(visitor.key.id, userId)
  }
  await tx.saveSubjects([{ key: visitor.key, state: UNBORN, dueAt: undefined, isNew: visitor.isNew }])
}

/** An event also moves the user's community and leader, where their rules look at it. */
export function wordsToRelated(program: Program, event: StoredEvent, at: number): InboxEntry[] {
  const record = recordOf(event)
  return RELATIONS.user.flatMap((relation) => {
    const id = event[relation]
    if (id === undefined) return []
    const changes = event.type === 'group' && relation === 'community' ? groupChanges(event) : undefined
    if (changes === undefined && !program.subjects[relation].listensTo.has(event.event)) return []
    const input: Input = { kind: 'event', at, event: record, member: event.userId, ...(changes && { changes }) }
    return [{ key: { kind: relation, id }, input }]
  })
}
