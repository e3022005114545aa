import { type Program, RELATIONS, type RelationName } from '@linli/rules'
import { planDeliveries } from '../delivery/plan.js'
import { type Advanced, advance } from '../domain/advance.js'
import type { Effect, Input } from '../domain/decision.js'
import type { RelatedVerdicts } from '../domain/draft.js'
import { hasTag, type SubjectKey, subjectName, UNBORN } from '../domain/subject.js'
import type { InboxEntry, LockedSubject, SavedSubject, StoreTransaction } from '../ports/store.js'

/** A subject whose lock is held, and what is to move it. */
export interface SubjectWork {
  readonly subject: LockedSubject
  readonly inputs: readonly Input[]
}

/** A subject that was advanced, before it is written back. */
export interface AdvancedSubject {
  readonly subject: LockedSubject
  readonly advanced: Advanced
}

/** Advances locked subjects and writes back what came of it: states, decisions, deliveries, words to related subjects. */
export async function advanceSubjects(
  tx: StoreTransaction,
  program: Program,
  work: readonly SubjectWork[],
): Promise<readonly AdvancedSubject[]> {
  const related = await readRelated(tx, program, work)
  const advanced = work.map(({ subject, inputs }) => ({
    subject,
    advanced: advance(subject.key, subject.state, inputs, program, related),
  }))
  await writeAdvanced(tx, advanced)
  return advanced
}

/** Writes back subjects that were advanced. */
export async function writeAdvanced(tx: StoreTransaction, advanced: readonly AdvancedSubject[]): Promise<void> {
  const decisions = advanced.flatMap((one) => one.advanced.decisions)
  const deliveries = advanced.flatMap(({ subject, advanced: { effects } }) => planDeliveries(subject.key, effects))
  const inbox: InboxEntry[] = []
  for (const { subject, advanced: one } of advanced) {
    if (one.effects.length > 0) inbox.push(...(await wordsToMembers(tx, subject.key, one.effects, one.state.at)))
  }
  await tx.saveSubjects(advanced.map(({ subject, advanced: { state } }) => saved(subject, state)))
  if (decisions.length > 0) await tx.addDecisions(decisions)
  if (deliveries.length > 0) await tx.addDeliveries(deliveries)
  if (inbox.length > 0) await tx.addInbox(inbox)
}

function saved({ key, dueAt, isNew }: LockedSubject, state: SavedSubject['state']): SavedSubject {
  // An index entry costs more than a look at a row where nothing is due yet: a time that is too early stays as it is.
  const early = dueAt !== undefined && dueAt > state.at && (state.due === 0 || dueAt <= state.due)
  return { key, state, isNew, dueAt: early ? dueAt : state.due === 0 ? undefined : state.due }
}

/** What the rules of these subjects read of the subjects they are related to. */
export async function readRelated(
  tx: StoreTransaction,
  program: Program,
  work: readonly SubjectWork[],
): Promise<RelatedVerdicts> {
  const keys = new Map<string, SubjectKey>()
  for (const { subject, inputs } of work) {
    for (const relation of program.subjects[subject.key.kind].reads) {
      for (const id of relationIds(subject, inputs, relation)) keys.set(`${relation}:${id}`, { kind: relation, id })
    }
  }
  if (keys.size === 0) return () => false
  const peeked = await tx.peekSubjects([...keys.values()])
  const states = new Map(peeked.map(({ key, state }) => [subjectName(key), state]))
  return (relation, id, verdict) => hasTag(states.get(`${relation}:${id}`) ?? UNBORN, verdict)
}

/** The subjects this one is related to, before or after its inputs. */
function relationIds({ state }: LockedSubject, inputs: readonly Input[], relation: RelationName): string[] {
  const ids = inputs.map((input) => ('changes' in input ? input.changes?.relations?.[relation] : undefined))
  return [state.relations[relation]?.[0], ...ids].filter((id) => id !== undefined)
}

/** What members of a community (or a leader's people) are to be told. */
async function wordsToMembers(
  tx: StoreTransaction,
  { kind, id }: SubjectKey,
  effects: readonly Effect[],
  at: number,
): Promise<InboxEntry[]> {
  if (kind === 'user') return []
  const leads = effects.filter((effect) => effect.kind === 'lead')
  const inputs = leads.filter(({ member }) => member === undefined).map((lead) => leaderIs(lead.leader, lead.at, at))
  if (effects.some((effect) => effect.kind === 'refresh')) inputs.push({ kind: 'refresh', at, relation: kind })
  const joined = leads.flatMap(({ member, leader, at: since }): InboxEntry[] =>
    member === undefined ? [] : [{ key: { kind: 'user', id: member }, input: leaderIs(leader, since, at) }],
  )
  if (inputs.length === 0) return joined
  const readers = (['user', 'community'] as const).filter((reader) => RELATIONS[reader].includes(kind))
  const members = (await Promise.all(readers.map((reader) => tx.relatedTo(reader, kind, id)))).flat()
  return [...joined, ...members.flatMap((key) => inputs.map((input) => ({ key, input })))]
}

/** Tells a member of a community who its leader is. */
function leaderIs(leader: string, since: number, at: number): Input {
  return { kind: 'refresh', at, relation: 'community', changes: { relations: { leader } }, changedAt: since }
}
