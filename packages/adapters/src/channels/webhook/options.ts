import type { Outbound } from '@linli/core'
import { WebhookError } from './errors.js'
import { parseSecrets, type Secrets, type SigningSecret } from './secret.js'
import { type Lookup, parseTarget, systemLookup, type UrlPolicy } from './target.js'

const MINUTE_MS = 60 * 1000
const LONGEST_TIMEOUT_MS = 20 * 1000

export interface WebhookOptions {
  /** The channel's name in rules. Default `webhook`. */
  readonly name?: string
  /**
   * Where to post: one address for all, checked at once, or one for each message, checked at each send. Undefined says
   * that the recipient has none.
   */
  readonly url: string | ((message: Outbound) => string | undefined)
  /**
   * What signs: a secret, or the new and the old one while receivers change over. Receivers that do not trust one
   * another need secrets of their own: give a function.
   */
  readonly secrets: Secrets | ((message: Outbound) => Secrets)
  /**
   * How long the receiver remembers a `webhook-id` and drops its repeats, in milliseconds. Within it, and only within
   * it, an attempt of unknown outcome is repeated. Default 300,000 (5 minutes, the specification's example).
   */
  readonly receiverRemembersMs?: number
  /** The longest one attempt may take, in milliseconds, at most 20,000. Default 15,000. */
  readonly timeoutMs?: number
  /** The recipient's traits that go into the body. Default: all of the snapshot. */
  readonly traits?: readonly string[]
  /** Ports that may be called. Default 443, and 80 with `allowInsecureHttp`. */
  readonly ports?: readonly number[]
  /** DANGEROUS, for tests on one machine: allow `http:`. Messages and signatures travel in clear. Default false. */
  readonly allowInsecureHttp?: boolean
  /**
   * DANGEROUS: allow loopback and private networks. Whoever chooses the URL can then reach your internal services.
   * Link-local and reserved addresses stay forbidden. Default false.
   */
  readonly allowPrivateNetwork?: boolean
  /** Resolves host names. Default: the operating system's resolver. */
  readonly lookup?: Lookup
}

/** Options with their defaults, checked. */
export interface WebhookSettings {
  readonly name: string
  readonly receiverRemembersMs: number
  readonly timeoutMs: number
  readonly policy: UrlPolicy
  readonly lookup: Lookup
  readonly traits: readonly string[] | undefined
  /** The message's address, before its check. Undefined when the recipient has none. */
  urlOf(message: Outbound): string | undefined
  secretsOf(message: Outbound): readonly SigningSecret[]
  /** Whether each recipient has an address of its own. */
  readonly urlPerRecipient: boolean
}

/** @throws {WebhookError} When the options can never work. */
export function parseOptions(options: WebhookOptions): WebhookSettings {
  const { name = 'webhook', receiverRemembersMs = 5 * MINUTE_MS, timeoutMs = 15_000, url, secrets } = options
  const { allowInsecureHttp = false, allowPrivateNetwork = false } = options
  const ports = options.ports ?? (allowInsecureHttp ? [443, 80] : [443])
  const policy = { allowInsecureHttp, allowPrivateNetwork, ports }

  if (name.trim() === '') throw invalid('name', 'an empty text', 'the name that rules use')
  requireWithin('receiverRemembersMs', receiverRemembersMs, 1, Number.MAX_SAFE_INTEGER)
  requireWithin('timeoutMs', timeoutMs, 1, LONGEST_TIMEOUT_MS)
  for (const port of ports) requireWithin('ports', port, 1, 65_535)

  return {
    name,
    receiverRemembersMs,
    timeoutMs,
    policy,
    lookup: options.lookup ?? systemLookup,
    traits: options.traits,
    urlOf: typeof url === 'function' ? url : always(parseTarget(url, policy).href),
    secretsOf:
      typeof secrets === 'function' ? (message) => parseSecrets(secrets(message)) : always(parseSecrets(secrets)),
    urlPerRecipient: typeof url === 'function',
  }
}

function always<T>(value: T): () => T {
  return () => value
}

function requireWithin(option: string, found: number, least: number, most: number): void {
  if (Number.isInteger(found) && found >= least && found <= most) return
  throw invalid(option, String(found), `a whole number from ${least} to ${most}`)
}

function invalid(option: string, found: string, right: string): WebhookError {
  return new WebhookError('webhook.option_invalid', `The webhook option ${option} is ${found}. It must be ${right}.`)
}
