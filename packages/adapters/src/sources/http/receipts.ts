import type { ReceiptReport } from '@linli/core'

/** Whether a provider was faster than its own answer to the call. What it posts again is taken in then; the rest are duplicates. */
export function isEarly({ results }: ReceiptReport): boolean {
  return results.some((result) => result.status === 'rejected' && result.code === 'receipt.early')
}
