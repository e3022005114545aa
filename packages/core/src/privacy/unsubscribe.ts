import { createHmac, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'
import { latestWord, MESSAGE_CLASSES, type MessageClass } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { IncomingEvent } from '../ingest/event.js'
import { identityOf } from '../ingest/provisional.js'
import type { StoreReads } from '../ports/store.js'
import { whoIs } from '../subjects/people.js'

/** What a token lets its holder do: withdraw this user's consent to messages of this class by this channel. Nothing else. */
export interface Unsubscription {
  readonly userId: string
  readonly channel: string
  readonly class: MessageClass
}

const SHORTEST_SECRET = 32
const LONGEST_TOKEN = 2_048
/** 128 bits: links in text messages are short. */
const SIGNATURE_BYTES = 16

/**
 * Makes and reads the tokens of unsubscribe links. A token is good for one person, channel and class, for ever, and as often
 * as it is used. It is signed, not encrypted: whoever has the link can read the user id.
 *
 * @example
 * const unsubscribe = new UnsubscribeTokens(process.env['UNSUBSCRIBE_SECRET'] ?? '')
 * const engine = await createEngine({ rules, channels, unsubscribe }) // templates may say {{ unsubscribe.token }}
 */
export class UnsubscribeTokens {
  readonly #secrets: readonly [string, ...string[]]

  /**
   * `secrets`: at least 32 random characters, for nothing else; or the newest and those before it: the first signs, all are
   * known again. Links stay good for as long as their secret is in the list.
   *
   * @throws EngineError `unsubscribe.secret`, without the secret in its message.
   */
  constructor(secrets: string | readonly string[]) {
    const [first, ...others] = typeof secrets === 'string' ? [secrets] : secrets
    const lengths = [first, ...others].map((secret) => secret?.length ?? 0)
    if (first === undefined || lengths.some((length) => length < SHORTEST_SECRET)) {
      const message = `A secret for unsubscribe tokens has ${Math.min(...lengths)} characters; it needs ${SHORTEST_SECRET} random ones at least.`
      throw new EngineError('unsubscribe.secret', message, { needed: SHORTEST_SECRET })
    }
    this.#secrets = [first, ...others]
  }

  /** A text of letters, digits, "-", "_" and "." for a link. Always the same for the same person, channel and class. */
  tokenFor({ userId, channel, class: messageClass }: Unsubscription): string {
    const said = Buffer.from(JSON.stringify([userId, channel, messageClass])).toString('base64url')
    return `${said}.${signatureOf(this.#secrets[0], said).toString('base64url')}`
  }

  /**
   * What a token is about. It changes nothing, so it is what a page may do that is only looked at (GET): mail programs and
   * chats open links by themselves.
   *
   * @throws EngineError `unsubscribe.token` where none of the secrets has made it.
   */
  read(token: string): Unsubscription {
    const unsubscription = typeof token === 'string' && token.length <= LONGEST_TOKEN ? this.#opened(token) : undefined
    if (unsubscription !== undefined) return unsubscription
    throw new EngineError('unsubscribe.token', 'The unsubscribe token is not one that these secrets have made.')
  }

  #opened(token: string): Unsubscription | undefined {
    const [said = '', signature = '', ...more] = token.split('.')
    const found = Buffer.from(signature, 'base64url')
    const isOurs = this.#secrets.some((secret) => {
      const expected = signatureOf(secret, said)
      return found.length === expected.length && timingSafeEqual(found, expected)
    })
    if (!isOurs || more.length > 0) return undefined
    const [userId, channel, messageClass] = JSON.parse(Buffer.from(said, 'base64url').toString()) as string[]
    const isKnown = MESSAGE_CLASSES.find((one) => one === messageClass)
    if (userId === undefined || channel === undefined || isKnown === undefined) return undefined
    return { userId, channel, class: isKnown }
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}

/** The use is part of what is signed, so that nothing else that is signed with the secret can pass for a token. */
function signatureOf(secret: string, said: string): Buffer {
  return createHmac('sha256', secret).update(`linli unsubscribe 1 ${said}`).digest().subarray(0, SIGNATURE_BYTES)
}

/**
 * The event that withdraws consent; undefined where it is withdrawn already. Its id follows from what was said last, so that
 * any number of clicks makes one event, and a click after somebody has agreed again makes another.
 */
export async function withdrawalOf(
  store: StoreReads,
  { userId, channel, class: messageClass }: Unsubscription,
  token: string,
): Promise<IncomingEvent | undefined> {
  const { state } = await whoIs(store, { kind: 'user', id: userId })
  const said = latestWord(state?.consent ?? {}, channel, messageClass)
  if (said?.[0] === false) return undefined
  return {
    type: 'track',
    event: 'consent_withdrawn',
    messageId: `unsubscribe:${createHmac('sha256', token).update(String(said?.[1])).digest('base64url')}`,
    properties: { channel, class: messageClass },
    ...identityOf(userId),
  }
}
