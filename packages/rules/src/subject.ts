/** What rules are about. */
export const SUBJECT_KINDS = ['user', 'community', 'leader'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]

/** A subject that another one is related to: a user's community and leader, a community's leader. */
export type RelationName = 'community' | 'leader'

/** Which relations a subject can have. */
export const RELATIONS: Readonly<Record<SubjectKind, readonly RelationName[]>> = {
  user: ['community', 'leader'],
  community: ['leader'],
  leader: [],
}

/** An event as rules see it. */
export interface EventRecord {
  readonly messageId: string
  /** The event's name, such as `order_paid`. */
  readonly event: string
  /** When it happened: milliseconds since 1970-01-01 UTC. */
  readonly at: number
  readonly properties: Readonly<Record<string, unknown>>
  /** The user whose event it is; left out where nobody is known. */
  readonly userId?: string
}

/** What features keep: JSON, owned by the feature that wrote it. */
export type FeatureState = readonly unknown[]

/** A value with the time that it was said; the latest wins. */
export type Dated<T> = readonly [value: T, at: number]

/** Where in a journey a subject is. */
export interface RunPlace {
  readonly journey: string
  /** Whether it has yet to be let in: then the subject is not in it. */
  readonly pending?: unknown
  /** The step at which it waits. */
  readonly step: string
  readonly key?: string
}

/** All other subjects of a kind together, by one figure, as they were at one instant. */
export interface Others {
  /** When their figures were worked out. */
  readonly at: number
  /** How many of them have the figure. */
  readonly count: number
  /** Their quantities added up. */
  readonly total: readonly number[]
  /** How many of them have a greater value than this. */
  above(value: number): number
}

/** What conditions may read of a subject. */
export interface SubjectView {
  /** The instant of evaluation, in milliseconds since the epoch. */
  readonly at: number
  readonly features: { get(key: string): FeatureState | undefined }
  readonly traits: Readonly<Record<string, Dated<unknown> | undefined>>
  readonly relations: Readonly<Partial<Record<RelationName, Dated<string>>>>
  /** Whether a tag is on the subject. */
  hasTag(id: string): boolean
  /** The value of a score; undefined (or 0) where it has none. */
  score(id: string): number | undefined
  /** What was said about being messaged. */
  readonly consent: Readonly<Record<string, Dated<boolean>>>
  /** The journeys that the subject is in. */
  readonly runs: readonly RunPlace[]
  /** Whether a condition about a related subject holds, by the id it was compiled under. */
  relatedHolds(relation: RelationName, verdict: string): boolean
  /** All others of its kind, by the key of a figure; undefined as long as nobody has looked at them. */
  others(figure: string): Others | undefined
  /** The event at hand, in entry, exit and branch conditions. */
  readonly event?: EventRecord | undefined
}
