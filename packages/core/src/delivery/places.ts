import type { EntryLimit, Program } from '@linli/rules'
import { Temporal } from 'temporal-polyfill'
import type { Run } from '../domain/subject.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import type { Settling } from './options.js'
import type { Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed } from './settlement.js'

/** What names of pools of places begin with; ids of offers never do. */
export const PLACES_MARK = 'entry:'

/** Lets those in who wait for a place in a journey, as long as there are some; pool, decision and run change in one transaction. */
export async function settlePlaces(outcomes: Outcomes, { tx }: Settling): Promise<void> {
  const { now } = outcomes
  const full = new Set<string>()
  // Pools are locked in the order of their names, whatever the deliveries' order.
  for (const delivery of [...outcomes.locked].sort((a, b) => (a.body.what < b.body.what ? -1 : 1))) {
    const run = waitingRun(outcomes, delivery)
    if (run === undefined) {
      outcomes.save(closed(delivery, 'suppressed', 'run ended'))
      continue
    }
    if (isHalted(delivery, outcomes, now)) continue
    const granted = !full.has(run.journey) && (await takePlace(tx, outcomes.program, run, now))
    if (!granted) full.add(run.journey)
    outcomes.save(granted ? closed(delivery, 'accepted') : closed(delivery, 'rejected', 'limit'))
    outcomes.resume(delivery, granted ? 'accepted' : 'refused')
  }
}

/** The run, as long as nothing has ended it meanwhile. */
function waitingRun(outcomes: Outcomes, delivery: Delivery): Run | undefined {
  const { runs } = outcomes.subjectOf(delivery).state
  return runs.find(({ id, pending }) => id === delivery.source.run && pending !== undefined)
}

/** The limit is that of the rules in force, also where the run waits since older ones. */
async function takePlace(
  tx: StoreTransaction,
  program: Program,
  { journey, hash }: Run,
  now: number,
): Promise<boolean> {
  const { limit } = program.journeys.get(journey) ?? program.journeysByHash.get(hash) ?? {}
  if (limit === undefined) return true
  const { name, outdated } = poolOf(journey, limit, now)
  if (outdated !== undefined) await tx.dropPools(...outdated)
  return tx.takeFromPool(name, limit.max)
}

/** The pool of now, and between which names those lie that are over. Yesterday's stays: clocks of processes differ. */
function poolOf(journey: string, { within, timeZone }: EntryLimit, now: number) {
  const name = `${PLACES_MARK}${journey}`
  if (within === undefined) return { name }
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate()
  const outdated = [`${name}/`, `${name}/${today.subtract({ days: 1 }).toString()}`] as const
  return { name: `${name}/${today.toString()}`, outdated }
}
