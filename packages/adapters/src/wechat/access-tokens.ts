import { AdapterError } from '../http/errors.js'

export interface AccessToken {
  readonly token: string
  /** Until when it is good: milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Where processes find each other's tokens, such as a key in Redis. What cannot be read is as good as nothing. */
export interface TokenCache {
  read(): Promise<AccessToken | undefined>
  write(token: AccessToken): Promise<void>
}

/** Fetches a token from the platform. `stale` is one that it has refused. @throws {AdapterError} */
export type FetchToken = (stale: string | undefined) => Promise<AccessToken>

/** A token is not used in its last five minutes: it must last until the request has arrived. */
const MARGIN_MS = 5 * 60_000

/**
 * Keeps one access token for all calls of a process. However many ask at once, one request is under way; a token that the
 * platform refused is fetched anew once, however many calls it was refused to.
 */
export class AccessTokens {
  #known: AccessToken | undefined
  #flight: Promise<AccessToken> | undefined

  constructor(
    private readonly fetchToken: FetchToken,
    private readonly cache: TokenCache | undefined,
    private readonly now: () => number = Date.now,
  ) {}

  /** A token that is good now. `stale`: one that the platform has refused, so that another is wanted. */
  async get(stale?: string): Promise<string> {
    if (this.isGood(this.#known, stale)) return this.#known.token
    this.#flight ??= this.fly(stale).finally(() => {
      this.#flight = undefined
    })
    return (await this.#flight).token
  }

  private async fly(stale: string | undefined): Promise<AccessToken> {
    const shared = await this.cache?.read().catch(() => undefined)
    if (this.isGood(shared, stale)) {
      this.#known = shared
      return shared
    }
    const fresh = await this.fetchToken(stale)
    this.#known = fresh
    await this.cache?.write(fresh).catch(() => undefined)
    return fresh
  }

  private isGood(known: AccessToken | undefined, stale: string | undefined): known is AccessToken {
    return known !== undefined && known.token !== stale && known.expiresAt - MARGIN_MS > this.now()
  }
}

/** A token could not be had, so nothing was sent. `isFinal`: another try would not help. */
export class TokenError extends AdapterError {
  constructor(
    adapter: string,
    readonly why: string,
    readonly isFinal: boolean,
    providerCode?: string | number,
  ) {
    super(`${adapter}.no_token`, `No access token could be had: ${why}.`, providerCode)
  }
}
