import { issueCoupon, refusal } from '../offers/issue.js'
import { keysOf } from '../subjects/persons.js'
import type { Settling } from './options.js'
import type { Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed, withSpent } from './settlement.js'

/** Issues the coupons that runs wait for; pool, coupon, decision and run change in one transaction. */
export async function settleCoupons(outcomes: Outcomes, { tx, makeCode }: Settling): Promise<void> {
  const { now } = outcomes
  // Pools are locked in the order of their names, whatever the deliveries' order.
  for (const delivery of [...outcomes.locked].sort((a, b) => (a.body.what < b.body.what ? -1 : 1))) {
    const calledOff = outcomes.whyCalledOff(delivery)
    if (calledOff !== undefined) {
      outcomes.save(closed(delivery, 'suppressed', calledOff))
      outcomes.say(refusal(delivery, calledOff, now))
      continue
    }
    if (isHalted(delivery, outcomes, now)) continue
    const result = await issueCoupon(
      tx,
      outcomes.program,
      delivery,
      keysOf(outcomes.subjectOf(delivery)),
      now,
      makeCode,
    )
    if (result.decision !== undefined) outcomes.say(result.decision)
    if (result.ok) {
      outcomes.save(closed(withSpent(delivery, result.spent), 'accepted'))
      outcomes.emit(delivery, 'coupon_issued', { offer: result.coupon.offer })
      outcomes.resume(delivery, 'accepted', result.coupon)
    } else {
      outcomes.save(closed(delivery, 'rejected', result.reason))
      outcomes.emit(delivery, 'coupon_refused', { offer: delivery.body.what, reason: result.reason })
      outcomes.resume(delivery, 'refused')
    }
  }
}
