import type { SendContext, SendResult } from '@linli/core'
import { deferred } from '../http/deferral.js'
import { outcomeUnknown } from '../http/errors.js'
import type { JsonObject } from '../http/json.js'
import { type Refused, refuse, unfit, type Verdict } from '../http/verdicts.js'
import type { ApiOutcome } from './api.js'

export { again, type Refused, refuse, textOf, unfit, type Verdict } from '../http/verdicts.js'

/** What the platform's errcodes mean; of any other, nothing is known but that the call was not done. */
export type Verdicts = ReadonlyMap<number, Verdict>

/**
 * The result of a call that sends. `taken` reads what the platform answered when it took the call: some of it may have
 * failed all the same.
 *
 * @throws {AdapterError} `….outcome_unknown`
 */
export function resultOf(
  adapter: string,
  outcome: ApiOutcome,
  context: SendContext,
  verdicts: Verdicts,
  taken: (json: JsonObject) => SendResult,
): SendResult {
  if (outcome.kind === 'unknown') throw outcomeUnknown(adapter, outcome.code)
  if (outcome.kind === 'not_sent') {
    const detail = `${adapter}.not_sent: ${outcome.code}`
    if (outcome.isFinal) return { status: 'refused', reason: 'configuration', detail }
    return deferred(context, detail, { retryAfter: outcome.retryAfter })
  }
  const { errcode, json } = outcome
  if (errcode === 0) return taken(json)
  const detail = `${adapter}.errcode: ${errcode}`
  const verdict = verdicts.get(errcode) ?? refuse('other')
  if (verdict.means === 'again') return deferred(context, detail, verdict)
  return { status: 'refused', reason: verdict.reason, detail }
}

/** What is sent of a message's content; or why it can never be sent so. */
export type Content = { readonly body: JsonObject } | { readonly refused: Refused }

/** Undefined where the text is no longer than the platform takes, in bytes of UTF-8. */
export function tooLong(adapter: string, text: string, most: number): { readonly refused: Refused } | undefined {
  const bytes = Buffer.byteLength(text)
  return bytes > most
    ? unfit(`${adapter}.too_long: the text has ${bytes} bytes of UTF-8; ${most} is the most`)
    : undefined
}
