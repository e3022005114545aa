import type { EventRecord, MessageClass, RelationName, SendOutcome } from '@linli/rules'
import type { Coupon, Digest, StepSource, SubjectKey } from './subject.js'

/** What happened, in words that programs may rely on. */
export const DECISION_KINDS = [
  'tag.added',
  'tag.removed',
  'score.changed',
  'journey.entered',
  'journey.stepped',
  'journey.exited',
  'journey.held',
  'journey.goal',
  'message.planned',
  'message.accepted',
  'message.rejected',
  'message.parked',
  'message.suppressed',
  'message.deferred',
  'message.delivered',
  'message.opened',
  'message.clicked',
  'message.failed',
  'message.confirmed',
  'message.declined',
  'message.resolved',
  'copy.written',
  'copy.declined',
  'coupon.issued',
  'coupon.refused',
  'coupon.deferred',
  'coupon.parked',
  'coupon.resolved',
  'coupon.returned',
  'suggestion.made',
  'suggestion.done',
  'suggestion.dismissed',
  'suggestion.expired',
  'event.rejected',
  'receipt.rejected',
  'identity.merged',
  'identity.unmerged',
  'person.erased',
  'person.readmitted',
] as const
export type DecisionKind = (typeof DECISION_KINDS)[number]

/** Why something changes that neither an event nor an instant has changed. */
export type Occasion = 'published' | 'history' | 'unmerged'

/** An entry of the log: what was decided about whom, when, by which rule, and why. */
export interface Decision {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** `user:u-1` */
  readonly subject: string
  readonly decision: DecisionKind
  /** The id of the tag, score, journey, policy or offer that decided. */
  readonly rule?: string
  /** The event that brought it about; absent where time did, a person, a provider, or a related subject. */
  readonly messageId?: string
  readonly [detail: string]: unknown
}

/** What a subject's reducer wishes of the outside world. Written with the new state, in the same transaction. */
export type Effect =
  | SendEffect
  | IssueEffect
  | ReturnEffect
  | SuggestEffect
  /** A run wants one of the places that its journey has. */
  | { readonly kind: 'place'; readonly source: StepSource; readonly at: number }
  | SayEffect
  /** A condition that related subjects read has flipped: they have to be looked at again. */
  | { readonly kind: 'refresh'; readonly readAs: RelationName; readonly quietly?: Occasion }
  /** What it keeps no longer tells what it should: it has to be read again from the log. */
  | { readonly kind: 'relearn' }
  /** Somebody who reads conditions of this subject has come to it: they have to be looked at again. */
  | { readonly kind: 'welcome'; readonly member: SubjectKey; readonly quietly?: Occasion }
  /** What others of the kind are compared with may have changed: their baseline has to be worked out anew. */
  | { readonly kind: 'figures'; readonly at: number }
  /** Who leads a community: for all its members, or for the one that joined. */
  | {
      readonly kind: 'lead'
      readonly leader: string
      readonly at: number
      readonly member: string | undefined
      readonly quietly?: Occasion
    }

export interface SendEffect {
  readonly kind: 'send'
  readonly source: StepSource
  readonly template: string
  readonly channels: readonly string[]
  readonly class: MessageClass
  readonly variables: StepVariables
  /** Whether a text is written for it first. */
  readonly isWritten: boolean
  readonly at: number
}

export interface IssueEffect {
  readonly kind: 'issue'
  readonly source: StepSource
  readonly offer: string
  /** Who issues it, where linli does not. */
  readonly issuer?: string
  readonly at: number
}

/** A coupon whose run has ended goes back: nobody was told its code, and nobody will be. */
export interface ReturnEffect {
  readonly kind: 'return'
  /** The step that issued it. */
  readonly source: StepSource
  readonly grant: string
  readonly coupon: Coupon
  readonly reason: string
  readonly at: number
}

export interface SuggestEffect {
  readonly kind: 'suggest'
  readonly source: StepSource
  readonly template: string
  /** The leader's id. */
  readonly to: string
  readonly expiresAt: number
  readonly variables: StepVariables
  /** Whether a text is written for it first. */
  readonly isWritten: boolean
  readonly at: number
}

