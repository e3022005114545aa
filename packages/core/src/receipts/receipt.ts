import { isObject } from '@linli/rules'
import { FUTURE_MS, parseTime } from '../ingest/event-time.js'
import type { DeliveryName, ReceiptKind, ReceiptMark } from '../ports/store.js'

/** What a provider, or somebody who acts for it, says of a message later. It names the message in one of two ways. */
export interface Receipt {
  /** The key that the channel was given with the message. */
  readonly deliveryKey?: string
  /** Without a key: the channel, as rules name it, and what its provider called the message when it took it. */
  readonly channel?: string
  readonly providerId?: string
  /**
   * `delivered`, `opened`, `clicked`: it arrived. `failed`: it did not, and will not. Of a message that waits for a person to send
   * it, `confirmed`: that person has; `declined`: will not.
   */
  readonly says: ReceiptKind
  /** When that happened: ISO 8601, a Date, or milliseconds since the epoch. Left out: now. */
  readonly at?: string | number | Date
  /** `failed`, `declined`: why, as a code of the provider's. Nothing about the recipient belongs here. */
  readonly detail?: string
  /** `clicked`: what was clicked. Each link of a message counts once. */
  readonly link?: string
}

/** Stable names of why a receipt was refused. */
export type ReceiptCode =
  | 'receipt.shape'
  | 'receipt.name'
  | 'receipt.time'
  | 'receipt.unknown'
  | 'receipt.early'
  | 'receipt.ambiguous'
  | 'receipt.impossible'

export interface ReceiptRefusal {
  readonly code: ReceiptCode
  /** What was found and what would be right. */
  readonly message: string
}

/** What became of one receipt. */
export type ReceiptResult =
  | { readonly status: 'accepted'; readonly deliveryKey: string }
  /** It had been said before. */
  | { readonly status: 'duplicate'; readonly deliveryKey: string }
  | ({ readonly status: 'rejected' } & ReceiptRefusal)

export interface ReceiptReport {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
  /** One result for each receipt, in the order given. */
  readonly results: readonly ReceiptResult[]
}

/** A receipt that says something, of whatever message. */
export interface ReceiptAtHand {
  readonly name: DeliveryName
  readonly mark: ReceiptMark
  readonly detail?: string
}

const KINDS: ReadonlySet<unknown> = new Set<ReceiptKind>([
  'delivered',
  'opened',
  'clicked',
  'failed',
  'confirmed',
  'declined',
])
const LONGEST_NAME = 255
const LONGEST_LINK = 2048
const LONGEST_DETAIL = 500

/** Reads a receipt as it comes from outside: many hands write them. */
export function readReceipt(receipt: unknown, now: number): ReceiptAtHand | ReceiptRefusal {
  if (!isObject(receipt)) return { code: 'receipt.shape', message: 'A receipt should be a JSON object.' }
  const { says, at, detail, link } = receipt
  if (!KINDS.has(says)) {
    return { code: 'receipt.shape', message: `"says" should be one of ${[...KINDS].join(', ')}.` }
  }
  const name = nameIn(receipt)
  if (name === undefined) {
    const message = 'Name the message: "deliveryKey", or "channel" and "providerId", texts of 1 to 255 characters.'
    return { code: 'receipt.name', message }
  }
  if (link !== undefined && link !== null && !isText(link, LONGEST_LINK)) {
    return { code: 'receipt.shape', message: `"link" should be a text of 1 to ${LONGEST_LINK} characters.` }
  }
  const happened = at === undefined || at === null ? now : parseTime(at)
  if (happened === undefined) {
    return { code: 'receipt.time', message: '"at" should be ISO 8601 such as "2026-03-01T08:00:00+08:00".' }
  }
  if (happened > now + FUTURE_MS) {
    return { code: 'receipt.time', message: '"at" is more than 5 minutes ahead of the clock.' }
  }
  return {
    name,
    mark: {
      says: says as ReceiptKind,
      at: Math.min(happened, now),
      ...(says === 'clicked' && typeof link === 'string' && { link }),
    },
    ...(typeof detail === 'string' && { detail: detail.replaceAll('\0', '').toWellFormed().slice(0, LONGEST_DETAIL) }),
  }
}

function nameIn({ deliveryKey, channel, providerId }: Readonly<Record<string, unknown>>): DeliveryName | undefined {
  if (isText(deliveryKey, LONGEST_NAME)) return { key: deliveryKey }
  if (deliveryKey !== undefined && deliveryKey !== null) return undefined
  const id = typeof providerId === 'number' ? String(providerId) : providerId
  return isText(channel, LONGEST_NAME) && isText(id, LONGEST_DETAIL) ? { channel, providerId: id } : undefined
}

/** A text that a database can hold. */
function isText(value: unknown, longest: number): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= longest &&
    !value.includes('\0') &&
    value.isWellFormed()
  )
}
