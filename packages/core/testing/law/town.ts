import { type Known, type LoggedEvent, latest, type Said } from './known.js'
import type { Oracle, RelatedStandings, Standing } from './oracle.js'
import type { Kind } from './rules.js'
import { type Arrival, visitorName } from './streams.js'

interface Person {
  readonly events: LoggedEvent[]
  readonly traits: Said[]
  /** `community` of a user, `leader` of a community. */
  readonly relations: Said[]
}

/** What has arrived about everybody, in plain lists. */
export class Town {
  readonly #people = new Map<string, Person>()
  /** Who visitors turned out to be; the first word stands. */
  readonly #owners = new Map<string, string>()
  readonly #heardByLeaders: (event: string) => boolean

  constructor(private readonly oracle: Oracle) {
    this.#heardByLeaders = oracle.namesHeard('leader')
  }

  /** Takes in events that come at `now`, in the order given. */
  learn(arrivals: readonly Arrival[], now: number): void {
    for (const { anonymousId, userId } of arrivals) {
      const visitor = anonymousId && visitorName(anonymousId)
      if (visitor !== undefined && !this.#owners.has(visitor)) this.#owners.set(visitor, userId)
    }
    for (const arrival of arrivals) this.#learnOne(arrival, Math.min(arrival.at, now))
  }

  #learnOne({ type, messageId, event, userId, properties, traits = {}, groupId }: Arrival, at: number): void {
    const logged = { messageId, event, at, properties, userId }
    const user = this.#person('user', userId)
    user.events.push(logged)
    if (type === 'identify') user.traits.push(...said(traits, at))
    if (type === 'group') {
      const { leaderId, ...own } = traits
      user.relations.push({ name: 'community', value: groupId, at })
      const community = this.#person('community', String(groupId))
      community.traits.push(...said(own, at))
      if (leaderId !== undefined) community.relations.push({ name: 'leader', value: leaderId, at })
    }
    const { community = undefined, leader = undefined } = this.known('user', userId)?.relations ?? {}
    const reached = type === 'group' ? groupId : community
    if (reached !== undefined) this.#person('community', reached).events.push(logged)
    if (leader !== undefined && this.#heardByLeaders(event)) this.#person('leader', leader).events.push(logged)
  }

  #person(kind: Kind, id: string): Person {
    const known = this.#people.get(`${kind}:${id}`)
    if (known !== undefined) return known
    const person = { events: [], traits: [], relations: [] }
    this.#people.set(`${kind}:${id}`, person)
    return person
  }

  /** What has arrived about somebody, as a visitor, too. */
  #all(kind: Kind, id: string): Person | undefined {
    const visitors = kind === 'user' ? [...this.#owners].filter(([, owner]) => owner === id).map(([name]) => name) : []
    const parts = [id, ...visitors].flatMap((name) => this.#people.get(`${kind}:${name}`) ?? [])
    if (parts.length < 2) return parts[0]
    return {
      events: parts.flatMap((part) => part.events).map((event) => ({ ...event, userId: id })),
      traits: parts.flatMap((part) => part.traits),
      relations: parts.flatMap((part) => part.relations),
    }
  }

  /** Undefined for those of whom nothing has arrived. */
  known(kind: Kind, id: string): Known | undefined {
    const person = this.#all(kind, id)
    if (person === undefined) return undefined
    const { events, traits } = person
    const community = latest(person.relations, 'community') as string | undefined
    // A community's leader is the leader of all who belong to it.
    const leads = kind === 'user' ? this.#people.get(`community:${community}`) : person
    const leader = latest(leads?.relations ?? [], 'leader') as string | undefined
    return { events, traits, relations: { ...(community && { community }), ...(leader && { leader }) } }
  }

  /** Everybody there is, leaders before communities before users. */
  get subjects(): readonly (readonly [Kind, string])[] {
    const rank: Record<string, number> = { leader: 0, community: 1, user: 2 }
    const names = [...this.#people.keys()].map((name) => {
      const end = name.indexOf(':')
      return [name.slice(0, end) as Kind, name.slice(end + 1)] as const
    })
    const own = names.filter(([, id]) => !this.#owners.has(id))
    return own.sort(([a], [b]) => (rank[a] ?? 0) - (rank[b] ?? 0))
  }

  /** Where everybody stands at an instant. */
  async standings(at: number): Promise<ReadonlyMap<string, Standing>> {
    const found = new Map<string, Standing>()
    const nothing: Known = { events: [], traits: [], relations: {} }
    const nobody = { leader: await this.oracle.at('leader', nothing, at) }
    for (const [kind, id] of this.subjects) {
      const known = this.known(kind, id) ?? nothing
      const { community, leader } = known.relations
      const related: RelatedStandings = {
        ...(community !== undefined && { community: found.get(`community:${community}`) }),
        ...(leader !== undefined && { leader: found.get(`leader:${leader}`) ?? nobody.leader }),
      }
      found.set(`${kind}:${id}`, await this.oracle.at(kind, known, at, related))
    }
    return found
  }
}

function said(traits: Readonly<Record<string, unknown>>, at: number): Said[] {
  return Object.entries(traits).map(([name, value]) => ({ name, value, at }))
}
