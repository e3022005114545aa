import type { RelationName } from '../subject.js'
import { holds, until, type Verdict } from './verdict.js'

/** Why a condition holds or not, with the values that made it so. */
export type Explanation =
  | (Judged & { readonly kind: 'all' | 'any'; readonly parts: readonly Explanation[] })
  | (Judged & { readonly kind: 'not'; readonly part: Explanation })
  | (Judged & { readonly kind: 'condition'; readonly name: string; readonly part: Explanation })
  | FactExplanation

/** One comparison. */
export interface FactExplanation extends Judged, Evidence {
  readonly kind: 'fact'
  readonly fact: string
  /** As written. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly path?: string
  readonly operator: string
  readonly expected: unknown
  /** The fact's value; left out where it has none. */
  readonly actual: unknown
  /** What would turn it. */
  readonly toTurn: Turn
  /** Whom it is about, where that is not the subject itself: `community:c-1`. */
  readonly about?: string
  /** What else it reads: a tag or score of the subject, or a related subject. */
  readonly reads?: Read
  /** Why what it reads is as it is: a tag's conditions, the comparison as it was made by the related subject. */
  readonly because?: Explanation
}

/** What would have to happen for a verdict to turn. */
export type Turn =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Turn[] }
  /** It turns by itself then, if nothing new happens. ISO 8601. */
  | { readonly kind: 'time'; readonly at: string }
  | FactTurn
  /** What lets somebody into a journey, or out: as its definition says, without conditions. Not before `from`. ISO 8601. */
  | { readonly kind: 'trigger'; readonly trigger: Readonly<Record<string, unknown>>; readonly from?: string }
  /** Nothing can turn it any more. */
  | { readonly kind: 'never' }

/** A comparison that has to come out otherwise. */
export interface FactTurn {
  readonly kind: 'fact'
  readonly fact: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly path?: string
  readonly operator: string
  readonly expected: unknown
  /** Whether the comparison has to come to hold, or to hold no longer. */
  readonly holds: boolean
  /** Of counts, how many more it takes; of sums, how much more (below 0: less); else 1: one such event can turn it. */
  readonly more?: number
  /** What the property of that event has to be, at least or at most. */
  readonly value?: number
  /** Until then: afterwards something has left the window, and it takes more. ISO 8601. */
  readonly before?: string
  /** What happens now turns it only from then on. ISO 8601. */
  readonly from?: string
  /** Whom it is about, where that is not the subject itself: `community:c-1`. */
  readonly about?: string
}

/** What stands behind a value. */
export interface Evidence {
  /** The newest ten of the events that made the value what it is, the newest first. Only where the log was given. */
  readonly events?: readonly EvidenceEvent[]
  /** How many such events there are. */
  readonly eventsTotal?: number
  /**
   * What the value was worked out of, where that is more than events: the counts of a share, and what a community is compared
   * with, `asOf` when. Text is ISO 8601.
   */
  readonly figures?: Readonly<Record<string, number | string>>
  /** How far times behind the value are rounded down, such as `1h`, because there were too many to keep each. */
  readonly rounded?: string
  /** Events up to here were forgotten, because there were too many: what they would add is missing. ISO 8601. */
  readonly forgotten?: string
}

/** An event that made a value what it is. */
export interface EvidenceEvent {
  readonly messageId: string
  readonly event: string
  /** When it happened. ISO 8601. */
  readonly at: string
  /** What the fact reads of it; left out where it only counts events. */
  readonly value?: unknown
  /** Whose it is, where the subject is a community or a leader. */
  readonly userId?: string
}

/** A tag or a score by its id; a condition of a related subject by the relation and the id it was compiled under. */
export type Read =
  | { readonly kind: 'tag'; readonly id: string }
  | { readonly kind: 'score'; readonly id: string }
  | { readonly kind: RelationName; readonly verdict: string }

export interface Judged {
  readonly holds: boolean
  /** Until when that is certain if nothing new happens; null when only something new can change it. ISO 8601. */
  readonly until: string | null
}

export function judged(verdict: Verdict): Judged {
  return { holds: holds(verdict), until: isoOf(until(verdict)) }
}

/** An instant as text; null for infinity. */
export function isoOf(instant: number): string | null {
  return Number.isFinite(instant) ? new Date(instant).toISOString() : null
}
