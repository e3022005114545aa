import http from 'node:http'
import https from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import type { ResolvedAddress } from './target.js'

/** At most so much of an answer is read before the connection is cut. Its text is never kept. */
export const MAX_RESPONSE_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  /** The only addresses a connection may go to: they have been checked. */
  readonly addresses: readonly ResolvedAddress[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** A certificate authority to trust instead of the usual ones, in PEM. */
  readonly ca?: string
}

/** What is known after a request. `code` is a short name such as `ECONNRESET`, never a text of the other side. */
export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string }
  /** Certainly not one byte of the request was sent. */
  | { readonly kind: 'not_sent'; readonly code: string }
  /** The request may have arrived. */
  | { readonly kind: 'unknown'; readonly code: string }

/**
 * Sends one POST over a connection of its own, which tells for certain whether an error came before or after the
 * request. Redirects are not followed; proxies are not used. Never rejects.
 */
export function post({ url, addresses, headers, body, signal, ca }: PostRequest): Promise<PostOutcome> {
  const secure = url.protocol === 'https:'
  const agent = secure ? new https.Agent({ keepAlive: false }) : new http.Agent({ keepAlive: false })
  const options: https.RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent,
    lookup: pinnedLookup(addresses),
    signal,
    ...(ca === undefined ? {} : { ca }),
  }
  return new Promise((resolve) => {
    let connected = false
    let answered = false
    const fail = (code: string) => {
      if (!answered) resolve({ kind: connected ? 'unknown' : 'not_sent', code })
    }
    const request = (secure ? https : http).request(url, options)
    request.once('socket', (socket: Socket) => {
      // Node writes the request when this event fires, and not before.
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true
      })
    })
    request.once('response', (response) => {
      answered = true
      const retryAfter = response.headers['retry-after']
      const answer = { kind: 'answered', status: response.statusCode ?? 0 } as const
      drain(response, () => resolve(retryAfter === undefined ? answer : { ...answer, retryAfter }))
    })
    request.on('error', (error) => fail(codeOf(error)))
    request.once('close', () => fail('CLOSED'))
    request.end(body)
  })
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

/** A short name of a network error or of what aborted it. Messages of errors hold host names and addresses. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'ERROR'
  const origin = error.name === 'AbortError' && error.cause instanceof Error ? error.cause : error
  const code = 'code' in origin ? origin.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'ERROR'
}
