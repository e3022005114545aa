import { LONGEST_CODE } from '../delivery/answer.js'
import type { Counts } from '../delivery/counts.js'
import { codedCoupon, putBackGrant } from '../delivery/grants.js'
import type { Outcomes } from '../delivery/outcomes.js'
import { closed } from '../delivery/settlement.js'
import { aboutParked } from '../delivery/unwritable.js'
import { forgetSend } from '../domain/guardrails.js'
import type { Coupon } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import { said } from '../offers/issue.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { instantOf } from '../queue/clocks.js'

/** What somebody has found out of what is parked, or wants done with it: of a coupon, `sent` means issued. */
export type Resolution = 'sent' | 'not sent' | 'send again'

/** Who resolves it, and why: it is kept as it is said. */
export interface ResolutionNote {
  readonly by: string
  readonly reason: string
  /** The code of a coupon that was `sent`, as its issuer has it; of nothing else. It is told to its holder alone. */
  readonly code?: string
  /** Until when that coupon is good; left out: as its offer says, from when its issuer was called. */
  readonly expiresAt?: string | number | Date
}

export function resolveMessage(
  delivery: Delivery,
  resolution: Resolution,
  { by, reason, code }: ResolutionNote,
  { outcomes, counts }: { readonly outcomes: Outcomes; readonly counts: Counts },
): void {
  const { key, body } = delivery
  if (code !== undefined) throw noCodeFor(key)
  const details = { template: body.what, channel: body.channel, class: body.class }
  outcomes.say({
    ...aboutParked(delivery, outcomes.now),
    decision: 'message.resolved',
    outcome: resolution,
    by,
    reason,
  })
  if (resolution !== 'sent') outcomes.replaceState(delivery, forgetSend(outcomes.subjectOf(delivery).state, key))
  const recounted = resolution === 'sent' ? counts.arrived(delivery) : counts.takeBack(delivery)
  outcomes.save(resolved(recounted, resolution, outcomes.now))
  if (resolution === 'sent') outcomes.emit(delivery, 'message_accepted', details)
  if (resolution === 'not sent') outcomes.emit(delivery, 'message_rejected', { ...details, reason: 'not sent' })
  // Most runs have gone on when it was parked.
  if (resolution !== 'send again') outcomes.resume(delivery, resolution === 'sent' ? 'accepted' : 'refused')
}

/** What else could not be written down: somebody has seen to it (`sent`), gives it up, or has it done again. */
export function resolveWish(
  delivery: Delivery,
  resolution: Resolution,
  { by, reason, code }: ResolutionNote,
  outcomes: Outcomes,
): void {
  if (code !== undefined) throw noCodeFor(delivery.key)
  outcomes.say({
    ...aboutParked(delivery, outcomes.now),
    ...{ decision: 'message.resolved', outcome: resolution, by, reason },
  })
  outcomes.save(resolved(delivery, resolution, outcomes.now))
  if (resolution !== 'send again') outcomes.resume(delivery, resolution === 'sent' ? 'accepted' : 'refused')
}

/** What was taken for the coupon stays taken, until somebody says that it was not issued. */
export async function resolveCoupon(
  tx: StoreTransaction,
  delivery: Delivery,
  resolution: Resolution,
  note: ResolutionNote,
  outcomes: Outcomes,
): Promise<void> {
  const { key, body } = delivery
  const { by, reason, code } = note
  if (resolution !== 'sent' && code !== undefined) throw noCodeFor(key)
  const coupon = resolution === 'sent' ? await issuedAs(tx, delivery, note, outcomes) : undefined
  if (coupon !== undefined) await tx.completeCoupon(key, coupon)
  if (resolution === 'not sent') await putBackGrant(tx, delivery, outcomes)
  const about = { ...said(delivery, outcomes.now), issuer: body.channel }
  const until = coupon?.expiresAt === undefined ? {} : { expiresAt: coupon.expiresAt }
  outcomes.say({ ...about, decision: 'coupon.resolved', outcome: resolution, by, reason, ...until })
  outcomes.save(resolved(delivery, resolution, outcomes.now))
  if (resolution === 'sent') outcomes.emit(delivery, 'coupon_issued', { offer: body.what })
  if (resolution === 'not sent') outcomes.emit(delivery, 'coupon_refused', { offer: body.what, reason: 'not sent' })
  if (resolution !== 'send again') outcomes.resume(delivery, 'refused')
}

/** The coupon as its issuer has it. The code is a secret: no error quotes it. */
async function issuedAs(
  tx: StoreTransaction,
  { key, body }: Delivery,
  { code, expiresAt }: ResolutionNote,
  { program }: Outcomes,
): Promise<Coupon> {
  const refuse = (message: string) => new EngineError('code.invalid', message, { deliveryKey: key })
  const name = JSON.stringify(key)
  if (code === undefined || code === '' || code.length > LONGEST_CODE || code.includes('\0')) {
    throw refuse(`The coupon ${name} was issued: say its \`code\`, of 1 to ${LONGEST_CODE} characters.`)
  }
  if ((await tx.couponByCode(code)) !== undefined) {
    throw refuse(`Another coupon has the code that was said for the coupon ${name}.`)
  }
  const [reserved] = await tx.readCoupons([key])
  if (reserved === undefined)
    throw new EngineError('delivery.unknown', `There is no coupon ${name}.`, { deliveryKey: key })
  const over = expiresAt === undefined ? undefined : new Date(instantOf(expiresAt))
  return codedCoupon(reserved, { code, expiresAt: over }, program, body.firstCalledAt ?? reserved.issuedAt)
}

function noCodeFor(deliveryKey: string): EngineError {
  const message = `Only a coupon that was sent has a \`code\`; ${JSON.stringify(deliveryKey)} is none.`
  return new EngineError('code.invalid', message, { deliveryKey })
}

/** Sent again, it begins anew: as if it had never been called, but for the key. */
function resolved(delivery: Delivery, resolution: Resolution, now: number): Delivery {
  const { providerId: _, reason: __, ...rest } = delivery
  switch (resolution) {
    case 'sent':
      return {
        ...closed(rest, 'accepted'),
        ...(delivery.providerId !== undefined && { providerId: delivery.providerId }),
      }
    case 'not sent':
      return closed(rest, 'rejected', 'not sent')
    case 'send again': {
      const { firstCalledAt, maybeSent, parkedAt, failures, again = 0, ...body } = delivery.body
      return {
        ...rest,
        state: 'retry_at',
        dueAt: now,
        attempt: 0,
        reason: resolution,
        body: { ...body, again: again + 1 },
      }
    }
  }
}
