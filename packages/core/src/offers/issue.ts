import { randomBytes } from 'node:crypto'
import type { Offer, Program } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { type Coupon, type SubjectKey, subjectName } from '../domain/subject.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { type Spent, takeFrom } from './pool.js'

/** Makes coupon codes. Codes are bearer secrets: at least 80 random bits. */
export type CodeMaker = () => string

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const CODE_LENGTH = 16

/** 16 characters of an alphabet without look-alikes: 80 bits. */
export const randomCode: CodeMaker = () =>
  [...randomBytes(CODE_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')

export type IssueResult =
  | { readonly ok: true; readonly coupon: Coupon; readonly spent?: Spent; readonly decision: Decision | undefined }
  | { readonly ok: false; readonly reason: string; readonly decision: Decision }

/**
 * Issues one coupon out of its pool. The delivery's key is the grant key: asked again, it gives the same coupon. The
 * caller holds the subject's lock, so the limit for one person holds too; the pool's row guards its total and its money.
 */
export async function issueCoupon(
  tx: StoreTransaction,
  program: Program,
  delivery: Delivery,
  /** All keys of the person: coupons issued under any of them count. */
  holders: readonly SubjectKey[],
  now: number,
  makeCode: CodeMaker,
): Promise<IssueResult> {
  const offer = program.offers.get(delivery.body.what)
  // One that had an issuer or has one by now is asked for in another way.
  if (offer === undefined || offer.issuer !== undefined) return refused(delivery, 'no such offer', now)
  const [granted] = await tx.readCoupons([delivery.key])
  if (granted !== undefined) return { ok: true, coupon: granted.coupon, decision: undefined }
  const taken = await takeFrom(tx, offer, holders, now)
  if (!taken.ok) return refused(delivery, taken.reason, now, taken.facts)
  const coupon = couponOf(offer, taken.code ?? makeCode(), now)
  await tx.addCoupon({ grantKey: delivery.key, subject: delivery.subject, issuedAt: now, coupon })
  const { spent } = taken
  return { ok: true, coupon, ...(spent && { spent }), decision: issuance(delivery, coupon, now) }
}

export function couponOf({ id, name, value, expiresMs }: Offer, code: string, now: number): Coupon {
  return {
    offer: id,
    name: name ?? id,
    code,
    ...(value !== undefined && { value }),
    ...(expiresMs !== undefined && { expiresAt: new Date(now + expiresMs).toISOString() }),
  }
}

/** Says that a coupon was issued: everything of it but its code. */
export function issuance(delivery: Delivery, { expiresAt }: Coupon, now: number): Decision {
  return { ...said(delivery, now), decision: 'coupon.issued', ...(expiresAt && { expiresAt }) }
}

function refused(
  delivery: Delivery,
  reason: string,
  now: number,
  facts: Readonly<Record<string, unknown>> = {},
): IssueResult {
  return { ok: false, reason, decision: refusal(delivery, reason, now, facts) }
}

/** Says that a coupon was not issued, and why. */
export function refusal(
  delivery: Delivery,
  reason: string,
  now: number,
  facts: Readonly<Record<string, unknown>> = {},
): Decision {
  return { ...said(delivery, now), decision: 'coupon.refused', reason, ...facts }
}

/** What every decision about a coupon says. */
export function said({ subject, body, source }: Delivery, at: number) {
  const { journey, run, step } = source
  return { at, subject: subjectName(subject), rule: body.what, journey, run, step }
}
