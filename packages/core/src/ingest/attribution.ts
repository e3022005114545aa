import { relatedBy } from '../domain/profile.js'
import type { SubjectState } from '../domain/subject.js'
import type { StoredEvent } from '../ports/store.js'
import { changesOf } from './records.js'

/**
 * One user's events, in the order they happened, each with the community and the leader that it counts for: those that
 * the user has by then. A `group` event counts for the community that it names.
 */
export function attributed(events: readonly StoredEvent[], before: SubjectState['relations']): readonly StoredEvent[] {
  let relations = before
  return events.map((event) => {
    const said = changesOf(event)?.relations
    if (said !== undefined) relations = relatedBy(relations, said, event.at)
    const community = event.groupId ?? relations.community?.[0]
    const leader = relations.leader?.[0]
    if (community === undefined && leader === undefined) return event
    return { ...event, ...(community !== undefined && { community }), ...(leader !== undefined && { leader }) }
  })
}
