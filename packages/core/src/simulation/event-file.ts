import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { IncomingEvent } from '../ingest/event.js'

/** How much of an event file has been read, for progress. */
export interface ReadProgress {
  bytesRead: number
  bytesTotal: number
}

/**
 * Reads events from a file of one JSON object a line, gzipped or not. A line that is no JSON becomes an event that the
 * engine refuses, so that it is counted and the others go on.
 */
export async function* readEventFile(path: string, progress?: ReadProgress): AsyncGenerator<IncomingEvent> {
  const file = await open(path)
  const [{ size }, gzipped] = await Promise.all([file.stat(), isGzipped(file)]).finally(() => file.close())
  const raw = createReadStream(path)
  if (progress !== undefined) {
    progress.bytesTotal = size
    raw.on('data', (chunk) => {
      progress.bytesRead += chunk.length
    })
  }
  const input = gzipped ? raw.pipe(createGunzip()) : raw
  raw.on('error', (error) => input.destroy(error))
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() !== '') yield parseLine(line)
    }
  } catch (error) {
    throw new Error(`${path} cannot be read to its end: ${(error as Error).message}`, { cause: error })
  }
}

async function isGzipped(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
}

function parseLine(line: string): IncomingEvent {
  try {
    return JSON.parse(line) as IncomingEvent
  } catch {
    // Anything that is no object is refused with a code and a decision, like every other bad event.
    return null as unknown as IncomingEvent
  }
}
