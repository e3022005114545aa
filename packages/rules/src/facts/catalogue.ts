import { eventCount, eventDistinct, eventSum, itemCount, itemSum, lastEvent, sinceLastEvent } from './events.js'
import type { FactType } from './fact.js'
import { event, relation, tag, trait } from './state.js'

/** Every fact that conditions about a subject may name. A new fact is a new entry here. */
const FACTS: readonly FactType<unknown>[] = [
  eventCount,
  eventSum,
  itemCount,
  itemSum,
  eventDistinct,
  lastEvent,
  sinceLastEvent,
  trait,
  relation,
  tag,
  event,
]

export const FACT_TYPES: ReadonlyMap<string, FactType<unknown>> = new Map(FACTS.map((fact) => [fact.name, fact]))
