import { PLACES_MARK } from '../delivery/places.js'
import type { Clock } from '../ports/clock.js'
import type { PoolCount, Store } from '../ports/store.js'
import { whoIs } from '../subjects/people.js'
import type { Programs } from '../subjects/programs.js'
import { type Codes, type CodesAdded, loadCodes } from './codes.js'
import { type CouponFound, couponFound, type Redemption, redeem } from './redeem.js'

/** What shops do with offers and coupons: load codes, look coupons up, redeem them. */
export class Offers {
  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
  ) {}

  addCodes(offer: string, codes: Codes): Promise<CodesAdded> {
    return loadCodes(this.store, this.programs, { offer, codes })
  }

  async pools(): Promise<ReadonlyMap<string, PoolCount>> {
    return new Map([...(await this.store.readPools())].filter(([name]) => !name.startsWith(PLACES_MARK)))
  }

  async coupon(code: string): Promise<CouponFound | undefined> {
    const found = await this.store.transaction(async (tx) => {
      const issued = await tx.couponByCode(code)
      return issued && { issued, now: (await tx.now()) ?? this.clock.now() }
    })
    if (found === undefined) return undefined
    const { key } = await whoIs(this.store, found.issued.subject)
    return couponFound(found.issued, key, found.now)
  }

  redeem(code: string, redemption: Redemption): Promise<CouponFound> {
    const { store, programs, clock } = this
    return store.transaction((tx) => redeem(tx, { programs, clock }, code, redemption))
  }
}
