import {
  type Program,
  RELATIONS,
  type RelationName,
  SUBJECT_KINDS,
  type SubjectKind,
  type SubjectProgram,
} from '@linli/rules'
import { planDeliveries } from '../delivery/plan.js'
import { type Advanced, advance, nobodyOf } from '../domain/advance.js'
import { nextBaselineAt, othersIn } from '../domain/baseline.js'
import type { Decision, Effect, Input, Occasion } from '../domain/decision.js'
import { hasTag, type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import { ALONE, type Surroundings } from '../domain/surroundings.js'
import type { Failure } from '../poison.js'
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

/** How long a subject that cannot be advanced is left alone, in milliseconds. */
const POISON_PAUSE_MS = 3_600_000

export interface AdvanceOptions {
  /** Throw where a subject cannot be advanced. */
  readonly strict?: boolean
  /** What this very work failed by: all of it is left alone. */
  readonly failure?: Failure | undefined
  /** Journeys of those who hear of it take no notice. */
  readonly quietly?: Occasion | undefined
}

/**
 * Advances locked subjects and writes back what came of it: states, decisions, deliveries, words to related subjects. A
 * subject that cannot be advanced is left as it is, with a decision that says so, and never holds up the others; `strict`
 * throws instead, for callers that can refuse what they brought.
 */
export async function advanceSubjects(
  tx: StoreTransaction,
  program: Program,
  work: readonly SubjectWork[],
  { strict = false, failure, quietly }: AdvanceOptions = {},
): Promise<readonly AdvancedSubject[]> {
  const surroundings = await readSurroundings(tx, program, work)
  const advanced = work.map(({ subject, inputs }) => {
    if (failure !== undefined) return { subject, advanced: leftAlone(subject, inputs, failure.error) }
    try {
      return { subject, advanced: advance(subject.key, subject.state, inputs, program, surroundings) }
    } catch (error) {
      if (strict) throw error
      return { subject, advanced: leftAlone(subject, inputs, error) }
    }
  })
  await writeAdvanced(tx, program, advanced, quietly)
  return advanced
}

function leftAlone({ key, state }: LockedSubject, inputs: readonly Input[], error: unknown): Advanced {
  const at = Math.max(state.at, ...inputs.map((input) => input.at))
  const message = error instanceof Error ? error.name : 'unknown'
  const decision = {
    at,
    subject: subjectName(key),
    decision: 'event.rejected' as const,
    reason: 'event.failed',
    message,
  }
  return { state: { ...state, at, due: at + POISON_PAUSE_MS }, decisions: [decision], effects: [] }
}

/** Writes back subjects that were advanced, and leaves words for those who are related to them. */
export async function writeAdvanced(
  tx: StoreTransaction,
  program: Program,
  advanced: readonly AdvancedSubject[],
  quietly?: Occasion,
): Promise<void> {
  const decisions: Decision[] = []
  const known: SavedSubject[] = []
  const inbox: InboxEntry[] = []
  for (const one of advanced) {
    const { subject, advanced: made } = one
    for (const decision of made.decisions) decisions.push(decision)
    if (!isNobody(subject, made.state)) known.push(saved(subject, made.state))
    greet(program, one, quietly, inbox)
  }
  const wishing = advanced.filter((one) => one.advanced.effects.length > 0)
  const deliveries = wishing.flatMap(({ subject, advanced: { effects } }) => planDeliveries(subject.key, effects))
  await tx.saveSubjects(known)
  if (decisions.length > 0) await tx.addDecisions(decisions)
  if (deliveries.length > 0) await tx.addDeliveries(deliveries)
  // Once the states are written: who has come to a community in this very batch belongs to it.
  for (const { subject, advanced: one } of wishing) {
    const { kind, id } = subject.key
    if (kind !== 'user') inbox.push(...(await wordsToMembers(tx, { kind, id }, one.effects, one.state.at)))
  }
  if (inbox.length > 0) await tx.addInbox(inbox)
  if (wishing.length === 0) return
  const moved = wishing.filter(({ advanced: { effects } }) => effects.some(({ kind }) => kind === 'figures'))
  if (moved.length > 0) for (const kind of SUBJECT_KINDS) await scheduleBaseline(tx, kind, moved)
  await relearn(tx, wishing)
}

/** A user of whom nothing is known gets no row by words that came too late, or by names that nobody had. */
function isNobody({ key, isNew }: LockedSubject, { at, into, also }: SubjectState): boolean {
  return isNew && key.kind === 'user' && at === 0 && into === undefined && also.length === 0
}

/** Subjects that have to be read again from the log are out of date, and looked at soon. */
async function relearn(tx: StoreTransaction, wishing: readonly AdvancedSubject[]): Promise<void> {
  const wanting = wishing.filter(({ advanced: { effects } }) => effects.some(({ kind }) => kind === 'relearn'))
  if (wanting.length === 0) return
  await tx.outdate(wanting.map(({ subject }) => subject.key))
  await tx.addInbox(
    wanting.map(({ subject: { key }, advanced: { state } }) => ({ key, input: { kind: 'instant', at: state.at } })),
  )
}

/** What these subjects have brought to the figures of their kind counts from the next baseline on. */
async function scheduleBaseline(tx: StoreTransaction, kind: SubjectKind, wishing: readonly AdvancedSubject[]) {
  const moved = wishing
    .filter(({ subject }) => subject.key.kind === kind)
    .flatMap(({ advanced: { effects } }) => effects.filter((effect) => effect.kind === 'figures'))
  if (moved.length === 0) return
  await tx.scheduleBaseline(kind, nextBaselineAt(Math.min(...moved.map(({ at }) => at))))
}

/**
 * Who comes to a community (or leader) whose conditions their rules read has looked at it without its lock: it may be
 * turning at this moment, and not know of them yet. So it is told of them, and has them look again once it is known.
 */
function greet(
  program: Program,
  { subject: { key, state: before }, advanced: { state } }: AdvancedSubject,
  quietly: Occasion | undefined,
  inbox: InboxEntry[],
): void {
  for (const relation of program.subjects[key.kind].reads) {
    const id = state.relations[relation]?.[0]
    if (id === undefined || id === before.relations[relation]?.[0]) continue
    const input = { kind: 'greet', at: state.at, member: key, ...(quietly !== undefined && { quietly }) } as const
    inbox.push({ key: { kind: relation, id }, input })
  }
}

function saved({ key, dueAt, isNew }: LockedSubject, state: SavedSubject['state']): SavedSubject {
  // An index entry costs more than a look at a row where nothing is due yet: a time that is too early stays as it is.
  const early =
    state.into === undefined && dueAt !== undefined && dueAt > state.at && (state.due === 0 || dueAt <= state.due)
  return { key, state, isNew, dueAt: early ? dueAt : state.due === 0 ? undefined : state.due }
}

/** What the rules of these subjects read of others: of those they are related to, and of all of their kind. */
export async function readSurroundings(
  tx: StoreTransaction,
  program: Program,
  work: readonly SubjectWork[],
): Promise<Surroundings> {
  const reading = work.filter(({ subject: { key } }) => readsOthers(program.subjects[key.kind]))
  if (reading.length === 0) return ALONE
  const related = await readRelated(tx, program, reading)
  const kinds = new Set(reading.map(({ subject }) => subject.key.kind))
  const compared = [...kinds].filter((kind) => program.subjects[kind].figures.size > 0)
  const baselines = compared.length === 0 ? [] : await tx.readBaselines(compared)
  return {
    relatedHolds: (relation, id, verdict) =>
      hasTag(related.get(`${relation}:${id}`) ?? nobodyOf(relation, program), verdict),
    others: (of, figure) => othersIn(baselines, of, figure),
  }
}

function readsOthers({ reads, figures }: SubjectProgram): boolean {
  return reads.size > 0 || figures.size > 0
}

async function readRelated(
  tx: StoreTransaction,
  program: Program,
  work: readonly SubjectWork[],
): Promise<ReadonlyMap<string, SubjectState>> {
  const keys = new Map<string, SubjectKey>()
  for (const { subject, inputs } of work) {
    for (const relation of program.subjects[subject.key.kind].reads) {
      for (const id of relationIds(subject, inputs, relation)) keys.set(`${relation}:${id}`, { kind: relation, id })
    }
  }
  if (keys.size === 0) return new Map()
  const peeked = await tx.peekSubjects([...keys.values()])
  return new Map(peeked.filter(({ state }) => state.at > 0).map(({ key, state }) => [subjectName(key), state]))
}

/** The subjects this one is related to, before or after its inputs. */
function relationIds({ state }: LockedSubject, inputs: readonly Input[], relation: RelationName): string[] {
  const ids = inputs.map((input) => ('changes' in input ? input.changes?.relations?.[relation] : undefined))
  return [state.relations[relation]?.[0], ...ids].filter((id) => id !== undefined)
}

/** What members of a community (or a leader's people) are to be told. */
async function wordsToMembers(
  tx: StoreTransaction,
  { kind, id }: SubjectKey & { readonly kind: RelationName },
  effects: readonly Effect[],
  at: number,
): Promise<InboxEntry[]> {
  const leads = effects.filter((effect) => effect.kind === 'lead')
  const inputs = leads.filter(({ member }) => member === undefined).map((lead) => leaderIs(id, lead, at))
  const refreshes = effects.filter((effect) => effect.kind === 'refresh')
  if (refreshes.length > 0) {
    const quietly = refreshes.every((refresh) => refresh.quietly !== undefined) ? refreshes[0]?.quietly : undefined
    inputs.push(refreshOf(kind, id, at, quietly))
  }
  const joined = leads.flatMap((lead): InboxEntry[] =>
    lead.member === undefined ? [] : [{ key: { kind: 'user', id: lead.member }, input: leaderIs(id, lead, at) }],
  )
  for (const effect of effects) {
    if (effect.kind !== 'welcome') continue
    joined.push({ key: effect.member, input: refreshOf(kind, id, at, effect.quietly) })
  }
  if (inputs.length === 0) return joined
  const readers = (['user', 'community'] as const).filter((reader) => RELATIONS[reader].includes(kind))
  const members = (await Promise.all(readers.map((reader) => tx.relatedTo(reader, kind, id)))).flat()
  // What all take quietly comes first, or it would be told loudly to the one who joined.
  return [...members.flatMap((key) => inputs.map((input) => ({ key, input }))), ...joined]
}

function refreshOf(relation: RelationName, id: string, at: number, quietly: Occasion | undefined): Input {
  return { kind: 'refresh', at, relation, id, ...(quietly !== undefined && { quietly }) }
}

/** Tells a member of a community who its leader is. */
function leaderIs(community: string, lead: Extract<Effect, { kind: 'lead' }>, at: number): Input {
  const { leader, at: changedAt, quietly } = lead
  const changes = { relations: { leader } }
  const base = { kind: 'refresh', at, relation: 'community', id: community, changes, changedAt } as const
  return quietly === undefined ? base : { ...base, quietly }
}
