import type { Condition } from '../conditions/condition.js'
import type { Dependencies } from '../facts/dependencies.js'
import type { Feature } from '../facts/feature.js'
import type { Figure } from '../facts/figure.js'
import type { MessageClass } from '../schemas/common.js'
import type { OfferDefinition, PolicyDefinition, TagDefinition } from '../schemas/definitions.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { SendOutcome } from '../schemas/step.js'
import type { RelationName, SubjectKind, SubjectView } from '../subject.js'
import type { Template } from '../templates.js'
import type { EventIndex } from './event-index.js'
import type { Schedule } from './schedule.js'
import type { CompiledScore } from './score.js'
import type { SendWindow } from './send-window.js'
import type { WaitEnd } from './wait.js'

/** A compiled rule pack: immutable, named by the hash of its content. */
export interface Program {
  readonly hash: string
  readonly subjects: Readonly<Record<SubjectKind, SubjectProgram>>
  /** The current version of each journey by id. */
  readonly journeys: ReadonlyMap<string, CompiledJourney>
  /** The journey that a run began with, by `hash`; older versions are among them while runs need them. */
  readonly journeysByHash: ReadonlyMap<string, CompiledJourney>
  readonly templates: ReadonlyMap<string, Template>
  readonly offers: ReadonlyMap<string, Offer>
  readonly policies: readonly Policy[]
  /** Left out: events are kept for ever. */
  readonly history?: History
  /** What is paused or stopped while it runs; left out: nothing. A compiled pack has none. */
  readonly halts?: readonly Halt[]
}

/** An offer, with what follows from its texts. */
export type Offer = OfferDefinition & {
  /** From when on nothing is issued. */
  readonly endsAt?: number
  /** How long a coupon is good for. */
  readonly expiresMs?: number
  /** The coupons that count for the budget; left out: all. */
  readonly window?: SendWindow
}

/** What can be paused and stopped from outside. */
export type HaltTarget = 'everything' | { readonly journey: string } | { readonly channel: string }

/** Something that was paused or stopped from outside, whatever the rules say of it. */
export interface Halt {
  readonly target: HaltTarget
  readonly state: 'paused' | 'stopped'
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who did so. */
  readonly by?: string
  /** Why. */
  readonly reason?: string
}

/** How long events are kept. */
export interface History {
  readonly keepMs: number
}

/** All that rules say about one kind of subject, indexed by what can change it. */
export interface SubjectProgram {
  readonly features: ReadonlyMap<string, Feature>
  readonly featuresByEvent: EventIndex<Feature>
  /** What follows from all else, in an order in which each comes after those it reads. */
  readonly derived: readonly Derived[]
  /** The tags among them, in the same order. */
  readonly tags: readonly CompiledTag[]
  readonly tagsById: ReadonlyMap<string, CompiledTag>
  readonly scoresById: ReadonlyMap<string, CompiledScore>
  readonly readers: Readers
  /** Tags and scores that a subject of which nothing is known has. */
  readonly bornWith: readonly Derived[]
  /** What subjects of this kind are compared by. */
  readonly figures: ReadonlyMap<string, Figure>
  readonly journeysByEvent: EventIndex<CompiledJourney>
  /** Names of all events that anything here looks at. */
  readonly listensTo: ReadonlySet<string>
  readonly journeysByTag: ReadonlyMap<string, readonly CompiledJourney[]>
  readonly journeysByScore: ReadonlyMap<string, readonly CompiledJourney[]>
  /** Journeys that begin by themselves. */
  readonly journeysBySchedule: ReadonlyMap<string, ScheduledJourney>
  /** Relations whose subjects' verdicts some condition reads. */
  readonly reads: ReadonlySet<RelationName>
}

/** What follows from all else that is known of a subject: it is looked at again when something it reads changes. */
export type Derived = CompiledTag | CompiledScore

/** Tags and scores by each thing that they read: a feature's key, a trait's name, the id of a tag, of a score … */
export type Readers = {
  readonly [Kind in keyof Dependencies]: ReadonlyMap<
    Dependencies[Kind] extends Set<infer Name> ? Name : never,
    readonly Derived[]
  >
}

/** What ids of conditions that only related subjects read begin with; ids of tags never do. */
export const VERDICT_MARK = '='

