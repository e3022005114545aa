import { said } from '../offers/issue.js'
import { returnCoupon } from '../offers/pool.js'
import type { Delivery } from '../ports/store.js'
import { byOffer } from './grants.js'
import type { Settling } from './options.js'
import type { Outcomes } from './outcomes.js'
import { closed } from './settlement.js'

/** The reason of a coupon's delivery that was issued, and has gone back. */
export const RETURNED = 'returned'

/** Puts coupons back whose codes nobody was told; coupon, pool, budget, code and decision change in one transaction. */
export async function settleReturns(outcomes: Outcomes, { tx }: Settling): Promise<void> {
  const { now, program } = outcomes
  const granted = await tx.lockNamedDeliveries(outcomes.locked.map(({ body: { grant = '' } }) => ({ key: grant })))
  const grants = new Map(granted.map((delivery) => [delivery.key, delivery]))
  for (const delivery of byOffer(outcomes.locked)) {
    const { what, grant: grantKey = '' } = delivery.body
    const coupon = delivery.body.variables?.coupon
    if (coupon === undefined || program.offers.get(what)?.returns !== 'unsent') {
      outcomes.save(closed(delivery, 'suppressed', 'the offer takes none back'))
      continue
    }
    const grant = grants.get(grantKey)
    // Whoever was to redeem it by now has done so, or was erased with it.
    if (!(await returnCoupon(tx, { grantKey, coupon }, grant?.body.spent))) {
      outcomes.save(closed(delivery, 'suppressed', 'redeemed'))
      continue
    }
    if (grant !== undefined) outcomes.save({ ...grant, reason: RETURNED })
    outcomes.save(closed(delivery, 'accepted'))
    tellReturned(delivery, outcomes, now)
  }
}

function tellReturned(delivery: Delivery, outcomes: Outcomes, now: number): void {
  const { reason, body } = delivery
  outcomes.say({ ...said(delivery, now), decision: 'coupon.returned', reason })
  outcomes.emit(delivery, 'coupon_returned', { offer: body.what, reason })
}
