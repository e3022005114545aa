import type { Engine, IncomingEvent } from '@linli/core'

/** Takes the past in: it counts for tags and scores, and nothing is sent to anybody. Run it again after a failure. */
export async function importHistory(engine: Engine, events: AsyncIterable<IncomingEvent>): Promise<number> {
  let accepted = 0
  let batch: IncomingEvent[] = []
  const flush = async () => {
    accepted += (await engine.ingest(batch, { mode: 'history' })).accepted
    batch = []
  }
  for await (const event of events) {
    batch.push(event)
    if (batch.length === 10_000) await flush()
  }
  await flush()
  return accepted
}
