import { finished } from 'node:stream/promises'
import { createEngine, definePack, type Engine, type IncomingEvent, type IngestMode } from '@linli/core'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { startPrivatePostgres } from '../test/private-postgres.js'

/** A server for one benchmark: `DATABASE_URL` when set, else a private one with fsync on. */
export async function benchServer(): Promise<{ url: string; source: string; stop(): Promise<void> }> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) return { url: given, source: 'DATABASE_URL', stop: () => Promise.resolve() }
  return startPrivatePostgres({ durable: true })
}

/** An engine on a fresh schema of the server. */
export async function benchEngine(url: string, schema: string, rules: readonly unknown[]): Promise<Engine> {
  return createEngine({
    rules: definePack(rules),
    database: url,
    schema,
    channels: [{ name: 'push', repeat: { kind: 'none' }, send: () => Promise.resolve({ status: 'accepted' }) }],
  })
}

export interface IngestAllOptions {
  readonly size?: number
  readonly underWay?: number
  readonly mode?: IngestMode
}

/** Takes events in as a host under load does: calls of `size` events, some of them under way at once. */
export async function ingestAll(
  engine: Engine,
  events: readonly IncomingEvent[],
  { size = 1000, underWay = 6, mode = 'live' }: IngestAllOptions = {},
): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < events.length) {
      const from = next
      next += size
      const report = await engine.ingest(events.slice(from, from + size), { mode })
      if (report.rejected > 0) throw new Error(`${report.rejected} events were rejected`)
    }
  }
  await Promise.all(Array.from({ length: underWay }, worker))
}

/** Runs statements on the server. */
export async function run(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** The rows of linli's event table, as COPY text. */
export async function copyEvents(url: string, table: string, lines: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const stream = client.query(copyFrom(`copy ${table} (message_id, user_id, at, body) from stdin`))
  const done = finished(stream)
  for (let from = 0; from < lines.length; from += 1000) {
    if (!stream.write(lines.slice(from, from + 1000).join('')))
      await new Promise((resolve) => stream.once('drain', resolve))
  }
  stream.end()
  await done
  await client.end()
}

/** The event table of linli's schema: what COPY fills. */
export function eventTable(schema: string): string[] {
  return [
    `create schema ${schema}`,
    `create table ${schema}.event (message_id text collate "C" primary key, user_id text collate "C" not null, at int8 not null, body text not null, community text collate "C", leader text collate "C")`,
    `create index event_user on ${schema}.event (user_id, at)`,
    `create index event_community on ${schema}.event (community, at) where community is not null`,
    `create index event_leader on ${schema}.event (leader, at) where leader is not null`,
  ]
}

/** An event as a line of COPY text, the body as linli stores it. */
export function copyLine(event: IncomingEvent): string {
  const { type = 'track', event: name, properties, groupId, messageId, userId, timestamp } = event
  const at = Date.parse(String(timestamp))
  const body = JSON.stringify({ type, event: name ?? type, receivedAt: at, properties: properties ?? {}, groupId })
  return `${messageId}\t${userId}\t${at}\t${body.replaceAll('\\', '\\\\')}\n`
}
