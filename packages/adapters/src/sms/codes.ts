import type { RefusalReason, SendContext, SendResult } from '@linli/core'
import { deferred } from '../http/deferral.js'
import { outcomeUnknown } from '../http/errors.js'
import type { JsonObject, JsonOutcome } from '../http/json.js'
import { type Refused, refuse, type Verdict } from '../http/verdicts.js'
import { OFFSET_MS } from './times.js'

/**
 * What a provider's code is taken for: why the message is refused; `again`: it was certainly not sent, and later may work;
 * `unknown`: it may have been sent, so a person decides.
 */
export type CodeMeaning = RefusalReason | 'again' | 'unknown'

/** What a code means for a text message. `morning`: it is the night in which no advertisement may be sent. */
export type SmsVerdict = Verdict | { readonly means: 'unknown' } | { readonly means: 'morning' }

export function noPhone(adapter: string): Refused {
  return { status: 'refused', reason: 'recipient', detail: `${adapter}.no_address: no phone number` }
}

export const UNKNOWN: SmsVerdict = { means: 'unknown' }
export const MORNING: SmsVerdict = { means: 'morning' }

/** By a code, or by what stands before its first point, for all that begin so. */
export type SmsVerdicts = ReadonlyMap<string, SmsVerdict>

const AGAIN_MS = 60_000

/** What a code means, by what the host says of it, and else by the table; undefined where neither says anything. */
export function verdictFor(
  code: string,
  own: Readonly<Record<string, CodeMeaning>>,
  table: SmsVerdicts,
): SmsVerdict | undefined {
  const meaning = Object.hasOwn(own, code) ? own[code] : undefined
  if (meaning === 'again') return { means: 'again', leastMs: AGAIN_MS }
  if (meaning === 'unknown') return UNKNOWN
  if (meaning !== undefined) return refuse(meaning)
  return table.get(code) ?? table.get(code.split('.')[0] ?? '')
}

/** How one provider answers. */
export interface SmsAnswers {
  readonly adapter: string
  /** The code of a message that was taken. */
  readonly taken: string
  readonly verdicts: SmsVerdicts
  /** What the host says of codes. */
  readonly own: Readonly<Record<string, CodeMeaning>>
  /** What an answer says of the message; undefined where it is none of the provider's. */
  readonly read: (
    json: JsonObject,
  ) => { readonly code: string | undefined; readonly id: string | undefined } | undefined
}

/** The result of a call that sends one message. @throws {AdapterError} `….outcome_unknown` */
export function resultOf(
  { adapter, taken, verdicts, own, read }: SmsAnswers,
  outcome: JsonOutcome,
  context: SendContext,
): SendResult {
  if (outcome.kind === 'unknown') throw outcomeUnknown(adapter, outcome.code)
  if (outcome.kind === 'not_sent') return deferred(context, `${adapter}.not_sent: ${outcome.code}`)
  const { status, json, retryAfter } = outcome
  const said = read(json)
  // What stands in front of the provider.
  if (said === undefined && (status === 429 || status === 503)) {
    return deferred(context, `${adapter}.not_sent: HTTP_${status}`, { retryAfter })
  }
  const { code, id } = said ?? {}
  if (code === undefined) throw outcomeUnknown(adapter, `HTTP_${status} without a code`)
  if (code === taken) return { status: 'accepted', ...(id !== undefined && { providerId: id }) }
  const verdict = verdictFor(code, own, verdicts) ?? (status >= 500 ? UNKNOWN : refuse('other'))
  return resultOfCode(adapter, code, verdict, context)
}

/** The result of a message that the provider answered with a code. @throws {AdapterError} `….outcome_unknown` */
export function resultOfCode(adapter: string, code: string, verdict: SmsVerdict, context: SendContext): SendResult {
  // What comes from outside goes into logs as a code does, or not at all.
  const named = /^[A-Za-z][\w.]{0,99}$/.test(code) ? code : 'unreadable'
  const detail = `${adapter}.code: ${named}`
  switch (verdict.means) {
    case 'again':
      return deferred(context, detail, verdict)
    case 'morning':
      return { status: 'deferred', retryAt: nextMorning(context.at), detail }
    case 'unknown':
      throw outcomeUnknown(adapter, `the provider answered ${named}`, named)
    case 'refused':
      return { status: 'refused', reason: verdict.reason, detail }
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const [MORNING_MS, NIGHT_MS] = [8 * HOUR_MS, 22 * HOUR_MS]

/**
 * The next 08:00 in Asia/Shanghai. By day it is in ten minutes: the provider's clock differs from this one.
 */
export function nextMorning(at: Date): Date {
  const sinceMidnight = (at.getTime() + OFFSET_MS) % DAY_MS
  if (sinceMidnight >= MORNING_MS && sinceMidnight < NIGHT_MS) return new Date(at.getTime() + 10 * MINUTE_MS)
  const untilMorning = (MORNING_MS - sinceMidnight + DAY_MS) % DAY_MS
  return new Date(at.getTime() + untilMorning)
}
