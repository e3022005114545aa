import type { IngestReport } from '@linli/core'

/** An answer in JSON. */
export function reply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
}

/** What became of a batch: how many of each, and which were refused and why, by their places in it. */
export function summaryOf({ accepted, duplicates, rejected, results }: IngestReport) {
  const errors = results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ index, code: result.code, message: result.message }] : [],
  )
  return { accepted, duplicates, rejected, ...(errors.length > 0 && { errors }) }
}
