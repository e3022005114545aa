import { calledOffDecision } from '../delivery/called-off.js'
import { byOffer, giveUpGrant } from '../delivery/grants.js'
import { Outcomes } from '../delivery/outcomes.js'
import { closed } from '../delivery/settlement.js'
import type { CancelNote } from '../domain/decision.js'
import type { SubjectKey } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { Delivery, Store, StoreTransaction } from '../ports/store.js'
import { advanceSubjects } from '../subjects/advance-subjects.js'
import { People, whoIs } from '../subjects/people.js'
import type { Programs } from '../subjects/programs.js'

/** A run: its id alone, or with whom it is of, which may be somebody who turned out to be somebody else. */
export type RunName = string | { readonly subject: readonly [SubjectKey['kind'], string]; readonly run: string }

/** Deliveries that nobody has begun with. */
const WAITING: ReadonlySet<Delivery['state']> = new Set(['planned', 'retry_at', 'paused'])

/**
 * Ends one run, and calls off what it has planned.
 *
 * @throws EngineError `run.unknown` where there is no such run under way.
 */
export async function cancelRun(
  store: Store,
  programs: Programs,
  name: RunName,
  note: CancelNote,
  clock: Clock,
): Promise<void> {
  const run = typeof name === 'string' ? name : name.run
  const key = await subjectOf(store, name)
  if (key === undefined) throw unknownRun(run)
  await store.transaction((tx) => endRun(tx, programs, key, run, note, clock.now()))
  const { keys } = await whoIs(store, key)
  const planned = await store.readDeliveries({ subjects: keys })
  const waiting = planned.filter(({ source, state }) => source.run === run && WAITING.has(state))
  if (waiting.length > 0) await store.transaction((tx) => callOffAll(tx, programs, waiting, clock))
}

async function subjectOf(store: Store, name: RunName): Promise<SubjectKey | undefined> {
  if (typeof name === 'string') return (await store.readSubjectsInRuns({ run: name }, undefined, 1))[0]?.key
  const [kind, id] = name.subject
  return (await whoIs(store, { kind, id })).key
}

async function endRun(
  tx: StoreTransaction,
  programs: Programs,
  key: SubjectKey,
  run: string,
  note: CancelNote,
  clockNow: number,
): Promise<void> {
  const edition = await programs.in(tx)
  const at = (await tx.now()) ?? clockNow
  const subject = (await People.lock(tx, programs, edition, [key])).get(key)
  if (subject?.state.runs.some(({ id }) => id === run) !== true) throw unknownRun(run)
  const inputs = [{ kind: 'cancel', at, run, ...note } as const]
  await advanceSubjects(tx, edition.program, [{ subject, inputs }], { strict: true })
}

/** What a worker has begun with is its own to finish: it finds the run gone. */
async function callOffAll(
  tx: StoreTransaction,
  programs: Programs,
  waiting: readonly Delivery[],
  clock: Clock,
): Promise<void> {
  const edition = await programs.in(tx)
  const open = (await tx.lockDeliveries(waiting)).filter(({ state }) => WAITING.has(state))
  const outcomes = await Outcomes.lock(tx, { programs, clock }, edition, open)
  const reason = 'cancelled'
  for (const delivery of byOffer(outcomes.locked)) {
    if (delivery.kind === 'coupon' && !(await giveUpGrant(tx, delivery, outcomes, reason))) continue
    outcomes.save(closed(delivery, 'suppressed', reason))
    outcomes.say(calledOffDecision(delivery, reason, outcomes.now))
  }
  await outcomes.write()
}

function unknownRun(run: string): EngineError {
  return new EngineError('run.unknown', `There is no run ${JSON.stringify(run)} under way; see \`runs()\`.`, { run })
}
