import type { RefusalReason } from '../ports/channel.js'
import type { IssueRefusal } from '../ports/issuer.js'
import type { CallResult } from './settlement.js'

const REFUSALS: ReadonlySet<unknown> = new Set<RefusalReason>(['recipient', 'content', 'configuration', 'other'])
const LONGEST_TEXT = 500

const NO_RESULT: CallResult = { status: 'unknown', detail: 'the channel answered with no result' }

/**
 * What a channel answered. Channels are written by many hands: an answer that is no result says nothing about what the
 * provider did, and must not hold up the other messages.
 */
export function readAnswer(answer: unknown): CallResult {
  const { status, providerId, retryAt, reason, detail } = (answer ?? {}) as Readonly<Record<string, unknown>>
  const said = { ...textMember('detail', detail) }
  switch (status) {
    case 'accepted':
      return { status, ...textMember('providerId', providerId) }
    case 'awaiting_person':
      return { status, ...textMember('providerId', providerId) }
    case 'deferred':
      return retryAt instanceof Date && Number.isFinite(retryAt.getTime()) ? { status, retryAt, ...said } : NO_RESULT
    case 'refused':
      return { status, reason: REFUSALS.has(reason) ? (reason as RefusalReason) : 'other', ...said }
    case 'unknown':
      return { status, ...said }
    default:
      return NO_RESULT
  }
}

const ISSUE_REFUSALS: ReadonlySet<unknown> = new Set<IssueRefusal>([
  'recipient',
  'limit',
  'exhausted',
  'configuration',
  'other',
])
/** How many characters a code of an issuer has at most. */
export const LONGEST_CODE = 200

/** What an issuer answered. Without its code nobody knows which coupon it is. */
export function readIssueAnswer(answer: unknown): CallResult {
  const { status, code, expiresAt, reason } = (answer ?? {}) as Readonly<Record<string, unknown>>
  if (status === 'refused') {
    const read = readAnswer(answer)
    const known = ISSUE_REFUSALS.has(reason) ? (reason as IssueRefusal) : 'other'
    return read.status === 'refused' ? { ...read, reason: known } : read
  }
  if (status === 'awaiting_person') return NO_RESULT
  if (status !== 'accepted') return readAnswer(answer)
  if (typeof code !== 'string' || code === '' || code.length > LONGEST_CODE || code.includes('\0')) return NO_RESULT
  const isDate = expiresAt instanceof Date && Number.isFinite(expiresAt.getTime())
  return { status, code, ...(isDate && { expiresAt }) }
}

function textMember<K extends string>(name: K, value: unknown): { readonly [name in K]?: string } {
  if (typeof value !== 'string' && typeof value !== 'number') return {}
  const text = String(value).replaceAll('\0', '').toWellFormed().slice(0, LONGEST_TEXT)
  return { [name]: text } as { readonly [name in K]?: string }
}
