import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import type { LoggedEvent } from '../law/known.js'

// The words in which journeys are told a second time.

/** What was decided, in the order it was. Runs are called by their journey and how many there were before: `j0#1`. */
export interface Line {
  readonly at: number
  readonly decision: string
  readonly rule: string
  readonly run?: string
  readonly [detail: string]: unknown
}

/** What nobody can know who does not work out the engine's hashes: it is taken as found, but must stay the same. */
export interface Choices {
  isHeldOut(journey: string): boolean
  /** Whether it is one of the control group of the pack. */
  isInControl(): boolean
  variantOf(run: Run): string
  /** Of runs whose steps are done at the same instant, the one that is first. */
  firstOf(runs: readonly Run[]): Run | undefined
  /** Whether there is a place in its journey for who has waited for one: others take them, too. */
  isLetIn(run: Run): boolean
}

/** The world outside. */
export interface Outside {
  /** Whether a channel takes messages now. */
  takes(channel: string): boolean
  /** What is halted, what was halted last comes last: `everything`, `journey:j0`, `channel:sms`. */
  readonly halts: ReadonlyMap<string, Halted>
  /** Whether some are kept out of all journeys that do not serve. */
  readonly hasControl: boolean
  readonly perPerson: Readonly<Record<string, number>>
}

export type Halted = 'paused' | 'stopped'

/** An event by its names, or conditions alone. */
export interface Asked {
  readonly event?: string | string[] | undefined
  readonly conditions?: unknown
}

export interface Case extends Asked {
  readonly id: string
  readonly then?: Steps
}

export type Steps = readonly StepDefinition[]

/** What a run stays at a step for. */
export type Waiting =
  | { readonly kind: 'time' }
  | { readonly kind: 'cases'; readonly cases: readonly Case[] }
  | Wishing
  | { readonly kind: 'child'; readonly child: Run | undefined }
  | { readonly kind: 'digest'; readonly event: string | string[]; readonly conditions: unknown }

/** `aside`: what its wish waits for, until that is not paused any more. */
export interface Wishing {
  readonly kind: 'wish'
  readonly wish: Wish
  aside: string | undefined
}

/** What a step wishes of the world, until it is done. */
export type Wish =
  | { readonly kind: 'message'; readonly step: StepOf<'send'>; readonly channels: readonly string[] }
  | { readonly kind: 'coupon'; readonly step: StepOf<'issue'> }
  /** One of those that its journey has. */
  | { readonly kind: 'place' }
  | {
      readonly kind: 'event'
      readonly event: string
      readonly properties: Readonly<Record<string, unknown>>
      readonly traits: Readonly<Record<string, unknown>>
    }

export type StepOf<Verb extends string> = Extract<StepDefinition, Readonly<Record<Verb, unknown>>>

/** What is left of a step that its run is not at any more. */
export interface Orphan {
  readonly run: Run
  readonly step: StepDefinition
  readonly waiting: Wishing
  /** Why it is not done, where somebody has said so. */
  readonly reason: 'cancelled' | undefined
}

/** Somebody who was kept out, and may reach the goal all the same. */
export type KeptOut = Pick<Run, 'definition' | 'key' | 'since' | 'enteredAt' | 'goalReached'> & {
  readonly group: 'holdout' | 'control group'
}

/** Some steps, and which of them is next. */
export interface Place {
  readonly steps: Steps
  next: number
}

export interface Run {
  name: string
  /** Else it waits for a place, and has no name yet. */
  isIn: boolean
  definition: JourneyDefinition
  readonly key: string | undefined
  /** When what it was entered by happened. */
  readonly since: number
  enteredAt: number
  path: Place[]
  event: LoggedEvent | undefined
  step: StepDefinition
  /** The step that it was just moved from. */
  movedFrom: string | undefined
  waiting: Waiting
  /** When its wait ends by itself. */
  until: number
  goalReached: boolean
  /** How many events its digest has collected. */
  collected: number
  /** The variants that it has taken, by step. */
  readonly variants: Map<string, string>
}

/** A tag that came or went, or a score that changed. */
export interface Turn {
  readonly on: string
  readonly tag?: string
  readonly score?: string
  readonly from?: number
  readonly to?: number
}

export const VERBS = [
  'wait',
  'waitFor',
  'branch',
  'split',
  'send',
  'issue',
  'suggest',
  'tag',
  'set',
  'emit',
  'exit',
  'start',
  'digest',
]
