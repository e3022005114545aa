import type { Delivery } from '../ports/store.js'

/** Messages in the order in which they came, apart for each channel. */
export function byChannel(messages: readonly Delivery[]): ReadonlyMap<string, readonly Delivery[]> {
  const groups = new Map<string, Delivery[]>()
  for (const message of messages) {
    const { channel = '' } = message.body
    const group = groups.get(channel)
    if (group === undefined) groups.set(channel, [message])
    else group.push(message)
  }
  return groups
}
