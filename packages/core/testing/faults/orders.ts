import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Failpoint, FailpointPlan } from '../../src/testing/faults/failpoints.js'
import type { TownTime } from './town.js'

/** Where a shop's process finds what it works with. */
export interface Ways {
  readonly database: string
  readonly provider: string
  /** Left out: there is no Redis. */
  readonly redis?: string
}

/** What a shop's process is told to do. */
export interface Orders extends Ways {
  /** Part of the ids of its events, and other than that of any process before it. */
  readonly name: string
  readonly schema: string
  /** Where it writes down what it is about to take in. */
  readonly tried: string
  /** Where it writes down what was taken in. */
  readonly accepted: string
  readonly time: TownTime
  /** How many happenings it takes in. */
  readonly events: number
  /** How long it rests after each, in milliseconds of the machine. */
  readonly restMs: number
  readonly plan?: FailpointPlan
  /** The name of a seeded bug. */
  readonly mutant?: string
}

/** What a shop's process is told while it works: to take nothing in any more, to end, or to fail at a point to come. */
export type Told = 'calm' | 'end' | { readonly plan: FailpointPlan }

/** What a shop's process says. */
export type Reported = { readonly kind: 'started' } | { readonly kind: 'done'; readonly reached: readonly Failpoint[] }

/** An event that a process was about to take in, and since when. It may have died before it did. */
export interface Tried extends IncomingEvent {
  readonly from: number
  /** How often the clock had been put back before; left out: never. */
  readonly era?: number
}

/** An event that was taken in for certain, and between which instants. */
export interface Accepted extends Tried {
  readonly until: number
}
