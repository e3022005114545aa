import type { Engine } from '@linli/core'

/** Called by customer service: has somebody enter a journey, once for each case. */
export async function sayWeAreSorry(engine: Engine, customer: string, caseId: string, product: string) {
  const request = { userId: customer, messageId: `refund-care/${caseId}`, properties: { caseId, product } }
  const result = await engine.enter('refund-care', request)
  if (result.status === 'rejected') throw new Error(`linli refused it: ${result.message}`)
}
