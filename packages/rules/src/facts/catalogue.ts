import { eventAvg, eventMax, eventMin, eventSum, itemSum } from './amounts.js'
import { consent } from './consent.js'
import { eventCount, itemCount } from './counts.js'
import { eventDistinct, userCount } from './different.js'
import type { FactType } from './fact.js'
import { lift } from './lift.js'
import { messageCount } from './messages.js'
import { now } from './now.js'
import { firstEvent, lastEvent, sinceFirstEvent, sinceLastEvent } from './outermost-facts.js'
import { rank } from './rank.js'
import { run } from './run.js'
import { score } from './score.js'
import { sequence } from './sequence.js'
import { share } from './share.js'
import { event, relation, tag, trait } from './state.js'

/** Every fact that conditions about a subject may name. A new fact is a new entry here. */
const FACTS: readonly FactType<unknown>[] = [
  eventCount,
  eventSum,
  eventAvg,
  eventMin,
  eventMax,
  itemCount,
  itemSum,
  eventDistinct,
  userCount,
  share,
  lift,
  rank,
  firstEvent,
  lastEvent,
  sinceFirstEvent,
  sinceLastEvent,
  messageCount,
  sequence,
  trait,
  relation,
  tag,
  score,
  consent,
  run,
  event,
  now,
]

export const FACT_TYPES: ReadonlyMap<string, FactType<unknown>> = new Map(FACTS.map((fact) => [fact.name, fact]))
