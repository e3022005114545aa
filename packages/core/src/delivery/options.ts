import type { CodeMaker } from '../offers/issue.js'
import type { Channel, LookUpResult, SendContext } from '../ports/channel.js'
import type { Clock } from '../ports/clock.js'
import type { CouponIssuer, IssueResult } from '../ports/issuer.js'
import type { Delivery, Store, StoreTransaction } from '../ports/store.js'
import type { UnsubscribeTokens } from '../privacy/unsubscribe.js'
import type { Programs } from '../subjects/programs.js'
import type { Rates } from './rates.js'

/** How long a claim lasts before somebody else may take the delivery over. Longer than any call. */
export const LEASE_MS = 60_000

export interface DispatcherOptions {
  readonly store: Store
  readonly programs: Programs
  readonly channels: ReadonlyMap<string, Channel>
  readonly issuers: ReadonlyMap<string, CouponIssuer>
  readonly clock: Clock
  readonly rates: Rates
  readonly makeCode: CodeMaker
  /** Makes what templates read as `unsubscribe.token`. */
  readonly unsubscribe: UnsubscribeTokens | undefined
  /** How long one call of a channel or an issuer may take before its outcome is unknown. */
  readonly callTimeoutMs: number
}

/** What settling deliveries needs beside what they bring about. */
export interface Settling extends Pick<DispatcherOptions, 'makeCode'> {
  readonly tx: StoreTransaction
}

/** Whom a delivery goes by: the channel of a message, the issuer of a coupon. */
export function providerOf(
  { kind, body }: Pick<Delivery, 'kind' | 'body'>,
  { channels, issuers }: Pick<DispatcherOptions, 'channels' | 'issuers'>,
):
  | (Pick<Channel, 'repeat'> & {
      readonly lookUp?: (
        key: string,
        context: SendContext,
      ) => Promise<LookUpResult | IssueResult | { readonly status: 'not_found' }>
    })
  | undefined {
  return (kind === 'coupon' ? issuers : channels).get(body.channel ?? '')
}

/** Whether somebody outside is called for a delivery: for messages, and for coupons that others issue. */
export function isCalled({ kind, body }: Pick<Delivery, 'kind' | 'body'>): boolean {
  return kind === 'message' || (kind === 'coupon' && body.channel !== undefined)
}
