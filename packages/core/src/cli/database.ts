import { existsSync } from 'node:fs'
import path from 'node:path'
import { Option } from 'commander'
import { EngineError } from '../errors.js'
import { Operations } from '../operations/operations.js'
import type { Clock } from '../ports/clock.js'
import type { Store, TablesFound } from '../ports/store.js'
import { systemClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { Programs } from '../subjects/programs.js'

/** `--db`, which a command cannot do without. */
export function databaseOption(): Option {
  return new Option('--db <url>', 'the database of a running engine: postgres://… or a folder').makeOptionMandatory()
}

/**
 * Opens a database that an engine has worked on. Looking at one creates none, and changes no tables: an engine of another
 * release may be at work.
 */
export async function openExisting(database: string): Promise<Store> {
  if (!isPostgres(database) && !existsSync(path.join(database, 'postgres'))) {
    throw new EngineError('database.missing', `There is no database in ${JSON.stringify(database)}.`, { database })
  }
  const store = await openStore(database)
  try {
    const tables = await store.tables()
    if (tables !== 'current') throw unprepared(tables)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database)
}

function unprepared(tables: Exclude<TablesFound, 'current'>): EngineError {
  const message = {
    none: 'The database has no tables of linli in the schema "linli": no engine was started on it. Start one with createEngine, or see whether --db is the database that your engine is given.',
    older:
      'The tables are those of an older release of linli. An engine of this release brings them up to date when it starts; until then, use the command of the release that your engine has.',
    newer: 'The tables are those of a newer release of linli. Use the command of the release that your engine has.',
  }[tables]
  return new EngineError('database.unprepared', message, { tables })
}

/** Does something to what runs on a database, without an engine. */
export function withOperations<T>(database: string, work: (operations: Operations) => Promise<T>): Promise<T> {
  return withStore(database, ({ store, programs, clock }) => work(new Operations(store, programs, clock)))
}

/** Works on a database, without an engine. */
export async function withStore<T>(
  database: string,
  work: (parts: { readonly store: Store; readonly programs: Programs; readonly clock: Clock }) => Promise<T>,
): Promise<T> {
  const store = await openExisting(database)
  try {
    return await work({ store, programs: new Programs(), clock: systemClock })
  } finally {
    await store.close()
  }
}
