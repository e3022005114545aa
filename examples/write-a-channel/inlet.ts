import { createServer, type IncomingMessage, type Server } from 'node:http'
import { SigningSecret, verifyWebhook, WebhookError } from '@linli/adapters/webhook'
import type { Engine, IncomingEvent } from '@linli/core'

const LARGEST_BODY = 64 * 1024

/** Takes events in that another system posts as signed webhooks, one in each request. */
export function createInlet(engine: Engine, secret: string): Server {
  const secrets = new SigningSecret(secret)
  return createServer(async (request, response) => {
    try {
      const { id, body } = verifyWebhook({ headers: request.headers, body: await read(request) }, { secrets })
      // A webhook that comes again has the same id, so the event log takes it once.
      const event = { ...(JSON.parse(body) as IncomingEvent), messageId: id }
      const { results } = await engine.ingest([event])
      response.writeHead(results[0]?.status === 'rejected' ? 422 : 204).end()
    } catch (error) {
      if (error instanceof WebhookError) response.writeHead(401).end()
      else if (error instanceof SyntaxError) response.writeHead(400).end()
      else response.writeHead(503).end() // The database is away: the sender tries again.
    }
  })
}

/** The bytes of the body as they came: the signature is over them. */
async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new SyntaxError('The body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