/** Something that a step says about the subject: an event, or traits. It goes the way of all events, through the log. */
export interface SayEffect {
  readonly kind: 'say'
  readonly source: StepSource
  readonly type: 'track' | 'identify'
  /** The event's name; `identify` for traits. */
  readonly event: string
  readonly values: Readonly<Record<string, unknown>>
  /** How many journeys lead to it, this one included. */
  readonly link: number
  readonly at: number
}

/** What of a run templates may read. */
export interface StepVariables {
  readonly entry?: Readonly<Record<string, unknown>>
  readonly event?: Readonly<Record<string, unknown>>
  readonly coupon?: Coupon
  readonly digest?: Digest
}

/** What moves a subject. */
export type Input =
  | ({ readonly kind: 'event'; readonly at: number } & Told)
  /** Events of the past that are only now made known: they count, and no journey takes notice. */
  | { readonly kind: 'history'; readonly at: number; readonly events: readonly Told[] }
  /** Time has reached `at`. */
  | { readonly kind: 'instant'; readonly at: number }
  /** Something about a related subject has changed: a condition there may have flipped, a relation may follow from it. */
  | {
      readonly kind: 'refresh'
      readonly at: number
      readonly relation: RelationName
      /** The related subject's id. */
      readonly id: string
      readonly changes?: ProfileChanges
      /** When the changes were said; left out without changes. */
      readonly changedAt?: number
      /** Journeys take no notice, for this reason. */
      readonly quietly?: Occasion
    }
  /** Somebody who reads conditions of this subject has come to it. */
  | { readonly kind: 'greet'; readonly at: number; readonly member: SubjectKey; readonly quietly?: Occasion }
  /** All of the kind have been compared anew; `first`: by these figures for the first time, by rules that greet nobody. */
  | { readonly kind: 'baseline'; readonly at: number; readonly first?: readonly string[] }
  /** A user of some of the subject's events turned out to be another. */
  | { readonly kind: 'rename'; readonly at: number; readonly from: string; readonly to: string }
  /** Somebody ends a run. */
  | ({ readonly kind: 'cancel'; readonly at: number; readonly run: string } & CancelNote)
  /** Somebody was erased whose events the subject has taken in. */
  | ({ readonly kind: 'forget'; readonly at: number } & Traces)
  /** What became of a `send` or `issue` step. */
  | {
      readonly kind: 'outcome'
      readonly at: number
      readonly run: string
      readonly step: string
      /** As in the source of what the step wished for. */
      readonly moves?: number
      readonly result: StepResult
      readonly coupon?: Coupon
      /** The coupon's grant key. */
      readonly grant?: string
    }

/** What may be found of somebody with others: what their events said, and by which names journeys knew it. */
export interface Traces {
  readonly messageIds: readonly string[]
  /** The properties of the events, as canonical JSON; without those that say nothing. */
  readonly said: readonly string[]
  /** Journeys and keys that an event of theirs led to: `remind/order-1`. */
  readonly entries: readonly string[]
}

/** Who ends a run, and why: it is kept as it is said. */
export interface CancelNote {
  readonly by?: string
  readonly reason?: string
}

/** What became of what a step wished for: of a message, or of anything else (`accepted`: it was done). */
export type StepResult = SendOutcome

/** An event, and what it says of the subject itself. */
export interface Told {
  readonly event: EventRecord
  readonly changes?: ProfileChanges
  /** The user whose event it is, where the subject is a community or a leader. */
  readonly member?: string
}

/** The events that an input brings. */
export function messageIdsOf(input: Input): readonly string[] {
  if (input.kind === 'history') return input.events.map(({ event }) => event.messageId)
  return input.kind === 'event' ? [input.event.messageId] : []
}

/** What an event says about the subject itself. */
export interface ProfileChanges {
  readonly traits?: Readonly<Record<string, unknown>>
  readonly relations?: Readonly<Partial<Record<RelationName, string>>>
}
