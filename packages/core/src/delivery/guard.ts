import type { Halt, Program } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { forgetSend, type Ruling, recordSend, rule } from '../domain/guardrails.js'
import type { MessageAtHand } from '../domain/policy-scope.js'
import { subjectName } from '../domain/subject.js'
import type { Outbound } from '../ports/channel.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import type { Edition } from '../subjects/programs.js'
import { Counts } from './counts.js'
import { byOffer, type ClearedGrant, clearGrant } from './grants.js'
import { compose } from './message.js'
import type { DispatcherOptions } from './options.js'
import { Outcomes } from './outcomes.js'
import { callOff, haltFor, putAside } from './paused.js'
import { closed, park, startCall } from './settlement.js'
import { noteCode } from './telling.js'

/** What may leave now: `calling` is written, the provider is called next. */
export type Cleared = { readonly delivery: Delivery; readonly message: Outbound } | ClearedGrant

/** A delivery as it was claimed: it is carried out while both are as they were. */
export type Claim = Pick<Delivery, 'key' | 'claim' | 'state'>

/**
 * Asks the policies about messages, and the pools about coupons, under the locks of their recipients. What may go is marked
 * `calling` in the same transaction and counts from then on; the rest is deferred, suppressed or refused, with a reason.
 */
export async function clearTogether(
  tx: StoreTransaction,
  options: DispatcherOptions,
  claims: readonly Claim[],
): Promise<readonly Cleared[]> {
  const edition = await options.programs.in(tx)
  // A claim that was handed over twice is met in another state the second time: nothing is called twice for it.
  const states = new Map(claims.map(({ key, state }) => [key, state]))
  const held = (await tx.lockDeliveries(claims)).filter(({ key, state }) => states.get(key) === state)
  return clearHeld(tx, options, edition, held)
}

/** The same for deliveries that the transaction holds. */
export async function clearHeld(
  tx: StoreTransaction,
  options: DispatcherOptions,
  edition: Edition,
  held: readonly Delivery[],
): Promise<readonly Cleared[]> {
  const outcomes = await Outcomes.lock(tx, options, edition, held)
  const counts = await Counts.hold(tx, outcomes)
  const cleared: Cleared[] = []
  for (const delivery of byPriority(outcomes.locked, edition.program)) {
    if (delivery.kind === 'message') cleared.push(...clearMessage(delivery, outcomes, counts, options))
  }
  for (const delivery of byOffer(outcomes.locked)) {
    if (delivery.kind === 'coupon') cleared.push(...(await clearGrant(tx, delivery, outcomes, options)))
  }
  await outcomes.write()
  await counts.write(tx)
  return cleared
}

function clearMessage(
  delivery: Delivery,
  outcomes: Outcomes,
  counts: Counts,
  options: DispatcherOptions,
): readonly Cleared[] {
  const { now, program } = outcomes
  const { state: before } = outcomes.subjectOf(delivery)
  // What may have left is counted already. Where it leaves only now, it takes of what there is now.
  const fresh = counts.takeBack(delivery)
  const verdict = judge(delivery, outcomes, counts, options)
  if (!('message' in verdict)) {
    counts.restore(delivery)
    withhold(delivery, verdict, outcomes, now)
    return []
  }
  const { message } = verdict
  outcomes.replaceState(delivery, recordSend(before, atHand(message), delivery.key, program.policies, now))
  const calling = counts.take(startCall(noteCode(fresh, program), now))
  outcomes.save(calling)
  return [{ delivery: calling, message }]
}

/** Where a policy leaves room for one message, that of the journey with the higher priority goes. */
function byPriority(deliveries: readonly Delivery[], { journeys }: Program): readonly Delivery[] {
  const priorityOf = ({ source }: Delivery) => journeys.get(source.journey)?.priority ?? 0
  return [...deliveries].sort((one, other) => priorityOf(other) - priorityOf(one))
}

