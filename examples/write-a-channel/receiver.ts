import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { WebhookPayload } from '@linli/adapters/webhook'
import { Webhook } from 'standardwebhooks'

/** Receives webhooks of linli: checks the signature, drops repeats, and hands each message over once. */
export function createReceiver(secret: string, handle: (payload: WebhookPayload) => Promise<void>): Server {
  const webhook = new Webhook(secret)
  const seen = new Map<string, number>() // Use a table with a unique key when you have more than one process.

  return createServer(async (request, response) => {
    const body = await read(request)
    let payload: WebhookPayload
    try {
      // Throws on a wrong signature, and on a timestamp more than five minutes away: somebody repeats old requests.
      payload = webhook.verify(body, request.headers as Record<string, string>) as WebhookPayload
    } catch {
      response.writeHead(401).end()
      return
    }
    const id = payload.data.deliveryKey
    forgetOlderThan(seen, Date.now() - 10 * 60_000)
    if (!seen.has(id)) {
      seen.set(id, Date.now())
      try {
        await handle(payload)
      } catch {
        seen.delete(id)
        response.writeHead(500).end()
        return
      }
    }
    response.writeHead(204).end()
  })
}

/** The signature covers the bytes of the body, so read them before anything parses them. */
async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function forgetOlderThan(seen: Map<string, number>, limit: number): void {
  for (const [id, at] of seen) if (at < limit) seen.delete(id)
}
