import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import type { Channel, Outbound, SendContext, SendResult } from '../ports/channel.js'

/** What became of one call. */
export interface Attempt {
  /** Undefined when the call rejected. */
  readonly result?: SendResult
  /** All text of the error or detail, as a logger might write it. */
  readonly said: string
}

/** A copy of the message under a delivery key that no other call uses. */
export function withKey(message: Outbound): Outbound {
  return { ...message, deliveryKey: randomBytes(16).toString('hex') }
}

/** A call's context, where the check asks for nothing special. */
export function contextOf(context: Partial<SendContext> = {}): SendContext {
  return { attempt: 1, at: new Date(), signal: new AbortController().signal, ...context }
}

/** Calls `send`; an error is part of what became of it. */
export async function attempt(channel: Channel, message: Outbound, context?: Partial<SendContext>): Promise<Attempt> {
  try {
    const result = await channel.send(message, contextOf(context))
    return { result, said: 'detail' in result ? String(result.detail) : '' }
  } catch (error) {
    return { said: inspect(error, { depth: 8, showHidden: true, maxStringLength: null }) }
  }
}

const STATUSES = ['accepted', 'awaiting_person', 'deferred', 'refused']

/** Calls `send` where the outcome is known, so that it must answer with a value. */
export async function deliver(
  channel: Channel,
  message: Outbound,
  context?: Partial<SendContext>,
): Promise<SendResult> {
  const { result, said } = await attempt(channel, message, context)
  assert.ok(
    result !== undefined,
    `send rejected although the outcome was known. A rejection says "unknown"; answer with a value instead.\n${said}`,
  )
  assert.ok(STATUSES.includes(result.status), `status must be one of ${STATUSES.join(', ')}, not ${result.status}.`)
  return result
}

/** Whether the provider has the message. */
export function isTaken(
  result: SendResult | undefined,
): result is Extract<SendResult, { readonly status: 'accepted' | 'awaiting_person' }> {
  return result?.status === 'accepted' || result?.status === 'awaiting_person'
}

/** What `lookUp` says of a delivery. */
export async function statusOf(channel: Channel, message: Outbound): Promise<string> {
  assert.ok(channel.lookUp !== undefined, 'A queryable channel must have lookUp.')
  return (await channel.lookUp(message.deliveryKey, contextOf())).status
}

/** Closes the channel after a check. Whether closing works is a check of its own, which this must not drown. */
export async function closeQuietly(channel: Pick<Channel, 'close'>): Promise<void> {
  try {
    await channel.close?.()
  } catch {}
}

/** Waits for `work`, and fails with `complaint` after `ms` milliseconds. */
export async function settlesWithin<T>(work: Promise<T>, ms: number, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `${complaint} Waited ${ms} ms.` })), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The texts that must never reach a log: what the message says, and where it goes. Very short ones prove nothing. */
export function confidential(message: Outbound): readonly (readonly [string, string])[] {
  const { content, to } = message
  const texts: [string, unknown][] = [
    ['body', content.body],
    ['title', content.title],
    ...Object.entries(content.data ?? {}).map(([key, value]): [string, unknown] => [`data field "${key}"`, value]),
    ...Object.entries(to.traits).map(([key, value]): [string, unknown] => [`trait "${key}"`, value]),
  ]
  return texts.flatMap(([what, text]) => (typeof text === 'string' && text.length >= 4 ? [[what, text] as const] : []))
}

/** Freezes the message with all it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
