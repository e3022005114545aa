import type { Delivery, StoreTransaction } from '../ports/store.js'
import type { DispatcherOptions } from './options.js'
import { Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed } from './settlement.js'

/** Puts what steps say into the log; event, state and run change in one transaction. */
export async function settleEvents(
  tx: StoreTransaction,
  { programs }: DispatcherOptions,
  claims: readonly Delivery[],
  now: number,
): Promise<void> {
  const edition = await programs.in(tx)
  const outcomes = await Outcomes.lock(tx, programs, edition, await tx.lockDeliveries(claims), now)
  for (const delivery of outcomes.locked) {
    const calledOff = outcomes.whyCalledOff(delivery)
    if (calledOff !== undefined) {
      outcomes.save(closed(delivery, 'suppressed', calledOff))
      continue
    }
    if (isHalted(delivery, outcomes, now)) continue
    outcomes.save(closed(delivery, 'accepted'))
    outcomes.emitSaid(delivery)
    outcomes.resume(delivery, 'accepted')
  }
  await outcomes.write()
}
