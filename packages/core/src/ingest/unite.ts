import { contentHash, type Program, RELATIONS } from '@linli/rules'
import { type Merged, merge } from '../domain/merge.js'
import { type SubjectKey, type SubjectState, subjectName, UNBORN } from '../domain/subject.js'
import type { InboxEntry, LockedSubject, StoreTransaction } from '../ports/store.js'
import { readSurroundings, writeAdvanced } from '../subjects/advance-subjects.js'
import type { People } from '../subjects/people.js'
import type { Union } from './identity.js'
import { isProvisional, standingOf } from './provisional.js'

/**
 * Makes one of two users who are one. Said again, or the other way round, it changes nothing. `used` are the ids under which
 * events come in right now.
 */
export async function unite(
  tx: StoreTransaction,
  program: Program,
  people: People,
  union: Union,
  { now, used }: { readonly now: number; readonly used: ReadonlySet<string> },
): Promise<void> {
  const said = people.row(userKey(union.from))?.state
  // Of a visitor the first word stands; so it does of a previous id that nobody ever used as a user's.
  const isSaid = said?.into !== undefined && (union.kind === 'visitor' || (union.kind === 'alias' && said.at === 0))
  const [one, other] = [people.get(userKey(union.into)), people.get(userKey(union.from))]
  if (isSaid || one === undefined || other === undefined || one.key.id === other.key.id) return
  if (union.by !== 'alias' && areApart(one, other)) return
  const isBetterKnown = union.kind === 'identifier' && standingOf(other.key.id) > standingOf(one.key.id)
  const [into, from] = isBetterKnown ? [other, one] : [one, other]
  const isUsed = from.state.at > 0 || used.has(from.key.id)
  const id = contentHash([into.key.id, from.key.id, union.messageId].join('|'), 16)
  const both = isUsed ? await merged(tx, program, into, from, { ...union, id, now }) : nothingKnown(into, from)
  await write(tx, program, people, into, from, both)
  const names = await tx.namesOf(from.key.id)
  if (names.length > 0) await tx.relinkIdentities(names, into.key.id)
  if (isUsed) {
    const { by, messageId } = union
    const { before } = both
    await tx.addMerge({ id, at: now, into: into.key.id, from: from.key.id, by, messageId, names, before })
  }
  await tellRelated(tx, program, from, into.key.id, now)
}

async function merged(
  tx: StoreTransaction,
  program: Program,
  into: LockedSubject,
  from: LockedSubject,
  { id, by, messageId, now }: Union & { readonly id: string; readonly now: number },
): Promise<Merged> {
  const work = [into, from].map((subject) => ({ subject, inputs: [] }))
  const surroundings = await readSurroundings(tx, program, work)
  const visitor = { ...from, isProvisional: isProvisional(from.key.id) }
  return merge(into, visitor, program, now, { merge: id, by, messageId }, surroundings)
}

/** Whether somebody has said that they are two: then only an `alias` makes them one. */
function areApart(one: LockedSubject, other: LockedSubject): boolean {
  const isOf = (subject: LockedSubject, apart: readonly string[]) =>
    apart.some((id) => id === subject.key.id || subject.state.also.includes(id))
  return isOf(one, other.state.apart) || isOf(other, one.state.apart)
}

/** Nothing happened to whom nothing is known of: only where to look is written down. */
function nothingKnown(into: LockedSubject, from: LockedSubject): Merged {
  const also = [...new Set([...into.state.also, from.key.id, ...from.state.also])]
  const still = (state: SubjectState) => ({ state, decisions: [], effects: [] })
  const before = { into: into.state, from: from.state }
  return { into: still({ ...into.state, also }), from: still({ ...UNBORN, into: into.key.id }), before }
}

async function write(
  tx: StoreTransaction,
  program: Program,
  people: People,
  into: LockedSubject,
  from: LockedSubject,
  merged: Merged,
): Promise<void> {
  await writeAdvanced(tx, program, [
    { subject: from, advanced: merged.from },
    { subject: into, advanced: merged.into },
  ])
  people.put({ ...from, state: merged.from.state, isNew: false })
  people.put({ ...into, state: merged.into.state, isNew: false })
}

/** Communities and leaders that tell people apart count the two as one. */
async function tellRelated(
  tx: StoreTransaction,
  program: Program,
  { key: { id: from }, state }: LockedSubject,
  to: string,
  at: number,
): Promise<void> {
  const words = relatedThatCount(program, state).map((key): InboxEntry => {
    return { key, input: { kind: 'rename', at, from, to } }
  })
  if (words.length > 0) await tx.addInbox(words)
}

/** The communities and leaders that a user has or had, where rules of theirs tell people apart. */
export function relatedThatCount(program: Program, { relations, left }: SubjectState): readonly SubjectKey[] {
  const current = RELATIONS.user.flatMap((kind) => {
    const id = relations[kind]?.[0]
    return id === undefined ? [] : [subjectName({ kind, id })]
  })
  return [...new Set([...current, ...left])].flatMap((name) => {
    const [kind, id] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)]
    const relation = RELATIONS.user.find((one) => one === kind)
    return relation === undefined || !countsPeople(program, relation) ? [] : [{ kind: relation, id }]
  })
}

function countsPeople({ subjects }: Program, kind: SubjectKey['kind']): boolean {
  return [...subjects[kind].features.values()].some((feature) => feature.renameUser !== undefined)
}

export function userKey(id: string): SubjectKey {
  return { kind: 'user', id }
}
