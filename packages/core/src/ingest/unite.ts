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
  const isBetterKnown = union.kind === 'identifier' && standingOf(other.key.id) > standingOf(one.key.id)
  const [into, from] = isBetterKnown ? [other, one] : [one, other]
  const isUsed = from.state.at > 0 || used.has(from.key.id)
  const both = isUsed ? await merged(tx, program, into, from, union, now) : nothingKnown(into, from)
  await write(tx, program, people, into, from, both)
  await tx.relinkIdentities(from.key.id, into.key.id)
  await tellRelated(tx, program, from, into.key.id, now)
}

async function merged(
  tx: StoreTransaction,
  program: Program,
  into: LockedSubject,
  from: LockedSubject,
  { by, messageId }: Union,
  now: number,
): Promise<Merged> {
  const work = [into, from].map((subject) => ({ subject, inputs: [] }))
  const surroundings = await readSurroundings(tx, program, work)
  const id = contentHash([into.key.id, from.key.id, messageId].join('|'), 16)
  return merge(
    into,
    { ...from, isProvisional: isProvisional(from.key.id) },
    program,
    now,
    { merge: id, by, messageId },
    surroundings,
  )
}

/** Nothing happened to whom nothing is known of: only where to look is written down. */
function nothingKnown(into: LockedSubject, from: LockedSubject): Merged {
  const also = [...new Set([...into.state.also, from.key.id, ...from.state.also])]
  const still = (state: SubjectState) => ({ state, decisions: [], effects: [] })
  return { into: still({ ...into.state, also }), from: still({ ...UNBORN, into: into.key.id }) }
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
  { key, state }: LockedSubject,
  to: string,
  at: number,
): Promise<void> {
  const current = RELATIONS.user.flatMap((kind) => {
    const id = state.relations[kind]?.[0]
    return id === undefined ? [] : [subjectName({ kind, id })]
  })
  const names = [...new Set([...current, ...state.left])]
  const words = names.flatMap((name): InboxEntry[] => {
    const [kind, id] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)]
    const relation = RELATIONS.user.find((one) => one === kind)
    if (relation === undefined || !countsPeople(program, relation)) return []
    return [{ key: { kind: relation, id }, input: { kind: 'rename', at, from: key.id, to } }]
  })
  if (words.length > 0) await tx.addInbox(words)
}

function countsPeople({ subjects }: Program, kind: SubjectKey['kind']): boolean {
  return [...subjects[kind].features.values()].some((feature) => feature.renameUser !== undefined)
}

export function userKey(id: string): SubjectKey {
  return { kind: 'user', id }
}
