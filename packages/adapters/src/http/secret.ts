import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/** A secret text. It prints and serialises as `[redacted]`, so a configuration that holds it may be logged. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the request that needs it. */
  reveal(): string {
    return this.#text
  }

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
