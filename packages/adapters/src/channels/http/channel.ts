import type { Channel, LookUpResult, Outbound, RepeatSafety, SendContext, SendResult } from '@linli/core'
import { readDeclaration } from '../../declared/declaration.js'
import { beforeAbort, startDeadline } from '../../http/deadline.js'
import { deferred } from '../../http/deferral.js'
import { codeOf, exchange, type HttpOutcome } from '../../http/request.js'
import { Secret } from '../../http/secret.js'
import { type Lookup, resolveTarget, systemLookup, TargetError, type UrlPolicy } from '../../http/target.js'
import { ADAPTER, foundBy, resultOf } from './answers.js'
import { checkDeclaration } from './check.js'
import { type Answer, declarationSchema, type HttpDeclaration } from './declaration.js'
import { Unfilled, type Values } from './placeholders.js'
import { type Prepare, type Prepared, prepareWith, Unsendable } from './prepare.js'

export interface HttpChannelOptions {
  /** Secrets by the names that declarations say: `process.env`, or an object of your own. Default: none. */
  readonly secrets?: Readonly<Record<string, string | Secret | undefined>>
  /** What problems call the declaration. Default `channel.json`. */
  readonly file?: string
  /** Ports that may be called. Default 443, and 80 with `allowInsecureHttp`. */
  readonly ports?: readonly number[]
  /** DANGEROUS, for tests on one machine: allow `http:`. Messages and secrets travel in clear. Default false. */
  readonly allowInsecureHttp?: boolean
  /** DANGEROUS: allow loopback and private networks. Whoever writes the declaration then reaches your internal services. Default false. */
  readonly allowPrivateNetwork?: boolean
  /** Resolves host names. Default: the operating system's resolver. */
  readonly lookup?: Lookup
}

const DEFAULT_TIMEOUT_MS = 10_000

/** All that does not change from message to message. */
interface Settings {
  readonly policy: UrlPolicy
  readonly lookup: Lookup
  readonly secrets: Values
  readonly timeoutMs: number
}

/**
 * A channel that is declared in JSON: the request, what answers mean, and what may follow an unknown outcome. Texts of the
 * request hold placeholders such as `{{ to.traits.phone }}`, `{{ content.body }}`, `{{ deliveryKey }}` and `{{ secret.NAME }}`.
 *
 * The host stands in the declaration, and only public addresses are called, by https. Redirects are not followed.
 *
 * @param declaration The parsed file. Nothing is known of it; all of it is checked.
 * @throws {DeclarationError} `http.declaration_invalid`, with each problem's place.
 * @example
 * httpChannel(JSON.parse(await readFile('channels/dingtalk.json', 'utf8')), { secrets: process.env })
 */
export function httpChannel(declaration: unknown, options: HttpChannelOptions = {}): Channel {
  const { allowInsecureHttp = false, allowPrivateNetwork = false, file = 'channel.json' } = options
  const ports = options.ports ?? (allowInsecureHttp ? [443, 80] : [443])
  const policy = { allowInsecureHttp, allowPrivateNetwork, ports }
  const secrets = new Map(Object.entries(options.secrets ?? {}).flatMap(([name, given]) => secretOf(name, given)))
  const allowed = { policy, secrets: new Set(secrets.keys()) }
  const declared = readDeclaration<HttpDeclaration>(
    declarationSchema,
    declaration,
    { adapter: ADAPTER, file },
    (value, place, problems) => checkDeclaration(value, place, problems, allowed),
  )
  const settings: Settings = {
    policy,
    lookup: options.lookup ?? systemLookup,
    secrets: Object.fromEntries([...secrets].map(([name, secret]) => [name, () => secret.reveal()])),
    timeoutMs: declared.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  }
  return channelOf(declared, settings)
}

function secretOf(name: string, given: string | Secret | undefined): readonly (readonly [string, Secret])[] {
  const secret = typeof given === 'string' ? new Secret(given) : given
  return secret === undefined || secret.reveal() === '' ? [] : [[name, secret]]
}

function channelOf(declared: HttpDeclaration, settings: Settings): Channel {
  const { name, rate, answers = [], repeat = { kind: 'none' } } = declared
  const prepare = prepareWith(declared, 'POST')
  const wantsText = answers.some(readsText)
  const base: Channel = {
    name,
    repeat: safetyOf(repeat),
    ...(rate !== undefined && { rate }),
    async send(message, context) {
      const call = await attempt(prepare, valuesOf(message, context, settings), settings, context, wantsText)
      // `not_found` is no answer to a request that sends: its schema has none.
      return 'kind' in call ? (resultOf(call, context, answers) as SendResult) : call
    },
  }
  if (repeat.kind !== 'queryable') return base
  const ask = prepareWith(repeat.lookUp, 'GET')
  return {
    ...base,
    async lookUp(deliveryKey, context): Promise<LookUpResult> {
      const values = { deliveryKey, at: instantOf(context), secret: settings.secrets }
      const call = await attempt(ask, values, settings, context, true)
      return foundBy('kind' in call ? call : { kind: 'not_sent', code: 'NOT_ASKED' }, context, repeat.lookUp.answers)
    },
  }
}

function safetyOf(repeat: NonNullable<HttpDeclaration['repeat']>): RepeatSafety {
  return repeat.kind === 'queryable' ? { kind: 'queryable' } : repeat
}

function readsText({ at, providerId }: Answer): boolean {
  return at !== undefined || providerId !== undefined
}

function valuesOf(message: Outbound, context: SendContext, { secrets }: Settings): Values {
  return { ...message, at: instantOf(context), secret: secrets }
}

function instantOf({ at }: SendContext): Values {
  return { iso: at.toISOString(), ms: at.getTime(), s: Math.floor(at.getTime() / 1000) }
}

async function attempt(
  prepare: Prepare,
  values: Values,
  settings: Settings,
  context: SendContext,
  wantsText: boolean,
): Promise<HttpOutcome | SendResult> {
  let prepared: Prepared
  try {
    prepared = prepare(values)
  } catch (error) {
    return unprepared(error)
  }
  const deadline = startDeadline(context.signal, settings.timeoutMs)
  try {
    const addresses = await beforeAbort(resolveTarget(prepared.url, settings.policy, settings.lookup), deadline.signal)
    return await exchange({ ...prepared, addresses, signal: deadline.signal, wantsText })
  } catch (error) {
    // All of this came before the request: `exchange` itself rejects with nothing.
    if (error instanceof TargetError) {
      const detail = `${ADAPTER}.address_forbidden: the host has an address that is not public`
      return { status: 'refused', reason: 'configuration', detail }
    }
    return deferred(context, `${ADAPTER}.not_sent: ${codeOf(error)}`)
  } finally {
    deadline.clear()
  }
}

/** Why a message can never be sent so. Only names are told, which stand in the declaration. */
function unprepared(error: unknown): SendResult {
  if (error instanceof Unfilled) {
    const { path } = error.placeholder
    const reason = path[0] === 'to' ? 'recipient' : 'content'
    return { status: 'refused', reason, detail: `${ADAPTER}.${error.why.replace(' ', '_')}: ${path.join('.')}` }
  }
  const where = error instanceof Unsendable ? error.where : 'text'
  return { status: 'refused', reason: 'content', detail: `${ADAPTER}.unsendable: ${where}` }
}
