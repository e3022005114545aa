import type { Recipient, RepeatSafety, SendContext } from './channel.js'

/** One coupon that an issuer is to give to one person. */
export interface CouponGrant {
  /** The same for every attempt of this grant, and for no other. Hand it to the provider (`out_request_no`). */
  readonly grantKey: string
  readonly issuer: string
  readonly offer: { readonly id: string; readonly name: string; readonly value?: number }
  /** What the issuer calls this kind of coupon, as the offer says it. */
  readonly stock?: string
  /** Who gets it, with the traits in which the issuer finds its address, such as an openid. */
  readonly to: Recipient
  /** Where the coupon comes from, for logs. */
  readonly source: { readonly journey: string; readonly run: string; readonly step: string }
}

/** Why a provider gives no coupon, now or later. */
export type IssueRefusal =
  /** The person has no usable address, or may get nothing: an account at risk. */
  | 'recipient'
  /** The person has as many as the provider gives to one. */
  | 'limit'
  /** The provider's stock or budget is used up, or over. */
  | 'exhausted'
  /** Something is set up wrongly: credentials, permissions, an unknown stock. */
  | 'configuration'
  /** Anything else the provider calls final. */
  | 'other'

export type IssueResult =
  /** The person has the coupon. `code`: its code or its id at the provider. `expiresAt`, where the provider says it. */
  | { readonly status: 'accepted'; readonly code: string; readonly expiresAt?: Date }
  /** Certainly not issued; try again at `retryAt`. */
  | { readonly status: 'deferred'; readonly retryAt: Date; readonly detail?: string }
  /** Certainly not issued, and another attempt would not help. */
  | { readonly status: 'refused'; readonly reason: IssueRefusal; readonly detail?: string }

/**
 * Has one provider give coupons to people. The engine calls it as it calls channels: not inside a transaction, perhaps
 * concurrently, and again with the same `grantKey` only as `repeat` allows.
 */
export interface CouponIssuer {
  /** The name that offers use in `issuer`. Unique in an engine, also among its channels. */
  readonly name: string
  readonly repeat: RepeatSafety
  /** As of a channel. */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /** Rejects only when the outcome is unknown; every known outcome is a value. */
  issue(grant: CouponGrant, context: SendContext): Promise<IssueResult>
  /** Asks the provider what became of a grant. Required when `repeat` is `queryable`. */
  lookUp?(grantKey: string, context: SendContext): Promise<IssueResult | { readonly status: 'not_found' }>
  /** Called once by the engine's `close`. */
  close?(): Promise<void>
}
