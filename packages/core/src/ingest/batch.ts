import { type Program, RELATIONS } from '@linli/rules'
import type { Decision, Input, Told } from '../domain/decision.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import type { InboxEntry, LockOptions, StoredEvent, StoreTransaction } from '../ports/store.js'
import { erasedAmong } from '../privacy/tombstones.js'
import { advanceSubjects } from '../subjects/advance-subjects.js'
import { People } from '../subjects/people.js'
import type { Programs } from '../subjects/programs.js'
import { attributed } from './attribution.js'
import { type Contradiction, findContradictions, recordContradictions } from './contradictions.js'
import { confirmNotErased, doubtful, type ErasedNames, refusalOf, tombstoneOf, withoutErased } from './erased.js'
import { confirmIdentities, type Resolved, resolveIdentities } from './identity.js'
import { groupByUser, inputOf, relatedInput, toldOf } from './records.js'
import { unite, userKey } from './unite.js'

/** What became of a batch, by message id. */
export interface BatchResult {
  /** Events that were new. */
  readonly fresh: ReadonlySet<string>
  /** Events that were left out, because another transaction holds their user. */
  readonly held: ReadonlySet<string>
  /** Events that say something else than the one of the same id that was taken in before. */
  readonly contradictory: ReadonlySet<string>
  /** Events that were refused: they are of somebody who was erased. */
  readonly erased: ReadonlySet<string>
}

/** `history`: events of the past, which journeys take no notice of. */
export type IngestMode = 'live' | 'history'

export interface BatchOptions extends LockOptions {
  readonly mode?: IngestMode
  /** Contradictions that were found in what came together with the batch. */
  readonly repeated?: readonly Contradiction[]
  /** The types of identifiers that are unique to a person. */
  readonly unique?: ReadonlySet<string>
}

const NO_IDENTIFIERS: ReadonlySet<string> = new Set()

/**
 * Takes a batch of events in, in one transaction: the log, the subjects they move, decisions and effects. Message ids are
 * unique within the batch. With `passOver` it waits for no other transaction, and leaves out the events of users that one
 * holds.
 */
export async function ingestBatch(
  tx: StoreTransaction,
  programs: Programs,
  batch: readonly StoredEvent[],
  clockNow: number,
  options: BatchOptions = {},
): Promise<BatchResult> {
  const { passOver = false, mode = 'live', repeated = [], unique = NO_IDENTIFIERS } = options
  const edition = await programs.in(tx)
  const { program } = edition
  const now = (await tx.now()) ?? clockNow
  // Where the database's clock decides, it also decides what is still to come.
  const happened = batch.map((event) =>
    event.at > now ? { ...event, at: now, saidAt: event.saidAt ?? event.at } : event,
  )
  const resolved = await resolveIdentities(tx, happened, unique)
  const { links, unions, owners } = resolved
  // Two people become one only with both of them at hand.
  const isPatient = links.length > 0 || unions.length > 0
  const people = await People.lock(tx, programs, edition, subjectsOf(resolved), { passOver: passOver && !isPatient })
  const ownerOf = ({ messageId, userId }: StoredEvent) => people.get(userKey(owners.get(messageId) ?? userId))
  await confirmIdentities(tx, resolved)
  const doubts = doubtful(people.held, resolved)
  const erased = await erasedAmong(tx, doubts)
  if (erased.size > 0) return withoutErasedEvents(tx, programs, batch, { now, erased }, options)
  if (links.length > 0) await tx.linkIdentities(links)
  const used = new Set(happened.map(({ userId }) => userId))
  for (const union of unions) await unite(tx, program, people, union, { now, used })
  const events = happened.filter((event) => ownerOf(event) !== undefined)
  const counted = countedFor(events, (event) => ownerOf(event)?.key.id ?? event.userId, people)
  const writtenAs = new Map(events.map(({ messageId, userId }) => [messageId, userId]))
  const fresh = await tx.addEvents(counted.map((event) => of(event, writtenAs.get(event.messageId) ?? event.userId)))
  const known = events.filter((event) => !fresh.has(event.messageId))
  const contradictions = await findContradictions(tx, known)
  await recordContradictions(tx, [...contradictions, ...repeated], now)
  const byUser = groupByUser(counted.filter((event) => fresh.has(event.messageId)))
  const work = [...byUser].flatMap(([userId, own]) => {
    const subject = people.get(userKey(userId))
    return subject === undefined ? [] : [{ subject, inputs: inputsOf(own, mode, now) }]
  })
  await advanceSubjects(tx, program, work, { strict: true, quietly: mode === 'history' ? 'history' : undefined })
  const { community, leader } = program.subjects
  const concerns = ({ type, event }: StoredEvent) =>
    type === 'group' || community.listensTo.has(event) || leader.listensTo.has(event)
  const words = [...byUser.values()].flatMap((own) =>
    own.filter(concerns).flatMap((event) => wordsToRelated(program, event, now)),
  )
  const inbox = mode === 'history' ? asHistory(words, now) : words
  if (inbox.length > 0) await tx.addInbox(inbox)
  await confirmNotErased(tx, doubts)
  const held = happened.filter((event) => ownerOf(event) === undefined)
  return {
    fresh,
    held: new Set(held.map((event) => event.messageId)),
    contradictory: new Set(contradictions.map(({ event }) => event.messageId)),
    erased: new Set(),
  }
}

