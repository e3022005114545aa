import { existsSync } from 'node:fs'
import { Option } from 'commander'
import { EngineError } from '../errors.js'
import { Operations } from '../operations/operations.js'
import { systemClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { Programs } from '../subjects/programs.js'

/** `--db`, which a command cannot do without. */
export function databaseOption(): Option {
  return new Option('--db <url>', 'the database of a running engine: postgres://… or a folder').makeOptionMandatory()
}

/** A database that is there already: looking at one creates none. */
export function existing(database: string): string {
  if (/^postgres(ql)?:\/\//.test(database) || existsSync(database)) return database
  throw new EngineError('database.missing', `There is no database in ${JSON.stringify(database)}.`, { database })
}

/** Does something to what runs on a database, without an engine. */
export async function withOperations<T>(database: string, work: (operations: Operations) => Promise<T>): Promise<T> {
  const store = await openStore(existing(database))
  try {
    return await work(new Operations(store, new Programs(), systemClock))
  } finally {
    await store.close()
  }
}
