import { forgetSend } from '../domain/guardrails.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { isUnderWay } from '../receipts/judge.js'
import { byOffer, recordGrant } from './grants.js'
import { type DispatcherOptions, providerOf } from './options.js'
import { Outcomes } from './outcomes.js'
import { type CallResult, type Settlement, settle } from './settlement.js'

/** Writes down what became of calls, and lets the runs that waited for them go on. */
export async function recordResults(
  tx: StoreTransaction,
  options: DispatcherOptions,
  results: readonly { readonly delivery: Delivery; readonly result: CallResult }[],
): Promise<void> {
  const edition = await options.programs.in(tx)
  const deliveries = await tx.lockDeliveries(results.map(({ delivery }) => delivery))
  const byKey = new Map(results.map(({ delivery, result }) => [delivery.key, result]))
  const outcomes = await Outcomes.lock(tx, options, edition, deliveries)
  const { now } = outcomes
  for (const delivery of byOffer(outcomes.locked)) {
    const result = byKey.get(delivery.key)
    if (result === undefined) continue
    const settlement = settle(delivery, providerOf(delivery, options) ?? UNKNOWN_PROVIDER, result, now)
    if (delivery.kind === 'coupon') await recordGrant(tx, settlement, result, outcomes)
    else if (isUnderWay(delivery)) apply(settlement, outcomes, now)
    else keepProviderId(delivery, result, outcomes)
  }
  await outcomes.write()
}

const UNKNOWN_PROVIDER = { repeat: { kind: 'none' as const } }

/** A receipt has settled it before the answer came. Later receipts may name it by what the answer calls it. */
function keepProviderId(delivery: Delivery, result: CallResult, outcomes: Outcomes): void {
  const providerId = 'providerId' in result ? result.providerId : undefined
  if (providerId !== undefined && delivery.providerId === undefined) outcomes.save({ ...delivery, providerId })
}

function apply(settlement: Settlement, outcomes: Outcomes, now: number): void {
  const { delivery, outcome, decision, fallback } = settlement
  outcomes.save(delivery)
  const certainlyNotSent = outcome === 'not sent' || delivery.state === 'retry_at'
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