type Withheld =
  | Exclude<Ruling, { ruling: 'send' }>
  | { readonly ruling: 'halt'; readonly halt: Halt }
  | { readonly ruling: 'suppress'; readonly reason: string; readonly detail?: string; readonly policy?: undefined }

function judge(
  delivery: Delivery,
  outcomes: Outcomes,
  counts: Counts,
  { channels, unsubscribe }: DispatcherOptions,
): Withheld | { readonly message: Outbound } {
  const calledOff = outcomes.whyCalledOff(delivery)
  if (calledOff !== undefined) return { ruling: 'suppress', reason: calledOff }
  const halt = haltFor(delivery, outcomes)
  if (halt !== undefined) return { ruling: 'halt', halt }
  if (!channels.has(delivery.body.channel ?? '')) return { ruling: 'suppress', reason: 'no such channel' }
  const { program, now } = outcomes
  // What may have left already counts for caps: whether there is room for its repetition is asked without it.
  const state = forgetSend(outcomes.subjectOf(delivery).state, delivery.key)
  const composed = compose(delivery, state, program, now, unsubscribe)
  if (!composed.ok) return { ruling: 'suppress', ...composed }
  // One that may have left already is judged again: its provider may take it only now.
  const ruling = rule(state, atHand(composed.message), program.policies, now, counts.talliesOf(delivery))
  return ruling.ruling === 'send' ? { message: composed.message } : ruling
}

function atHand({ channel, class: messageClass, source }: Outbound): MessageAtHand {
  return { channel, class: messageClass, journey: source.journey }
}

function withhold(delivery: Delivery, verdict: Withheld, outcomes: Outcomes, now: number): void {
  if (verdict.ruling === 'halt') return hold(delivery, verdict.halt, outcomes, now)
  const { subject, source, body } = delivery
  const rule = verdict.policy ?? source.journey
  const about = { run: source.run, step: source.step, template: body.what, channel: body.channel, class: body.class }
  const base = { at: now, subject: subjectName(subject), rule, journey: source.journey, ...about }
  if (verdict.ruling === 'defer') {
    const until = new Date(verdict.until).toISOString()
    const decision: Decision = { ...base, decision: 'message.deferred', reason: verdict.reason, until }
    // What may have left may still have when it is asked about again.
    const state = delivery.state === 'unknown' ? 'unknown' : 'retry_at'
    outcomes.save({ ...delivery, state, dueAt: verdict.until, reason: verdict.reason })
    return outcomes.say(decision)
  }
  const { reason } = verdict
  const needed = 'needed' in verdict ? { needed: verdict.needed } : {}
  const detail = 'detail' in verdict && verdict.detail !== undefined ? { detail: verdict.detail } : {}
  if (delivery.state === 'unknown') {
    outcomes.save(park(delivery, reason, now))
    outcomes.say({ ...base, decision: 'message.parked', reason, ...needed })
    outcomes.emit(delivery, 'message_parked', { channel: body.channel, class: body.class, template: body.what })
    return outcomes.resume(delivery, 'accepted')
  }
  outcomes.save(closed(delivery, 'suppressed', reason))
  outcomes.say({ ...base, decision: 'message.suppressed', reason, ...needed, ...detail })
  if (reason === 'run ended' || reason === 'run moved') return
  if (reason === 'template' || !outcomes.tryNextChannel(delivery)) outcomes.resume(delivery, 'suppressed')
}

/** What a paused way has yet to take waits for it; where a channel is stopped, the step's next one is tried. */
function hold(delivery: Delivery, halt: Halt, outcomes: Outcomes, now: number): void {
  if (halt.state === 'paused') return putAside(delivery, halt, outcomes, now)
  if (delivery.state === 'unknown') {
    const suppress: Withheld = { ruling: 'suppress', reason: halt.state }
    return withhold(delivery, suppress, outcomes, now)
  }
  callOff(delivery, halt, outcomes, now)
  if (!outcomes.tryNextChannel(delivery)) outcomes.resume(delivery, 'suppressed')
}
