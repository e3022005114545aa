/**
 * What went wrong with a provider, in words that may be logged: neither the message, nor an address, nor a secret stands
 * in it. `code` begins with the adapter's name, such as `wecom.option_invalid`.
 *
 * A channel's `send` rejects with it only as `….outcome_unknown`; every known outcome is a value.
 */
export class AdapterError<Code extends string = string> extends Error {
  constructor(
    readonly code: Code,
    message: string,
    /** What the provider calls it: its own code, or the HTTP status. */
    readonly providerCode?: string | number,
  ) {
    super(message)
    this.name = 'AdapterError'
  }
}

/** The request left, and no answer that can be relied upon came back. */
export function outcomeUnknown(adapter: string, why: string, providerCode?: string | number): AdapterError {
  return new AdapterError(
    `${adapter}.outcome_unknown`,
    `The outcome is unknown: ${why}. The provider may have taken the message.`,
    providerCode,
  )
}

/** An option can never work. */
export function optionInvalid(adapter: string, option: string, found: string, right: string): AdapterError {
  return new AdapterError(`${adapter}.option_invalid`, `The option ${option} is ${found}. It must be ${right}.`)
}

/** The `code` of what was thrown, where it has one. */
export function thrownCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
