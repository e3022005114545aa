import {
  type Dated,
  type EventRecord,
  holds,
  type Others,
  type Program,
  type RelationName,
  type SubjectProgram,
  type SubjectView,
  until,
} from '@linli/rules'
import { supersedes } from '../domain/profile.js'
import { type Run, type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import type { Surroundings } from '../domain/surroundings.js'
import type { Memberships } from './memberships.js'
import type { Replay } from './replay.js'

/** What a picture is made of: what was known of a subject by some instant. */
export interface Known {
  readonly key: SubjectKey
  readonly replay: Replay
  readonly memberships: Memberships
}

/** What a picture asks about others at the same instant. */
export interface Neighbours {
  /** Undefined where nothing is known of them. */
  pictureOf(key: SubjectKey): Picture | undefined
  others: Surroundings['others']
}

/**
 * A subject at an instant, as far as it is asked about: features are folded, tags and scores worked out when something
 * reads them. It is what the reducer would have come to, by the law that a tag follows from the log alone.
 */
export class Picture implements SubjectView {
  readonly features: SubjectView['features']
  readonly traits: SubjectState['traits']
  readonly relations: SubjectState['relations']
  readonly consent: SubjectState['consent']
  private readonly tags = new Map<string, boolean>()
  private readonly scores = new Map<string, number>()
  private certain = Number.POSITIVE_INFINITY

  constructor(
    readonly known: Known,
    readonly at: number,
    private readonly program: Program,
    private readonly neighbours: Neighbours,
    readonly event?: EventRecord,
  ) {
    const { profile, feature } = known.replay
    this.features = { get: feature }
    this.traits = profile.traits
    this.consent = profile.consent
    this.relations = withLeader(known.key, profile.relations, at, neighbours)
  }

  get name(): string {
    return subjectName(this.known.key)
  }

  /** What happened until then, in order. */
  get events(): readonly EventRecord[] {
    return this.known.replay.events
  }

  get rules(): SubjectProgram {
    return this.program.subjects[this.known.key.kind]
  }

  /** Until when all that was asked of it is certain if nothing new happens; infinity: for ever. */
  get certainUntil(): number {
    return this.certain
  }

  get runs(): readonly Run[] {
    const { runs } = this.known.memberships
    for (const { until: end } of runs) if (end > this.at) this.isCertainUntil(end)
    return runs
  }

  // Not methods: conditions ask copies that stand at other instants, and this one has to answer.
  readonly hasTag = (id: string): boolean => {
    const asked = this.tags.get(id)
    if (asked !== undefined) return asked
    const tag = this.rules.tagsById.get(id)
    const found = tag === undefined || tag.kind === 'manual' ? this.known.memberships.hasTag(id) : this.verdictOf(id)
    this.tags.set(id, found)
    return found
  }

  readonly score = (id: string): number | undefined => {
    const asked = this.scores.get(id)
    if (asked !== undefined) return asked
    const [value, end] = this.rules.scoresById.get(id)?.evaluate(this) ?? [0, Number.POSITIVE_INFINITY]
    this.isCertainUntil(end)
    this.scores.set(id, value)
    return value
  }

  readonly relatedHolds = (relation: RelationName, verdict: string): boolean => {
    const other = this.related(relation)
    if (other === undefined) return false
    const found = other.hasTag(verdict)
    this.isCertainUntil(other.certainUntil)
    return found
  }

  readonly others = (figure: string): Others | undefined => this.neighbours.others(this.known.key, figure)

  /** The picture of its community or leader. */
  related(relation: RelationName): Picture | undefined {
    const id = this.relations[relation]?.[0]
    return id === undefined ? undefined : this.neighbours.pictureOf({ kind: relation, id })
  }

  private verdictOf(id: string): boolean {
    const verdict = this.rules.tagsById.get(id)?.condition.verdict(this) ?? Number.NEGATIVE_INFINITY
    this.isCertainUntil(until(verdict))
    return holds(verdict)
  }

  private isCertainUntil(instant: number): void {
    this.certain = Math.min(this.certain, instant)
  }
}

/** A user's leader comes with the community: whoever was named last, there or by an event of the user's own. */
function withLeader(
  { kind }: SubjectKey,
  own: SubjectState['relations'],
  at: number,
  neighbours: Neighbours,
): SubjectState['relations'] {
  const { community } = own
  if (kind !== 'user' || community === undefined) return own
  const leader = (): Dated<string> | undefined => {
    const theirs = neighbours.pictureOf({ kind: 'community', id: community[0] })?.relations.leader
    if (theirs === undefined || theirs[1] > at) return own.leader
    return own.leader === undefined || supersedes(own.leader, theirs[0], theirs[1]) ? theirs : own.leader
  }
  // Asked for only when it is read: the record of a community can be long.
  return Object.defineProperty({ ...own }, 'leader', { get: leader, enumerable: true })
}
