import { canonicalJson } from '@linli/rules'
import { closed } from '../delivery/settlement.js'
import type { Decision, Input, Traces } from '../domain/decision.js'
import { entryNames } from '../domain/entries.js'
import { TraceFinder } from '../domain/forgetting.js'
import type { SubjectState } from '../domain/subject.js'
import type { Delivery, InboxEntry, MergeRecord, StoredEvent } from '../ports/store.js'

/** Why something of others ends with somebody who is erased. */
export const ERASED = 'person erased'

/** What somebody's events may have left with communities and leaders. `decisions`: what those decided by them. */
export function tracesOf(events: readonly StoredEvent[], decisions: readonly Decision[]): Traces {
  const said = new Set(events.map(({ properties }) => canonicalJson(properties)))
  said.delete('{}')
  const entries = decisions.flatMap(({ rule, key }) =>
    rule === undefined || typeof key !== 'string' ? [] : entryNames(rule, key),
  )
  return { messageIds: events.map(({ messageId }) => messageId), said: [...said], entries }
}

/** A decision of others without what led to it. */
export function withoutCause({ messageId: _, key: __, ...decision }: Decision): Decision {
  return decision
}

/** Whether nobody has begun with a delivery; one that a worker has in hand finds its run ended. */
function isWaiting({ kind, state }: Delivery): boolean {
  return (
    state === 'planned' ||
    state === 'retry_at' ||
    state === 'paused' ||
    (kind === 'suggestion' && state === 'awaiting_person')
  )
}

/** Deliveries of others that tell what somebody's events said, without it. What has not left never does. */
export function withoutTraces(deliveries: readonly Delivery[], traces: Traces): readonly Delivery[] {
  const finder = new TraceFinder(traces)
  return deliveries
    .filter(({ body: { variables = {}, values = {} } }) => finder.isSaid(variables) || finder.isSaid({ event: values }))
    .map((delivery) => {
      const { variables: _, values: __, text: ___, copy: ____, ...body } = delivery.body
      const told = { ...delivery, body }
      return isWaiting(delivery) ? closed(told, 'suppressed', ERASED) : told
    })
}

/** A word that waits for others, without somebody; undefined where it is about nobody else. */
export function withoutPerson(entry: InboxEntry, ids: ReadonlySet<string>): InboxEntry | undefined {
  const { key, input } = entry
  if (input.kind !== 'history') return isAbout(input, ids) ? undefined : entry
  const events = input.events.filter(({ event, member }) => !isOf(event.userId, ids) && !isOf(member, ids))
  if (events.length === input.events.length) return entry
  return events.length === 0 ? undefined : { key, input: { ...input, events } }
}

function isAbout(input: Input, ids: ReadonlySet<string>): boolean {
  switch (input.kind) {
    case 'event':
      return isOf(input.event.userId, ids) || isOf(input.member, ids)
    case 'greet':
      return input.member.kind === 'user' && ids.has(input.member.id)
    case 'rename':
      return ids.has(input.from) || ids.has(input.to)
    default:
      return false
  }
}

function isOf(id: string | undefined, ids: ReadonlySet<string>): boolean {
  return id !== undefined && ids.has(id)
}

/** Somebody else, who was taken for the one who is erased. */
export function withoutApart(state: SubjectState, ids: ReadonlySet<string>): SubjectState {
  return { ...state, apart: state.apart.filter((id) => !ids.has(id)) }
}

export function mergeWithoutApart(
  { into, from }: MergeRecord['before'],
  ids: ReadonlySet<string>,
): MergeRecord['before'] {
  return { into: withoutApart(into, ids), from: withoutApart(from, ids) }
}
