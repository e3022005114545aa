import type { IdentityLink, StoredEvent, StoreTransaction } from '../ports/store.js'
import { conflict } from '../storage/conflict.js'
import { anonymousUser, identifierUser, isProvisional } from './provisional.js'

/** Two users who are one, by what an event says. */
export interface Union {
  /**
   * `visitor`: who a visitor is, the first word stands. `alias`: said outright. `identifier`: both have the same; `into`
   * had it first.
   */
  readonly kind: 'visitor' | 'alias' | 'identifier'
  readonly into: string
  readonly from: string
  /** What both have, or `alias`, or `anonymousId`. */
  readonly by: string
  readonly messageId: string
}

export interface Resolved {
  /** Whose each event is, by message id; before those who turned out to be others are followed. */
  readonly owners: ReadonlyMap<string, string>
  /** Links that this batch brought. */
  readonly links: readonly IdentityLink[]
  readonly unions: readonly Union[]
  /** Names of the batch of whom nothing was known, and whose they are by its own links. */
  readonly unknown: ReadonlyMap<string, string | undefined>
}

/**
 * Finds out whose these events are. What they say of who somebody is goes for the events of the whole batch, so that their
 * order does not matter; what an event says that comes again has been heard before.
 */
export async function resolveIdentities(
  tx: StoreTransaction,
  events: readonly StoredEvent[],
  unique: ReadonlySet<string>,
): Promise<Resolved> {
  const names = [...new Set(events.flatMap((event) => namesIn(event, unique)))]
  if (names.length === 0) return asSaid(events)
  const known = await tx.resolveIdentities(names)
  const claims = claimsOf(events, unique)
  const first = resolve(events, claims, known)
  const news = [...new Set([...first.links, ...first.unions].map(({ messageId }) => messageId))]
  const again = new Set(news.length === 0 ? [] : (await tx.eventsById(news)).map(({ messageId }) => messageId))
  const fresh = claims.filter(({ messageId }) => !again.has(messageId))
  const { owners, links, unions, all } = again.size === 0 ? first : resolve(events, fresh, known)
  const unknown = names.filter((name) => !known.has(name)).map((name) => [name, all.get(name)] as const)
  return { owners, links, unions, unknown: new Map(unknown) }
}

/** Nobody is called by a name, and so nothing is said of who somebody is. */
function asSaid(events: readonly StoredEvent[]): Resolved {
  const owners = new Map<string, string>()
  for (const { messageId, userId } of events) owners.set(messageId, userId)
  return { owners, links: [], unions: [], unknown: NOBODY }
}

const NOBODY: Resolved['unknown'] = new Map()

/** What an event says of who somebody is. */
type Claim =
  | {
      readonly kind: 'visitor'
      readonly name: string
      readonly by: 'alias' | 'anonymousId'
      readonly userId: string
      readonly messageId: string
    }
  | { readonly kind: 'alias'; readonly previousId: string; readonly userId: string; readonly messageId: string }
  | {
      readonly kind: 'identifier'
      readonly name: string
      readonly type: string
      readonly userId: string
      readonly messageId: string
    }

function claimsOf(events: readonly StoredEvent[], unique: ReadonlySet<string>): readonly Claim[] {
  return events.flatMap((event): Claim[] => {
    const { type, messageId, userId, previousId } = event
    const said = { messageId, userId }
    const visitor = visitorIn(event)
    const isAlias = type === 'alias' && previousId !== undefined && previousId !== userId
    return [
      ...(isAlias ? [{ kind: 'alias' as const, previousId, ...said }] : []),
      ...(visitor === undefined
        ? []
        : [
            {
              kind: 'visitor' as const,
              name: visitor,
              by: isAlias ? ('alias' as const) : ('anonymousId' as const),
              ...said,
            },
          ]),
      ...identifiersIn(event, unique).map((one) => ({ kind: 'identifier' as const, ...one, ...said })),
    ]
  })
}

/** Who visitors are is settled first: what they are known by is then their users'. */
function resolve(events: readonly StoredEvent[], claims: readonly Claim[], known: ReadonlyMap<string, string>) {
  const all = new Map(known)
  const links: (IdentityLink & { readonly messageId: string })[] = []
  const unions: Union[] = []
  const ownerOf = (userId: string) => all.get(userId) ?? userId
  const link = (name: string, userId: string, messageId: string) => {
    all.set(name, userId)
    links.push({ name, userId, messageId })
  }
  for (const claim of claims) {
    const { messageId, userId } = claim
    if (claim.kind === 'alias') {
      unions.push({ kind: 'alias', into: userId, from: claim.previousId, by: 'alias', messageId })
    } else if (claim.kind === 'visitor') {
      const { name, by } = claim
      // One who was said to be nobody else is known as itself: an alias says otherwise.
      const isItself = by === 'alias' && all.get(name) === name
      if (all.has(name) && !isItself) continue
      if (!isItself) link(name, userId, messageId)
      unions.push({ kind: 'visitor', into: userId, from: name, by, messageId })
    }
  }
  for (const claim of claims) {
    if (claim.kind !== 'identifier') continue
    const { name, type: by, messageId } = claim
    const [holder, owner] = [all.get(name), ownerOf(claim.userId)]
    if (holder === undefined) link(name, owner, messageId)
    else if (holder !== owner) unions.push({ kind: 'identifier', into: holder, from: owner, by, messageId })
  }
  const owners = new Map(events.map(({ messageId, userId }) => [messageId, ownerOf(userId)]))
  return { owners, links, unions, all }
}

/**
 * Asks again about those of whom nothing was known, once their rows are locked: another batch may have said who they are in
 * between, and taken with it what was known. From here on it waits for us.
 */
export async function confirmIdentities(tx: StoreTransaction, { unknown }: Resolved): Promise<void> {
  if (unknown.size === 0) return
  const known = await tx.resolveIdentities([...unknown.keys()])
  for (const name of unknown.keys()) {
    if (known.has(name)) throw conflict('Somebody was identified by another transaction.', { name })
  }
}

function namesIn(event: StoredEvent, unique: ReadonlySet<string>): string[] {
  const names = identifiersIn(event, unique).map(({ name }) => name)
  const visitor = visitorIn(event)
  if (visitor !== undefined) names.push(visitor)
  if (isProvisional(event.userId)) names.push(event.userId)
  return names
}

/** The visitor of whom an event says who it is. */
function visitorIn({ type, userId, anonymousId, previousId }: StoredEvent): string | undefined {
  const anonymous = type === 'alias' ? previousId : type === 'identify' ? anonymousId : undefined
  const visitor = anonymous === undefined ? undefined : anonymousUser(anonymous)
  return visitor === userId ? undefined : visitor
}

function identifiersIn({ identifiers = [] }: StoredEvent, unique: ReadonlySet<string>) {
  return identifiers
    .filter(({ type }) => unique.has(type))
    .map((identifier) => ({ type: identifier.type, name: identifierUser(identifier) }))
}
