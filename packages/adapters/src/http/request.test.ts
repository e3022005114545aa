import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../../../test/self-signed.js'
import { exchange, MAX_RESPONSE_BYTES } from './request.js'

const HOST = 'hooks.linli.test'
const loopback = [{ address: '127.0.0.1', family: 4 }]
const servers: net.Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listen(server: net.Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function postTo(url: string, options: Partial<Parameters<typeof exchange>[0]> = {}) {
  const signal = AbortSignal.timeout(2_000)
  return exchange({ url: new URL(url), addresses: loopback, headers: {}, body: '{}', signal, ...options })
}

/** A server that answers each connection's first bytes by hand. */
function rawServer(onData: (socket: net.Socket, data: Buffer) => void): net.Server {
  return net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => onData(socket, data))
  })
}

describe('a request over TLS', () => {
  it('connects to the checked address under the name of the URL: SNI, certificate and Host', async () => {
    const { key, cert } = selfSigned(HOST)
    const seen: { servername?: string | false | null; headers?: IncomingHttpHeaders } = {}
    const server = https.createServer({ key, cert }, (request, response) => {
      seen.headers = request.headers
      response.writeHead(204).end()
    })
    server.on('secureConnection', (socket) => {
      seen.servername = socket.servername
    })
    const port = await listen(server)

    const outcome = await postTo(`https://${HOST}:${port}/hooks`, { ca: cert })

    expect(outcome).toEqual({ kind: 'answered', status: 204 })
    expect(seen.servername).toBe(HOST)
    expect(seen.headers?.host).toBe(`${HOST}:${port}`)
  })

  it('says not sent when the certificate is not trusted, or of another name', async () => {
    const { key, cert } = selfSigned('other.linli.test')
    let requests = 0
    const port = await listen(https.createServer({ key, cert }, () => requests++))

    const untrusted = await postTo(`https://${HOST}:${port}/`)
    const misnamed = await postTo(`https://${HOST}:${port}/`, { ca: cert })

    expect(untrusted).toEqual({ kind: 'not_sent', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(misnamed).toEqual({ kind: 'not_sent', code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(requests).toBe(0)
  })

  it('says not sent when the other side speaks no TLS', async () => {
    const port = await listen(rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')))
    await expect(postTo(`https://${HOST}:${port}/`)).resolves.toMatchObject({ kind: 'not_sent' })
  })
})

describe('a request', () => {
  it('says not sent when the connection is refused', async () => {
    const server = net.createServer()
    const port = await listen(server)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    await expect(postTo(`http://${HOST}:${port}/`)).resolves.toEqual({ kind: 'not_sent', code: 'ECONNREFUSED' })
  })

  it('says not sent without an address', async () => {
    await expect(postTo(`http://${HOST}/`, { addresses: [] })).resolves.toMatchObject({ kind: 'not_sent' })
  })

  it('says not sent when the signal was aborted before', async () => {
    const port = await listen(rawServer(() => {}))
    const outcome = await postTo(`http://${HOST}:${port}/`, { signal: AbortSignal.abort() })
    expect(outcome.kind).toBe('not_sent')
  })

  it.each([
    ['closes', (socket: net.Socket) => socket.end(), 'ECONNRESET'],
    ['resets', (socket: net.Socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['answers no HTTP', (socket: net.Socket) => socket.end('what?\r\n\r\n'), 'HPE_INVALID_CONSTANT'],
    [
      'switches protocols',
      (socket: net.Socket) => socket.end('HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      'CLOSED',
    ],
    [
      'has endless headers',
      (socket: net.Socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(99_999)}`),
      'HPE_HEADER_OVERFLOW',
    ],
  ])('says unknown when the receiver reads the request and %s', async (_, answer, code) => {
    const port = await listen(rawServer(answer))
    await expect(postTo(`http://${HOST}:${port}/`)).resolves.toEqual({ kind: 'unknown', code })
  })

  it('says unknown when the receiver reads the request and is silent until the signal', async () => {
    const sockets: net.Socket[] = []
    const port = await listen(rawServer((socket) => sockets.push(socket)))
    const reason = Object.assign(new Error('late'), { code: 'TIMEOUT' })
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 50)
    const outcome = await postTo(`http://${HOST}:${port}/`, { signal: controller.signal })
    expect(outcome).toEqual({ kind: 'unknown', code: 'TIMEOUT' })
  })

  it('believes the status whatever becomes of the body', async () => {
    const head = 'HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\nretry-after: 9\r\n\r\n'
    const cut = await listen(rawServer((socket) => socket.end(`${head}cut`)))
    const silent = await listen(rawServer((socket) => socket.write(`${head}silent`)))
    const expected = { kind: 'answered', status: 202, retryAfter: '9' }

    await expect(postTo(`http://${HOST}:${cut}/`)).resolves.toEqual(expected)
    const signal = AbortSignal.timeout(100)
    await expect(postTo(`http://${HOST}:${silent}/`, { signal })).resolves.toEqual(expected)
  })

  it('cuts an endless answer after 64 KiB', async () => {
    let written = 0
    const port = await listen(
      rawServer((socket) => {
        const chunk = Buffer.alloc(16 * 1024, 'x')
        const more = () => {
          while (!socket.destroyed && socket.write(chunk)) written += chunk.length
        }
        socket.on('drain', more)
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        more()
      }),
    )
    await expect(postTo(`http://${HOST}:${port}/`)).resolves.toEqual({ kind: 'answered', status: 200 })
    // What stands in socket buffers was never read; a reader without a limit would take gigabytes in the 2 seconds.
    expect(written).toBeLessThan(MAX_RESPONSE_BYTES + 16 * 1024 * 1024)
  })

  it('gives all of an answer that is wanted, and does not believe one that broke off', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n'
    const whole = await listen(rawServer((socket) => socket.end(`${head}{"errcode":0}`.replace('12', '13'))))
    const cut = await listen(rawServer((socket) => socket.end(`${head}{"errcode"`)))
    const asked = { wantsText: true }

    const answer = { kind: 'answered', status: 200, text: '{"errcode":0}' }
    await expect(postTo(`http://${HOST}:${whole}/`, asked)).resolves.toEqual(answer)
    await expect(postTo(`http://${HOST}:${cut}/`, asked)).resolves.toEqual({ kind: 'unknown', code: 'CUT' })
  })

  it('gives the headers that are wanted, where they are there once', async () => {
    const head = 'HTTP/1.1 204 No Content\r\nRequest-Id: 08F7-270079533\r\nSet-Cookie: a=1\r\n\r\n'
    const port = await listen(rawServer((socket) => socket.end(head)))
    const wantsHeaders = ['request-id', 'set-cookie', 'wechatpay-serial']
    const answer = { kind: 'answered', status: 204, headers: { 'request-id': '08F7-270079533' } }
    await expect(postTo(`http://${HOST}:${port}/`, { wantsHeaders })).resolves.toEqual(answer)
  })

  it('resolves no name by itself', async () => {
    const port = await listen(rawServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n')))
    await expect(postTo(`http://no-such-name.invalid:${port}/`)).resolves.toEqual({ kind: 'answered', status: 204 })
  })
})
