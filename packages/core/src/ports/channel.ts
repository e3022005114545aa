import type { SubjectKind } from '@linli/rules'

/** Why messages are sent: policies are written against these classes. */
export type MessageClass = 'service' | 'content' | 'promotion'

/** One message, rendered, for one recipient. */
export interface Outbound {
  /** The same for every attempt of this delivery, and for no other delivery. Hand it to the provider. */
  readonly deliveryKey: string
  readonly channel: string
  readonly class: MessageClass
  readonly to: Recipient
  readonly content: MessageContent
  /** Where the message comes from, for logs and receipts. */
  readonly source: { readonly journey: string; readonly run: string; readonly step: string }
}

/** The subject a message is for, with the traits from which a channel reads its address. */
export interface Recipient {
  readonly kind: SubjectKind
  readonly id: string
  /** A snapshot taken when the message was rendered. Addresses (`phone`, `openid`, …) live here. */
  readonly traits: Readonly<Record<string, unknown>>
}

/** A rendered template. */
export interface MessageContent {
  readonly template: string
  readonly title?: string
  readonly body: string
  /** Rendered extra fields of the template, such as a page path or a link. */
  readonly data?: Readonly<Record<string, string>>
}

export interface SendContext {
  /** 1 for the first attempt. */
  readonly attempt: number
  /** When the engine decided to call, by the engine's clock. */
  readonly at: Date
  /** Aborted when the engine no longer waits for this call. The outcome is then unknown. */
  readonly signal: AbortSignal
}

/**
 * What may follow when the outcome of a call is unknown (a time-out, a crash):
 * - `idempotent`: the provider drops repeats of a `deliveryKey` for `windowMs` milliseconds, so the call is repeated
 *   inside that window;
 * - `queryable`: the provider can be asked by `deliveryKey`, so `lookUp` is called before anything else;
 * - `none`: nothing. The delivery is parked for a person to decide and never repeated by itself.
 */
export type RepeatSafety =
  | { readonly kind: 'idempotent'; readonly windowMs: number }
  | { readonly kind: 'queryable' }
  | { readonly kind: 'none' }

/** Why a provider will not deliver this message, now or later. */
export type RefusalReason =
  /** The recipient has no usable address on this channel, or it is no longer valid. */
  | 'recipient'
  /** The provider refuses the content: too long, forbidden words, an unapproved template. */
  | 'content'
  /** The channel is set up wrongly: credentials, permissions, addresses. */
  | 'configuration'
  /** Anything else the provider calls final. */
  | 'other'

export type SendResult =
  /** The provider took the message. */
  | { readonly status: 'accepted'; readonly providerId?: string }
  /** The provider took it, but a person must confirm before it leaves. */
  | { readonly status: 'awaiting_person'; readonly providerId?: string }
  /** Certainly not sent; try again at `retryAt`. */
  | { readonly status: 'deferred'; readonly retryAt: Date; readonly detail?: string }
  /** Certainly not sent, and another attempt would not help. */
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly detail?: string }

export type LookUpResult = SendResult | { readonly status: 'not_found' }

/**
 * Hands one message to one provider.
 *
 * The engine may call `send` concurrently, and may repeat a `deliveryKey` only as `repeat` allows.
 */
export interface Channel {
  /** The name that rules use in `send`. Unique in an engine. */
  readonly name: string
  readonly repeat: RepeatSafety
  /**
   * How often `send` is entered at most, in any so many milliseconds, by all processes on one database; left out: as often as there
   * are messages. Whole numbers from 1. `lookUp` does not count.
   */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /** Rejects only when the outcome is unknown; every known outcome is a value. */
  send(message: Outbound, context: SendContext): Promise<SendResult>
  /** Asks the provider what became of a delivery. Required when `repeat` is `queryable`. */
  lookUp?(deliveryKey: string, context: SendContext): Promise<LookUpResult>
  /** Called once by the engine's `close`. */
  close?(): Promise<void>
}
