import { RELATIONS } from '@linli/rules'
import { calledOffDecision } from '../delivery/called-off.js'
import { byOffer, putBackGrant } from '../delivery/grants.js'
import { maybeTaken } from '../delivery/settlement.js'
import type { Decision } from '../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import { userKey } from '../ingest/unite.js'
import type { Delivery, LockedSubject, Removed, StoredEvent, StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from '../subjects/advance-subjects.js'
import { People } from '../subjects/people.js'
import type { Edition, Programs } from '../subjects/programs.js'
import { holdUsers } from './hold.js'
import { erasedAmong, erasedName, hashName } from './tombstones.js'
import {
  ERASED,
  mergeWithoutApart,
  tracesOf,
  withoutApart,
  withoutCause,
  withoutPerson,
  withoutTraces,
} from './traces.js'

/** What became of a call of `erasePerson`. */
export interface Erasure extends Removed {
  /** How decisions call the person from now on: `erased:…`. The same however often it is asked. */
  readonly reference: string
  /** Ids and names that are refused from now on. */
  readonly names: number
}

const NOTHING: Removed = { events: 0, decisions: 0, deliveries: 0, coupons: 0 }

/**
 * Erases a user, in one transaction: all that is kept under any of their names, what others keep of their events, and it
 * leaves tombstones, so that nothing of them comes in again. `fresh` becomes the key of tombstones where there is none.
 */
export async function erasePerson(
  tx: StoreTransaction,
  programs: Programs,
  userId: string,
  { clockNow, fresh }: { readonly clockNow: number; readonly fresh: string },
): Promise<Erasure> {
  const edition = await programs.in(tx)
  const at = (await tx.now()) ?? clockNow
  const key = (await tx.tombstoneKey(fresh)) ?? fresh
  // Before anybody's row: who takes from the inbox holds it before theirs.
  await tx.holdInbox()
  const person = await lockPerson(tx, userId)
  const hashes = person.names.map((name) => hashName(key, name))
  const [known] = await tx.readTombstones(hashes)
  const reference = known?.person ?? hashName(key, person.state === undefined ? userId : person.id).slice(0, 22)
  const events = await tx.eventsOf(person.names)
  await forgetWithOthers(tx, programs, edition, { ...person, events }, at)
  await putBackUnissued(tx, edition, person.names)
  const removed = await tx.removeUsers(person.names)
  if (known !== undefined && isNothing(removed))
    return { reference: erasedName({ person: reference }), names: 0, ...NOTHING }
  await tx.addTombstones(hashes.map((hash) => ({ hash, person: reference, at })))
  const subject = erasedName({ person: reference })
  await tx.addDecisions([{ at, subject, decision: 'person.erased' }])
  return { reference: subject, names: hashes.length, ...removed }
}

/** Somebody whose rows are held. */
interface PersonAtHand {
  readonly id: string
  /** Undefined where nothing is known of them. */
  readonly state: SubjectState | undefined
  /** All ids and names they go or went by. */
  readonly names: readonly string[]
}

/**
 * Holds all rows of a person, and makes those that are missing: whoever takes an event of theirs in meanwhile waits for them,
 * and then finds the tombstones.
 */
async function lockPerson(tx: StoreTransaction, userId: string): Promise<PersonAtHand> {
  const rows = new Map<string, LockedSubject>()
  const lock = async (ids: readonly string[]) => {
    const missing = ids.filter((id) => !rows.has(id))
    for (const row of await holdUsers(tx, missing.map(userKey))) rows.set(row.key.id, row)
  }
  let id = (await tx.resolveIdentities([userId])).get(userId) ?? userId
  await lock([id])
  for (let into = rows.get(id)?.state.into; into !== undefined; into = rows.get(id)?.state.into) {
    id = into
    await lock([id])
  }
  const state = rows.get(id)?.state
  const names = [...new Set([id, userId, ...(state?.also ?? []), ...(await tx.namesOf(id))])]
  await lock(names)
  return { id, state: rows.get(id)?.isNew ? undefined : state, names }
}

/** Takes out of what is kept of others what somebody's events have left there. */
async function forgetWithOthers(
  tx: StoreTransaction,
  programs: Programs,
  edition: Edition,
  { state, names, events }: PersonAtHand & { readonly events: readonly StoredEvent[] },
  at: number,
): Promise<void> {
  const ids = new Set(names)
  const related = relatedOf(events, state)
  const others = (state?.apart ?? []).filter((id) => !ids.has(id)).map(userKey)
  const people = await People.lock(tx, programs, edition, [...related, ...others])
  const known = (key: SubjectKey) => people.get(key) ?? []
  await forgetInRelated(tx, edition, related.flatMap(known), events, at)
  await forgetInOthers(tx, others, others.flatMap(known), ids)
  await tx.reviseInbox(
    names.map((name) => JSON.stringify(name)),
    (entry) => withoutPerson(entry, ids),
  )
}

/** Coupons that were kept for somebody until their issuers could be asked are free for others. */
async function putBackUnissued(tx: StoreTransaction, edition: Edition, names: readonly string[]): Promise<void> {
  const deliveries = await tx.deliveriesOf(names.map(userKey))
  const unissued = deliveries.filter((one) => one.kind === 'coupon' && UNCALLED.has(one.state) && !maybeTaken(one))
  for (const delivery of byOffer(unissued)) await putBackGrant(tx, delivery, edition)
}

/** Whoever is to call a provider for these needs the row of their recipient first. */
const UNCALLED: ReadonlySet<Delivery['state']> = new Set(['planned', 'reserved', 'retry_at', 'paused'])

/** The communities and leaders that somebody has or had, and those that their events count for. */
function relatedOf(events: readonly StoredEvent[], state: SubjectState | undefined): readonly SubjectKey[] {
  const names = new Set(state?.left)
  for (const kind of RELATIONS.user) {
    const ids = [state?.relations[kind]?.[0], ...events.map((event) => event[kind])]
    for (const id of ids) if (id !== undefined) names.add(subjectName({ kind, id }))
  }
  return [...names].flatMap((name) => {
    const kind = RELATIONS.user.find((one) => name.startsWith(`${one}:`))
    return kind === undefined ? [] : [{ kind, id: name.slice(kind.length + 1) }]
  })
}

async function forgetInRelated(
  tx: StoreTransaction,
  { program }: Edition,
  related: readonly LockedSubject[],
  events: readonly StoredEvent[],
  at: number,
): Promise<void> {
  if (related.length === 0) return
  const keys = related.map(({ key }) => key)
  const decisions: Decision[] = []
  const messageIds = events.map(({ messageId }) => messageId)
  await tx.reviseDecisions({ subjects: keys.map(subjectName), messageIds, users: [] }, (decision) => {
    decisions.push(decision)
    return withoutCause(decision)
  })
  const traces = tracesOf(events, decisions)
  const work = related.map((subject) => ({ subject, inputs: [{ kind: 'forget', at, ...traces } as const] }))
  await advanceSubjects(tx, program, work, { strict: true })
  const told = withoutTraces(await tx.deliveriesOf(keys), traces)
  await tx.saveDeliveries(told)
  const calledOff = told.filter(({ reason }) => reason === ERASED)
  await tx.addDecisions(calledOff.map((delivery) => calledOffDecision(delivery, ERASED, at)))
}

/** Users who were taken for the person once, and parted again. */
async function forgetInOthers(
  tx: StoreTransaction,
  keys: readonly SubjectKey[],
  others: readonly LockedSubject[],
  ids: ReadonlySet<string>,
): Promise<void> {
  if (keys.length === 0) return
  await tx.saveSubjects(others.map((one) => ({ ...one, state: withoutApart(one.state, ids) })))
  const subjects = [...keys, ...others.map(({ key }) => key)].map(subjectName)
  await tx.reviseDecisions({ subjects, messageIds: [], users: [...ids] }, (decision) =>
    decision.decision.startsWith('identity.') ? undefined : decision,
  )
  await tx.reviseMerges(
    others.map(({ key }) => key.id),
    (before) => mergeWithoutApart(before, ids),
  )
}

function isNothing({ events, decisions, deliveries, coupons }: Removed): boolean {
  return events + decisions + deliveries + coupons === 0
}

/** Lets somebody in again who was erased, as somebody of whom nothing is known. Says whether they were erased. */
export async function readmitPerson(tx: StoreTransaction, userId: string, clockNow: number): Promise<boolean> {
  const at = (await tx.now()) ?? clockNow
  const tombstone = (await erasedAmong(tx, [userId])).get(userId)
  if (tombstone === undefined) return false
  await tx.removeTombstones(tombstone.person)
  await tx.addDecisions([{ at, subject: erasedName(tombstone), decision: 'person.readmitted' }])
  return true
}
