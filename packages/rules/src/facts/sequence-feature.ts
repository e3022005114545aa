import type { EventRecord, FeatureState } from '../subject.js'
import type { ChainEntry } from './chains.js'
import type { EventFilter, Feature } from './feature.js'
import { Retention } from './retention.js'

/** So many of the latest events of a sequence are kept. */
export const MOST_CHAIN_ENTRIES = 500

/** The entries in order of time, and the time of the latest that was forgotten because there were too many. */
export type SequenceState = readonly [entries: readonly ChainEntry[], forgotten?: number]

/** One part of a sequence: the events that can be it. */
export interface SequencePart {
  readonly bit: number
  readonly filter: EventFilter
}

/** The events that chains are made of, as far back as a chain that still counts can reach. */
export class SequenceFeature implements Feature {
  readonly events: readonly string[]
  readonly demand = undefined
  readonly retention = new Retention()

  constructor(
    readonly key: string,
    private readonly parts: readonly SequencePart[],
    /** What the events of a chain have in common; undefined where nothing. */
    private readonly by: ((event: EventRecord) => unknown) | undefined,
  ) {
    this.events = [...new Set(parts.flatMap(({ filter }) => filter.events))].sort()
  }

  get keeps(): string {
    return `chains ${this.retention.text}`
  }

  /** What an event is in the sequence; undefined where it is nothing. */
  entryOf(event: EventRecord): ChainEntry | undefined {
    const bits = this.parts.reduce((sum, { bit, filter }) => {
      return filter.events.includes(event.event) && filter.matches(event) ? sum | bit : sum
    }, 0)
    if (bits === 0) return undefined
    if (this.by === undefined) return [event.at, bits]
    const key = this.by(event)
    const scalar = typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean'
    return scalar ? [event.at, bits, key] : undefined
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    const entry = this.entryOf(event)
    if (entry === undefined) return state
    const [entries, forgotten] = (state as SequenceState | undefined) ?? [[]]
    return this.latestOf([...entries, entry], forgotten, now)
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [[entries, forgotten = UNKNOWN], [others, forgottenToo = UNKNOWN]] = [a as SequenceState, b as SequenceState]
    return this.latestOf([...entries, ...others], Math.max(forgotten, forgottenToo), UNKNOWN)
  }

  private latestOf(entries: readonly ChainEntry[], forgotten = UNKNOWN, now: number): SequenceState {
    const counting = entries.filter(([at]) => !this.retention.isOver(at, now)).sort(compareEntries)
    const surplus = Math.max(0, counting.length - MOST_CHAIN_ENTRIES)
    const dropped = Math.max(forgotten, counting[surplus - 1]?.[0] ?? UNKNOWN)
    const kept = counting.slice(surplus)
    return dropped === UNKNOWN || this.retention.isOver(dropped, now) ? [kept] : [kept, dropped]
  }
}

const UNKNOWN = Number.NEGATIVE_INFINITY

/** An order that does not depend on the order of arrival. */
function compareEntries(a: ChainEntry, b: ChainEntry): number {
  return a[0] - b[0] || a[1] - b[1] || compareText(JSON.stringify(a[2] ?? null), JSON.stringify(b[2] ?? null))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
