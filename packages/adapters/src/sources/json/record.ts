import type { IncomingEvent } from '@linli/core'
import { canonicalJson, DEFAULT_ZONE, FORBIDDEN_KEYS } from '@linli/rules'
import { readPointer } from '../../declared/pointer.js'
import { asObject, type JsonObject } from '../../http/json.js'
import { idFor } from '../http/ids.js'
import type { JsonMapDeclaration, Mapping, ValueOf } from './declaration.js'
import { usualName } from './names.js'
import { instantOf, NoSuchValue, numberOf, textOf, yuan, yuanOfFen } from './values.js'

/** A value of a record is not what the declaration says. */
export class Refused extends Error {
  readonly code: string
  readonly pointer: string

  constructor(
    message: string,
    { code, pointer, ...options }: ErrorOptions & { readonly code: string; readonly pointer: string },
  ) {
    super(message, options)
    this.code = code
    this.pointer = pointer
  }
}

/** What a record says that happened, by its name there. @throws {Refused} */
export function nameOf(record: unknown, { name }: JsonMapDeclaration): string {
  if (typeof name !== 'string') return String(name.value)
  const found = readPointer(record, name)
  if (typeof found === 'string' && found !== '') return found
  if (typeof found === 'number') return String(found)
  throw new Refused('The name of the event should be a text.', { code: 'json.name', pointer: name })
}

/** The events of one record: what it tells of the person and of the community, then what happened. @throws {Refused} */
export function eventsOf(
  record: unknown,
  name: string,
  mapping: Mapping,
  { source = 'json', zone = DEFAULT_ZONE }: JsonMapDeclaration,
): readonly IncomingEvent[] {
  const messageId = idFor(source, canonicalJson([name, idsOf(record, mapping)]))
  const base = { ...whoIs(record, mapping), ...timeOf(record, mapping, zone) }
  const traits = mapping.traits && fieldsOf(record, mapping.traits, zone)
  const community = idAt(record, mapping.community)
  const properties = propertiesOf(record, mapping, zone)
  return [
    ...(traits !== undefined && Object.keys(traits).length > 0
      ? [{ ...base, type: 'identify' as const, messageId: `${messageId}:who`, traits }]
      : []),
    ...(community !== undefined
      ? [{ ...base, type: 'group' as const, messageId: `${messageId}:where`, groupId: community, traits: {} }]
      : []),
    { ...base, messageId, event: mapping.event ?? usualName(name), properties },
  ]
}

function idsOf(record: unknown, { id }: Mapping): unknown {
  if (id === undefined) return record
  return [id].flat().map((pointer) => {
    const found = idAt(record, pointer)
    if (found === undefined)
      throw new Refused('What makes the record the one it is should stand here.', { code: 'json.id', pointer })
    return found
  })
}

/** An id: a text, or a number written as one. Undefined where there is none. */
function idAt(record: unknown, pointer: string | undefined): string | undefined {
  const found = pointer === undefined ? undefined : readPointer(record, pointer)
  if (typeof found === 'number') return String(found)
  if (found === undefined || found === null || found === '') return undefined
  if (typeof found === 'string') return found
  throw new Refused('An id should be a text or a number.', { code: 'json.text', pointer: pointer ?? '' })
}

function whoIs(record: unknown, { user, anonymous, identifiers = {} }: Mapping) {
  const [userId, anonymousId] = [idAt(record, user), idAt(record, anonymous)]
  const externalIds = Object.entries(identifiers).flatMap(([type, pointer]) => {
    const id = idAt(record, pointer)
    return id === undefined ? [] : [{ type, id }]
  })
  return {
    ...(userId !== undefined && { userId }),
    ...(anonymousId !== undefined && { anonymousId }),
    ...(externalIds.length > 0 && { context: { externalIds } }),
  }
}

function timeOf(record: unknown, { at }: Mapping, zone: string): { readonly timestamp?: Date } {
  const found = at === undefined ? undefined : readPointer(record, at)
  if (at === undefined || found === undefined || found === null || found === '') return {}
  return { timestamp: new Date(convert(at, () => instantOf(found, zone))) }
}

function propertiesOf(record: unknown, { properties = {} }: Mapping, zone: string): JsonObject {
  if (typeof properties !== 'string') return fieldsOf(record, properties, zone)
  const found = readPointer(record, properties) ?? {}
  return convert(properties, () => {
    const object = asObject(found)
    if (object === undefined) throw new NoSuchValue('json.object', 'an object')
    return object
  })
}

/** What is not there is left out. */
function fieldsOf(record: unknown, fields: Readonly<Record<string, ValueOf>>, zone: string): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, of]) => {
      const value = FORBIDDEN_KEYS.has(key) ? undefined : readField(record, of, zone)
      return value === undefined ? [] : [[key, value]]
    }),
  )
}

function readField(record: unknown, of: ValueOf, zone: string): unknown {
  if (typeof of === 'string') return readPointer(record, of) ?? undefined
  if ('value' in of) return of.value
  if ('each' in of) {
    const list = readPointer(record, of.each) ?? undefined
    if (list === undefined) return undefined
    if (!Array.isArray(list)) throw new Refused('This should be a list.', { code: 'json.list', pointer: of.each })
    return list.map((element, index) => within(`${of.each}/${index}`, () => fieldsOf(element, of.properties, zone)))
  }
  const found = readPointer(record, of.from)
  if (found === undefined || found === null || found === '') return undefined
  return convert(of.from, () => converters[of.as](found, zone))
}

const converters = {
  fen: yuanOfFen,
  yuan,
  number: numberOf,
  text: textOf,
  time: (value: unknown, zone: string) => new Date(instantOf(value, zone)).toISOString(),
}

function convert<T>(pointer: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof NoSuchValue)
      throw new Refused(`This should be ${cause.right}.`, { code: cause.code, pointer, cause })
    throw cause
  }
}

/** Tells of what is wrong in an element by its place in the record. */
function within<T>(pointer: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof Refused)
      throw new Refused(cause.message, { code: cause.code, pointer: `${pointer}${cause.pointer}`, cause })
    throw cause
  }
}
