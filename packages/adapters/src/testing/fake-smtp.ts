import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Where in a session something befalls it. `content`: after the end of the message. */
export type FakeSmtpPoint = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'content'

/** What befalls one session. */
export interface FakeSmtpFault {
  readonly at: FakeSmtpPoint
  /**
   * A reply such as `550 5.1.1 Nobody`; or `reset`, `hang`: the connection ends, or says no more, and nothing is done. With
   * `take and …` the message is taken first.
   */
  readonly then: `${number} ${string}` | 'reset' | 'hang' | 'take and reset' | 'take and hang'
}

/** A message that the server took. */
export interface FakeMail {
  readonly from: string
  readonly to: readonly string[]
  /** As it came, without the dots of the wire. */
  readonly raw: string
  /** By their names in lower case, unfolded. */
  readonly headers: Readonly<Record<string, string>>
}

export interface FakeSmtpOptions {
  /** Left out: it asks nobody who they are. */
  readonly user?: string
  readonly password?: string
  /** Offers STARTTLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly port?: number
}

/**
 * A mail server on this machine. Its sessions can be cut at any point. Nothing of it reaches anybody.
 *
 * @example
 * const smtp = await startFakeSmtp()
 * const email = emailChannel({ smtp: { host: smtp.host, port: smtp.port, tls: 'none' }, from: { address: 'a@shop.example' } })
 */
export async function startFakeSmtp(options: FakeSmtpOptions = {}): Promise<FakeSmtp> {
  const smtp = new FakeSmtp(options)
  await smtp.listen(options.port)
  return smtp
}

export class FakeSmtp {
  readonly host = '127.0.0.1'
  port = 0
  /** Everything it took, in order. It knows no repeats: who sends twice has sent twice. */
  readonly messages: FakeMail[] = []
  /** All lines that clients said, save messages. */
  readonly lines: string[] = []
  readonly #faults: FakeSmtpFault[] = []
  readonly #waiting: (() => void)[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer((socket) => this.#greet(socket))

  constructor(readonly options: FakeSmtpOptions) {}

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, this.host, resolve))
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** What befalls the next session that gets there. */
  next(at: FakeSmtpPoint, then: FakeSmtpFault['then']): void {
    this.#faults.push({ at, then })
  }

  /** Forgets faults that have befallen nobody. */
  clear(): void {
    this.#faults.length = 0
  }

  /** Resolves once it holds a session that it will never answer. */
  hanging(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** Does what befalls the session here. True: it has been dealt with. `take` does what the point is for. */
  befalls(at: FakeSmtpPoint, socket: Socket, take: () => void = () => undefined): boolean {
    const index = this.#faults.findIndex((fault) => fault.at === at)
    const fault = index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.then
    if (fault === undefined) return false
    if (fault.startsWith('take')) take()
    if (fault.endsWith('reset')) socket.resetAndDestroy()
    else if (fault.endsWith('hang')) for (const held of this.#waiting.splice(0)) held()
    else socket.write(`${fault}\r\n`)
    return true
  }

  #greet(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    if (!this.befalls('greeting', socket)) socket.write('220 fake.test ESMTP\r\n')
    new Session(this, socket)
  }
}

/** One client, line by line. */
class Session {
  #rest = ''
  #from = ''
  #to: string[] = []
  /** The lines of a message that is being sent. */
  #content: string[] | undefined
  #isSecure = false

  constructor(
    private readonly server: FakeSmtp,
    private socket: Socket,
  ) {
    this.#listen()
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString('utf8')).split('\r\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.#hear(line)
    })
  }

  #hear(line: string): void {
    if (this.#content !== undefined) return this.#hearContent(line, this.#content)
    this.server.lines.push(line)
    const [word = '', ...rest] = line.split(' ')
    const handle = this.#commands.get(word.toUpperCase())
    if (handle === undefined) this.#say('502 5.5.1 Unknown')
    else handle(rest.join(' '))
  }

  readonly #commands: ReadonlyMap<string, (rest: string) => void> = new Map([
    ['EHLO', () => this.#at('ehlo', this.#offers())],
    ['STARTTLS', () => this.#startTls()],
    ['AUTH', (rest: string) => this.#at('auth', this.#isKnown(rest) ? '235 2.7.0 Yes' : '535 5.7.8 Wrong')],
    ['MAIL', (rest: string) => this.#envelope('mail', rest, (address) => this.#begin(address))],
    ['RCPT', (rest: string) => this.#envelope('rcpt', rest, (address) => this.#to.push(address))],
    ['DATA', () => this.#data()],
    ['QUIT', () => void this.socket.end('221 2.0.0 Bye\r\n')],
  ])

  #offers(): string {
    const { user, tls } = this.server.options
    const extras = [
      ...(tls !== undefined && !this.#isSecure ? ['STARTTLS'] : []),
      ...(user === undefined ? [] : ['AUTH PLAIN']),
    ]
    return ['250-fake.test', ...['SIZE 100000', 'PIPELINING', '8BITMIME', ...extras].map((one) => `250-${one}`)]
      .concat('250 ENHANCEDSTATUSCODES')
      .join('\r\n')
  }

  #isKnown(rest: string): boolean {
    const { user, password } = this.server.options
    const [method, given = ''] = rest.split(' ')
    return method === 'PLAIN' && Buffer.from(given, 'base64').toString('utf8') === `\0${user}\0${password}`
  }

  #begin(address: string): void {
    this.#from = address
    this.#to = []
  }

  #envelope(at: 'mail' | 'rcpt', rest: string, take: (address: string) => void): void {
    if (at === 'mail') this.#begin('')
    if (this.server.befalls(at, this.socket)) return
    if (at === 'rcpt' && this.#from === '') return this.#say('503 5.5.1 Who writes?')
    take(/<([^>]*)>/.exec(rest)?.[1] ?? '')
    this.#say('250 2.1.0 Good')
  }

  #data(): void {
    if (this.server.befalls('data', this.socket)) return
    if (this.#to.length === 0) return this.#say('554 5.5.1 Nobody')
    this.#content = []
    this.#say('354 Go on')
  }

  #hearContent(line: string, content: string[]): void {
    if (line !== '.') return void content.push(line.startsWith('.') ? line.slice(1) : line)
    this.#content = undefined
    const take = () => void this.server.messages.push(mailOf(this.#from, this.#to, content))
    if (this.server.befalls('content', this.socket, take)) return
    take()
    this.#say('250 2.0.0 Taken')
  }

  #startTls(): void {
    const { tls } = this.server.options
    if (this.server.befalls('starttls', this.socket)) return
    if (tls === undefined) return this.#say('502 5.5.1 Unknown')
    this.#say('220 2.0.0 Go on')
    this.socket.removeAllListeners('data')
    this.socket = new TLSSocket(this.socket, { isServer: true, ...tls })
    this.socket.on('error', () => undefined)
    this.#isSecure = true
    this.#listen()
  }

  #at(point: FakeSmtpPoint, reply: string): void {
    if (!this.server.befalls(point, this.socket)) this.#say(reply)
  }

  #say(reply: string): void {
    this.socket.write(`${reply}\r\n`)
  }
}

function mailOf(from: string, to: readonly string[], lines: readonly string[]): FakeMail {
  const raw = lines.join('\r\n')
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const headers = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { from, to, raw, headers: Object.fromEntries(headers) }
}
