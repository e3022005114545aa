import type { Channel, SendResult } from '../ports/channel.js'
import type { IssueResult } from '../ports/issuer.js'
import type { Delivery, DeliveryBody } from '../ports/store.js'
import { LEASE_MS } from './options.js'

/** What became of one call of a provider. */
export type CallResult = SendResult | IssueResult | { readonly status: 'unknown'; readonly detail?: string }

/** The delivery after a call, and what to say of it. */
export interface Settlement {
  readonly delivery: Delivery
  /** `open`: it will be tried again. Else the run goes on. */
  readonly outcome: 'open' | 'sent' | 'not sent'
  readonly decision: 'accepted' | 'rejected' | 'deferred' | 'parked' | undefined
  /** Whether another channel may be tried. */
  readonly fallback: boolean
}

/** How often a provider is called, or asked in vain, for one delivery at most. */
const MAX_ATTEMPTS = 8
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 3_600_000
/** How much of a provider's window is left unused, for clocks that differ. */
const WINDOW_MARGIN = 0.8

/** Decides what follows a call. Pure: the provider's answer in, the delivery's next state out. */
export function settle(
  delivery: Delivery,
  channel: Pick<Channel, 'repeat'>,
  result: CallResult,
  now: number,
): Settlement {
  switch (result.status) {
    case 'accepted':
    case 'awaiting_person': {
      const provider =
        'providerId' in result && result.providerId !== undefined ? { providerId: result.providerId } : {}
      const sent = { ...closed(delivery, result.status), ...provider }
      return { delivery: sent, outcome: 'sent', decision: 'accepted', fallback: false }
    }
    case 'refused': {
      if (isRepeat(delivery)) return parkedAsUnknown(delivery, now)
      const rejected = closed(delivery, 'rejected', result.detail ?? result.reason)
      const fallback = result.reason === 'recipient'
      return { delivery: rejected, outcome: 'not sent', decision: 'rejected', fallback }
    }
    case 'deferred': {
      const retryAt = Math.max(result.retryAt.getTime(), now + 1000)
      if (isRepeat(delivery)) return settleUnknown(delivery, channel, now, retryAt)
      if (delivery.attempt >= MAX_ATTEMPTS) {
        const rejected = closed(delivery, 'rejected', `deferred ${delivery.attempt} times`)
        return { delivery: rejected, outcome: 'not sent', decision: 'rejected', fallback: true }
      }
      const waiting: Delivery = {
        ...delivery,
        state: 'retry_at',
        dueAt: retryAt,
        reason: result.detail ?? 'the provider asked to wait',
      }
      return { delivery: waiting, outcome: 'open', decision: 'deferred', fallback: false }
    }
    case 'unknown':
      return settleUnknown(delivery, channel, now, now + retryDelay(callsOf(delivery)))
  }
}

/** Whether a call before this one may have been taken: that this one was not leaves open whether the message has left. */
function isRepeat({ state, body }: Delivery): boolean {
  return state === 'calling' && body.maybeSent === true
}

/**
 * Nobody knows whether the message left. What may follow is the channel's to say: the same key again inside its window,
 * a question to the provider, or nothing until a person decides.
 */
function settleUnknown(
  delivery: Delivery,
  { repeat }: Pick<Channel, 'repeat'>,
  now: number,
  retryAt: number,
): Settlement {
  const attempt = callsOf(delivery)
  const open: Delivery = { ...delivery, attempt, state: 'unknown', dueAt: retryAt, reason: 'the outcome is unknown' }
  if (mayRepeat(open, repeat, retryAt)) {
    return { delivery: open, outcome: 'open', decision: undefined, fallback: false }
  }
  return parkedAsUnknown(delivery, now)
}

/** A question without an answer counts as well, or a silent provider would be asked for ever. */
function callsOf({ attempt, state }: Delivery): number {
  return attempt + (state === 'unknown' ? 1 : 0)
}

function parkedAsUnknown(delivery: Delivery, now: number): Settlement {
  const parked = park(delivery, 'the outcome is unknown and may not be repeated', now)
  // It counts as sent: for caps, and for the run, which must not wait for ever.
  return { delivery: parked, outcome: 'sent', decision: 'parked', fallback: false }
}

/** Whether a call whose outcome is unknown may be repeated, or asked about, at an instant. */
export function mayRepeat({ attempt, body }: Delivery, repeat: Channel['repeat'], at: number): boolean {
  if (repeat.kind === 'none' || attempt >= MAX_ATTEMPTS) return false
  return repeat.kind === 'queryable' || at < (body.firstCalledAt ?? at) + repeat.windowMs * WINDOW_MARGIN
}

/** Puts a delivery aside for a person to decide. */
export function park(delivery: Delivery, reason: string, now: number): Delivery {
  return closed({ ...delivery, body: { ...delivery.body, parkedAt: now } }, 'parked', reason)
}

export function closed(delivery: Delivery, state: Delivery['state'], reason?: string): Delivery {
  return { ...delivery, state, dueAt: undefined, ...(reason !== undefined && { reason }) }
}

/** A coupon's delivery, with what it has taken of the budget. */
export function withSpent(delivery: Delivery, spent: DeliveryBody['spent']): Delivery {
  return spent === undefined ? delivery : { ...delivery, body: { ...delivery.body, spent } }
}

/** 5 s, 10 s, 20 s … at most an hour. */
function retryDelay(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, attempt - 1))
}

/**
 * Whether a call before may have been taken. A coupon that somebody had asked for again counts as issued until it is known that it
 * was not: a refusal says nothing of the call before.
 */
export function maybeTaken({ kind, state, body }: Delivery): boolean {
  return state === 'unknown' || (kind === 'coupon' && body.again !== undefined)
}

/** The delivery while its provider is being called. */
export function startCall(delivery: Delivery, now: number): Delivery {
  const { firstCalledAt = now, maybeSent: _, ...body } = delivery.body
  const calls = maybeTaken(delivery) ? { firstCalledAt, maybeSent: true as const } : { firstCalledAt: now }
  // The claim may be old by now: from here it lasts as long as any.
  const dueAt = now + LEASE_MS
  return { ...delivery, state: 'calling', dueAt, attempt: delivery.attempt + 1, body: { ...body, ...calls } }
}
