import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IncomingEvent, IngestReport } from '@linli/core'
import { nodeListener, type WebHandler } from '../src/sources/http/handler.js'

/** An engine that only remembers what it was given. */
export function listeningEngine() {
  const events: IncomingEvent[] = []
  let failing = false
  return {
    events,
    fail: (fails: boolean) => {
      failing = fails
    },
    async ingest(given: readonly IncomingEvent[]): Promise<IngestReport> {
      if (failing) throw new Error('The database is away.')
      events.push(...given)
      const results = given.map((event) =>
        event === null
          ? ({ status: 'rejected', messageId: undefined, code: 'event.shape', message: 'no event' } as const)
          : ({ status: 'accepted', messageId: event.messageId } as const),
      )
      const rejected = results.filter(({ status }) => status === 'rejected').length
      return { accepted: given.length - rejected, duplicates: 0, rejected, results }
    },
  }
}

/** Serves a source by node:http at a free port. */
export async function serve(handler: WebHandler): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(nodeListener(handler))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
