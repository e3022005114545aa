import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Store } from '../../ports/store.js'
import { openStore } from '../open.js'

const postgresUrl = inject('postgresUrl') ?? ''

/** Stands between the store and the server, and can keep answers to itself. */
interface Proxy {
  readonly url: string
  isSilent: boolean
  /** Once: the word that a connection is ready comes together with that of its end. */
  endsWhenReady: boolean
  readonly connections: number
  /** How often somebody wrote to the server once a connection was there. */
  readonly messages: number
  close(): Promise<void>
}

/** `ReadyForQuery`, and the error that a session ends with when somebody terminates it. */
const READY = Buffer.from('Z\0\0\0\x05I')
const TERMINATED = errorOf('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0')

function errorOf(fields: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + Buffer.byteLength(fields))
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)])
}

async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let connections = 0
  let messages = 0
  const server: Server = createServer((near) => {
    connections++
    const far = dial(Number(port || 5432), hostname)
    near.on('data', (data) => {
      messages++
      far.write(data)
    })
    far.on('data', (data) => {
      const ends = proxy.endsWhenReady && data.subarray(-6).equals(READY)
      if (ends) proxy.endsWhenReady = false
      if (!proxy.isSilent) near.write(ends ? Buffer.concat([data, TERMINATED]) : data)
    })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' ? address?.port : '')
  const proxy = {
    url: url.href,
    isSilent: false,
    endsWhenReady: false,
    get connections() {
      return connections
    },
    get messages() {
      return messages
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

describe.skipIf(postgresUrl === '')('connections to PostgreSQL', () => {
  let proxy: Proxy
  let store: Store

  beforeEach(async () => {
    proxy = await openProxy(postgresUrl)
    store = await openStore(proxy.url, { schema: 'linli', pool: { query_timeout: 300, max: 1 } })
  })

  afterEach(async () => {
    await store.close()
    await proxy.close()
  })

  it('may end at the very moment at which they are ready, and the process goes on', async () => {
    proxy.endsWhenReady = true
    await store.transaction((tx) => tx.now()).catch(() => undefined)
    await store.transaction((tx) => tx.now())
    expect(proxy.connections).toBe(2)
  })

  it('do not wait for ever for a server that fell silent, and are not used again', async () => {
    await store.transaction((tx) => tx.now())
    expect(proxy.connections).toBe(1)

    proxy.isSilent = true
    const began = performance.now()
    await expect(store.transaction((tx) => tx.now())).rejects.toThrow('Query read timeout')
    expect(performance.now() - began).toBeLessThan(2000)

    proxy.isSilent = false
    await store.transaction((tx) => tx.now())
    expect(proxy.connections).toBe(2)
  })

  it('begin a transaction with its first statement, and hear of none that has no statement', async () => {
    await store.transaction((tx) => tx.now())
    const heard = proxy.messages
    await store.transaction(() => Promise.resolve())
    expect(proxy.messages).toBe(heard)

    await store.transaction((tx) => tx.now())
    await store.transaction((tx) => tx.readVersion(1)).catch(() => undefined)
    // Begin with the statement, and commit; begin, the statement that has a parameter, and rollback.
    expect(proxy.messages - heard).toBe(2 + 3)
  })

  it('report a COMMIT without an answer as an error, once, and are not used again', async () => {
    let runs = 0
    const work = store.transaction(async (tx) => {
      runs++
      await tx.now()
      proxy.isSilent = true
    })
    await expect(work).rejects.toThrow('Query read timeout')
    expect(runs).toBe(1)
    proxy.isSilent = false
    await store.transaction((tx) => tx.now())
    expect(proxy.connections).toBe(2)
  })

  it('tell why the work failed, not why the rollback failed after it', async () => {
    const failure = new Error('The work gives up.')
    const work = store.transaction(async (tx) => {
      await tx.now()
      proxy.isSilent = true
      throw failure
    })
    await expect(work).rejects.toBe(failure)
    proxy.isSilent = false
    await store.transaction((tx) => tx.now())
    expect(proxy.connections).toBe(2)
  })
})
