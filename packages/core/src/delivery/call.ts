import type { SendContext } from '../ports/channel.js'
import type { Delivery } from '../ports/store.js'
import { readAnswer, readIssueAnswer } from './answer.js'
import type { ClearedCall } from './clear.js'
import type { Cleared } from './guard.js'
import { inTime, OutOfTime } from './in-time.js'
import { type DispatcherOptions, providerOf } from './options.js'
import type { CallResult } from './settlement.js'
import { LONGEST_LEAD_MS, type Slot } from './slot.js'

/** Not called at all: cleared again at once. */
export const TOO_LATE: CallResult = { status: 'deferred', retryAt: new Date(0), detail: 'cleared too long ago' }

/** What was cleared at an instant, and what becomes of it when it can no longer be called in time. */
export type CallInTime = ClearedCall & {
  readonly tooLate: CallResult
  /** Leave to be called by its channel's rate. */
  readonly slot: Slot
}

/** Calls a provider, unless it is too late to. */
export function callInTime(call: CallInTime, options: DispatcherOptions): Promise<CallResult> {
  const { clearedAt, slot, tooLate } = call
  const isLate = options.clock.now() > Math.min(clearedAt + LONGEST_LEAD_MS, slot.until)
  const result = isLate ? Promise.resolve(tooLate) : callProvider(call, options)
  // The channel's `send`, or the issuer's `issue`, has been entered, and has given a promise.
  slot.close(!isLate)
  return result
}

/** Calls a channel or an issuer. Whatever it does, throw or hang, becomes a result. */
function callProvider(cleared: Cleared, options: DispatcherOptions): Promise<CallResult> {
  const { delivery } = cleared
  const name = delivery.body.channel ?? ''
  if ('grant' in cleared) {
    const issuer = options.issuers.get(name)
    if (issuer === undefined) return Promise.resolve(NO_PROVIDER)
    return bounded(delivery, options, (context) => issuer.issue(cleared.grant, context))
  }
  const channel = options.channels.get(name)
  if (channel === undefined) return Promise.resolve(NO_PROVIDER)
  return bounded(delivery, options, (context) => channel.send(cleared.message, context))
}

const NO_PROVIDER: CallResult = { status: 'refused', reason: 'configuration', detail: 'no such channel' }

/** Asks a queryable provider what became of a delivery. What it does not know of is done again. */
export async function askProvider(delivery: Delivery, options: DispatcherOptions): Promise<CallResult> {
  const provider = providerOf(delivery, options)
  const answer = await bounded(delivery, options, async (context) => {
    const found = (await provider?.lookUp?.(delivery.key, context)) ?? { status: 'unknown' }
    return found.status === 'not_found' ? NOT_THERE : found
  })
  return answer
}

const NOT_THERE: CallResult = { status: 'deferred', retryAt: new Date(0), detail: 'the provider does not know it' }

async function bounded(
  delivery: Delivery,
  { clock, callTimeoutMs }: DispatcherOptions,
  call: (context: SendContext) => unknown,
): Promise<CallResult> {
  const about = { attempt: delivery.attempt, at: new Date(clock.now()) }
  try {
    return await inTime(callTimeoutMs, (signal) => answerOf(delivery, () => call({ ...about, signal })))
  } catch (error) {
    if (error instanceof OutOfTime) return { status: 'unknown', detail: 'no answer in time' }
    // By the port's promise a rejection means that nobody knows. Its text may name the recipient, so it stays out.
    return { status: 'unknown', detail: 'the channel failed' }
  }
}

async function answerOf({ kind }: Delivery, call: () => unknown): Promise<CallResult> {
  const answer = await call()
  return kind === 'coupon' ? readIssueAnswer(answer) : readAnswer(answer)
}
