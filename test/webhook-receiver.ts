import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProviderControls } from '@linli/core/testing'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void

/** A webhook receiver on this machine that drops repeats of a `webhook-id`, and obeys the test. */
export interface WebhookReceiver extends Required<ProviderControls> {
  readonly port: number
  /** Every request, dropped repeats included. */
  readonly requests: readonly ReceivedRequest[]
  accepted(): readonly string[]
  /** Answers the next request so; the message is not taken. */
  answerNext(answer: Answer): void
  /** Answers the next request with this status and these headers. */
  statusNext(status: number, headers?: Record<string, string>, body?: string): void
  close(): Promise<void>
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const requests: ReceivedRequest[] = []
  const taken = new Set<string>()
  const script: Answer[] = []
  const waiting: (() => void)[] = []
  const take = ({ headers }: ReceivedRequest) => taken.add(String(headers['webhook-id']))

  const server = createServer(async (request, response) => {
    const received = await readRequest(request)
    requests.push(received)
    const answer = script.shift()
    if (answer !== undefined) return answer(received, response)
    take(received)
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const statusNext: WebhookReceiver['statusNext'] = (status, headers = {}, body = '') => {
    script.push((_, response) => response.writeHead(status, headers).end(body))
  }
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    accepted: () => [...taken],
    answerNext: (answer) => void script.push(answer),
    statusNext,
    failNext(when) {
      script.push((request, response) => {
        if (when === 'after') take(request)
        response.destroy()
      })
    },
    refuseNext: () => statusNext(400),
    deferNext: () => statusNext(429, { 'retry-after': '7' }),
    hangNext() {
      script.push(() => {
        for (const held of waiting.splice(0)) held()
      })
    },
    hanging: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url: path = '', headers } = request
  return { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
}
