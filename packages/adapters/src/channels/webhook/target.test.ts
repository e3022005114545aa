import { describe, expect, it } from 'vitest'
import { parseTarget, resolveTarget } from './target.js'

const strict = { allowInsecureHttp: false, allowPrivateNetwork: false, ports: [443] }
const anyHttp = { ...strict, allowInsecureHttp: true, ports: [80, 443] }
const lan = { ...anyHttp, allowPrivateNetwork: true }
const failsWith = (code: string) => expect.objectContaining({ name: 'WebhookError', code })

describe('parseTarget', () => {
  it('takes https on port 443', () => {
    expect(parseTarget('https://crm.example.com/hooks?shop=1', strict).host).toBe('crm.example.com')
    expect(parseTarget('https://crm.example.com:443/', strict).host).toBe('crm.example.com')
  })

  it.each([
    ['not a url', 'webhook.url_invalid'],
    ['/hooks', 'webhook.url_invalid'],
    ['https://', 'webhook.url_invalid'],
    ['https://[fe80::1%25eth0]/', 'webhook.url_invalid'],
    ['https://1.2.3.4.5/', 'webhook.url_invalid'],
    ['http://crm.example.com/', 'webhook.url_scheme'],
    ['ftp://crm.example.com/', 'webhook.url_scheme'],
    ['file:///etc/passwd', 'webhook.url_scheme'],
    ['javascript:alert(1)', 'webhook.url_scheme'],
    ['gopher://crm.example.com:443/', 'webhook.url_scheme'],
    ['https://user@crm.example.com/', 'webhook.url_credentials'],
    ['https://:password@crm.example.com/', 'webhook.url_credentials'],
    ['https://crm.example.com@127.0.0.1/', 'webhook.url_credentials'],
    ['https://crm.example.com:8443/', 'webhook.url_port'],
    ['https://crm.example.com:22/', 'webhook.url_port'],
    ['https://127.0.0.1/', 'webhook.address_forbidden'],
    ['https://2130706433/', 'webhook.address_forbidden'],
    ['https://0x7f.1/', 'webhook.address_forbidden'],
    ['https://0177.0.0.1/', 'webhook.address_forbidden'],
    ['https://0/', 'webhook.address_forbidden'],
    ['https://１２７。０。０。１/', 'webhook.address_forbidden'],
    ['https://%31%32%37.1/', 'webhook.address_forbidden'],
    ['https://127.0.0.1./', 'webhook.address_forbidden'],
    ['https://[::1]/', 'webhook.address_forbidden'],
    ['https://[::ffff:127.0.0.1]/', 'webhook.address_forbidden'],
    ['https://[64:ff9b::10.0.0.1]/', 'webhook.address_forbidden'],
    ['https://169.254.169.254/latest/meta-data/', 'webhook.address_forbidden'],
  ])('refuses %s as %s', (url, code) => {
    expect(() => parseTarget(url, strict)).toThrow(failsWith(code))
  })

  it('says neither host nor path of a URL it refuses', () => {
    expect(() => parseTarget('http://alice.example.com/token-4711', strict)).not.toThrow(/alice|4711/)
  })

  it('takes http only with allowInsecureHttp', () => {
    expect(parseTarget('http://crm.example.com/', anyHttp).protocol).toBe('http:')
  })

  it('takes private addresses only with allowPrivateNetwork, and link-local ones never', () => {
    expect(parseTarget('http://127.0.0.1/', lan).hostname).toBe('127.0.0.1')
    expect(() => parseTarget('http://127.0.0.1/', anyHttp)).toThrow(failsWith('webhook.address_forbidden'))
    expect(() => parseTarget('http://169.254.169.254/', lan)).toThrow(failsWith('webhook.address_forbidden'))
    expect(() => parseTarget('http://[::ffff:10.0.0.1]/', lan)).toThrow(failsWith('webhook.address_forbidden'))
  })
})

describe('resolveTarget', () => {
  const url = new URL('https://crm.example.com/')
  const ipv4 = { address: '8.8.8.8', family: 4 }
  const ipv6 = { address: '2606:4700::1', family: 6 }

  it('answers all addresses when all are public', async () => {
    await expect(resolveTarget(url, strict, async () => [ipv4, ipv6])).resolves.toEqual([ipv4, ipv6])
  })

  it.each(['127.0.0.1', '10.1.2.3', '::1', '::ffff:10.0.0.1', 'fe80::1%lo', '0.0.0.0'])(
    'answers none when one of them is %s',
    async (address) => {
      const mixed = async () => [ipv4, { address, family: 4 }, ipv6]
      await expect(resolveTarget(url, strict, mixed)).rejects.toEqual(failsWith('webhook.address_forbidden'))
    },
  )

  it('asks no resolver about an address', async () => {
    const lookup = async () => Promise.reject(new Error('asked'))
    const found = await resolveTarget(new URL('https://[2606:4700::1]/'), strict, lookup)
    expect(found).toEqual([{ address: '2606:4700::1', family: 6 }])
  })
})
