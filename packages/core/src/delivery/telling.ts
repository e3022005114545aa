import type { Program } from '@linli/rules'
import type { Telling } from '../domain/untold.js'
import type { Delivery, DeliveryState } from '../ports/store.js'

/** The provider took it, or somebody was shown it who may have passed it on. */
const TOLD: ReadonlySet<DeliveryState> = new Set(['accepted', 'awaiting_person', 'failed'])
/** It has not left, and never will. */
const NEVER: ReadonlySet<DeliveryState> = new Set(['rejected', 'suppressed'])

/** What became of the code that a message or suggestion was to tell; undefined where that is open, or it was to tell none. */
export function codeFateOf(delivery: Delivery): Telling | undefined {
  const { kind, state, source, body, reason } = delivery
  const code = body.variables?.coupon?.code
  // What follows a draft is to tell it.
  if (code === undefined || kind === 'return' || kind === 'draft') return undefined
  if (body.codeless !== true && (TOLD.has(state) || wasShown(delivery))) return { source, code }
  return TOLD.has(state) ? { source, code, why: 'no message' } : untold(state, { source, code, why: reason ?? state })
}

function untold(state: DeliveryState, fate: Telling): Telling | undefined {
  return NEVER.has(state) ? fate : undefined
}

/** A person who was to pass it on has seen it, and then did not. */
function wasShown({ body: { text, receipts = [] } }: Delivery): boolean {
  return text !== undefined || receipts.some(({ says }) => says === 'declined')
}

/** Notes whether the text that is about to leave, or one before it that may have left, reads the coupon that the run had. */
export function noteCode(delivery: Delivery, { templates }: Program): Delivery {
  const { codeless, ...body } = delivery.body
  if (body.variables?.coupon === undefined) return delivery
  const isFirst = delivery.attempt === 0 && body.again === undefined
  const tellsNone = templates.get(body.what)?.reads.has('coupon') !== true && (isFirst || codeless === true)
  return { ...delivery, body: { ...body, ...(tellsNone && { codeless: true as const }) } }
}