/** Refuses events of people who were erased, and takes the others in without the names of those. */
async function withoutErasedEvents(
  tx: StoreTransaction,
  programs: Programs,
  batch: readonly StoredEvent[],
  { now, erased }: { readonly now: number; readonly erased: ErasedNames },
  options: BatchOptions,
): Promise<BatchResult> {
  const refused = new Set<string>()
  const decisions: Decision[] = []
  const others = batch.flatMap((event) => {
    const tombstone = tombstoneOf(event, erased)
    if (tombstone === undefined) return [withoutErased(event, erased)]
    refused.add(event.messageId)
    decisions.push(refusalOf(tombstone, now))
    return []
  })
  await tx.addDecisions(decisions)
  const result = await ingestBatch(tx, programs, others, now, options)
  return { ...result, erased: new Set([...refused, ...result.erased]) }
}

function inputsOf(own: readonly StoredEvent[], mode: IngestMode, at: number): Input[] {
  if (mode === 'live') return own.map((event) => inputOf(event, at))
  return [{ kind: 'history', at, events: own.map(toldOf) }]
}

/** One word to each related subject, with all its events. */
function asHistory(words: readonly InboxEntry[], at: number): InboxEntry[] {
  const told = new Map<string, { key: SubjectKey; events: Told[] }>()
  for (const { key, input } of words) {
    if (input.kind !== 'event') continue
    const { kind: _, at: __, ...one } = input
    const known = told.get(subjectName(key))
    if (known === undefined) told.set(subjectName(key), { key, events: [one] })
    else known.events.push(one)
  }
  return [...told.values()].map(({ key, events }) => ({ key, input: { kind: 'history', at, events } }))
}

function subjectsOf({ owners, links, unions }: Resolved): SubjectKey[] {
  const ids = new Set(owners.values())
  for (const { userId } of links) ids.add(userId)
  for (const { into, from } of unions) ids.add(into).add(from)
  return [...ids].map(userKey)
}

/** An event as one of this user. */
function of(event: StoredEvent, userId: string): StoredEvent {
  return event.userId === userId ? event : { ...event, userId }
}

/** Events by who they are of, each with the community and the leader that it counts for. */
function countedFor(
  events: readonly StoredEvent[],
  whose: (event: StoredEvent) => string,
  people: People,
): readonly StoredEvent[] {
  const byPerson = groupByUser(events.map((event) => of(event, whose(event))))
  return [...byPerson].flatMap(([userId, own]) => attributed(own, people.get(userKey(userId))?.state.relations ?? {}))
}

/** An event also moves the user's community and leader, where their rules look at it. */
export function wordsToRelated(program: Program, event: StoredEvent, at: number): InboxEntry[] {
  return RELATIONS.user.flatMap((relation) => {
    const id = event[relation]
    if (id === undefined) return []
    const { journeysBySchedule } = program.subjects[relation]
    // What begins by itself begins for whoever is known, also where nothing else is asked of them.
    const says = event.type === 'group' && (relation === 'community' || journeysBySchedule.size > 0)
    if (!says && !program.subjects[relation].listensTo.has(event.event)) return []
    return [{ key: { kind: relation, id }, input: relatedInput(relation, event, at) }]
  })
}
