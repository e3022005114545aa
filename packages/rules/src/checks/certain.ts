import type { Pack } from '../pack.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { type StepDefinition, stepsOf } from '../schemas/step.js'
import type { Flow } from './passages.js'
import type { Way } from './ways.js'

/** On which of the ways to a step something is there. */
export type Presence = 'always' | 'sometimes' | 'never'

/** What is certain of every run that comes to a step. */
export interface Certain {
  /** It began at least so long ago. */
  readonly ranMs: number
  /** Whether it knows an event: that which began it, or one that it has waited for. */
  readonly event: Presence
  /** What a digest has collected. */
  readonly digest: Presence
  readonly coupon: Presence
  /** The coupon that it has, if it has one, and how long at least; undefined where it may be of several offers. */
  readonly latest: { readonly offer: string; readonly heldMs: number } | undefined
  /** How often it has asked for a coupon of an offer, at least. */
  readonly asked: ReadonlyMap<string, number>
}

/** What brings a run about without an event at hand. */
const WITHOUT_EVENT: readonly string[] = [
  'tag.added',
  'tag.removed',
  'score.crossed',
  'schedule',
] satisfies readonly JourneyDefinition['entry']['on'][]

/** The journeys that others start. */
export function startedIn({ journeys }: Pack): ReadonlySet<string> {
  const steps = journeys.flatMap(({ definition }) => [...stepsOf(definition.steps)])
  return new Set(steps.flatMap(({ step }) => ('start' in step ? [step.start.journey] : [])))
}

/** Whether an event begins a journey's runs: one that others start takes theirs. */
export function entryEventOf({ id, entry }: JourneyDefinition, started: ReadonlySet<string>): Presence {
  if (!WITHOUT_EVENT.includes(entry.on)) return 'always'
  return started.has(id) ? 'sometimes' : 'never'
}

/**
 * What is certain when a run begins. Runs that were moved here from an earlier definition may have got something before.
 */
export function certainAtEntry(journey: JourneyDefinition, event: Presence = 'always'): Certain {
  const before = takesRunsOver(journey) ? 'sometimes' : 'never'
  return { ranMs: 0, event, digest: before, coupon: before, latest: undefined, asked: new Map() }
}

/** Whether runs that began with an earlier definition may go on in the middle of it. */
export function takesRunsOver({ earlier }: JourneyDefinition): boolean {
  return typeof earlier === 'object'
}

export const CERTAIN_FLOW: Flow<Certain> = { after, meet }

function after(known: Certain, step: StepDefinition, { kind, atLeastMs }: Way): Certain {
  const { latest } = known
  const later: Certain = {
    ...known,
    ranMs: known.ranMs + atLeastMs,
    latest: latest && { ...latest, heldMs: latest.heldMs + atLeastMs },
    ...(kind === 'event' && { event: 'always' }),
  }
  if ('digest' in step) return { ...later, digest: 'always' }
  if (!('issue' in step)) return later
  const { offer } = step.issue
  const asked = new Map([...known.asked, [offer, (known.asked.get(offer) ?? 0) + 1]])
  return kind === 'no coupon'
    ? { ...later, asked }
    : { ...later, asked, coupon: 'always', latest: { offer, heldMs: 0 } }
}

function meet(one: Certain, other: Certain): Certain {
  const asked = [...one.asked].map(([offer, times]) => [offer, Math.min(times, other.asked.get(offer) ?? 0)] as const)
  return {
    ranMs: Math.min(one.ranMs, other.ranMs),
    event: presence(one.event, other.event),
    digest: presence(one.digest, other.digest),
    coupon: presence(one.coupon, other.coupon),
    latest: latestOf(one, other),
    asked: new Map(asked),
  }
}

function presence(one: Presence, other: Presence): Presence {
  return one === other ? one : 'sometimes'
}

function latestOf(one: Certain, other: Certain): Certain['latest'] {
  if (one.coupon === 'never') return other.latest
  if (other.coupon === 'never') return one.latest
  if (one.latest === undefined || one.latest.offer !== other.latest?.offer) return undefined
  return { offer: one.latest.offer, heldMs: Math.min(one.latest.heldMs, other.latest.heldMs) }
}
