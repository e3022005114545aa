import { inspect } from 'node:util'
import { optionInvalid } from './errors.js'

const REDACTED = '[redacted]'

/** What holds a secret: it prints and serialises as `[redacted]`, so a configuration that holds it may be logged. */
export abstract class Redacted {
  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

/** A secret text. */
export class Secret extends Redacted {
  readonly #text: string

  constructor(text: string) {
    super()
    this.#text = text
  }

  /** The text itself, for the request that needs it. */
  reveal(): string {
    return this.#text
  }
}

/** The secret of an option, wrapped. @throws {AdapterError} `….option_invalid` where it is empty; `right` says what it should be. */
export function requireSecret(adapter: string, option: string, given: string | Secret, right: string): Secret {
  const secret = typeof given === 'string' ? new Secret(given) : given
  requireText(adapter, option, secret.reveal(), right)
  return secret
}

/** @throws {AdapterError} `….option_invalid` where the text is empty; `right` says what it should be. */
export function requireText(adapter: string, option: string, text: string, right: string): void {
  if (text.trim() === '') throw optionInvalid(adapter, option, 'empty', right)
}
