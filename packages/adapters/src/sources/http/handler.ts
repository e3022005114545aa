import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { thrownCode } from '../../http/errors.js'

/**
 * What sources are mounted by: a request in, a response out, as the web platform has them. Hono and other routers of that
 * kind take it as it is; `nodeListener` and `fastifyRoute` fit it into node:http and Fastify.
 */
export type WebHandler = (request: Request) => Promise<Response>

/** A body is larger than a source takes. */
export class BodyTooLarge extends Error {
  constructor(readonly mostBytes: number) {
    super(`A body may have ${mostBytes} bytes at most.`)
    this.name = 'BodyTooLarge'
  }
}

/** Reads a body, and no more of it than `mostBytes`. @throws {BodyTooLarge} */
export async function readBody(request: Request, mostBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new BodyTooLarge(mostBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Unpacks gzip, and no more of it than `mostBytes`. @throws {BodyTooLarge} Anything else where it is no gzip. */
export function unpack(packed: Uint8Array, mostBytes: number): Buffer {
  try {
    return gunzipSync(packed, { maxOutputLength: mostBytes })
  } catch (error) {
    throw thrownCode(error) === 'ERR_BUFFER_TOO_LARGE' ? new BodyTooLarge(mostBytes) : error
  }
}

/**
 * A listener of node:http.
 *
 * @example
 * createServer(nodeListener(segmentSource({ engine, writeKeys: ['…'] }))).listen(3000)
 */
export function nodeListener(handler: WebHandler): (request: IncomingMessage, response: ServerResponse) => void {
  return (incoming, outgoing) => {
    void answer(handler, incoming, outgoing, incoming)
  }
}

/** What is used of Fastify's request and reply. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly body?: unknown
}
export interface FastifyReplyLike {
  readonly raw: ServerResponse
  hijack(): unknown
}

/**
 * A route's handler for Fastify. Fastify must leave the body alone: register a parser for the route that hands the stream on.
 *
 * @example
 * app.register((routes, _options, done) => {
 *   routes.removeAllContentTypeParsers()
 *   routes.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
 *   routes.post('/v1/*', fastifyRoute(segmentSource({ engine, writeKeys: ['…'] })))
 *   done()
 * })
 */
export function fastifyRoute(
  handler: WebHandler,
): (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void> {
  return async ({ raw, body }, reply) => {
    reply.hijack()
    await answer(handler, raw, reply.raw, isStream(body) ? body : raw)
  }
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

async function answer(
  handler: WebHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    const response = await handler(requestOf(incoming, body))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  } catch {
    // A handler answers whatever it can; here the connection itself broke off.
    outgoing.destroy()
  }
}

function requestOf(incoming: IncomingMessage, body: AsyncIterable<Uint8Array>): Request {
  const { method = 'GET', headers, url = '/' } = incoming
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one]),
  )
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // The host is what the client says it is: nothing relies on it.
  return new Request(new URL(url, 'http://localhost'), {
    method,
    headers: pairs,
    ...(hasBody && { body: streamOf(body), duplex: 'half' }),
  } as RequestInit)
}

function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const parts = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await parts.return?.()
    },
  })
}
