import type { RefusalReason } from '../ports/channel.js'
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

function textMember<K extends string>(name: K, value: unknown): { readonly [name in K]?: string } {
  if (typeof value !== 'string' && typeof value !== 'number') return {}
  const text = String(value).replaceAll('\0', '').toWellFormed().slice(0, LONGEST_TEXT)
  return { [name]: text } as { readonly [name in K]?: string }
}
