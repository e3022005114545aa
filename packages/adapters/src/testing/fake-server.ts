import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request that a fake provider got. */
export interface FakeRequest {
  readonly method: string
  readonly path: string
  /** Path and query as they were sent. */
  readonly target: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface FakeAnswer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: unknown
}

/** What befalls one request. */
export type FakeFault =
  /** The connection is reset before anything is taken. */
  | 'reset'
  /** It is done, and the connection is reset instead of an answer. */
  | 'take and reset'
  /** It is done, and never answered. */
  | 'take and hang'
  /** It is done, and answered with what is no JSON. */
  | 'take and babble'
  /** It is not done, and this is the answer. */
  | FakeAnswer

/** Below it a fake is told what to do, and asked what it was asked. */
const CONTROL = '/-/'

export type FakeHandler = (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>

/**
 * A provider on this machine. It answers by real HTTP, so it may as well run in a process of its own (`npx linli-fake wecom`). From
 * there it is told what befalls requests by `POST /-/next` (`{ "fault", "path" }`) and `POST /-/clear`, and says what it was asked by
 * `GET /-/requests`.
 */
export class FakeServer {
  /** All requests that were read, in order. */
  readonly requests: FakeRequest[] = []
  readonly #faults: { readonly fault: FakeFault; readonly path: string | undefined }[] = []
  readonly #waiting: (() => void)[] = []
  readonly #server = createServer((request, response) => {
    void this.#handle(request, response).catch(() => response.destroy())
  })

  constructor(private readonly handler: FakeHandler) {}

  /** Listens at `port` of this machine, any free one when left out. Gives its address, `http://127.0.0.1:…`. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What befalls the next request, or the next one of this path. */
  next(fault: FakeFault, path?: string): void {
    this.#faults.push({ fault, path })
  }

  /** Forgets faults that have befallen nobody. */
  clear(): void {
    this.#faults.length = 0
  }

  /** Resolves once it holds a request that it will never answer. */
  hanging(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://fake')
    const request: FakeRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      target: incoming.url ?? '/',
      query: Object.fromEntries(url.searchParams),
      headers: incoming.headers,
      body: (await buffer(incoming)).toString('utf8'),
    }
    if (url.pathname.startsWith(CONTROL)) return write(response, this.#control(request))
    this.requests.push(request)
    const fault = this.#faultFor(url.pathname)
    if (fault === 'reset') return void incoming.socket.resetAndDestroy()
    if (typeof fault === 'object') return write(response, fault)
    const answer = await this.handler(request)
    if (fault === 'take and reset') return void incoming.socket.resetAndDestroy()
    if (fault === 'take and hang') {
      for (const held of this.#waiting.splice(0)) held()
      return
    }
    if (fault === 'take and babble') return void response.end('<html>Bad gateway</html>')
    write(response, answer)
  }

  #control({ method, path, body }: FakeRequest): FakeAnswer {
    switch (`${method} ${path}`) {
      case 'GET /-/requests':
        return { body: this.requests }
      case 'POST /-/clear':
        this.clear()
        return { status: 204 }
      case 'POST /-/next': {
        const { fault, path: where } = JSON.parse(body) as {
          readonly fault: FakeFault | number
          readonly path?: string
        }
        this.next(typeof fault === 'number' ? errcodeOf(fault) : fault, where)
        return { status: 204 }
      }
      default:
        return { status: 404, body: 'no such path' }
    }
  }

  #faultFor(path: string): FakeFault | undefined {
    const index = this.#faults.findIndex((one) => one.path === undefined || one.path === path)
    return index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault
  }
}

/** WeChat's way to say that something went wrong. */
export function errcodeOf(errcode: number): FakeAnswer {
  return { body: { errcode, errmsg: 'fake' } }
}

function write(response: ServerResponse, { status = 200, headers = {}, body = '' }: FakeAnswer): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...headers })
  response.end(isText ? body : JSON.stringify(body))
}
