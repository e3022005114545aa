import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from './proxy.js'

describe('the proxy that loses things', () => {
  let server: Server
  let proxy: FaultProxy
  let heard: string[]

  beforeEach(async () => {
    heard = []
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (said) => {
        heard.push(String(said))
        socket.write(`re: ${String(said)}`)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await startFaultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  })
  afterEach(async () => {
    await proxy.close()
    server.close()
  })

  function open(): Socket {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => undefined)
    return socket
  }

  /** The answer; undefined where the connection ended or nothing came. */
  async function ask(socket: Socket, question: string): Promise<string | undefined> {
    socket.write(question)
    const answer = once(socket, 'data').then(([said]) => String(said))
    return Promise.race([
      answer.catch(() => undefined),
      once(socket, 'close').then(
        () => undefined,
        () => undefined,
      ),
      sleep(300, undefined),
    ])
  }

  it('passes everything on', async () => {
    const socket = open()
    expect(await ask(socket, 'hello')).toBe('re: hello')
    socket.destroy()
  })

  it('passes what is said on and drops the answer to exactly that', async () => {
    const socket = open()
    const dropped = proxy.dropReplyTo((said) => said.includes('commit'))

    expect(await ask(socket, 'insert')).toBe('re: insert')
    expect(await ask(socket, 'commit')).toBeUndefined()
    await dropped
    expect(heard).toEqual(['insert', 'commit'])
    expect(await ask(open(), 'commit')).toBe('re: commit')
  })

  it('swallows everything without closing anything', async () => {
    const socket = open()
    await ask(socket, 'hello')
    proxy.become({ kind: 'swallow' })

    expect(await ask(socket, 'again')).toBeUndefined()
    expect(socket.destroyed).toBe(false)
    expect(heard).toEqual(['hello'])
    socket.destroy()
  })

  it('resets the connections there are and those to come', async () => {
    const socket = open()
    await ask(socket, 'hello')
    proxy.become({ kind: 'reset' })

    expect(await ask(open(), 'again')).toBeUndefined()
    expect(socket.destroyed).toBe(true)
    proxy.become({ kind: 'pass' })
    expect(await ask(open(), 'back')).toBe('re: back')
  })

  it('holds answers back for a while', async () => {
    proxy.become({ kind: 'delay', ms: 100 })
    const started = performance.now()

    expect(await ask(open(), 'hello')).toBe('re: hello')
    expect(performance.now() - started).toBeGreaterThan(90)
  })
})
