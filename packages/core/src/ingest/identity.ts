import type { StoredEvent, StoreTransaction } from '../ports/store.js'
import { conflict } from '../storage/conflict.js'
import { anonymousUser } from './normalise.js'

/** An anonymous visitor who turned out to be a user. */
export interface IdentityLink {
  readonly anonymousId: string
  readonly userId: string
}

export interface Resolved {
  /** The events, each with the user it belongs to. */
  readonly events: readonly StoredEvent[]
  /** Links that this batch brought. */
  readonly links: readonly IdentityLink[]
  /** Anonymous ids of the batch of whom nothing was known, and who they are by its own links. */
  readonly unknown: ReadonlyMap<string, string | undefined>
}

/**
 * Finds out whose events these are. `identify` and `alias` say who an anonymous visitor is; the first word stands, and
 * what it says goes for the events of the whole batch, so that their order does not matter.
 */
export async function resolveIdentities(tx: StoreTransaction, events: readonly StoredEvent[]): Promise<Resolved> {
  const said = events.map(linkOf).filter((link) => link !== undefined)
  const anonymousIds = events.map((event) => event.anonymousId).filter((id) => id !== undefined)
  const asked = [...new Set([...anonymousIds, ...said.map((link) => link.anonymousId)])]
  if (asked.length === 0) return { events, links: [], unknown: new Map() }
  const known = new Map(await tx.resolveIdentities(asked))
  const unknown = asked.filter((id) => !known.has(id))
  const links: IdentityLink[] = []
  for (const link of said) {
    if (known.has(link.anonymousId)) continue
    known.set(link.anonymousId, link.userId)
    links.push(link)
  }
  const userOf = ({ userId, anonymousId }: StoredEvent) =>
    anonymousId !== undefined && userId === anonymousUser(anonymousId) ? (known.get(anonymousId) ?? userId) : userId
  return {
    events: events.map((event) => ({ ...event, userId: userOf(event) })),
    links,
    unknown: new Map(unknown.map((id) => [id, known.get(id)])),
  }
}

/**
 * Asks again about those of whom nothing was known, once the visitors' rows are locked: another batch may have said who
 * they are in between, and taken with it what was known. From here on it waits for us.
 */
export async function confirmIdentities(tx: StoreTransaction, { unknown }: Resolved): Promise<void> {
  if (unknown.size === 0) return
  const known = await tx.resolveIdentities([...unknown.keys()])
  for (const [anonymousId, userId] of unknown) {
    if (known.get(anonymousId) === userId) continue
    throw conflict('An anonymous visitor was identified by another transaction.', { anonymousId })
  }
}

function linkOf({ type, userId, anonymousId, previousId }: StoredEvent): IdentityLink | undefined {
  const anonymous = type === 'alias' ? previousId : type === 'identify' ? anonymousId : undefined
  if (anonymous === undefined || userId === anonymousUser(anonymous)) return undefined
  return { anonymousId: anonymous, userId }
}
