import type { IncomingEvent, MessageClass } from '@linli/core'
import { idFor } from '../sources/http/ids.js'

/** What people answer who want no more of it, as the messages themselves ask them to (拒收请回复R, 回T退订, 回TD退订). */
export const OPT_OUT_WORDS: readonly string[] = ['R', 'T', 'TD', 'N', '退订', '拒收']

/** What somebody answered to a text message. */
export interface SmsReply {
  /** E.164. */
  readonly phone: string
  readonly text: string
  readonly at: Date | undefined
  /** What makes this reply another than those of the same words. */
  readonly id: string
}

export interface OptOutOptions {
  /** What counts as a refusal: alone in the answer, in any case and width, with or without signs around it. Default: `OPT_OUT_WORDS`. */
  readonly words?: readonly string[]
  /** Channels whose messages are then no longer welcome. Default: the one of the callback. */
  readonly channels?: readonly string[]
  /** Classes of messages that are then no longer welcome. Default: `promotion` and `content`. */
  readonly classes?: readonly MessageClass[]
  /** Who has this number (E.164); undefined where it is nobody. Default: whoever has the identifier `phone`. */
  readonly who?: (phone: string) => Person | undefined | Promise<Person | undefined>
}

/** How an event names somebody. */
export type Person = Pick<IncomingEvent, 'userId' | 'anonymousId' | 'context'>

/** A text as words are compared: no signs and spaces around it, in one case and width. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
}

/** Tells whether an answer is a refusal. */
export function refusalTest(words: readonly string[] = OPT_OUT_WORDS): (text: string) => boolean {
  const known = new Set(words.map(plain))
  return (text) => known.has(plain(text))
}

/** Providers write whole seconds. It was said before the next one began, and what was granted in that second is withdrawn by it. */
const LAST_OF_A_SECOND_MS = 999

/** The events that withdraw the consent of whoever answered. They say the same however often the answer is handed in. */
export async function withdrawalsOf(
  adapter: string,
  { phone, at, id }: SmsReply,
  channel: string,
  { channels = [channel], classes = ['promotion', 'content'], who }: OptOutOptions,
): Promise<readonly IncomingEvent[]> {
  const person = who === undefined ? { context: { externalIds: [{ type: 'phone', id: phone }] } } : await who(phone)
  if (person === undefined) return []
  return channels.flatMap((one) =>
    classes.map((messageClass) => ({
      ...person,
      event: 'consent_withdrawn',
      messageId: idFor(adapter, JSON.stringify([phone, id, one, messageClass])),
      ...(at !== undefined && { timestamp: new Date(at.getTime() + LAST_OF_A_SECOND_MS) }),
      properties: { channel: one, class: messageClass },
    })),
  )
}
