import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'

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
