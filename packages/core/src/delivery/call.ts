import type { SendContext } from '../ports/channel.js'
import type { Delivery } from '../ports/store.js'
import { readAnswer } from './answer.js'
import type { Cleared } from './guard.js'
import type { DispatcherOptions } from './options.js'
import type { CallResult } from './settlement.js'

/** A call may start at most this long after it was cleared; later, consent may have been withdrawn. */
const LONGEST_LEAD_MS = 5_000

/** Not called at all: cleared again at once. */
export const TOO_LATE: CallResult = { status: 'deferred', retryAt: new Date(0), detail: 'cleared too long ago' }

/** A message that was cleared at an instant, and what becomes of it when it can no longer be called in time. */
export interface CallInTime extends Cleared {
  readonly clearedAt: number
  readonly tooLate: CallResult
}

/** Calls a channel, unless it is too late to. */
export function callInTime(call: CallInTime, options: DispatcherOptions): Promise<CallResult> {
  const isLate = options.clock.now() - call.clearedAt > LONGEST_LEAD_MS
  return isLate ? Promise.resolve(call.tooLate) : callChannel(call, options)
}

/** Calls a channel. Whatever it does, throw or hang, becomes a result. */
function callChannel({ delivery, message }: Cleared, options: DispatcherOptions): Promise<CallResult> {
  const channel = options.channels.get(message.channel)
  if (channel === undefined) {
    return Promise.resolve({ status: 'refused', reason: 'configuration', detail: 'no such channel' })
  }
  return bounded(delivery, options, (context) => channel.send(message, context))
}

/** Asks a queryable channel what became of a delivery. What it does not know of is sent again. */
export async function askChannel(
  { delivery }: Pick<Cleared, 'delivery'>,
  options: DispatcherOptions,
): Promise<CallResult> {
  const channel = options.channels.get(delivery.body.channel ?? '')
  const answer = await bounded(delivery, options, async (context) => {
    const found = (await channel?.lookUp?.(delivery.key, context)) ?? { status: 'unknown' }
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
  const abort = new AbortController()
  const context = { attempt: delivery.attempt, at: new Date(clock.now()), signal: abort.signal }
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<CallResult>((resolve) => {
    timer = setTimeout(() => {
      abort.abort()
      resolve({ status: 'unknown', detail: 'no answer in time' })
    }, callTimeoutMs)
  })
  try {
    return await Promise.race([answerOf(() => call(context)), timeout])
  } catch {
    // By the port's promise a rejection means that nobody knows. Its text may name the recipient, so it stays out.
    return { status: 'unknown', detail: 'the channel failed' }
  } finally {
    clearTimeout(timer)
  }
}

async function answerOf(call: () => unknown): Promise<CallResult> {
  return readAnswer(await call())
}
