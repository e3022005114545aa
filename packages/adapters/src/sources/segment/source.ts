import type { Engine, IncomingEvent } from '@linli/core'
import { type JsonObject, parseObject } from '../../http/json.js'
import { isKey } from '../../http/keys.js'
import { BodyTooLarge, readBody, unpack, type WebHandler } from '../http/handler.js'
import type { EventNames } from '../http/names.js'
import { reply, summaryOf } from '../http/replies.js'
import { eventOf } from './records.js'

export interface SegmentSourceOptions {
  readonly engine: Pick<Engine, 'ingest'>
  /** Keys that clients may write with. They are no secrets: they stand in the code of web pages. */
  readonly writeKeys: readonly string[]
  /** What events are called here. What is not named has the name of linli's catalogue, or else its own; `false` drops it. */
  readonly names?: EventNames
  /** The largest body that is taken, in bytes, also after it is unpacked. Default 4 MiB. */
  readonly mostBytes?: number
}

const MOST_BYTES = 4 * 1024 * 1024
const ONE = /\/(track|identify|group|alias|page|screen)\/?$/
const MANY = /\/(batch|import)\/?$/

/**
 * Takes what Segment's libraries send: `/v1/track`, `identify`, `group`, `alias`, `page`, `screen` and `batch`. Point a
 * library's host at it. It answers 200 when the events are durable; refused ones stand in the answer, with their places.
 *
 * Wire format: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
 *
 * @example
 * app.post('/v1/*', (c) => segment(c.req.raw)) // Hono
 */
export function segmentSource(options: SegmentSourceOptions): WebHandler {
  const { engine, names = {}, mostBytes = MOST_BYTES } = options
  const keys = options.writeKeys.map((key) => Buffer.from(key))
  return async (request) => {
    if (request.method !== 'POST') return reply(405, { error: 'Use POST.' }, { allow: 'POST' })
    const { pathname } = new URL(request.url)
    const isMany = MANY.test(pathname)
    const kind = ONE.exec(pathname)?.[1]
    if (!isMany && kind === undefined) return reply(404, { error: 'There are /v1/track, identify, …, batch.' })
    const body = await bodyOf(request, mostBytes)
    if (!('json' in body)) return body.refused
    const { json } = body
    if (!keys.some((key) => isKey(writeKeyOf(request, json), key))) return reply(401, { error: 'Unknown write key.' })
    const records = isMany ? json['batch'] : [{ ...json, type: kind }]
    if (!Array.isArray(records)) return reply(400, { error: '"batch" should be a list of records.' })
    try {
      const report = await engine.ingest(eventsOf(records, names, json['sentAt']))
      return reply(200, { success: true, ...summaryOf(report) })
    } catch {
      // The libraries send again.
      return reply(503, { error: 'Events cannot be taken in now.' }, { 'retry-after': '5' })
    }
  }
}

function eventsOf(records: readonly unknown[], names: EventNames, sentAt: unknown): readonly IncomingEvent[] {
  return records.flatMap((record) => {
    // The engine says of what is no record that it is none.
    if (typeof record !== 'object' || record === null) return [record as IncomingEvent]
    return eventOf(record as JsonObject, names, sentAt) ?? []
  })
}

type Body = { readonly json: JsonObject } | { readonly refused: Response }

async function bodyOf(request: Request, mostBytes: number): Promise<Body> {
  try {
    const raw = await readBody(request, mostBytes)
    const isPacked = request.headers.get('content-encoding') === 'gzip'
    const json = parseObject((isPacked ? unpack(raw, mostBytes) : raw).toString('utf8'))
    return json === undefined ? { refused: reply(400, { error: 'The body should be a JSON object.' }) } : { json }
  } catch (error) {
    if (error instanceof BodyTooLarge) return { refused: reply(413, { error: error.message }) }
    return { refused: reply(400, { error: 'The body cannot be unpacked.' }) }
  }
}

/** As the user name of basic authentication, or in the body. */
function writeKeyOf(request: Request, { writeKey }: JsonObject): string {
  const [scheme, credentials = ''] = (request.headers.get('authorization') ?? '').split(' ')
  if (scheme?.toLowerCase() === 'basic') return Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? ''
  return typeof writeKey === 'string' ? writeKey : ''
}
