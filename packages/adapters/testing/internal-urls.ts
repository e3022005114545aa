import { randomBytes } from 'node:crypto'
import net, { type AddressInfo } from 'node:net'
import type { Outbound, SendResult } from '@linli/core'
import fc from 'fast-check'
import { webhookChannel } from '../src/channels/webhook/channel.js'
import type { WebhookOptions } from '../src/channels/webhook/options.js'
import type { Lookup } from '../src/channels/webhook/target.js'

// Addresses of the machine itself and of what is behind it, in all their spellings, and a canary that says whether one was reached.

const MESSAGE: Outbound = {
  deliveryKey: 'd-1',
  channel: 'webhook',
  class: 'service',
  to: { kind: 'user', id: 'u1', traits: {} },
  content: { template: 't', body: 'b' },
  source: { journey: 'j', run: 'r', step: 's' },
}
const secrets = `whsec_${randomBytes(24).toString('base64')}`
/** What stays a name after parsing leads to this machine. */
const toMyself: Lookup = async () => [{ address: '127.0.0.1', family: 4 }]

/** Listens on every local address. */
export interface Canary {
  readonly port: number
  /** How often it was reached since it was asked to forget. */
  readonly connections: number
  forget(): void
  /** Posts a message to a URL. Scheme and port are opened, so that the check of addresses stands alone. */
  post(url: string, options?: Partial<WebhookOptions>): Promise<SendResult>
  close(): Promise<void>
}

export async function startCanary(): Promise<Canary> {
  let connections = 0
  const server = net.createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '::', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    get connections() {
      return connections
    },
    forget: () => {
      connections = 0
    },
    post: async (url, options = {}) => {
      const open = { allowInsecureHttp: true, ports: [80, 443, port], timeoutMs: 2_000, lookup: toMyself }
      const channel = webhookChannel({ url: () => url, secrets, ...open, ...options })
      return channel.send(MESSAGE, { attempt: 1, at: new Date(), signal: new AbortController().signal })
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const byte = fc.integer({ min: 0, max: 255 })
const ipv4Of = (...first: number[]) =>
  fc.array(byte, { minLength: 4 - first.length, maxLength: 4 - first.length }).map((rest) => [...first, ...rest])
export const internalIpv4 = fc.oneof(
  { weight: 6, arbitrary: ipv4Of(127) },
  fc.constant([127, 0, 0, 1]),
  ipv4Of(0),
  ipv4Of(10),
  ipv4Of(192, 168),
  ipv4Of(169, 254),
  ipv4Of(192, 0, 0),
  fc.integer({ min: 16, max: 31 }).chain((second) => ipv4Of(172, second)),
  fc.integer({ min: 64, max: 127 }).chain((second) => ipv4Of(100, second)),
  fc.integer({ min: 18, max: 19 }).chain((second) => ipv4Of(198, second)),
  fc.integer({ min: 224, max: 255 }).chain((first) => ipv4Of(first)),
)

const radix = fc.constantFrom(
  (n: number) => String(n),
  (n: number) => `0${n.toString(8)}`,
  (n: number) => `0x${n.toString(16)}`,
  (n: number) => `0X00${n.toString(16).toUpperCase()}`,
)

/** One to four numbers, the last of which stands for all bytes that remain, each in its own radix. */
const ipv4Text = fc
  .tuple(internalIpv4, fc.integer({ min: 1, max: 4 }), fc.array(radix, { minLength: 4, maxLength: 4 }))
  .map(([bytes, count, write]) => {
    const last = bytes.slice(count - 1).reduce((number, part) => number * 256 + part, 0)
    return [...bytes.slice(0, count - 1), last].map((part, i) => write[i]?.(part)).join('.')
  })

/** Characters that host parsing folds into plain digits and dots. */
const disguise = fc.constantFrom(
  (text: string) => text,
  (text: string) => text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (text: string) => text.replaceAll('.', '\u3002'),
  (text: string) => text.replaceAll('.', '%2e'),
  (text: string) => text.replace(/\d/g, (digit) => `%3${digit}`),
  (text: string) => `${text}.`,
  (text: string) => text.replace('.', '\t.\n'),
)

const hex = (bytes: readonly number[]) => bytes.map((part) => part.toString(16).padStart(2, '0')).join('')
export const ipv6Text = fc.oneof(
  fc.constantFrom('::1', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '::', '::0.0.0.1', '0::0:1'),
  internalIpv4.chain((ip) => {
    const [dotted, high, low] = [ip.join('.'), hex(ip.slice(0, 2)), hex(ip.slice(2))]
    const spellings = [`::ffff:${dotted}`, `::FFFF:${high}:${low}`, `0:0:0:0:0:ffff:${dotted}`, `::${dotted}`]
    return fc.constantFrom(...spellings, `64:ff9b::${dotted}`, `2002:${high}:${low}::1`, `::ffff:0:${dotted}`)
  }),
  fc.ipV6().map((ip) => ip.replace(/^[^:]*/, 'fd12')),
  fc.ipV6().map((ip) => ip.replace(/^[^:]*/, 'fe80')),
)

const internalHost = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(ipv4Text, disguise).map(([text, change]) => change(text)) },
  { weight: 2, arbitrary: ipv6Text.map((text) => `[${text}]`) },
  fc.constantFrom('localhost', 'LOCALHOST', 'localhost.', 'ｌｏｃａｌｈｏｓｔ', 'loc%61lhost'),
)

/** URLs of this port inside, which a careless check takes for another host's. */
export function internalUrls(port: number): fc.Arbitrary<string> {
  return fc
    .tuple(internalHost, fc.constantFrom('http:', 'HTTP:', 'https:'), fc.nat({ max: 9 }))
    .map(([host, scheme, trick]) => {
      const at = `${host}:${port}`
      const disguises = [
        `${scheme}//${at}/`,
        `${scheme}//crm.example.com@${at}/`,
        `${scheme}//crm.example.com:443@${at}/`,
        `${scheme}//${at}#@crm.example.com/`,
        `${scheme}//${at}?@crm.example.com/`,
        `${scheme}//${at}\\@crm.example.com/`,
        `${scheme}\\\\${at}/`,
        `${scheme}${at}/`,
        ` ${scheme}/\t/${at}/hooks `,
        `${scheme}////${at}/`,
      ]
      return disguises[trick] ?? ''
    })
}
