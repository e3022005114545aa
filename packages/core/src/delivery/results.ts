import { forgetSend } from '../domain/guardrails.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { isUnderWay } from '../receipts/judge.js'
import { Counts } from './counts.js'
import { byOffer, recordGrant } from './grants.js'
import { type DispatcherOptions, providerOf } from './options.js'
import { Outcomes } from './outcomes.js'
import { type CallResult, type Settlement, settle } from './settlement.js'

/** An answer to a call. */
export interface Answered {
  readonly delivery: Delivery
  readonly result: CallResult
}

/** Writes down what became of calls, in one transaction, and lets the runs that waited for them go on. */
export async function record(options: DispatcherOptions, results: readonly Answered[]): Promise<readonly undefined[]> {
  await options.store.transaction((tx) => recordResults(tx, options, results))
  return []
}

async function recordResults(
  tx: StoreTransaction,
  options: DispatcherOptions,
  results: readonly Answered[],
): Promise<void> {
  const edition = await options.programs.in(tx)
  const deliveries = await tx.lockDeliveries(results.map(({ delivery }) => delivery))
  const byKey = new Map(results.map(({ delivery, result }) => [delivery.key, result]))
  const outcomes = await Outcomes.lock(tx, options, edition, deliveries)
  const { now } = outcomes
  const counts = Counts.open(outcomes)
  for (const delivery of byOffer(outcomes.locked)) {
    const result = byKey.get(delivery.key)
    if (result === undefined) continue
    const settlement = settle(delivery, providerOf(delivery, options) ?? UNKNOWN_PROVIDER, result, now)
    if (!isUnderWay(delivery)) keepProviderId(delivery, result, outcomes)
    else if (delivery.kind === 'coupon') await recordGrant(tx, settlement, result, outcomes)
    else apply(settlement, outcomes, counts)
  }
  await outcomes.write()
  await counts.write(tx)
}

const UNKNOWN_PROVIDER = { repeat: { kind: 'none' as const } }

/** A receipt has settled it before the answer came. Later receipts may name it by what the answer calls it. */
function keepProviderId(delivery: Delivery, result: CallResult, outcomes: Outcomes): void {
  const providerId = 'providerId' in result ? result.providerId : undefined
  if (providerId !== undefined && delivery.providerId === undefined) outcomes.save({ ...delivery, providerId })
}

function apply(settlement: Settlement, outcomes: Outcomes, counts: Counts): void {
  const { outcome, decision, fallback } = settlement
  const { now } = outcomes
  const certainlyNotSent = outcome === 'not sent' || settlement.delivery.state === 'retry_at'
  const delivery = recount(settlement, certainlyNotSent, counts)
  outcomes.save(delivery)
  if (certainlyNotSent) {
    outcomes.replaceState(delivery, forgetSend(outcomes.subjectOf(delivery).state, delivery.key))
  }
  if (decision !== undefined) outcomes.say(said(delivery, decision, now))
  if (outcome === 'open') return
  const { channel, class: messageClass, what: template } = delivery.body
  const details = { channel, class: messageClass, template }
  if (outcome === 'sent') {
    outcomes.emit(delivery, delivery.state === 'parked' ? 'message_parked' : 'message_accepted', details)
    return outcomes.resume(delivery, 'accepted')
  }
  outcomes.emit(delivery, 'message_rejected', { ...details, reason: delivery.reason })
  if (!fallback || !outcomes.tryNextChannel(delivery)) outcomes.resume(delivery, 'refused')
}

/** What was not sent gives its place back. What may have been sent keeps it, and makes room for others once it is certain. */
function recount({ delivery, outcome }: Settlement, certainlyNotSent: boolean, counts: Counts): Delivery {
  if (certainlyNotSent) return counts.takeBack(delivery)
  return outcome === 'sent' && delivery.state !== 'parked' ? counts.makeRoom(delivery) : delivery
}

function said(delivery: Delivery, decision: NonNullable<Settlement['decision']>, at: number) {
  const { subject, source, body, reason, dueAt, providerId } = delivery
  return {
    at,
    subject: subjectName(subject),
    decision: `message.${decision}` as const,
    rule: source.journey,
    run: source.run,
    step: source.step,
    template: body.what,
    channel: body.channel,
    class: body.class,
    ...(providerId !== undefined && { providerId }),
    ...(decision !== 'accepted' && reason !== undefined && { reason }),
    ...(dueAt !== undefined && { until: new Date(dueAt).toISOString() }),
  }
}
