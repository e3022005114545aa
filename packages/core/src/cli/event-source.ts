import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import type { IncomingEvent } from '../ingest/event.js'
import { type ReadProgress, readEventFile } from '../simulation/event-file.js'
import { loggedEvents } from '../simulation/logged-events.js'
import type { DeliveryOutcomes } from '../simulation/outcomes.js'
import { openExisting } from './database.js'

/** Where events come from, and what becomes of messages: flags that simulations have in common. */
export interface SourceFlags {
  readonly events?: string
  readonly db?: string
  readonly outcomes?: string
}

export function withSourceFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--events <file>', 'events, one JSON object a line (.ndjson or .ndjson.gz), in time order').conflicts(
        'db',
      ),
    )
    .option('--db <url>', 'instead, the events of a running engine: postgres://… or a folder; it is only read')
    .option(
      '--outcomes <file>',
      'what becomes of messages: a JSON file of a seed and channels; all are accepted when left out',
    )
}

/** Events, from their beginning each time they are asked for. */
export interface EventSource {
  readonly events: () => AsyncIterable<IncomingEvent>
  /** How much of them has been read, where that is known. */
  readonly percent: () => string
}

/** Works with the events that flags name. */
export async function withEvents<T>(flags: SourceFlags, work: (source: EventSource) => Promise<T>): Promise<T> {
  const { events: file, db } = flags
  if (file !== undefined) {
    const read: ReadProgress = { bytesRead: 0, bytesTotal: 1 }
    const percent = () => `${Math.floor((100 * read.bytesRead) / read.bytesTotal)}%  `
    return work({ events: () => readEventFile(file, read), percent })
  }
  if (db === undefined) throw new Error('Say where the events are: --events FILE or --db URL.')
  const store = await openExisting(db)
  try {
    return await work({ events: () => loggedEvents(store), percent: () => '' })
  } finally {
    await store.close()
  }
}

/** Reads what becomes of messages; whether it is right is the simulation's to say. */
export async function readOutcomes({ outcomes: file }: SourceFlags): Promise<{ outcomes?: DeliveryOutcomes }> {
  if (file === undefined) return {}
  const text = await readFile(file, 'utf8')
  try {
    return { outcomes: JSON.parse(text) as DeliveryOutcomes }
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
}
