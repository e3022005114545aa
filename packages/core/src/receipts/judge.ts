import type { Delivery, DeliveryState, ReceiptKind, ReceiptMark } from '../ports/store.js'

/** What a receipt means for a delivery as it is. */
export type Verdict =
  | { readonly verdict: 'applies'; readonly state: DeliveryState }
  | { readonly verdict: 'duplicate' }
  | { readonly verdict: 'impossible'; readonly why: string }

/** The provider's answer is still to come, or it is to be called again: the run waits. */
const OPEN: ReadonlySet<DeliveryState> = new Set(['planned', 'reserved', 'calling', 'unknown', 'retry_at', 'paused'])
/** Of a call under way nobody knows yet what became of it. */
const UNDER_WAY: ReadonlySet<DeliveryState> = new Set(['calling', 'unknown'])
const ARRIVAL: ReadonlySet<ReceiptKind> = new Set(['delivered', 'opened', 'clicked'])
/** How many receipts of one message are kept: many links, or somebody who plays with them. */
const MOST_MARKS = 100

/** Whether a receipt says that the message arrived. */
export function saysArrived({ says }: Pick<ReceiptMark, 'says'>): boolean {
  return ARRIVAL.has(says)
}

export function isOpen({ state }: Pick<Delivery, 'state'>): boolean {
  return OPEN.has(state)
}

export function isUnderWay({ state }: Pick<Delivery, 'state'>): boolean {
  return UNDER_WAY.has(state)
}

export function hasSaid(
  { body: { receipts = [] } }: Pick<Delivery, 'body'>,
  ...kinds: readonly ReceiptKind[]
): boolean {
  return receipts.some(({ says }) => kinds.includes(says))
}

/**
 * Judges a receipt. They come twice, late, in any order, and before the provider's own answer has been written down. What shows
 * that a message left is believed whatever was said before; what denies it, only where nothing has shown it.
 */
export function judge(delivery: Delivery, { says, link }: ReceiptMark): Verdict {
  const { kind, state, body } = delivery
  const { receipts = [] } = body
  if (kind !== 'message') return impossible(`it is a ${kind}, and only messages have receipts`)
  if (receipts.some((one) => one.says === says && one.link === link)) return { verdict: 'duplicate' }
  if (!wasCalled(delivery)) return impossible('no provider has been handed it')
  if (receipts.length >= MOST_MARKS) return impossible(`it has ${MOST_MARKS} receipts`)
  switch (says) {
    case 'delivered':
    case 'opened':
    case 'clicked':
      return applies('accepted')
    case 'confirmed':
      if (state === 'accepted' || state === 'failed') return impossible('it waits for nobody')
      return applies('accepted')
    case 'declined':
      return state === 'awaiting_person' || state === 'parked' || UNDER_WAY.has(state)
        ? applies('rejected')
        : impossible('it waits for nobody')
    case 'failed':
      if (hasSaid(delivery, 'delivered', 'opened', 'clicked')) return impossible('it has arrived')
      if (isUnsent(state)) return impossible('it was not sent')
      return isOpen(delivery) && !UNDER_WAY.has(state) ? impossible('it will be sent again') : applies('failed')
  }
}

function wasCalled({ state, attempt, body }: Delivery): boolean {
  return attempt > 0 || (body.again ?? 0) > 0 || state === 'parked' || state === 'awaiting_person'
}

function isUnsent(state: DeliveryState): boolean {
  return state === 'rejected' || state === 'suppressed'
}

function applies(state: DeliveryState): Verdict {
  return { verdict: 'applies', state }
}

function impossible(why: string): Verdict {
  return { verdict: 'impossible', why }
}
