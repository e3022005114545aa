import type { Decision } from '../domain/decision.js'
import { subjectName } from '../domain/subject.js'
import { isPoison } from '../poison.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { parkGrant } from './grants.js'
import type { Claim } from './guard.js'
import type { DispatcherOptions } from './options.js'
import { Outcomes } from './outcomes.js'
import { park } from './settlement.js'

// What cannot be written down about a delivery is tried again when its lease has ended, and would be for ever: a person has to look.

/** How often it is tried. */
const MAX_FAILURES = 5
const REASON = 'what becomes of it cannot be written down'

/** What was to be written about one delivery, and could not be. */
export type Failing = Pick<DispatcherOptions, 'store' | 'programs' | 'clock'>

/** Counts deliveries that could not be carried out because of what they are; those that never can be are parked. */
export async function noteFailures(
  options: Failing,
  claims: readonly Pick<Claim, 'key' | 'claim'>[],
  results: readonly PromiseSettledResult<unknown>[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const noted: PromiseSettledResult<unknown>[] = []
  for (const [index, result] of results.entries()) {
    const claim = claims[index]
    if (claim === undefined || result.status === 'fulfilled' || !isPoison(result.reason)) continue
    noted.push(...(await Promise.allSettled([noteFailure(options, claim)])))
  }
  return [...results, ...noted]
}

async function noteFailure(options: Failing, claim: Pick<Claim, 'key' | 'claim'>): Promise<void> {
  const failures = await options.store.transaction(async (tx) => {
    const [delivery] = await tx.lockDeliveries([claim])
    if (delivery === undefined) return 0
    const { failures: before = 0, ...body } = delivery.body
    if (before + 1 < MAX_FAILURES) await tx.saveDeliveries([{ ...delivery, body: { ...body, failures: before + 1 } }])
    return before + 1
  })
  if (failures >= MAX_FAILURES) await parkUnwritable(options, claim)
}

/** Writes as much of it as can be: that its run goes on, that a decision says so, or at least that it is parked. */
async function parkUnwritable(options: Failing, claim: Pick<Claim, 'key' | 'claim'>): Promise<void> {
  const { store, clock } = options
  const nowIn = async (tx: StoreTransaction) => (await tx.now()) ?? clock.now()
  const ways = [
    async (tx: StoreTransaction) => {
      const edition = await options.programs.in(tx)
      const outcomes = await Outcomes.lock(tx, options, edition, await tx.lockDeliveries([claim]))
      for (const delivery of outcomes.locked) parkAndGoOn(delivery, outcomes)
      await outcomes.write()
    },
    async (tx: StoreTransaction) => {
      const parked = parkedAs(await tx.lockDeliveries([claim]), await nowIn(tx))
      await tx.saveDeliveries(parked)
      await tx.addDecisions(parked.map(parkedDecision))
    },
    async (tx: StoreTransaction) => tx.saveDeliveries(parkedAs(await tx.lockDeliveries([claim]), await nowIn(tx))),
  ]
  let failure: unknown
  for (const way of ways) {
    const [written] = await Promise.allSettled([store.transaction(way)])
    if (written.status === 'fulfilled') return
    failure = written.reason
    if (!isPoison(failure)) break
  }
  throw failure
}

/** What is parked counts as sent for the run of a message; every other step goes on as where it was refused. */
function parkAndGoOn(delivery: Delivery, outcomes: Outcomes): void {
  const { kind, body } = delivery
  if (kind === 'coupon') return parkGrant({ ...delivery, reason: REASON }, outcomes)
  const parked = park(delivery, REASON, outcomes.now)
  outcomes.save(parked)
  outcomes.say(parkedDecision(parked))
  if (kind !== 'message') return outcomes.resume(delivery, 'refused')
  outcomes.emit(delivery, 'message_parked', { channel: body.channel, class: body.class, template: body.what })
  outcomes.resume(delivery, 'accepted')
}

function parkedAs(deliveries: readonly Delivery[], now: number): readonly Delivery[] {
  return deliveries.map((delivery) => park(delivery, REASON, now))
}

function parkedDecision(parked: Delivery): Decision {
  const decision = parked.kind === 'coupon' ? 'coupon.parked' : 'message.parked'
  return { ...aboutParked(parked, parked.body.parkedAt ?? 0), decision, reason: REASON }
}

/** What decisions say of something that is, or was, parked. */
export function aboutParked({ kind, subject, source, body }: Delivery, at: number) {
  const { journey, run, step } = source
  const base = { at, subject: subjectName(subject), run, step }
  if (kind === 'coupon') return { ...base, rule: body.what, journey }
  const { what, channel, class: messageClass } = body
  const about = kind === 'message' ? { template: what, channel, class: messageClass } : { delivery: kind, what }
  return { ...base, rule: journey, ...about }
}
