import type { Program } from '@linli/rules'
import { RETURNED } from '../delivery/returns.js'
import type { SubjectKey } from '../domain/subject.js'
import { MILLION, spendingOf } from '../offers/pool.js'
import type { Delivery, DeliveryState, IssuedCoupon, Store } from '../ports/store.js'

export type CouponInvariant =
  /** No more coupons than there are, and as many as were given. */
  | 'coupon.over-issued'
  | 'coupon.miscounted'
  /** What was issued is somebody's, each coupon has a code of its own, and no budget is exceeded. */
  | 'coupon.lost'
  /** What was taken for a coupon that was not issued after all is free for others. */
  | 'coupon.kept'
  | 'coupon.code-repeated'
  | 'coupon.over-budget'
  /** What has gone back was told to nobody. */
  | 'coupon.told'

type Report = (invariant: CouponInvariant, subject: SubjectKey | undefined, found: string) => void

/** What has not left, and never will. */
const UNSENT: ReadonlySet<DeliveryState> = new Set(['rejected', 'suppressed'])

/** What coupons must be: held by somebody, out of a pool, within a budget, each with a code of its own. Codes are never told. */
export class PoolCheck {
  /** The grants whose coupon has a code, by offer. */
  private readonly held = new Map<string, Set<string>>()
  /** Whose a code is that linli has not made itself. */
  private readonly grantOf = new Map<string, string>()

  constructor(
    private readonly store: Store,
    private readonly program: Program,
    private readonly report: Report,
  ) {}

  /** Looks at coupons of some subjects, of which these deliveries were read before. */
  async look(keys: readonly SubjectKey[], deliveries: readonly Delivery[]): Promise<void> {
    this.lookAtReturned(deliveries)
    const brought = deliveries.filter(
      ({ kind, state, reason }) => kind === 'coupon' && state === 'accepted' && reason !== RETURNED,
    )
    const [coupons, granted] = await this.store.transaction(async (tx) => [
      await tx.couponsOf(keys),
      await tx.readCoupons(brought.map(({ key }) => key)),
    ])
    for (const coupon of coupons) this.lookAt(coupon)
    this.lookAtKept(coupons, deliveries)
    const known = new Set(granted.map(({ grantKey }) => grantKey))
    const lost = brought.filter(({ key }) => !known.has(key))
    if (lost.length === 0) return
    // Whoever was erased meanwhile has neither.
    const still = new Set((await this.store.readDeliveries({ subjects: keys })).map(({ key }) => key))
    for (const { key, subject, body } of lost) {
      if (still.has(key))
        this.report('coupon.lost', subject, `coupon ${key} of ${body.what} was issued, and nobody has it`)
    }
  }

  /** Messages with the code of a coupon that has gone back have not left, and never will. */
  private lookAtReturned(deliveries: readonly Delivery[]): void {
    const nameOf = ({ source, body }: Delivery) => JSON.stringify([source.run, body.variables?.coupon?.code])
    const isBack = ({ kind, state }: Delivery) => kind === 'return' && state === 'accepted'
    const returned = new Set(deliveries.filter(isBack).map(nameOf))
    if (returned.size === 0) return
    for (const delivery of deliveries) {
      const { key, kind, state, subject, body } = delivery
      const isSilent = kind === 'return' || body.codeless === true || UNSENT.has(state)
      if (isSilent || !returned.has(nameOf(delivery))) continue
      this.report(
        'coupon.told',
        subject,
        `${kind} ${key} ("${state}") tells the code of a coupon of which was said that it went back`,
      )
    }
  }

  private lookAtKept(coupons: readonly IssuedCoupon[], deliveries: readonly Delivery[]): void {
    const ended = new Map(deliveries.filter(({ state }) => UNSENT.has(state)).map((one) => [one.key, one.state]))
    for (const { grantKey, subject, coupon } of coupons) {
      const state = ended.get(grantKey)
      if (coupon.code !== '' || state === undefined) continue
      const found = `a coupon of ${coupon.offer} is kept for ${grantKey}, which is "${state}"`
      this.report('coupon.kept', subject, found)
    }
  }

  private lookAt({ grantKey, subject, coupon: { offer, code } }: IssuedCoupon): void {
    // One that waits for its code may still be put back.
    if (code === '') return
    const held = this.held.get(offer) ?? new Set()
    this.held.set(offer, held.add(grantKey))
    const rule = this.program.offers.get(offer)
    if (rule?.codes === undefined && rule?.issuer === undefined) return
    const other = this.grantOf.get(code)
    this.grantOf.set(code, grantKey)
    if (other === undefined || other === grantKey) return
    this.report('coupon.code-repeated', subject, `coupons ${other} and ${grantKey} of ${offer} have the same code`)
  }

  /** Compares what was found with the pools and budgets, after all. */
  async compare(now: number): Promise<void> {
    for (const [offer, { issued, total, codes }] of await this.store.readPools()) {
      if (issued > total) this.report('coupon.over-issued', undefined, `${issued} of ${total} coupons of ${offer}`)
      const held = this.held.get(offer)?.size ?? 0
      if (held > issued) this.miscounted(`${held} coupons of ${offer} were given, and ${issued} taken from the pool`)
      // It may be fewer: those that were issued before the offer had codes of the shop's own.
      const gone = codes === undefined ? 0 : codes.loaded - codes.left
      if (gone > issued) this.miscounted(`${gone} codes of ${offer} are given away, and ${issued} taken from the pool`)
    }
    for (const offer of this.program.offers.values()) {
      const spending = spendingOf(offer, now)
      if (spending === undefined) continue
      const spent = await this.store.readSpent(offer.id, spending.from)
      if (spent <= spending.limit) continue
      const found = `${spent / MILLION} of ${spending.limit / MILLION} are spent by ${offer.id}`
      this.report('coupon.over-budget', undefined, found)
    }
  }

  private miscounted(found: string): void {
    this.report('coupon.miscounted', undefined, found)
  }
}
