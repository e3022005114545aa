import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Engine, Receipt } from '@linli/core'

/** What an SMS gateway posts: a list of reports. `out_id` is what it was given with the message: the delivery key. */
interface SmsReport {
  readonly out_id: string
  readonly success: boolean
  /** `2026-03-01 12:00:05`, in Beijing. */
  readonly report_time: string
  readonly err_code?: string
}

/** Hands the reports of an SMS gateway to linli. Check who calls before you let a request come here. */
export function createReceiptServer(engine: Engine): Server {
  return createServer(async (request, response) => {
    try {
      const { results } = await engine.receive((await readReports(request)).map(receiptOf))
      const refused = results.filter((result) => result.status === 'rejected')
      for (const { code, message } of refused) console.warn(`a receipt was refused: ${code}: ${message}`)
      // Early: the gateway is faster than its own answer. What it repeats then is taken in; the others are duplicates.
      const again = refused.some(({ code }) => code === 'receipt.early')
      response.writeHead(again ? 503 : 200, { 'content-type': 'application/json' }).end('{"code":0,"msg":"成功"}')
    } catch (error) {
      // The database, most likely, or a body that is no JSON. Most gateways repeat what was not answered with 200.
      console.error(error)
      response.writeHead(503).end()
    }
  })
}

function receiptOf({ out_id, success, report_time, err_code }: SmsReport): Receipt {
  const at = `${report_time.replace(' ', 'T')}+08:00`
  return { deliveryKey: out_id, says: success ? 'delivered' : 'failed', at, ...(err_code && { detail: err_code }) }
}

async function readReports(request: IncomingMessage): Promise<readonly SmsReport[]> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
