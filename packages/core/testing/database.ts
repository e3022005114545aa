import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { type OpenPglite, openPglite } from '../src/storage/sql/pglite.js'

/** A database of its own, as `--db` and `createEngine` take it. */
export interface FreshDatabase {
  readonly address: string
  drop(): Promise<void>
}

/** On the server where there is one, which takes a moment; else in a folder, which takes seconds. */
export function freshDatabase(postgresUrl: string | undefined): Promise<FreshDatabase> {
  return postgresUrl === undefined ? freshFolder() : freshOnServer(postgresUrl)
}

async function freshFolder(): Promise<FreshDatabase> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'linli-test-'))
  return { address: path.join(scratch, 'data'), drop: () => rm(scratch, { recursive: true }) }
}

async function freshOnServer(postgresUrl: string): Promise<FreshDatabase> {
  const name = `linli_test_${randomBytes(6).toString('hex')}`
  const url = new URL(postgresUrl)
  url.pathname = name
  await onServer(postgresUrl, `create database ${name}`)
  return { address: url.href, drop: () => onServer(postgresUrl, `drop database ${name} with (force)`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

let pglite: Promise<OpenPglite> | undefined

/** The PGlite of all tests in this process, each in a schema of its own: starting one takes seconds. It ends with the process. */
export async function sharedPglite(): Promise<Kysely<unknown>> {
  pglite ??= openPglite(undefined)
  return (await pglite).db
}

/** A schema for one store after another: emptying tables takes a tenth of the time of making them. */
export class ReusedSchema {
  readonly #name = `linli_test_${randomBytes(6).toString('hex')}`

  constructor(private readonly db: Kysely<unknown>) {}

  /** Its name, once nothing is left of the store before. */
  async emptied(): Promise<string> {
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where nspname = ${this.#name} and relkind = 'r' and relname not like 'migration%'
    `.execute(this.db)
    for (const { name } of rows) await sql`delete from ${sql.id(this.#name, name)}`.execute(this.db)
    return this.#name
  }
}
