import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type Engine, EngineError, type IncomingEvent } from '@linli/core'

const LARGEST_BODY = 1024 * 1024

/** Takes events in over HTTP and says what became of people. Put it behind your own authentication. */
export function createService(engine: Engine): Server {
  return createServer(async (request, response) => {
    const { status, body } = await answer(engine, request).catch(failure)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(engine: Engine, request: IncomingMessage): Promise<Answer> {
  const [route, id = '', , rule] = (request.url ?? '').split('/').slice(1).map(decodeURIComponent)
  switch (`${request.method} ${route}`) {
    case 'POST events':
      // A rejected event is part of the answer, not an error: the others of the list were taken in.
      return { status: 200, body: await engine.ingest(await readEvents(request)) }
    case 'GET users': {
      if (rule !== undefined) return { status: 200, body: await engine.explain({ subject: ['user', id], rule }) }
      const user = await engine.subject('user', id)
      return user === undefined ? NOT_FOUND : { status: 200, body: user }
    }
    case 'GET leaders':
      return { status: 200, body: await engine.suggestions({ leader: id }) }
    default:
      return NOT_FOUND
  }
}

const NOT_FOUND: Answer = { status: 404, body: { error: 'not found' } }

async function readEvents(request: IncomingMessage): Promise<readonly IncomingEvent[]> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new BadRequest('at most 1 MiB at a time')
    chunks.push(chunk)
  }
  const events: unknown = parse(Buffer.concat(chunks).toString('utf8'))
  // What stands in the list may be anything: the engine checks each event and answers for it.
  if (Array.isArray(events)) return events
  throw new BadRequest('the body should be a JSON list of events')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

class BadRequest extends Error {}

function failure(error: unknown): Answer {
  if (error instanceof BadRequest) return { status: 400, body: { error: error.message } }
  if (error instanceof URIError) return NOT_FOUND
  if (error instanceof EngineError && ['subject.unknown', 'rule.unknown'].includes(error.code)) {
    return { status: 404, body: { error: error.code } }
  }
  console.error(error)
  // The database, most likely. Events may be sent again as they are: their messageId keeps them from counting twice.
  return { status: 503, body: { error: 'try again' } }
}
