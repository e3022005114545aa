import type { RefusalReason, SendResult } from '@linli/core'

/** What a provider's code means: try again, not before so many milliseconds; or no use, and why. */
export type Verdict =
  | { readonly means: 'again'; readonly leastMs: number }
  | { readonly means: 'refused'; readonly reason: RefusalReason }

export function again(leastMs: number): Verdict {
  return { means: 'again', leastMs }
}

export function refuse(reason: RefusalReason): Verdict {
  return { means: 'refused', reason }
}

/** A text of the provider's answer, or undefined. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

export type Refused = Extract<SendResult, { readonly status: 'refused' }>

/** A content that can never be sent so. */
export function unfit(detail: string): { readonly refused: Refused } {
  return { refused: { status: 'refused', reason: 'content', detail } }
}
