import type { Program } from '@linli/rules'
import { advance } from '../domain/advance.js'
import type { Input } from '../domain/decision.js'
import { split } from '../domain/split.js'
import { type SubjectKey, type SubjectState, UNBORN } from '../domain/subject.js'
import type { MergeRecord, StoreTransaction } from '../ports/store.js'
import { readSurroundings, writeAdvanced } from '../subjects/advance-subjects.js'
import { People } from '../subjects/people.js'
import { keysOf } from '../subjects/persons.js'
import type { Programs } from '../subjects/programs.js'
import { isProvisional } from './provisional.js'
import { inputOf } from './records.js'
import { relatedThatCount, userKey } from './unite.js'

/**
 * Makes two of a person again. What each is known for is worked out again from the log, which says under which id every
 * event came. Gives the merge that was undone; undefined where there is none, or it has been undone before.
 */
export async function unmerge(
  tx: StoreTransaction,
  programs: Programs,
  id: string,
  clockNow: number,
): Promise<MergeRecord | undefined> {
  const edition = await programs.in(tx)
  const { program } = edition
  const now = (await tx.now()) ?? clockNow
  const record = await tx.undoMerge(id, now)
  if (record === undefined) return undefined
  const goes = userKey(record.from)
  const people = await People.lock(tx, programs, edition, [userKey(record.into), goes])
  const [one, row] = [people.get(userKey(record.into)), people.row(goes)]
  if (one === undefined || row === undefined) return undefined
  const leaving = [goes.id, ...record.before.from.also.filter((other) => one.state.also.includes(other))]
  const staying = keysOf(one).map((key) => key.id)
  const replayed = {
    stays: await replay(
      tx,
      program,
      one.key,
      staying.filter((other) => !leaving.includes(other)),
      now,
    ),
    goes: await replay(tx, program, goes, leaving, now),
  }
  const work = [replayed.stays, replayed.goes].map((state) => ({ subject: { ...one, state }, inputs: [] }))
  const surroundings = await readSurroundings(tx, program, work)
  const both = split(one, goes, record.before, replayed, program, now, { merge: record.id }, surroundings)
  await writeAdvanced(tx, program, [
    { subject: one, advanced: both.stays },
    { subject: row, advanced: both.goes },
  ])
  await tx.relinkIdentities([...record.names, ...(isProvisional(goes.id) ? [goes.id] : [])], goes.id)
  // Communities and leaders that tell people apart count anew, from the log.
  const counting = relatedThatCount(program, one.state)
  await tx.outdate(counting)
  await tx.addInbox(counting.map((key) => ({ key, input: { kind: 'instant', at: now } })))
  return record
}

/** What the events that came under some ids say of a user, and what its community says of its leader. */
async function replay(
  tx: StoreTransaction,
  program: Program,
  key: SubjectKey,
  ids: readonly string[],
  now: number,
): Promise<SubjectState> {
  const events = await tx.eventsOf(ids)
  const inputs = events.map((event) => inputOf({ ...event, userId: key.id }, event.at))
  const { state } = advance(key, UNBORN, [...inputs, { kind: 'instant', at: now }], program)
  const community = state.relations.community?.[0]
  const [known] = community === undefined ? [] : await tx.peekSubjects([{ kind: 'community', id: community }])
  const leader = known?.state.relations.leader
  if (community === undefined || leader === undefined) return state
  const changes = { relations: { leader: leader[0] } }
  const word: Input = { kind: 'refresh', at: now, relation: 'community', id: community, changes, changedAt: leader[1] }
  return advance(key, state, [word], program).state
}
