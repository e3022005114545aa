import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type {} from 'vitest'
import type { TestProject } from 'vitest/node'
import { isSet } from './environment.js'
import { startKeeper } from './keep.js'
import { NoPostgresError, startPrivatePostgres } from './private-postgres.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A PostgreSQL database the tests may fill at will; undefined when this machine has none. */
    postgresUrl: string | undefined
  }
}

interface TestDatabase {
  url: string
  source: string
  stop(): Promise<void>
}

/**
 * Gives the tests a PostgreSQL: a fresh database on DATABASE_URL, else a private server from programs of this
 * machine, else one from npm. LINLI_POSTGRES=local, embedded or none decides otherwise.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const database = await testDatabase()
    project.provide('postgresUrl', database.url)
    process.stderr.write(`Tests use ${database.source}\n`)
    return () => database.stop()
  } catch (error) {
    if (!(error instanceof NoPostgresError)) throw error
    if (isSet('CI')) throw new Error(`The tests need PostgreSQL: ${error.message}.`, { cause: error })
    process.stderr.write(`PostgreSQL TESTS ARE SKIPPED: ${error.message}. Set DATABASE_URL to run them.\n`)
    project.provide('postgresUrl', undefined)
    return undefined
  }
}

function testDatabase(): Promise<TestDatabase> {
  const wanted = process.env['LINLI_POSTGRES'] ?? ''
  if (wanted === 'none') return Promise.reject(new NoPostgresError('LINLI_POSTGRES is "none"'))
  if (wanted === 'local' || wanted === 'embedded') return startPrivatePostgres({ prefer: wanted })
  if (wanted !== '') throw new Error(`LINLI_POSTGRES is "${wanted}". It may be "local", "embedded" or "none".`)
  const url = process.env['DATABASE_URL'] ?? ''
  return url === '' ? startPrivatePostgres() : databaseOn(url)
}

/** Makes a database of our own on a server that others may use too, and drops just that. */
async function databaseOn(url: string): Promise<TestDatabase> {
  const name = `linli_test_${randomBytes(6).toString('hex')}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const keeper = startKeeper()
  try {
    keeper.tell({ drop: { url, name } })
    await client.query(`create database ${client.escapeIdentifier(name)} encoding 'UTF8' template template0`)
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    const own = new URL(url)
    own.pathname = `/${name}`
    const version = rows[0]?.server_version.split(' ')[0]
    return {
      url: own.href,
      source: `PostgreSQL ${version} (DATABASE_URL, database ${name})`,
      stop: () => keeper.finish(),
    }
  } catch (error) {
    await keeper.finish()
    throw error
  } finally {
    await client.end()
  }
}
