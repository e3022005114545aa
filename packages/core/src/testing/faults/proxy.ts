import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What becomes of what a server says to a client. */
export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Each chunk comes so many milliseconds later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing gets through in either direction, and no connection is closed: a cable that was pulled. */
  | { readonly kind: 'swallow' }
  /** Connections are reset, those there are and those to come. */
  | { readonly kind: 'reset' }
  /** What clients say from now on gets through; the answer to it does not: the connection is reset instead. */
  | { readonly kind: 'drop replies' }

export interface FaultProxy {
  readonly port: number
  readonly mode: ProxyMode
  /** Changes what becomes of the connections there are and of those to come. */
  become(mode: ProxyMode): void
  /**
   * Drops the answer to the next thing that is said and that matches, and passes on all else: a COMMIT that is kept, and of
   * which nobody hears. Resolves when it has happened.
   */
  dropReplyTo(matches: (said: Buffer) => boolean): Promise<void>
  close(): Promise<void>
}

/** Stands between a client and a server of this machine, and lets happen what networks let happen. */
export async function startFaultProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const links = new Set<Link>()
  let mode: ProxyMode = { kind: 'pass' }
  let awaited: { readonly matches: (said: Buffer) => boolean; readonly done: () => void } | undefined
  const server = createServer((client) => {
    if (mode.kind === 'reset') return void client.resetAndDestroy()
    const link: Link = new Link(
      client,
      connect(target),
      () => mode,
      (said) => {
        if (awaited?.matches(said) !== true) return false
        awaited.done()
        awaited = undefined
        return true
      },
    )
    links.add(link)
    client.once('close', () => links.delete(link))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    get mode() {
      return mode
    },
    become: (next) => {
      mode = next
      if (next.kind === 'reset') for (const link of links) link.reset()
    },
    dropReplyTo: (matches) =>
      new Promise((done) => {
        awaited = { matches, done }
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const link of links) link.reset()
      }),
  }
}

class Link {
  private dropsNext = false

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    mode: () => ProxyMode,
    isAwaited: (said: Buffer) => boolean,
  ) {
    client.on('data', (said: Buffer) => {
      const { kind } = mode()
      if (kind === 'swallow') return
      if (kind === 'drop replies' || isAwaited(said)) this.dropsNext = true
      server.write(said)
    })
    server.on('data', (answer: Buffer) => {
      const now = mode()
      if (now.kind === 'swallow') return
      if (this.dropsNext) return this.reset()
      if (now.kind === 'delay') setTimeout(() => client.write(answer), now.ms)
      else client.write(answer)
    })
    for (const end of [client, server]) {
      end.on('error', () => this.reset())
      end.on('close', () => mode().kind !== 'swallow' && this.reset())
    }
  }

  reset(): void {
    if (!this.client.destroyed) this.client.resetAndDestroy()
    if (!this.server.destroyed) this.server.destroy()
  }
}
