import type { Outbound, SendContext } from '@linli/core'

/** The JSON body of a webhook, in the structure that Standard Webhooks 1.0.0 recommends. */
export interface WebhookPayload {
  readonly type: 'message'
  /** When the engine decided on this attempt, ISO 8601 in UTC. */
  readonly timestamp: string
  /** The message. Its `deliveryKey` is the `webhook-id` of every attempt. */
  readonly data: Outbound
}

/** The body of one attempt. `traits` names the recipient's traits that may leave; undefined lets all of them. */
export function bodyOf(message: Outbound, context: SendContext, traits: readonly string[] | undefined): string {
  const { deliveryKey, channel, class: messageClass, to, content, source } = message
  const allowed = traits === undefined ? to.traits : pick(to.traits, traits)
  const payload: WebhookPayload = {
    type: 'message',
    timestamp: context.at.toISOString(),
    data: { deliveryKey, channel, class: messageClass, to: { ...to, traits: allowed }, content, source },
  }
  return JSON.stringify(payload)
}

function pick(record: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(record, key)).map((key) => [key, record[key]]))
}