/** What ids of audiences begin with, before the id of the journey. */
export const AUDIENCE_MARK = `${VERDICT_MARK}audience/`

export interface CompiledTag {
  readonly id: string
  /** Its place in `SubjectProgram.derived`. */
  readonly rank: number
  /**
   * `computed`: holds while its conditions do. `manual`: put on and taken off by journeys. `verdict`: a condition that
   * related subjects read. `audience`: who is to enter a journey each time that it begins by itself. No rule of the pack
   * has the name of a verdict or an audience.
   */
  readonly kind: 'computed' | 'manual' | 'verdict' | 'audience'
  readonly condition: Condition
  /** For `verdict`: what the related subject is to those that read it. */
  readonly readAs?: RelationName
  /** For `audience`: the id of the journey. */
  readonly journey?: string
  readonly definition?: TagDefinition
}

export interface CompiledJourney {
  readonly id: string
  readonly subject: SubjectKind
  /** Of its definition: a run keeps the one it began with. */
  readonly hash: string
  readonly version: number
  readonly definition: JourneyDefinition
  readonly entry: CompiledEntry
  /** Of journeys that one thing enters, the higher goes first; of the same priority, in the order of the pack. */
  readonly priority: number
  readonly rank: number
  /** How many runs there may be over all subjects: in a calendar day of the zone, or ever. */
  readonly limit: EntryLimit | undefined
  /** The group of journeys of which a subject is in one at a time. */
  readonly exclusive: string | undefined
  readonly key: ((view: SubjectView) => unknown) | undefined
  readonly reentry: Reentry
  /** What ends a run wherever it is. */
  readonly exits: readonly CompiledExit[]
  readonly goal: CompiledGoal | undefined
  readonly holdout: number
  /** The group that is kept out of this journey and others like it. */
  readonly control: ControlGroup | undefined
  readonly steps: readonly CompiledStep[]
  /** Where runs begin. */
  readonly first: StepTarget
  readonly stepIndex: ReadonlyMap<string, number>
  /** Whether steps read the event that brought the run where it is, so that runs must keep it. */
  readonly keepsEvent: boolean
  /** What becomes of runs that began with an earlier definition, once this one is in force. */
  readonly earlier: 'drain' | 'stop' | { readonly moveTo: string }
}

export interface EntryLimit {
  readonly max: number
  readonly within: 'day' | undefined
  readonly timeZone: string
}

export interface EventMatch {
  readonly events: ReadonlySet<string>
  readonly condition: Condition | undefined
}

export interface CompiledGoal extends EventMatch {
  readonly withinMs: number
  /** What the event at hand is worth. */
  readonly value: ((view: SubjectView) => unknown) | undefined
}

/** A share of all subjects who are kept out of journeys, to compare with. */
export interface ControlGroup {
  /** The policy's id. */
  readonly id: string
  readonly share: number
  readonly classes: ReadonlySet<MessageClass>
}

/** What a program of the host says to have somebody enter a journey; its property `journey` says which. */
export const ENTRY_REQUEST = 'journey_requested'

export type CompiledEntry = (
  | CompiledTrigger
  | (EventMatch & { readonly on: 'api' })
  | { readonly on: 'schedule'; readonly schedule: Schedule }
) & {
  readonly condition: Condition | undefined
}

export type ScheduledJourney = CompiledJourney & { readonly entry: { readonly on: 'schedule' } }

/** What ends a run: something that happens, or conditions that come to hold. */
export type CompiledExit = CompiledTrigger | { readonly on: 'conditions'; readonly condition: Condition }

/** What makes a subject enter a journey, or ends a run. */
export type CompiledTrigger =
  | (EventMatch & { readonly on: 'event' })
  | { readonly on: 'tag.added' | 'tag.removed'; readonly tag: string }
  /** By nothing but a step of another journey. */
  | { readonly on: 'start' }
  | {
      readonly on: 'score.crossed'
      readonly score: string
      /** Whether a change of the score's value is the crossing that is meant. */
      readonly crosses: (from: number, to: number) => boolean
    }

export type Reentry =
  | { readonly kind: 'never' | 'always' | 'oneAtATime' }
  | { readonly kind: 'after'; readonly ms: number }

/** The index of the next step; `END` after the last one. */
export type StepTarget = number
export const END: StepTarget = -1

export type CompiledStep = { readonly id: string } & CompiledVerb

