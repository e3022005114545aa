import { ENTRY_REQUEST, nearest, type Program } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { IncomingEvent } from './event.js'

/** Who is to enter a journey, and what the journey may read of it. */
export interface EntryRequest extends Pick<IncomingEvent, 'messageId' | 'userId' | 'anonymousId' | 'timestamp'> {
  /** Properties of the entry event: `entry.…` in templates, the fact `event`, the `key`. */
  readonly properties?: Readonly<Record<string, unknown>>
}

/** The event that asks for it; the journey must be one that programs enter. */
export function entryRequest(program: Program, id: string, request: EntryRequest): IncomingEvent {
  const journey = program.journeys.get(id)
  if (journey === undefined) throw unknownJourney(program, id)
  const { on } = journey.entry
  if (on !== 'api') {
    const message = `Journey ${JSON.stringify(id)} is entered by "${on}", not by programs: its entry should be { "on": "api" }.`
    throw new EngineError('journey.entry', message, { journey: id, on })
  }
  const { properties = {}, ...who } = request
  if (Object.hasOwn(properties, 'journey')) {
    const message = `The property "journey" says which journey is meant; call yours otherwise.`
    throw new EngineError('journey.property', message, { journey: id })
  }
  return { ...who, type: 'track', event: ENTRY_REQUEST, properties: { ...properties, journey: id } }
}

function unknownJourney({ journeys }: Program, id: string): EngineError {
  const known = [...journeys.values()].filter(({ entry }) => entry.on === 'api').map((journey) => journey.id)
  const meant = nearest(id, known)
  const hint = meant === undefined ? `Programs may enter: ${known.join(', ') || 'none'}.` : `Did you mean "${meant}"?`
  const message = `The rules have no journey ${JSON.stringify(id)}. ${hint}`
  return new EngineError('rule.unknown', message, { rule: id, known })
}
