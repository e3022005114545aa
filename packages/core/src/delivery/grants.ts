import type { Offer, Program } from '@linli/rules'
import type { Coupon } from '../domain/subject.js'
import { couponOf, issuance, refusal, said } from '../offers/issue.js'
import { returnCoupon, spendingOf, takeFrom } from '../offers/pool.js'
import type { CouponGrant } from '../ports/issuer.js'
import type { Delivery, IssuedCoupon, StoreTransaction } from '../ports/store.js'
import { keysOf } from '../subjects/persons.js'
import { recipientOf } from './message.js'
import type { DispatcherOptions } from './options.js'
import type { Outcomes } from './outcomes.js'
import { haltFor, putAside } from './paused.js'
import { type CallResult, closed, maybeTaken, park, type Settlement, startCall, withSpent } from './settlement.js'

// Coupons that somebody else issues. What one takes of its pool and budget is taken before the issuer is called, and put back
// when it certainly has not issued it: so no more are asked for than there are, however many calls are under way.

/** A coupon that may be asked for now: `calling` is written, its issuer is called next. */
export interface ClearedGrant {
  readonly delivery: Delivery
  readonly grant: CouponGrant
}

/** Pools are locked in the order of their names, whatever the deliveries' order. */
export function byOffer(deliveries: readonly Delivery[]): readonly Delivery[] {
  return [...deliveries].sort((one, other) => (one.body.what < other.body.what ? -1 : 1))
}

/** Takes what a coupon needs and lets its issuer be called, or says why not. */
export async function clearGrant(
  tx: StoreTransaction,
  delivery: Delivery,
  outcomes: Outcomes,
  { issuers }: Pick<DispatcherOptions, 'issuers'>,
): Promise<readonly ClearedGrant[]> {
  const { now, program } = outcomes
  const calledOff = outcomes.whyCalledOff(delivery)
  const halt = haltFor(delivery, outcomes)
  if (calledOff === undefined && halt?.state === 'paused') {
    putAside(delivery, halt, outcomes, now)
    return []
  }
  const offer = program.offers.get(delivery.body.what)
  const isKnown = issuers.has(delivery.body.channel ?? '')
  const isIssuers = offer !== undefined && offer.issuer === delivery.body.channel
  const obstacle = calledOff ?? halt?.state ?? (isKnown ? undefined : 'no such issuer')
  const reason = obstacle ?? (isIssuers ? undefined : 'no such offer')
  if (reason !== undefined || offer === undefined) {
    await withhold(tx, delivery, outcomes, reason ?? 'no such offer')
    return []
  }
  const [reserved] = await tx.readCoupons([delivery.key])
  let spent = delivery.body.spent
  if (reserved === undefined) {
    const taken = await takeFrom(tx, offer, keysOf(outcomes.subjectOf(delivery)), now)
    if (!taken.ok) {
      refuse(delivery, outcomes, taken.reason, taken.facts)
      return []
    }
    spent = taken.spent
    const coupon = couponOf(offer, '', now)
    await tx.addCoupon({ grantKey: delivery.key, subject: delivery.subject, issuedAt: now, coupon })
  }
  const calling = startCall(withSpent(delivery, spent), now)
  outcomes.save(calling)
  return [{ delivery: calling, grant: grantOf(delivery, offer, outcomes) }]
}

function grantOf(delivery: Delivery, { id, name, value, stock }: Offer, outcomes: Outcomes): CouponGrant {
  const { key, source, body, subject } = delivery
  return {
    grantKey: key,
    issuer: body.channel ?? '',
    offer: { id, name: name ?? id, ...(value !== undefined && { value }) },
    ...(stock !== undefined && { stock }),
    to: recipientOf(subject, outcomes.subjectOf(delivery).state),
    source,
  }
}

/** What is not wanted any more, or cannot be asked for. What may have been issued stays issued. */
async function withhold(tx: StoreTransaction, delivery: Delivery, outcomes: Outcomes, reason: string): Promise<void> {
  if (!(await giveUpGrant(tx, delivery, outcomes, reason))) return
  const isOver = reason === 'run ended' || reason === 'run moved'
  if (!isOver) return refuse(delivery, outcomes, reason)
  outcomes.save(closed(delivery, 'suppressed', reason))
  outcomes.say(refusal(delivery, reason, outcomes.now))
}

