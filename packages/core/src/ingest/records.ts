import type { EventRecord, RelationName } from '@linli/rules'
import type { Input, ProfileChanges, Told } from '../domain/decision.js'
import type { StoredEvent } from '../ports/store.js'

/** What an event tells rules. */
export function recordOf({ messageId, event, at, properties, userId }: StoredEvent): EventRecord {
  return { messageId, event, at, properties, userId }
}

/** An event as what moves its user. */
export function inputOf(event: StoredEvent, at: number): Input {
  return { kind: 'event', at, ...toldOf(event) }
}

/** An event, and what it says of its user. */
export function toldOf(event: StoredEvent): Told {
  const changes = changesOf(event)
  return changes === undefined ? { event: recordOf(event) } : { event: recordOf(event), changes }
}

/** An event as what moves the community or the leader that it counts for. */
export function relatedInput(kind: RelationName, event: StoredEvent, at: number): Input {
  const changes = event.type === 'group' && kind === 'community' ? groupChanges(event) : undefined
  return { kind: 'event', at, event: recordOf(event), member: event.userId, ...(changes && { changes }) }
}

/** Events by user, each user's in the order they happened. */
export function groupByUser(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const byUser = new Map<string, StoredEvent[]>()
  for (const event of events) {
    const own = byUser.get(event.userId)
    if (own === undefined) byUser.set(event.userId, [event])
    else own.push(event)
  }
  for (const own of byUser.values()) if (own.length > 1) own.sort((a, b) => a.at - b.at)
  return byUser
}

/** What an event says of its user. */
export function changesOf({ type, traits, groupId }: StoredEvent): ProfileChanges | undefined {
  if (type === 'group') return { relations: { ...(groupId && { community: groupId }), ...leaderIn(traits) } }
  return type === 'identify' && traits !== undefined ? { traits } : undefined
}

/** What a `group` event says of the community. */
export function groupChanges({ traits = {} }: StoredEvent): ProfileChanges {
  const { leaderId: _, ...own } = traits
  return { traits: own, relations: leaderIn(traits) }
}

function leaderIn(traits: StoredEvent['traits']): { leader?: string } {
  const leader = traits?.['leaderId']
  return typeof leader === 'string' && leader !== '' ? { leader } : {}
}
