import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { hashShare } from '@linli/rules'

/** What a provider does with one request. */
export type ProviderFault =
  /** Takes the message, and resets the connection instead of answering. */
  | 'take and reset'
  /** Takes it, and never answers. */
  | 'take and hang'
  /** Takes it, and says that it has failed (500). */
  | 'take and fail'
  /** Takes it, and answers with what is no JSON. */
  | 'take and babble'
  /** Does not take it, and says so: 503, or 429 with `Retry-After: 1`. */
  | 'fail'
  | 'too many'
  /** Resets the connection before it takes anything. */
  | 'reset'

export const PROVIDER_FAULTS: readonly ProviderFault[] = [
  'take and reset',
  'take and hang',
  'take and fail',
  'take and babble',
  'fail',
  'too many',
  'reset',
]

/** A line of a provider's log. */
export interface ProviderEntry {
  /** When, by the provider's clock: milliseconds since the epoch. */
  readonly at: number
  readonly key: string
  /** `sent`: it has left. `repeat`: the key was known, so nothing left. `refused`: nothing was taken. `asked`: a look-up. */
  readonly did: 'sent' | 'repeat' | 'refused' | 'asked'
  readonly channel: string
  /** `user:u-1` */
  readonly to: string
  readonly class: string
  /** When the engine decided to call, by its own clock. */
  readonly decidedAt: number
  readonly fault?: ProviderFault
  /** How often the engine's clock had been put back before; left out: never. */
  readonly era?: number
}

export interface ProviderOptions {
  /** The file that its log is appended to, one JSON object a line, before it answers. */
  readonly log: string
  /** Whether, and for how many milliseconds of its clock, it drops repeats of a key. 0: never. Default: for ever. */
  readonly windowMs?: number
  /** Channels by which it never drops repeats, whatever the window. */
  readonly repeats?: readonly string[]
  /** How many of the requests meet a fault, from 0 to 1. Default 0. */
  readonly faults?: number
  /** Those it may be. Default: all. */
  readonly kinds?: readonly ProviderFault[]
  /** Decides which requests. Default 1. */
  readonly seed?: number
  /** The time. Default: the machine's. */
  readonly now?: () => number
  /** Messages that it has taken already: where it was started again. */
  readonly known?: readonly ProviderEntry[]
}

export interface Provider {
  /** `http://127.0.0.1:…` */
  readonly url: string
  close(): Promise<void>
}

/** What a message looks like on its way to the provider. */
export interface ProviderRequest {
  readonly key: string
  readonly channel: string
  readonly to: string
  readonly class: string
  readonly decidedAt: number
}

/**
 * A provider whose log is the only witness of what was sent. It does what real ones do on bad days, in the same order for the
 * same seed. Meant to run in a process of its own, so that nothing that happens to the engine's happens to it.
 */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const provider = new SimulatedProvider(options)
  const server = createServer((request, response) => {
    void provider.handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

class SimulatedProvider {
  private readonly takenAt = new Map<string, number>()
  private readonly requests = new Map<string, number>()

  constructor(private readonly options: ProviderOptions) {
    for (const { key, at, did } of options.known ?? []) if (did === 'sent') this.takenAt.set(key, at)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = JSON.parse(await text(request)) as ProviderRequest
    if (request.url === '/look-up') return this.lookUp(message, response)
    const fault = this.faultFor(message.key)
    if (fault === 'reset' || fault === 'fail' || fault === 'too many') {
      this.write(message, 'refused', fault)
      if (fault === 'reset') return void request.socket.resetAndDestroy()
      return answer(response, fault === 'fail' ? 503 : 429, { taken: false })
    }
    this.write(message, this.isRepeat(message) ? 'repeat' : 'sent', fault)
    if (fault === 'take and hang') return
    if (fault === 'take and reset') return void request.socket.resetAndDestroy()
    if (fault === 'take and babble') return void response.end('<html>Bad gateway</html>')
    answer(response, fault === 'take and fail' ? 500 : 200, { taken: fault === undefined })
  }

  private lookUp(message: ProviderRequest, response: ServerResponse): void {
    this.write(message, 'asked', undefined)
    answer(response, 200, { taken: this.takenAt.has(message.key) })
  }

  private isRepeat({ key, channel }: ProviderRequest): boolean {
    const { windowMs = Number.POSITIVE_INFINITY, repeats = [] } = this.options
    const takenAt = this.takenAt.get(key)
    return !repeats.includes(channel) && takenAt !== undefined && this.now() < takenAt + windowMs
  }

  /** By the seed, the key and how often it was asked for: the same however the requests come to be in turn. */
  private faultFor(key: string): ProviderFault | undefined {
    const { faults = 0, kinds = PROVIDER_FAULTS, seed = 1 } = this.options
    const count = (this.requests.get(key) ?? 0) + 1
    this.requests.set(key, count)
    const request = `${seed}|${key}|${count}`
    return hashShare(request) < faults ? kinds[Math.floor(hashShare(`kind|${request}`) * kinds.length)] : undefined
  }

  private write(request: ProviderRequest, did: ProviderEntry['did'], fault?: ProviderFault): void {
    const at = this.now()
    const { key, channel, to, class: messageClass, decidedAt } = request
    const entry: ProviderEntry = { at, key, did, channel, to, class: messageClass, decidedAt, ...(fault && { fault }) }
    appendFileSync(this.options.log, `${JSON.stringify(entry)}\n`)
    if (did === 'sent') this.takenAt.set(key, at)
  }

  private now(): number {
    return (this.options.now ?? Date.now)()
  }
}

function answer(response: ServerResponse, status: number, body: { readonly taken: boolean }): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 429 && { 'retry-after': '1' }) })
  response.end(JSON.stringify(body))
}