/** Puts back what was taken for a coupon that is not wanted any more; one that may have been issued is parked instead, and false. */
export async function giveUpGrant(
  tx: StoreTransaction,
  delivery: Delivery,
  outcomes: Outcomes,
  reason: string,
): Promise<boolean> {
  if (maybeTaken(delivery)) {
    parkGrant({ ...delivery, reason }, outcomes)
    return false
  }
  await putBackGrant(tx, delivery, outcomes)
  return true
}

/** Writes down what became of a call. */
export async function recordGrant(
  tx: StoreTransaction,
  { delivery, outcome, decision }: Settlement,
  result: CallResult,
  outcomes: Outcomes,
): Promise<void> {
  const { now } = outcomes
  if (outcome === 'open') {
    outcomes.save(delivery)
    if (decision === undefined || delivery.dueAt === undefined) return
    const until = new Date(delivery.dueAt).toISOString()
    return outcomes.say({ ...said(delivery, now), decision: 'coupon.deferred', reason: delivery.reason, until })
  }
  if (outcome === 'not sent') {
    await putBackGrant(tx, delivery, outcomes)
    if (result.status !== 'refused') return refuse(delivery, outcomes, delivery.reason ?? 'other')
    const { reason, detail } = result
    return refuse(delivery, outcomes, reason, { issuer: delivery.body.channel, ...(detail && { detail }) })
  }
  const coupon = await issuedBy(tx, delivery, result, outcomes)
  if (coupon === undefined) return parkGrant(delivery, outcomes)
  await tx.completeCoupon(delivery.key, coupon)
  outcomes.save(delivery)
  outcomes.say(issuance(delivery, coupon, now))
  outcomes.emit(delivery, 'coupon_issued', { offer: coupon.offer })
  outcomes.resume(delivery, 'accepted', coupon)
}

/** The coupon that an issuer has given; undefined where nobody knows which. */
async function issuedBy(
  tx: StoreTransaction,
  { key }: Delivery,
  result: CallResult,
  { program, now }: Outcomes,
): Promise<Coupon | undefined> {
  if (result.status !== 'accepted' || !('code' in result)) return undefined
  const [reserved] = await tx.readCoupons([key])
  if (reserved === undefined || (await tx.couponByCode(result.code)) !== undefined) return undefined
  return codedCoupon(reserved, result, program, now)
}

/** A coupon that was reserved, with what its issuer says of it; where it does not say how long it is good for, the offer does. */
export function codedCoupon(
  { coupon: { expiresAt: _, ...coupon } }: IssuedCoupon,
  { code, expiresAt }: { readonly code: string; readonly expiresAt?: Date | undefined },
  { offers }: Program,
  from: number,
): Coupon {
  const expiresMs = offers.get(coupon.offer)?.expiresMs
  const over = expiresAt ?? (expiresMs === undefined ? undefined : new Date(from + expiresMs))
  return { ...coupon, code, ...(over && { expiresAt: over.toISOString() }) }
}

/** Nobody knows whether it was issued, or which it is. It counts as issued, and the run goes on without it. */
export function parkGrant(delivery: Delivery, outcomes: Outcomes): void {
  const parked = park(delivery, delivery.reason ?? 'which coupon it is, is unknown', outcomes.now)
  outcomes.save(parked)
  outcomes.say({ ...said(parked, outcomes.now), decision: 'coupon.parked', reason: parked.reason })
  outcomes.emit(delivery, 'coupon_parked', { offer: delivery.body.what })
  outcomes.resume(delivery, 'refused')
}

function refuse(
  delivery: Delivery,
  outcomes: Outcomes,
  reason: string,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  outcomes.save(closed(delivery, 'rejected', reason))
  outcomes.say(refusal(delivery, reason, outcomes.now, facts))
  outcomes.emit(delivery, 'coupon_refused', { offer: delivery.body.what, reason })
  outcomes.resume(delivery, 'refused')
}

/** Puts back what was taken for a coupon that was certainly not issued. */
export async function putBackGrant(
  tx: StoreTransaction,
  { key, body }: Delivery,
  { program }: Pick<Outcomes, 'program'>,
): Promise<void> {
  const [reserved] = await tx.readCoupons([key])
  if (reserved === undefined) return
  const offer = program.offers.get(body.what)
  // Releases that did not note what it has taken of the budget worked it out again.
  const spent = body.spent ?? (offer && spendingOf({ ...offer, value: reserved.coupon.value }, reserved.issuedAt))
  await returnCoupon(tx, reserved, spent)
}
