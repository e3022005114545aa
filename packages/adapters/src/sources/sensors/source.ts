import type { Engine, IncomingEvent } from '@linli/core'
import { asObject, type JsonObject } from '../../http/json.js'
import { BodyTooLarge, readBody, type WebHandler } from '../http/handler.js'
import type { EventNames } from '../http/names.js'
import { reply, summaryOf } from '../http/replies.js'
import { type BodyProblem, type ReadRecords, readRecords } from './body.js'
import { eventOf } from './records.js'

export interface SensorsSourceOptions {
  readonly engine: Pick<Engine, 'ingest'>
  /** Tokens that may stand in the address (`?token=`). Left out: anybody may send. */
  readonly tokens?: readonly string[]
  /** What events are called here. What is not named has the name of linli's catalogue, or else its own; `false` drops it. */
  readonly names?: EventNames
  /** What properties are called here, such as `{ product_id: 'sku' }`. Presets, with a `$`, that are not named are left out. */
  readonly properties?: Readonly<Record<string, string>>
  /**
   * Whether the `distinct_id` of a record without `login_id` is a user's id. Left out: where the record says so, or comes from a
   * library of servers.
   */
  readonly isLogin?: (record: JsonObject) => boolean
  /** The largest body that is taken, in bytes, also after it is unpacked. Default 4 MiB. */
  readonly mostBytes?: number
}

const MOST_BYTES = 4 * 1024 * 1024
// Web pages of any origin send, and learn nothing from the answer.
const OPEN = { 'access-control-allow-origin': '*' }

/**
 * Takes what the SDKs of Sensors Analytics (神策) send: point `server_url` at it. It answers when the events are durable. The
 * SDK of mini-programs takes any answer at all for success and forgets what it sent, so where events cannot be taken in the
 * handler **throws**: `nodeListener` and `fastifyRoute` then break the connection off, and the SDK sends again.
 *
 * @example
 * createServer(nodeListener(sensorsSource({ engine }))).listen(8106)
 */
export function sensorsSource(options: SensorsSourceOptions): WebHandler {
  const { engine, tokens, names = {}, properties = {}, isLogin, mostBytes = MOST_BYTES } = options
  const reading = { names, properties, isLogin }
  return async (request) => {
    const { searchParams, search } = new URL(request.url)
    if (tokens !== undefined && !tokens.includes(searchParams.get('token') ?? '')) {
      return reply(401, { error: 'Unknown token.' }, OPEN)
    }
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: OPEN })
    const read =
      request.method === 'POST' ? await readPosted(request, mostBytes) : readRecords(search.slice(1), mostBytes)
    if ('problem' in read) return refused(engine, read.problem)
    const records = read.records.map((record) => asObject(record))
    const events = records.flatMap((record) => (record === undefined ? [NO_EVENT] : (eventOf(record, reading) ?? [])))
    const report = await engine.ingest(events)
    return reply(200, { ...summaryOf(report), dropped: records.length - events.length }, OPEN)
  }
}

/** The engine refuses it, so that a decision tells of it. */
const NO_EVENT = null as unknown as IncomingEvent

async function readPosted(request: Request, mostBytes: number): Promise<ReadRecords> {
  try {
    return readRecords((await readBody(request, mostBytes)).toString('utf8'), mostBytes)
  } catch (error) {
    if (error instanceof BodyTooLarge) return { problem: 'too large' }
    throw error
  }
}

const PROBLEMS: Readonly<Record<BodyProblem, string>> = {
  encrypted: 'It is encrypted. Turn the encryption of the SDK off: the connection is encrypted already.',
  'no data': 'It has neither data nor data_list.',
  'wrong crc': 'Its crc is not that of the data.',
  'not base64': 'Its data is not base64.',
  'not gzip': 'Its data is not gzip, and gzip=1 says that it is.',
  'not JSON': 'Its data is not JSON.',
  'too large': 'It is too large.',
}

/** Nobody sends it again whatever is answered: a decision tells of it. */
async function refused(engine: Pick<Engine, 'ingest'>, problem: BodyProblem): Promise<Response> {
  await engine.ingest([NO_EVENT])
  return reply(problem === 'too large' ? 413 : 400, { error: `The body cannot be read. ${PROBLEMS[problem]}` }, OPEN)
}
