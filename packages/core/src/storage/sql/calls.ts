import { sql } from 'kysely'
import type { CallsLetThrough, ChannelCalls } from '../../ports/store.js'
import { type Int8, intArray, textArray, textLines } from './parameters.js'
import type { Session } from './session.js'

interface CallsRow {
  readonly channel: string
  readonly free_at: Int8
  readonly body: string
}

export async function readCalls(session: Session, channels: readonly string[]): Promise<readonly ChannelCalls[]> {
  const rows = await session.rows(sql<CallsRow>`
    select channel, free_at, body from ${session.tables.calls} where channel = any(${textArray(channels)}::text[])
  `)
  return rows.map(toCalls)
}

export async function lockCalls(session: Session, channels: readonly string[]): Promise<readonly ChannelCalls[]> {
  const found = await lockKnown(session, channels)
  if (found.length === new Set(channels).size) return found
  await session.write(sql`
    insert into ${session.tables.calls} (channel)
    select distinct channel collate "C" as channel from unnest(${textArray(channels)}::text[]) as channel order by 1
    on conflict do nothing
  `)
  return lockKnown(session, channels)
}

async function lockKnown(session: Session, channels: readonly string[]): Promise<readonly ChannelCalls[]> {
  const rows = await session.rows(sql<CallsRow>`
    select channel, free_at, body from ${session.tables.calls} where channel = any(${textArray(channels)}::text[])
    order by channel for update
  `)
  return rows.map(toCalls)
}

export async function saveCalls(session: Session, calls: readonly ChannelCalls[]): Promise<void> {
  if (calls.length === 0) return
  await session.write(sql`
    update ${session.tables.calls} as calls set free_at = saved.free_at, body = saved.body
    from unnest(
      ${textArray(calls.map(({ channel }) => channel))}::text[],
      ${intArray(calls.map(({ freeAt }) => freeAt))}::int8[],
      string_to_array(${textLines(calls.map((one) => JSON.stringify(one.calls)))}, chr(10))
    ) as saved (channel, free_at, body)
    where calls.channel = saved.channel
  `)
}

function toCalls({ channel, free_at, body }: CallsRow): ChannelCalls {
  return { channel, freeAt: Number(free_at), calls: JSON.parse(body) as readonly CallsLetThrough[] }
}
