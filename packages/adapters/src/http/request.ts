import http from 'node:http'
import https from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import { thrownCode } from './errors.js'

/** At most so much of an answer whose text is not wanted is read before the connection is cut. */
export const MAX_RESPONSE_BYTES = 64 * 1024
/** At most so much of an answer whose text is wanted. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024

/** One answer of the resolver. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

export interface HttpRequest {
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly url: URL
  /** The only addresses a connection may go to: they have been checked. Left out: where the name leads. */
  readonly addresses?: readonly ResolvedAddress[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  /** Whether the text of the answer is wanted. Without all of it, the outcome is then unknown. Default: it is dropped. */
  readonly wantsText?: boolean
  /** Headers of the answer that are wanted, in lower case. */
  readonly wantsHeaders?: readonly string[]
  /** A certificate authority to trust instead of the usual ones, in PEM. */
  readonly ca?: string
}

export interface HttpAnswer {
  readonly kind: 'answered'
  readonly status: number
  readonly retryAfter?: string
  readonly text?: string
  /** Those that were wanted and are there. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What is known after a request. `code` is a short name such as `ECONNRESET`, never a text of the other side. */
export type HttpOutcome =
  | HttpAnswer
  /** Certainly not one byte of the request was sent. */
  | { readonly kind: 'not_sent'; readonly code: string }
  /** The request may have arrived. */
  | { readonly kind: 'unknown'; readonly code: string }

/**
 * Sends one request over a connection of its own, which tells for certain whether an error came before or after the
 * request. Redirects are not followed; proxies are not used. Never rejects.
 */
export function exchange(asked: HttpRequest): Promise<HttpOutcome> {
  const { url, body, wantsText = false, wantsHeaders } = asked
  const secure = url.protocol === 'https:'
  return new Promise((resolve) => {
    let connected = false
    let answered = false
    const fail = (code: string) => {
      if (!answered) resolve({ kind: connected ? 'unknown' : 'not_sent', code })
    }
    const request = (secure ? https : http).request(url, optionsOf(asked))
    request.once('socket', (socket: Socket) => {
      // Node writes the request when this event fires, and not before.
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true
      })
    })
    request.once('response', (response) => {
      answered = true
      const retryAfter = response.headers['retry-after']
      const status = response.statusCode ?? 0
      const answer: HttpAnswer = {
        kind: 'answered',
        status,
        ...(retryAfter !== undefined && { retryAfter }),
        ...(wantsHeaders !== undefined && { headers: headersOf(response, wantsHeaders) }),
      }
      if (!wantsText) return drain(response, () => resolve(answer))
      read(response, (text) => resolve(text === undefined ? { kind: 'unknown', code: 'CUT' } : { ...answer, text }))
    })
    request.on('error', (error) => fail(codeOf(error)))
    request.once('close', () => fail('CLOSED'))
    request.end(body)
  })
}

// Connections are not kept, but sessions of TLS are: the next connection to the same host is cheaper.
const agents = { http: new http.Agent({ keepAlive: false }), https: new https.Agent({ keepAlive: false }) }

function optionsOf({ method = 'POST', url, addresses, headers, body, signal, ca }: HttpRequest): https.RequestOptions {
  const secure = url.protocol === 'https:'
  return {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
    agent: secure ? agents.https : agents.http,
    ...(addresses !== undefined && { lookup: pinnedLookup(addresses) }),
    signal,
    ...(ca !== undefined && { ca }),
  }
}

/**
 * Answers with the checked addresses, whatever is asked. A second look at the name server could give others (DNS
 * rebinding). The URL keeps its name, so SNI, certificate check and Host header are as usual.
 */
function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (first === undefined) callback(Object.assign(new Error('No address.'), { code: 'ENOTFOUND' }), '')
    else if (options.all === true) callback(null, [...addresses])
    else callback(null, first.address, first.family)
  }
}

function headersOf({ headers }: http.IncomingMessage, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

/** Reads and drops the body. The status has decided already, so it does not matter how the body ends. */
function drain(response: http.IncomingMessage, done: () => void): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_RESPONSE_BYTES) response.destroy()
  })
  response.on('error', () => {})
  response.once('close', done)
}

/** Reads all of the body; undefined where it breaks off or is too long. */
function read(response: http.IncomingMessage, done: (text: string | undefined) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_TEXT_BYTES) response.destroy()
    else chunks.push(chunk)
  })
  response.on('error', () => {})
  response.once('close', () => done(response.complete ? Buffer.concat(chunks).toString('utf8') : undefined))
}

/** A short name of a network error or of what aborted it. Messages of errors hold host names and addresses. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'ERROR'
  const origin = error.name === 'AbortError' && error.cause instanceof Error ? error.cause : error
  const code = thrownCode(origin)
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'ERROR'
}
