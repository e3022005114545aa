import type { RefusalReason } from '@linli/core'

/** Whose address the URL is, and so which reason a dead one gives: the channel's own, or one for each recipient. */
export type AddressOwner = Extract<RefusalReason, 'configuration' | 'recipient'>

/** What an HTTP status says by itself of a request that was to send. */
export type StatusVerdict =
  | { readonly means: 'accepted' | 'again' | 'unknown' }
  | { readonly means: 'refused'; readonly reason: RefusalReason }

/**
 * A status says "not sent" only where HTTP defines it so: 408, 425, 429 and 503 mean that the request was not handled.
 * 500, 502 and 504 may follow a message that was taken, so their outcome is unknown.
 */
export function verdictOfStatus(status: number, owner: AddressOwner): StatusVerdict {
  if (status >= 200 && status < 300) return { means: 'accepted' }
  if ([408, 425, 429, 503].includes(status)) return { means: 'again' }
  if (status >= 500 || status < 300) return { means: 'unknown' }
  return { means: 'refused', reason: reasonOf(status, owner) }
}

function reasonOf(status: number, owner: AddressOwner): RefusalReason {
  if ([400, 413, 415, 422].includes(status)) return 'content'
  if ([401, 403, 405].includes(status)) return 'configuration'
  return status < 400 || status === 404 || status === 410 ? owner : 'other'
}
