import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type AddressScope, addressScope } from './address.js'
import type { ResolvedAddress } from './request.js'

/** Resolves a host name to all of its addresses, IPv4 and IPv6. Rejects, or answers none, when there are none. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** Which URLs may be called. */
export interface UrlPolicy {
  readonly allowInsecureHttp: boolean
  readonly allowPrivateNetwork: boolean
  readonly ports: readonly number[]
}

/** What is wrong with an address, in a word that codes of errors are made of. */
export type TargetProblem = 'url_invalid' | 'url_scheme' | 'url_credentials' | 'url_port' | 'address_forbidden'

/** An address may not be called. Its message names neither host nor path: the URL may belong to a person. */
export class TargetError extends Error {
  constructor(
    readonly problem: TargetProblem,
    /** What goes on after "The URL". */
    readonly says: string,
  ) {
    super(`The URL ${says}`)
    this.name = 'TargetError'
  }
}

/** All addresses of a name from the operating system's resolver, hosts file included. */
export const systemLookup: Lookup = (hostname) => dnsLookup(hostname, { all: true, verbatim: true })

/**
 * Reads a URL and checks all that can be checked without the network. WHATWG parsing has already turned decimal, octal
 * and hexadecimal IPv4 forms into dotted ones, so there is one notation to judge.
 *
 * @throws {TargetError}
 */
export function parseTarget(text: string, policy: UrlPolicy): URL {
  if (!URL.canParse(text)) {
    throw new TargetError('url_invalid', 'cannot be parsed. Give an absolute https: URL.')
  }
  const url = new URL(text)
  checkScheme(url, policy)
  if (url.username !== '' || url.password !== '') {
    throw new TargetError('url_credentials', 'has a user name or password. Leave them out.')
  }
  const port = portOf(url)
  if (!policy.ports.includes(port)) {
    const allowed = policy.ports.join(', ')
    throw new TargetError('url_port', `has port ${port}. Allowed ports (\`ports\`): ${allowed}.`)
  }
  if (isIP(hostOf(url)) !== 0) checkAddress(hostOf(url), policy)
  return url
}

/**
 * The addresses to connect to. If any of them is not allowed, none is: an attacker's name server could mix them.
 *
 * @throws {TargetError} `address_forbidden`
 * @throws What `lookup` rejects with.
 */
export async function resolveTarget(url: URL, policy: UrlPolicy, lookup: Lookup): Promise<readonly ResolvedAddress[]> {
  const host = hostOf(url)
  const family = isIP(host)
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }]
  for (const { address } of addresses) checkAddress(address, policy)
  return addresses
}

/** The host without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function checkScheme(url: URL, policy: UrlPolicy): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && policy.allowInsecureHttp)) return
  const hint = url.protocol === 'http:' ? ' Only tests may set allowInsecureHttp: the message travels in clear.' : ''
  throw new TargetError('url_scheme', `has scheme "${url.protocol}". Use "https:".${hint}`)
}

function checkAddress(address: string, policy: UrlPolicy): void {
  const scope: AddressScope = addressScope(address)
  if (scope === 'public' || (scope === 'private' && policy.allowPrivateNetwork)) return
  throw new TargetError(
    'address_forbidden',
    `leads to a ${scope === 'private' ? 'private' : 'reserved'} address. Only public ones are called.`,
  )
}
