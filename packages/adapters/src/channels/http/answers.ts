import type { LookUpResult, SendContext } from '@linli/core'
import { readPointer } from '../../declared/pointer.js'
import { deferred } from '../../http/deferral.js'
import { outcomeUnknown } from '../../http/errors.js'
import { parseJson } from '../../http/json.js'
import type { HttpOutcome } from '../../http/request.js'
import { verdictOfStatus } from '../../http/status.js'
import type { Answer } from './declaration.js'

type Answered = Extract<HttpOutcome, { readonly kind: 'answered' }>

/** Begins the codes of errors and details. */
export const ADAPTER = 'http'

/**
 * What became of a message, as the first answer that fits says it. Where none fits, the HTTP status says it, as of the webhook
 * channel; but where answers are declared, a 2xx that none fits says nothing.
 *
 * @throws {AdapterError} `http.outcome_unknown`
 */
export function resultOf(outcome: HttpOutcome, context: SendContext, answers: readonly Answer[]): LookUpResult {
  if (outcome.kind === 'not_sent') return deferred(context, `${ADAPTER}.not_sent: ${outcome.code}`)
  if (outcome.kind === 'unknown') throw outcomeUnknown(ADAPTER, outcome.code)
  const body = readBody(outcome.text)
  const index = answers.findIndex((answer) => fits(answer, outcome.status, body))
  const answer = answers[index]
  if (answer !== undefined) return meaningOf(answer, index, outcome, body, context)
  if (outcome.status < 300 && answers.length > 0) throw noneFits(outcome.status)
  return byStatus(outcome, context)
}

/** What a look-up found; only what is declared counts. @throws {AdapterError} `http.outcome_unknown` */
export function foundBy(outcome: HttpOutcome, context: SendContext, answers: readonly Answer[]): LookUpResult {
  if (outcome.kind !== 'answered') throw outcomeUnknown(ADAPTER, `the look-up ended with ${outcome.code}`)
  const body = readBody(outcome.text)
  const index = answers.findIndex((answer) => fits(answer, outcome.status, body))
  const answer = answers[index]
  if (answer === undefined) throw noneFits(outcome.status)
  return meaningOf(answer, index, outcome, body, context)
}

function noneFits(status: number) {
  return outcomeUnknown(ADAPTER, `HTTP ${status}, and none of "answers" fits`, status)
}

/** JSON, or else the text itself. */
function readBody(text = ''): unknown {
  const json = parseJson(text)
  return json === undefined ? text.trim() : json
}

function fits({ status, at, is }: Answer, found: number, body: unknown): boolean {
  const isStatus = (one: number | string) => one === found || one === `${Math.floor(found / 100)}xx`
  if (status !== undefined && !status.some(isStatus)) return false
  if (at === undefined || is === undefined) return true
  const value = readPointer(body, at)
  if (value === undefined || typeof value === 'object') return value === null && is.includes(null)
  return is.some((one) => one !== null && String(one) === String(value))
}

function meaningOf(
  answer: Answer,
  index: number,
  { retryAfter, status }: Answered,
  body: unknown,
  context: SendContext,
): LookUpResult {
  const detail = `${ADAPTER}.answer: HTTP ${status}, answers/${index}${codeAt(answer, body)}`
  switch (answer.then) {
    case 'accepted':
    case 'awaiting_person': {
      const providerId = answer.providerId === undefined ? undefined : readPointer(body, answer.providerId)
      const isId = (typeof providerId === 'string' && providerId !== '') || typeof providerId === 'number'
      return { status: answer.then, ...(isId && { providerId: String(providerId) }) }
    }
    case 'deferred':
      return deferred(context, detail, { retryAfter, leastMs: (answer.afterSeconds ?? 0) * 1000 })
    case 'refused':
      return { status: 'refused', reason: answer.reason ?? 'other', detail }
    case 'not_found':
      return { status: 'not_found' }
    case 'unknown':
      throw outcomeUnknown(ADAPTER, detail, status)
  }
}

/** What was compared stands in the declaration, so it may be told; nothing else of the answer is. */
function codeAt({ at, is }: Answer, body: unknown): string {
  if (at === undefined || is === undefined) return ''
  const value = readPointer(body, at)
  const found = is.find((one) => String(one) === String(value))
  return found === undefined ? '' : `, ${at === '' ? 'all' : at} is ${JSON.stringify(found)}`
}

function byStatus({ status, retryAfter }: Answered, context: SendContext): LookUpResult {
  const verdict = verdictOfStatus(status, 'configuration')
  const detail = `${ADAPTER}.status: HTTP ${status}`
  switch (verdict.means) {
    case 'accepted':
      return { status: 'accepted' }
    case 'again':
      return deferred(context, detail, { retryAfter })
    case 'unknown':
      throw outcomeUnknown(ADAPTER, `HTTP ${status}`, status)
    case 'refused':
      return { status: 'refused', reason: verdict.reason, detail }
  }
}
