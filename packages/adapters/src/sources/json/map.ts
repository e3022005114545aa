import type { IncomingEvent } from '@linli/core'
import { readDeclaration } from '../../declared/declaration.js'
import { readPointer } from '../../declared/pointer.js'
import { asObject } from '../../http/json.js'
import { type JsonMapDeclaration, mapSchema } from './declaration.js'
import { eventsOf, nameOf, Refused } from './record.js'

/** Begins the codes of errors. */
const ADAPTER = 'json'

/** What became of one record. */
export type MappedRecord =
  /** Its events: the person and the community first, where the record tells of them. */
  | { readonly status: 'mapped'; readonly events: readonly IncomingEvent[] }
  /** The declaration drops it. */
  | { readonly status: 'dropped' }
  /** It is not as the declaration says. `pointer` is where in the record. */
  | { readonly status: 'refused'; readonly code: string; readonly pointer: string; readonly message: string }

/** Makes events of what an order system says. */
export interface JsonMap {
  /** What becomes of each record of a payload, in order. Never throws: one bad record is no matter of the others. */
  records(payload: unknown): readonly MappedRecord[]
  /**
   * All events of a payload, in order: for files of exports, and for simulations. In the place of a refused record stands what is
   * no event, so that the engine counts it.
   */
  events(payload: unknown): readonly IncomingEvent[]
}

/** What the engine refuses, and leaves a decision of. */
export const NO_EVENT = null as unknown as IncomingEvent

/**
 * Reads a declaration of how records become events.
 *
 * @param declaration The parsed file. Nothing is known of it; all of it is checked.
 * @throws {DeclarationError} `json.declaration_invalid`, with each problem's place.
 * @example
 * const map = jsonMap({ name: '/event', id: '/order/no', user: '/buyer/id', at: '/time', properties: '/order' })
 * await engine.ingest(map.events(payload))
 */
export function jsonMap(declaration: unknown, { file = 'map.json' }: { readonly file?: string } = {}): JsonMap {
  const declared = readDeclaration<JsonMapDeclaration>(
    mapSchema,
    declaration,
    { adapter: ADAPTER, file },
    () => undefined,
  )
  const records = (payload: unknown): readonly MappedRecord[] => {
    const found = readPointer(payload, declared.records ?? '')
    if (found === undefined) return [refused('json.records', declared.records ?? '', 'There are no records here.')]
    return (Array.isArray(found) ? found : [found]).map((record) => mapRecord(record, declared))
  }
  return {
    records,
    events: (payload) =>
      records(payload).flatMap((one) =>
        one.status === 'mapped' ? one.events : one.status === 'refused' ? [NO_EVENT] : [],
      ),
  }
}

function refused(code: string, pointer: string, message: string): MappedRecord {
  return { status: 'refused', code, pointer, message }
}

function mapRecord(record: unknown, declared: JsonMapDeclaration): MappedRecord {
  try {
    if (asObject(record) === undefined)
      throw new Refused('A record should be an object.', { code: 'json.object', pointer: '' })
    const name = nameOf(record, declared)
    const { events = {}, others = 'keep', ...common } = declared
    const own = Object.hasOwn(events, name) ? events[name] : others === 'drop' ? false : {}
    if (own === false) return { status: 'dropped' }
    return { status: 'mapped', events: eventsOf(record, name, { ...common, ...own }, declared) }
  } catch (error) {
    if (error instanceof Refused) return refused(error.code, error.pointer, error.message)
    // It is nested so deep that it cannot be gone through.
    return refused('json.unreadable', '', 'The record cannot be read.')
  }
}
