import type { SubjectKind } from '@linli/rules'
import { Outcomes } from '../delivery/outcomes.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { IssuedCoupon, StoreTransaction } from '../ports/store.js'
import { instantOf } from '../queue/clocks.js'
import { keysOf } from '../subjects/persons.js'
import type { Programs } from '../subjects/programs.js'

/** A coupon as a till sees it. */
export interface CouponFound {
  readonly offer: string
  readonly name: string
  /** Whose it is: `['user', 'u-1']`. */
  readonly subject: readonly [SubjectKind, string]
  readonly value?: number
  readonly issuedAt: Date
  /** Left out: it is good for ever. */
  readonly expiresAt?: Date
  readonly status: 'valid' | 'expired' | 'redeemed'
  readonly redeemedAt?: Date
  /** As it was said when it was redeemed. */
  readonly by?: string
}

export interface Redemption {
  /**
   * What it is used for, such as an order's number. Asked again with the same, `redeem` answers as it did the first time;
   * without it, the second time is refused.
   */
  readonly by?: string
  /** When it was used: ISO 8601 or milliseconds; now when left out, and when it is yet to come. */
  readonly at?: string | number | Date
  /** Who uses it, where only its holder may. */
  readonly subject?: readonly [SubjectKind, string]
}

export interface Redeeming {
  readonly programs: Programs
  readonly clock: Clock
}

/** Marks a coupon as used, once, and tells the log. */
export async function redeem(
  tx: StoreTransaction,
  options: Redeeming,
  code: string,
  { by, at, subject }: Redemption,
): Promise<CouponFound> {
  const edition = await options.programs.in(tx)
  const issued = await tx.couponByCode(code)
  if (issued === undefined) throw unknown()
  // The holder's row is held first, as everywhere; then nobody erases them while the coupon is marked.
  const grant = (await tx.deliveriesOf([issued.subject])).find(({ key }) => key === issued.grantKey)
  const source = grant?.source ?? { journey: '', run: '', step: '' }
  const [holder] = [{ key: issued.grantKey, subject: issued.subject, source }]
  const outcomes = await Outcomes.lock(tx, options, edition, [holder])
  const { now } = outcomes
  const used = at === undefined ? now : Math.min(now, instantOf(at))
  const locked = outcomes.locked[0] ?? holder
  const [known] = await tx.readCoupons([issued.grantKey])
  if (known === undefined) throw unknown()
  const found = couponFound(known, locked.subject, used)
  if (subject !== undefined) mustBeOf(keysOf(outcomes.subjectOf(locked)), subject, found)
  if (known.redeemed !== undefined) {
    if (by !== undefined && known.redeemed.by === by) return found
    const message = 'This coupon has been used already.'
    throw new EngineError('coupon.redeemed', message, { offer: found.offer, redeemedAt: found.redeemedAt })
  }
  if (found.status === 'expired') {
    const message = `This coupon was good until ${found.expiresAt?.toISOString()}.`
    throw new EngineError('coupon.expired', message, { offer: found.offer, expiresAt: found.expiresAt })
  }
  const redeemed = { at: used, ...(by !== undefined && { by }) }
  // Where two come at once, the second has waited for the holder's row, and was answered above.
  if (!(await tx.redeemCoupon(known.grantKey, redeemed))) throw unknown()
  const { offer, value } = known.coupon
  outcomes.emit(
    locked,
    'coupon_redeemed',
    { offer, ...(value !== undefined && { value }), ...(by && { by }) },
    { at: used },
  )
  await outcomes.write()
  return couponFound({ ...known, redeemed }, locked.subject, used)
}

/** A coupon as it is at an instant. */
export function couponFound({ coupon, issuedAt, redeemed }: IssuedCoupon, { kind, id }: SubjectKey, at: number) {
  const { offer, name, value, expiresAt } = coupon
  const isOver = expiresAt !== undefined && Date.parse(expiresAt) <= at
  const found: CouponFound = {
    offer,
    name,
    subject: [kind, id],
    issuedAt: new Date(issuedAt),
    status: redeemed !== undefined ? 'redeemed' : isOver ? 'expired' : 'valid',
    ...(value !== undefined && { value }),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
    ...(redeemed !== undefined && { redeemedAt: new Date(redeemed.at) }),
    ...(redeemed?.by !== undefined && { by: redeemed.by }),
  }
  return found
}

function mustBeOf(holders: readonly SubjectKey[], [kind, id]: readonly [SubjectKind, string], found: CouponFound) {
  if (holders.some((holder) => subjectName(holder) === subjectName({ kind, id }))) return
  throw new EngineError('coupon.foreign', `This coupon is not one of ${kind}:${id}.`, { offer: found.offer })
}

/** Says nothing of the code: it may be a right one with a slip. */
function unknown(): EngineError {
  return new EngineError('coupon.unknown', 'There is no coupon with this code.')
}
