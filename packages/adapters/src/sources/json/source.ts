import type { Engine, EventResult, IncomingEvent, IngestReport } from '@linli/core'
import { parseJson } from '../../http/json.js'
import { BodyTooLarge, readBody, unpack, type WebHandler } from '../http/handler.js'
import { reply } from '../http/replies.js'
import { authenticateBy, type JsonSourceAuth } from './auth.js'
import { type JsonMap, jsonMap, type MappedRecord, NO_EVENT } from './map.js'

export interface JsonSourceOptions {
  readonly engine: Pick<Engine, 'ingest'>
  /** How records become events: a declaration, which is checked, or `jsonMap` of one. */
  readonly map: unknown
  /** How a request shows that it comes from the order system. */
  readonly auth: JsonSourceAuth
  /** What is answered with 200, where the system wants a word of its own, such as `{ code: 0 }`. Default: what became of the records. */
  readonly success?: unknown
  /** The largest body that is taken, in bytes, also after it is unpacked. Default 4 MiB. */
  readonly mostBytes?: number
}

const MOST_BYTES = 4 * 1024 * 1024

/**
 * Takes what an order system posts as JSON: one record or many, made into events as a declaration says. Answers 200 when the
 * events are durable; records that are refused stand in the answer, with their places, and hold up no others. Answers 503
 * where events cannot be taken in, so that the system sends again: a record that comes again changes nothing.
 *
 * @throws {DeclarationError} `json.declaration_invalid`
 * @throws {AdapterError} `json.option_invalid`
 * @example
 * app.post('/orders', (c) => orders(c.req.raw)) // Hono
 */
export function jsonSource(options: JsonSourceOptions): WebHandler {
  const { engine, mostBytes = MOST_BYTES, success } = options
  const map = isMap(options.map) ? options.map : jsonMap(options.map)
  const isAllowed = authenticateBy(options.auth)
  return async (request) => {
    if (request.method !== 'POST') return reply(405, { error: 'Use POST.' }, { allow: 'POST' })
    try {
      const raw = await readBody(request, mostBytes)
      if (!(await isAllowed({ headers: request.headers, url: new URL(request.url), body: raw }))) {
        return reply(401, { error: 'The request is not signed as it should be.' })
      }
      const isPacked = request.headers.get('content-encoding') === 'gzip'
      const payload = parseJson((isPacked ? unpacked(raw, mostBytes) : raw).toString('utf8'))
      if (payload === undefined) return reply(400, { error: 'The body should be JSON.' })
      const summary = await takeIn(engine, map.records(payload))
      return reply(200, success ?? summary)
    } catch (error) {
      if (error instanceof BodyTooLarge) return reply(413, { error: error.message })
      return reply(503, { error: 'Events cannot be taken in now.' }, { 'retry-after': '5' })
    }
  }
}

function isMap(map: unknown): map is JsonMap {
  return typeof map === 'object' && map !== null && 'records' in map && typeof map.records === 'function'
}

function unpacked(raw: Buffer, mostBytes: number): Buffer {
  try {
    return unpack(raw, mostBytes)
  } catch (error) {
    if (error instanceof BodyTooLarge) throw error
    return Buffer.alloc(0)
  }
}

interface RecordError {
  /** The place of the record among those that came. */
  readonly index: number
  readonly code: string
  readonly message: string
  /** Where in the record, where that is known. */
  readonly pointer?: string
}

async function takeIn(engine: Pick<Engine, 'ingest'>, records: readonly MappedRecord[]) {
  const events: IncomingEvent[] = []
  const owners: number[] = []
  const add = (event: IncomingEvent, index: number) => {
    events.push(event)
    owners.push(index)
  }
  records.forEach((record, index) => {
    if (record.status === 'mapped') for (const event of record.events) add(event, index)
    // A decision tells of it.
    if (record.status === 'refused') add(NO_EVENT, index)
  })
  const report = events.length === 0 ? undefined : await engine.ingest(events)
  return summaryOf(records, owners, report?.results ?? [])
}

function summaryOf(records: readonly MappedRecord[], owners: readonly number[], results: IngestReport['results']) {
  const own = new Map<number, EventResult[]>()
  results.forEach((result, place) => {
    const index = owners[place] ?? 0
    own.set(index, [...(own.get(index) ?? []), result])
  })
  const errors = records.flatMap((record, index) => errorOf(record, index, own.get(index) ?? []))
  const isBad = new Set(errors.map(({ index }) => index))
  const good = records.flatMap((record, index) => (record.status === 'mapped' && !isBad.has(index) ? [index] : []))
  const duplicates = good.filter((index) => own.get(index)?.every(({ status }) => status === 'duplicate')).length
  return {
    accepted: good.length - duplicates,
    duplicates,
    rejected: errors.length,
    dropped: records.filter(({ status }) => status === 'dropped').length,
    ...(errors.length > 0 && { errors }),
  }
}

function errorOf(record: MappedRecord, index: number, results: readonly EventResult[]): readonly RecordError[] {
  if (record.status === 'refused') {
    const { code, message, pointer } = record
    return [{ index, code, message, pointer }]
  }
  const refusal = results.find((one) => one.status === 'rejected')
  return refusal === undefined ? [] : [{ index, code: refusal.code, message: refusal.message }]
}
