import type { SendContext } from './channel.js'

/** One text that is wanted for one recipient. */
export interface CopyRequest {
  /** The same for every try of this text. */
  readonly key: string
  /** The template that it is for. */
  readonly template: string
  /** What to write, rendered for the recipient: all that a copywriter learns of anybody. */
  readonly instructions: string
  /** How many characters it may have. */
  readonly maxLength: number
  /** Words that must not be in it. */
  readonly forbid: readonly string[]
}

/**
 * Writes texts for templates that have `copy`: a language model, or anything else that writes. What it writes is checked, and
 * where it writes nothing that may be used, the template's fallback is sent.
 *
 * The engine calls it outside transactions, several at a time, and before it asks whether the message may still leave. A text may
 * be asked for again after a crash; nothing is sent twice for that.
 */
export interface Copywriter {
  /** What decisions call it. */
  readonly name: string
  /** How many texts one process asks for at a time; 8 when left out. */
  readonly concurrency?: number
  /** Rejects, or is aborted: the fallback is sent. A `code` of the error, such as `openai.refused`, stands in the decision. */
  write(request: CopyRequest, context: Pick<SendContext, 'at' | 'signal'>): Promise<string>
  /** Called once by the engine's `close`. */
  close?(): Promise<void>
}
