import net from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Canary, internalIpv4, internalUrls, ipv6Text, startCanary } from '../../../testing/internal-urls.js'
import type { Lookup } from './target.js'

let canary: Canary
beforeAll(async () => {
  canary = await startCanary()
})
beforeEach(() => canary.forget())
afterAll(() => canary.close())

describe('the webhook channel connects to nothing internal', () => {
  it('whatever the URL looks like', async () => {
    const check = async (text: string) => {
      const result = await canary.post(text)
      expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
      expect(canary.connections).toBe(0)
    }
    await fc.assert(fc.asyncProperty(internalUrls(canary.port), check), { numRuns: 20_000 })
  })

  it('whatever a name resolves to', async () => {
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
      const result = await canary.post(`http://crm.example.com:${canary.port}/`, { lookup })
      expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
      expect(canary.connections).toBe(0)
    }
    await fc.assert(fc.asyncProperty(answers, check), { numRuns: 2_000 })
  })

  it('when a name resolves to a public address first and to this machine afterwards', async () => {
    let questions = 0
    // 3ffe::/16 was returned to IANA: nobody answers there.
    const rebinding: Lookup = async () =>
      questions++ === 0 ? [{ address: '3ffe::1', family: 6 }] : [{ address: '127.0.0.1', family: 4 }]
    const first = await canary.post(`http://crm.example.com:${canary.port}/`, { lookup: rebinding, timeoutMs: 200 })
    expect(first).toMatchObject({ status: 'deferred' })
    expect(questions).toBe(1)

    const second = await canary.post(`http://crm.example.com:${canary.port}/`, { lookup: rebinding })
    expect(second).toMatchObject({ status: 'refused', reason: 'recipient' })
    expect(canary.connections).toBe(0)
  })

  // Without this the tests above could pass because nothing ever connects.
  it.each(['127.0.0.1', '2130706433', '0x7f.1', '１２７.0.0.1', '[::1]', 'localhost'])(
    'and would reach the canary at %s if it were allowed to',
    async (host) => {
      await canary.post(`http://${host}:${canary.port}/`, { allowPrivateNetwork: true }).catch(() => {})
      expect(canary.connections).toBeGreaterThan(0)
    },
  )
})
