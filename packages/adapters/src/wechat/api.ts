import { beforeAbort, startDeadline } from '../http/deadline.js'
import { exchangeJson, type JsonObject, type JsonOutcome } from '../http/json.js'
import { codeOf } from '../http/request.js'
import { type AccessToken, AccessTokens, type TokenCache, TokenError } from './access-tokens.js'

/** What is known after a call. */
export type ApiOutcome =
  /** The platform has answered. 0 is success; partial failures stand in the rest. */
  | { readonly kind: 'answered'; readonly errcode: number; readonly json: JsonObject }
  /** Certainly not done. `isFinal`: another try would not help, as something is set up wrongly. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly isFinal: boolean; readonly retryAfter?: string }
  /** The call may have been done. */
  | { readonly kind: 'unknown'; readonly code: string }

export interface ApiCall {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Left out: a GET. */
  readonly body?: JsonObject
  readonly signal: AbortSignal
}

export interface TokenOptions {
  /** The call that gives a token. `isForced`: the platform has refused the one it gave. */
  readonly call: (isForced: boolean) => Omit<ApiCall, 'signal'>
  /** Errcodes that say: this token is not, or no longer, good. */
  readonly stale: ReadonlySet<number>
  /** Errcodes of the token call that another try does not change. */
  readonly final: ReadonlySet<number>
  readonly cache?: TokenCache | undefined
}

export interface WechatApiOptions {
  /** Begins the codes of errors: `wecom`. */
  readonly adapter: string
  /** Where the platform is, such as `https://qyapi.weixin.qq.com`. */
  readonly baseUrl: string
  /** Left out: its calls need no token. */
  readonly token?: TokenOptions
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 10_000

/** Calls one of WeChat's platforms: JSON over HTTPS, an access token in the query, an `errcode` in each answer. */
export class WechatApi {
  readonly #options: WechatApiOptions
  readonly #tokens: AccessTokens | undefined

  constructor(options: WechatApiOptions) {
    const { token } = options
    this.#options = options
    this.#tokens = token && new AccessTokens((stale) => this.#fetchToken(token, stale), token.cache)
  }

  /** Makes one call. A token that is not good any more is fetched anew, and the call is made once again. */
  async call(call: ApiCall): Promise<ApiOutcome> {
    const deadline = startDeadline(call.signal, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    try {
      return await this.#callInTime(call, deadline.signal)
    } catch (error) {
      // Whatever keeps a token away, the call itself was not made.
      if (error instanceof TokenError) return { kind: 'not_sent', code: error.why, isFinal: error.isFinal }
      return { kind: 'not_sent', code: codeOf(error), isFinal: false }
    } finally {
      deadline.clear()
    }
  }

  async #callInTime(call: ApiCall, signal: AbortSignal): Promise<ApiOutcome> {
    const tokens = this.#tokens
    if (tokens === undefined) return this.#attempt(call, undefined, signal)
    const token = await beforeAbort(tokens.get(), signal)
    const outcome = await this.#attempt(call, token, signal)
    const isStale = outcome.kind === 'answered' && this.#options.token?.stale.has(outcome.errcode)
    if (!isStale) return outcome
    return this.#attempt(call, await beforeAbort(tokens.get(token), signal), signal)
  }

  async #attempt(call: ApiCall, token: string | undefined, signal: AbortSignal): Promise<ApiOutcome> {
    const url = new URL(call.path, this.#options.baseUrl)
    if (token !== undefined) url.searchParams.set('access_token', token)
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value)
    const sent =
      call.body === undefined
        ? ({ method: 'GET' } as const)
        : { body: JSON.stringify(call.body), headers: { 'content-type': 'application/json' } }
    return outcomeOf(await exchangeJson({ ...sent, url, signal }))
  }

  // Many calls wait for the same token: what aborts one of them must not take it from the others.
  async #fetchToken({ call, final }: TokenOptions, stale: string | undefined): Promise<AccessToken> {
    const { adapter, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options
    const askedAt = Date.now()
    const signal = AbortSignal.timeout(timeoutMs)
    const outcome = await this.#attempt({ ...call(stale !== undefined), signal }, undefined, signal)
    if (outcome.kind !== 'answered') throw new TokenError(adapter, outcome.code, false)
    const { errcode, json } = outcome
    if (errcode !== 0) throw new TokenError(adapter, `errcode ${errcode}`, final.has(errcode), errcode)
    const { access_token: token, expires_in: seconds } = json
    if (typeof token !== 'string' || typeof seconds !== 'number') {
      throw new TokenError(adapter, 'the answer has no access_token and expires_in', false)
    }
    return { token, expiresAt: askedAt + seconds * 1000 }
  }
}

function outcomeOf(outcome: JsonOutcome): ApiOutcome {
  if (outcome.kind === 'not_sent') return { ...outcome, isFinal: false }
  if (outcome.kind === 'unknown') return outcome
  const { status, retryAfter, json } = outcome
  if (status === 429 || status === 503) {
    return { kind: 'not_sent', code: `HTTP_${status}`, isFinal: false, ...(retryAfter !== undefined && { retryAfter }) }
  }
  if (status !== 200) return { kind: 'unknown', code: `HTTP_${status}` }
  const { errcode = 0 } = json
  return typeof errcode === 'number' ? { kind: 'answered', errcode, json } : { kind: 'unknown', code: 'NO_ERRCODE' }
}
