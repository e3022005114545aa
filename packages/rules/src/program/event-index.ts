import type { Demand } from '../facts/feature.js'
import { isObject } from '../json.js'
import type { EventRecord } from '../subject.js'

interface Bucket<T> {
  readonly always: T[]
  readonly byProperty: Map<string, Map<unknown, T[]>>
  readonly byItem: Map<string, Map<unknown, T[]>>
}

/**
 * Finds what an event can change by its name and by the property values that conditions demand, so that the cost of an
 * event does not grow with the number of rules that it cannot reach.
 */
export class EventIndex<T> {
  private readonly buckets = new Map<string, Bucket<T>>()

  add(entry: T, events: readonly string[], demand: Demand | undefined): void {
    for (const name of events) {
      const bucket = this.bucket(name)
      if (demand === undefined) bucket.always.push(entry)
      else {
        const values = memberOf(
          demand.of === 'event' ? bucket.byProperty : bucket.byItem,
          demand.property,
          () => new Map(),
        )
        for (const value of new Set(demand.values)) memberOf(values, value, () => []).push(entry)
      }
    }
  }

  /** What an event may change; each entry once. */
  find(event: EventRecord): readonly T[] {
    const bucket = this.buckets.get(event.event)
    if (bucket === undefined) return []
    if (bucket.byProperty.size === 0 && bucket.byItem.size === 0) return bucket.always
    const lists: (readonly T[])[] = bucket.always.length > 0 ? [bucket.always] : []
    collect(bucket.byProperty, event.properties, lists)
    if (bucket.byItem.size > 0) {
      const { items } = event.properties as { items?: unknown }
      if (Array.isArray(items)) for (const item of items) if (isObject(item)) collect(bucket.byItem, item, lists)
    }
    const [first = [], ...others] = lists
    return others.length === 0 ? first : [...new Set(lists.flat())]
  }

  private bucket(name: string): Bucket<T> {
    return memberOf(this.buckets, name, () => ({ always: [], byProperty: new Map(), byItem: new Map() }))
  }
}

function collect<T>(
  index: Bucket<T>['byProperty'],
  bag: Readonly<Record<string, unknown>>,
  lists: (readonly T[])[],
): void {
  for (const [property, values] of index) {
    // A demand for no value at all cannot be written, so an absent property reaches nothing.
    const entries = Object.hasOwn(bag, property) ? values.get(bag[property]) : undefined
    if (entries !== undefined && !lists.includes(entries)) lists.push(entries)
  }
}

/** The value at a key, made and put there first if it is missing. */
export function memberOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}
