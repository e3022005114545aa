import { randomBytes } from 'node:crypto'
import net, { type AddressInfo } from 'node:net'
import type { Outbound } from '@linli/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { webhookChannel } from './channel.js'
import type { WebhookOptions } from './options.js'
import type { Lookup } from './target.js'

// A canary listens on every local address. Scheme and port are opened, so that the address check stands alone.
let connections = 0
const canary = net.createServer((socket) => {
  connections++
  socket.destroy()
})
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve))
  port = (canary.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => canary.close(resolve)))

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'webhook',
  class: 'service',
  to: { kind: 'user', id: 'u1', traits: {} },
  content: { template: 't', body: 'b' },
  source: { journey: 'j', run: 'r', step: 's' },
}
const secrets = `whsec_${randomBytes(24).toString('base64')}`

function send(url: string, options: Partial<WebhookOptions> = {}) {
  const ports = [80, 443, port]
  const channel = webhookChannel({
    url: () => url,
    secrets,
    allowInsecureHttp: true,
    ports,
    timeoutMs: 2_000,
    ...options,
  })
  return channel.send(message, { attempt: 1, at: new Date(), signal: new AbortController().signal })
}

const byte = fc.integer({ min: 0, max: 255 })
const ipv4Of = (...first: number[]) =>
  fc.array(byte, { minLength: 4 - first.length, maxLength: 4 - first.length }).map((rest) => [...first, ...rest])
const internalIpv4 = fc.oneof(
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
const ipv6Text = fc.oneof(
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

/** URLs that a careless check takes for another host's. */
const url = fc
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

describe('the webhook channel connects to nothing internal', () => {
  it('whatever the URL looks like', async () => {
    connections = 0
    // What stays a name after parsing leads to this machine.
    const lookup: Lookup = async () => [{ address: '127.0.0.1', family: 4 }]
    const check = async (text: string) => {
      const result = await send(text, { lookup })
      expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
      expect(connections).toBe(0)
    }
    await fc.assert(fc.asyncProperty(url, check), { numRuns: 20_000 })
  })

  it('whatever a name resolves to', async () => {
    connections = 0
    const internal = fc.oneof(
      internalIpv4.map((bytes) => bytes.join('.')),
      ipv6Text,
    )
    const answers = fc
      .tuple(
        fc.array(fc.constantFrom<string>('8.8.8.8', '2606:4700::1'), { maxLength: 3 }),
        internal,
        fc.nat({ max: 3 }),
      )
      .map(([good, bad, place]) => good.toSpliced(place, 0, bad))
    const check = async (addresses: string[]) => {
      const lookup: Lookup = async () => addresses.map((address) => ({ address, family: net.isIP(address) }))
      const result = await send(`http://crm.example.com:${port}/`, { lookup })
      expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
      expect(connections).toBe(0)
    }
    await fc.assert(fc.asyncProperty(answers, check), { numRuns: 2_000 })
  })

  it('when a name resolves to a public address first and to this machine afterwards', async () => {
    connections = 0
    let questions = 0
    // 3ffe::/16 was returned to IANA: nobody answers there.
    const rebinding: Lookup = async () =>
      questions++ === 0 ? [{ address: '3ffe::1', family: 6 }] : [{ address: '127.0.0.1', family: 4 }]
    const first = await send(`http://crm.example.com:${port}/`, { lookup: rebinding, timeoutMs: 200 })
    expect(first).toMatchObject({ status: 'deferred' })
    expect(questions).toBe(1)

    const second = await send(`http://crm.example.com:${port}/`, { lookup: rebinding })
    expect(second).toMatchObject({ status: 'refused', reason: 'recipient' })
    expect(connections).toBe(0)
  })

  // Without this the tests above could pass because nothing ever connects.
  it.each(['127.0.0.1', '2130706433', '0x7f.1', '１２７.0.0.1', '[::1]', 'localhost'])(
    'and would reach the canary at %s if it were allowed to',
    async (host) => {
      connections = 0
      await send(`http://${host}:${port}/`, { allowPrivateNetwork: true }).catch(() => {})
      expect(connections).toBeGreaterThan(0)
    },
  )
})
