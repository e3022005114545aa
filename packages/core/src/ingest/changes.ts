import type { ProfileChanges } from '../domain/decision.js'
import type { StoredEvent } from '../ports/store.js'

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