export type CompiledVerb =
  | { readonly verb: 'wait'; readonly end: WaitEnd; readonly next: StepTarget; readonly otherwise: StepTarget }
  | {
      readonly verb: 'waitFor'
      readonly timeoutMs: number
      readonly cases: readonly WaitCase[]
      readonly otherwise: StepTarget
    }
  | {
      readonly verb: 'branch'
      readonly cases: readonly { readonly condition: Condition; readonly then: StepTarget }[]
      readonly otherwise: StepTarget
    }
  | { readonly verb: 'split'; readonly variants: readonly Variant[] }
  | {
      readonly verb: 'send'
      readonly template: string
      readonly channels: readonly string[]
      readonly class: MessageClass
      /** Where each outcome leads. */
      readonly on: Readonly<Record<SendOutcome, StepTarget>>
      /** Whether the definition tells outcomes apart. */
      readonly branches: boolean
    }
  | { readonly verb: 'issue'; readonly offer: string; readonly next: StepTarget; readonly otherwise: StepTarget }
  | { readonly verb: 'suggest'; readonly template: string; readonly expiresMs: number; readonly next: StepTarget }
  | { readonly verb: 'tag'; readonly tag: string; readonly put: boolean; readonly next: StepTarget }
  | { readonly verb: 'set'; readonly trait: string; readonly value: SaidValue; readonly next: StepTarget }
  | {
      readonly verb: 'emit'
      readonly event: string
      readonly properties: ReadonlyMap<string, SaidValue>
      readonly next: StepTarget
    }
  | {
      readonly verb: 'start'
      readonly journey: string
      /** How long it waits for the run to end; undefined: not at all. */
      readonly waitMs: number | undefined
      readonly then: StepTarget
      readonly otherwise: StepTarget
    }
  | {
      readonly verb: 'digest'
      readonly end: WaitEnd
      /** What is collected. */
      readonly match: EventMatch
      /** How many of the events are kept. */
      readonly keep: number
      readonly next: StepTarget
    }
  | { readonly verb: 'exit'; readonly reason: string }

/** What a step says: always the same, or what a fact says then. */
export type SaidValue = (view: SubjectView) => unknown

/** What a run waits for: an event, or conditions of the subject that come to hold. */
export type WaitCase = { readonly id?: string; readonly then: StepTarget } & (
  | (EventMatch & { readonly on: 'event' })
  | { readonly on: 'state'; readonly condition: Condition }
)

/** One way of a split. */
export interface Variant {
  readonly id: string
  /** It is taken by shares below this which no variant before it takes; the last one's is 1. */
  readonly below: number
  readonly then: StepTarget
}

/** A policy with its durations and times read. */
export type Policy = { readonly id: string; readonly definition: PolicyDefinition } & PolicyScope &
  (
    | { readonly kind: 'consent' }
    | {
        readonly kind: 'quietHours'
        /** Minutes after local midnight. */
        readonly fromMinute: number
        readonly toMinute: number
        readonly timeZone: string
      }
    | {
        readonly kind: 'cap'
        /** A cap of the pack's, or what a provider lets through. */
        readonly reason: 'cap' | 'quota'
        readonly max: number | 'daysOfMonth'
        readonly window: SendWindow
        /** Undefined: messages of all journeys. */
        readonly journeys: ReadonlySet<string> | undefined
      }
    /** Messages of its classes are at most this share of all that its channels bring in the window. */
    | {
        readonly kind: 'mix'
        readonly share: number
        readonly window: SendWindow
        readonly of: 'community' | undefined
      }
    | ({ readonly kind: 'budget' } & Budget)
  )

/** What may be sent, or spent on what is sent. */
export interface Budget {
  /** So many messages; or so many millionths of the money that costs are told in. */
  readonly max: number
  /** Millionths that a message costs by each channel. Undefined: messages are counted. */
  readonly costs: ReadonlyMap<string, number> | undefined
  /** Undefined: it is never filled up again. */
  readonly window: SendWindow | undefined
  /** Undefined: messages of all journeys. */
  readonly journeys: ReadonlySet<string> | undefined
  /** Undefined: one for everybody together. */
  readonly of: 'community' | undefined
}

export interface PolicyScope {
  readonly classes: ReadonlySet<MessageClass>
  /** Undefined: all channels. */
  readonly channels: ReadonlySet<string> | undefined
}
